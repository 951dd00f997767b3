// The handwritten digits of digits.csv.gz, compiled into the program. README.md beside this file tells their origin.
#pragma once

#include <cstddef>

extern "C" {
/// The gzipped file: a line a digit, 64 pixels of 0 to 16 and the label, with commas between.
extern const unsigned char digits_csv_gz[];
/// Its length in bytes.
extern const std::size_t digits_csv_gz_size;
}
