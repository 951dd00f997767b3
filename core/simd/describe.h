// The least, the largest, the sum and the sum of squares of floating-point numbers, in one pass: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// Of n > 0 numbers, float32 or float64: their least and largest, the sum of their distances from the first and that of the
/// squares of those. Sums of a block are of the dtype, those of all blocks float64.
struct Described {
  double least, largest, distances, squares;
};
Described describe(const void* x, std::size_t n, DType dtype);

}  // namespace gradus::core::kernels
