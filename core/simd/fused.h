// Kernels of the loops in core/nn/dropout.h, batch_norm.h and activation.h: internal to core.
#pragma once

#include "pointwise.h"

namespace gradus::core::kernels {

/// in: x, mask (Bool); param: the scale, of the dtype.
Kernel masked_scale_kernel(DType dtype);
/// in: dy, y.
Kernel relu_backward_kernel(DType dtype);

/// Maps n contiguous elements of one or two inputs, all of one channel, with its coefficients: *coefficients[k].
using OneChannelKernel = void (*)(void* out, const void* const* in, const void* const* coefficients, std::size_t n);
/// Maps rows of n contiguous elements, one after the other, each element of a channel of its own: coefficients[k][i].
using EachChannelKernel = void (*)(void* out, const void* const* in, const void* const* coefficients, std::size_t n,
                                   std::size_t rows);
struct ChannelKernels {
  OneChannelKernel one;
  EachChannelKernel each;
};
/// Numbers of n channels as coefficients of the dtype: row[i] = a[i] b[i], or a[i] where b is null.
using ChannelProduct = void (*)(const double* a, const double* b, void* row, std::size_t n);
ChannelProduct channel_product_kernel(DType dtype);
/// In two parts: row[i] = a[i] rounded, and rest[i] what that lost.
using ChannelSplit = void (*)(const double* a, void* row, void* rest, std::size_t n);
ChannelSplit channel_split_kernel(DType dtype);
/// in: x; coefficients: mean and what its rounding lost, scale, shift: ((x - mean) - rest) scale + shift.
ChannelKernels normalize_kernels(DType dtype);
/// in: dy, x; coefficients: mean, rest, a, b, c: ((dy - a) - ((x - mean) - rest) b) c.
ChannelKernels normalize_backward_kernels(DType dtype);

}  // namespace gradus::core::kernels
