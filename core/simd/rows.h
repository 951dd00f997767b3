// Kernels that see a whole row at once: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// The index of the largest (smallest) of n > 0 contiguous elements: the first of equal ones, and of NaN if there are
/// any.
using RowIndex = std::size_t (*)(const void* x, std::size_t n);
RowIndex argmax_kernel(DType dtype);
RowIndex argmin_kernel(DType dtype);

/// y from x, n contiguous elements each of float32 or float64; y may be x, but not overlap it otherwise.
using RowMap = void (*)(const void* x, void* y, std::size_t n);
RowMap softmax_kernel(DType dtype);
RowMap log_softmax_kernel(DType dtype);
/// dx from dy and y, the result of the forward kernel; dx may be dy.
using RowGradient = void (*)(const void* dy, const void* y, void* dx, std::size_t n);
RowGradient softmax_backward_kernel(DType dtype);
RowGradient log_softmax_backward_kernel(DType dtype);
/// exp(y) factor for y <= 0: log-probabilities.
using RowScaledExp = void (*)(const void* y, double factor, void* out, std::size_t n);
RowScaledExp exp_of_row_kernel(DType dtype);
/// factor (p (sum(a) - a) - a (1 - p)) with p = exp(y), y <= 0.
using RowPairMap = void (*)(const void* y, const void* a, double factor, void* out, std::size_t n);
RowPairMap cross_entropy_backward_kernel(DType dtype);
/// One number: log(sum(exp(x))).
using RowNumber = double (*)(const void* x, std::size_t n);
RowNumber logsumexp_kernel(DType dtype);

struct RowStatistics {
  double mean, inv_std;
};
/// y = (x - mean) inv_std weight + bias with inv_std = 1 / sqrt(variance + eps); weight and bias may be null: 1 and 0.
using LayerNormRow = RowStatistics (*)(const void* x, const void* weight, const void* bias, double eps, void* y,
                                       std::size_t n);
LayerNormRow layer_norm_kernel(DType dtype);
/// Writes dx and adds the row's part to dweight and dbias; each of the three may be null.
using LayerNormRowBackward = void (*)(const void* dy, const void* x, const void* weight, RowStatistics of, void* dx,
                                      void* dweight, void* dbias, std::size_t n);
LayerNormRowBackward layer_norm_backward_kernel(DType dtype);

/// The same of a row that is `channels` runs of `positions` elements: weight and bias have a number for each channel.
using GroupNormRow = RowStatistics (*)(const void* x, const void* weight, const void* bias, double eps, void* y,
                                       std::size_t channels, std::size_t positions);
GroupNormRow group_norm_kernel(DType dtype);
/// Writes dx, unless it is null, and of each channel sum dy x_hat and sum dy: sums[2 c] and sums[2 c + 1].
using GroupNormRowBackward = void (*)(const void* dy, const void* x, const void* weight, RowStatistics of, void* dx,
                                      double* sums, std::size_t channels, std::size_t positions);
GroupNormRowBackward group_norm_backward_kernel(DType dtype);

}  // namespace gradus::core::kernels
