// Kernels of core/nn/difference_loss.h: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// The sum of the losses of n contiguous pairs of float32 or float64, taken in float64.
using DifferenceLossSum = double (*)(const void* x, const void* t, double bound, double unit, std::size_t n);
DifferenceLossSum difference_loss_kernel(DType dtype);
/// out = factor times the slope.
using DifferenceLossSlope = void (*)(const void* x, const void* t, double bound, double unit, double factor, void* out,
                                     std::size_t n);
DifferenceLossSlope difference_loss_slope_kernel(DType dtype);

}  // namespace gradus::core::kernels
