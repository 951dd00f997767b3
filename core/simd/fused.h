// Kernels of the loops in core/nn/dropout.h, batch_norm.h and activation.h: internal to core.
#pragma once

#include "pointwise.h"

namespace gradus::core::kernels {

/// in: x, mask (Bool); param: the scale, of the dtype.
Kernel masked_scale_kernel(DType dtype);
/// in: dy, y.
Kernel relu_backward_kernel(DType dtype);

/// Maps n contiguous elements of one or two inputs with the coefficients of their channels: one channel for all (the
/// coefficients are read at coefficients[k][0]) or one channel for each element.
using ChannelKernel = void (*)(void* out, const void* const* in, const void* const* coefficients, std::size_t n);
struct ChannelKernels {
  ChannelKernel one, each;
};
/// in: x; coefficients: mean and what its rounding lost, scale, shift: ((x - mean) - rest) scale + shift.
ChannelKernels normalize_kernels(DType dtype);
/// in: dy, x; coefficients: mean, rest, a, b, c: ((dy - a) - ((x - mean) - rest) b) c.
ChannelKernels normalize_backward_kernels(DType dtype);

}  // namespace gradus::core::kernels
