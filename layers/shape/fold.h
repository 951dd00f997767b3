// Windows of images as columns, and columns added up to images.
//
//   unfold:  y[n][(c K + i) K' + j][q W' + r] = x[n][c][q s - p + i d][r s' - p' + j d']     0 outside of x
//   fold:    x[n][c][z][z'] = sum over all c, i, j, q, r that unfold takes from there of y[n][(c K + i) K' + j][q W' + r]
//
//   for a window of K x K' taps with dilation d, at H' x W' positions with stride s and padding p:
//   H' = (H + 2 p - d (K - 1) - 1) / s + 1, rounded down. Both are linear, and each is the other's gradient: of what unfold
//   makes of an image, fold gives back each element as often as windows hold it.
#pragma once

#include <cstdint>

#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"

namespace gradus {

namespace nn {

struct UnfoldOptions {
  UnfoldOptions(ExpandingArray<2> kernel_size) : kernel_size_(kernel_size) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(ExpandingArray<2>, kernel_size);
  GRADUS_ARG(ExpandingArray<2>, dilation) = 1;
  GRADUS_ARG(ExpandingArray<2>, padding) = 0;
  GRADUS_ARG(ExpandingArray<2>, stride) = 1;

 public:
  static constexpr auto fields =
      named("kernel_size", &UnfoldOptions::kernel_size_, "dilation", &UnfoldOptions::dilation_, "padding",
            &UnfoldOptions::padding_, "stride", &UnfoldOptions::stride_);
};
/// `FoldOptions({4, 5}, {2, 2})`: the image, the window.
struct FoldOptions {
  FoldOptions(ExpandingArray<2> output_size, ExpandingArray<2> kernel_size)
      : output_size_(output_size), kernel_size_(kernel_size) {}
  GRADUS_ARG(ExpandingArray<2>, output_size);
  GRADUS_ARG(ExpandingArray<2>, kernel_size);
  GRADUS_ARG(ExpandingArray<2>, dilation) = 1;
  GRADUS_ARG(ExpandingArray<2>, padding) = 0;
  GRADUS_ARG(ExpandingArray<2>, stride) = 1;

 public:
  static constexpr auto fields =
      named("output_size", &FoldOptions::output_size_, "kernel_size", &FoldOptions::kernel_size_, "dilation",
            &FoldOptions::dilation_, "padding", &FoldOptions::padding_, "stride", &FoldOptions::stride_);
};

namespace functional {
using UnfoldFuncOptions = UnfoldOptions;
using FoldFuncOptions = FoldOptions;
/// As gradus::im2col and gradus::col2im.
GRADUS_API Tensor unfold(Operand x, const UnfoldFuncOptions& options);
GRADUS_API Tensor fold(Operand x, const FoldFuncOptions& options);
}  // namespace functional

class GRADUS_API UnfoldImpl : public FunctionLayer<UnfoldImpl, functional::unfold, UnfoldOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  UnfoldImpl(ExpandingArray<2> kernel_size);  // NOLINT(google-explicit-constructor)
};
GRADUS_MODULE(Unfold);
class GRADUS_API FoldImpl : public FunctionLayer<FoldImpl, functional::fold, FoldOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  FoldImpl(ExpandingArray<2> output_size, ExpandingArray<2> kernel_size);
};
GRADUS_MODULE(Fold);

}  // namespace nn

/// [C, H, W] or [N, C, H, W] -> [(N,) C K K', H' W']; one number for both dimensions, or two. ShapeError where the window
/// exceeds the padded image; ValueError for numbers out of range.
GRADUS_API Tensor im2col(Operand x, IntArrayRef kernel_size, IntArrayRef dilation, IntArrayRef padding,
                         IntArrayRef stride);
/// [C K K', H' W'] or [N, C K K', H' W'] -> [(N,) C, output_size]. ShapeError where the columns are not those of such an
/// image.
GRADUS_API Tensor col2im(Operand x, IntArrayRef output_size, IntArrayRef kernel_size, IntArrayRef dilation,
                         IntArrayRef padding, IntArrayRef stride);

}  // namespace gradus
