// Means and sums of squares, mostly in one pass over memory: internal to core.
#pragma once

#include "../array/array.h"

namespace gradus::core::kernels {

struct Moments {
  Array mean, squares;  ///< the mean, and the sum of (x - mean)^2, float64, of x's shape without the dimensions
};

/// Over the dimensions (sorted, wrapped) of floating-point numbers; over nothing NaN and 0.
Moments moments(const Array& x, const Dims& dims);

}  // namespace gradus::core::kernels
