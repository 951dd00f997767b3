// Distances between rows: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// y[i stride + j] = sqrt(sum_k (a[i m + k] - b[j m + k])^2) for rows of m floating-point numbers.
using DistanceKernel = void (*)(void* y, std::size_t stride, const void* a, std::size_t a_rows, const void* b,
                                std::size_t b_rows, std::size_t m);
DistanceKernel distance_kernel(DType dtype);

}  // namespace gradus::core::kernels
