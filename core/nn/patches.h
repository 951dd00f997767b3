// Patches of images as columns, and back: what turns a convolution into a product.
//
//   columns[n][(c K + i) K' + j][q W' + r] = x[n][c][q s - p + i d][r s' - p' + j d']      0 where x has no such element
//
// for x [N, C, H, W], a window of K x K' taps (i, j) with dilation d, its positions (q, r), H' x W' of them, with stride s
// and padding p: columns is [N, C K K', H' W']. The other way the numbers of a place add up, in the order of the taps.
// float32 and float64, any strides; results are contiguous, with the same bits at any number of threads.
#pragma once

#include "../array/array.h"
#include "../base/export.h"
#include "../base/fields.h"

namespace gradus::core {

/// Two numbers each.
struct PatchWindows {
  Dims kernel, dilation, padding, stride;
  static constexpr auto fields = named("kernel_size", &PatchWindows::kernel, "dilation", &PatchWindows::dilation,
                                       "padding", &PatchWindows::padding, "stride", &PatchWindows::stride);
};

/// How many positions there are in each dimension of height x width. ValueError for a kernel, dilation or stride below 1 or
/// a negative padding, ShapeError when the window exceeds the padded extents; messages begin with `op`.
GRADUS_API Dims patch_positions(const char* op, std::int64_t height, std::int64_t width, const PatchWindows& windows);
/// [N, C, H, W] -> [N, C K K', H' W'].
GRADUS_API Array im2col(const Array& x, const PatchWindows& windows);
/// [N, C K K', H' W'] -> [N, C, height, width].
GRADUS_API Array col2im(const Array& columns, std::int64_t height, std::int64_t width, const PatchWindows& windows);

}  // namespace gradus::core
