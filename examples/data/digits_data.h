// The handwritten digits of digits.csv.gz, compiled into the program. README.md beside this file tells their origin.
#pragma once

#include <gradus/core/files/files.h>

/// The gzipped file: a line a digit, 64 pixels of 0 to 16 and the label, with commas between.
gradus::core::ByteView digits_csv_gz();
