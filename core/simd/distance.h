// Distances between rows: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// y[j] = sqrt(sum_k (a[k] - b[j m + k])^2) for `rows` rows of m floating-point numbers; sums are of float64.
using DistanceKernel = void (*)(void* y, const void* a, const void* b, std::size_t rows, std::size_t m);
DistanceKernel distance_kernel(DType dtype);

}  // namespace gradus::core::kernels
