// Pooling over windows of 1, 2 or 3 dimensions: the largest value of each window, or the mean of its values.
//
// The last D = kernel.size() dimensions of x are pooled, each plane of the dimensions before them by itself. Along a
// dimension of size n, the window of output o begins at o stride - padding and reads every dilation-th of
// (kernel - 1) dilation + 1 positions. Positions outside [0, n) are padding: below everything for the largest value,
// 0 for the mean. float32 and float64, any strides; results are contiguous, with the same bits at any number of threads.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "../array/array.h"
#include "../base/export.h"
#include "../base/fields.h"

namespace gradus::core {

/// Where windows lie: one number for each pooled dimension.
struct PoolWindows {
  Dims kernel, stride, padding, dilation;
  bool ceil_mode = false;  ///< one window more where the last would leave some of the input (or padding before it) out
  static constexpr auto fields =
      named("kernel_size", &PoolWindows::kernel, "stride", &PoolWindows::stride, "padding", &PoolWindows::padding,
            "dilation", &PoolWindows::dilation, "ceil_mode", &PoolWindows::ceil_mode);
};
/// How the mean divides.
struct PoolDivisor {
  bool count_include_pad = true;  ///< padding counts, but not what ceil_mode reads beyond it
  std::optional<std::int64_t> override_with = {};
  static constexpr auto fields =
      named("count_include_pad", &PoolDivisor::count_include_pad, "divisor_override", &PoolDivisor::override_with);
};

/// The shape of x pooled. A size is floor((n + 2 padding - dilation (kernel - 1) - 1) / stride) + 1; ceil in its place
/// under ceil_mode, without a window that would begin behind the input. ShapeError when x has not D + 1 or D + 2
/// dimensions, or a size would be below 1; ValueError for a kernel, stride or dilation below 1, and for padding below 0
/// or over half the kernel: there would be windows of padding alone. Messages begin with `op`.
GRADUS_API Shape pooled_shape(const char* op, const Shape& x, const PoolWindows& windows);
/// For each output of a plane the positions in the plane (row-major) that its window reads, in order:
/// [outputs, kernel's volume] int64, with the plane's size for padding. What pooling means, for references.
GRADUS_API Array pool_positions(const char* op, const Shape& x, const PoolWindows& windows);
/// What the mean of each output of a plane divides by: [outputs] float64.
GRADUS_API Array pool_divisors(const char* op, const Shape& x, const PoolWindows& windows, const PoolDivisor& divisor);

/// (the largest value of each window, its position in the plane as int32). Of equal ones the first, of NaN the last;
/// NaN is larger than anything. A window of padding alone, which dilation can make, gives -inf and position -1.
GRADUS_API std::tuple<Array, Array> max_pool(const char* op, const Array& x, const PoolWindows& windows);
/// zeros(x_shape) with dy added at the positions that max_pool gave: its gradient.
GRADUS_API Array max_pool_backward(const Array& dy, const Array& positions, const Shape& x_shape, int pooled_dims);
/// The mean of each window. Dilation must be 1 (ValueError).
GRADUS_API Array avg_pool(const char* op, const Array& x, const PoolWindows& windows, const PoolDivisor& divisor);
/// Its gradient.
GRADUS_API Array avg_pool_backward(const char* op, const Array& dy, const Shape& x_shape, const PoolWindows& windows,
                                   const PoolDivisor& divisor);

/// The mean over windows of as even a size as there is, in the last two dimensions: output o of m reads
/// [floor(o n / m), ceil((o + 1) n / m)) of n. ValueError and ShapeError unless all sizes are at least 1.
GRADUS_API Array adaptive_avg_pool2d(const Array& x, std::int64_t height, std::int64_t width);
/// Its gradient.
GRADUS_API Array adaptive_avg_pool2d_backward(const Array& dy, const Shape& x_shape);
/// For each output of one dimension the positions that its window reads, in order: [m, longest window] int64, with n
/// where a shorter one has ended; and the windows' lengths [m] float64. What it means, for references.
GRADUS_API std::tuple<Array, Array> adaptive_windows(std::int64_t n, std::int64_t m);

}  // namespace gradus::core
