// The 1,797 handwritten digits of digits.csv.gz.
#pragma once

#include <gradus/core/files/files.h>

#include "images.h"

namespace examples {

/// Reads lines of 64 pixels (8x8, row by row, 0..16) and a label (0..9), with commas between; `csv` may be gzipped.
/// gradus::FileError, with the line's number and what stands there, when a line is anything else, or there is none.
Images parse_digits(gradus::core::ByteView csv);

/// Every fifth image (index % 5 == 4) is for testing, the others for training, both in their order.
Dataset split_every_fifth(const Images& images);

}  // namespace examples
