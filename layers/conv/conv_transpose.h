// Transposed convolution: what a convolution's gradient of its input is, as a function (Zeiler et al., 2010).
//
//   y[n][o][z] = bias[o] + sum over c, q, t with q s - p + t d = z of weight[c][o][t] x[n][c][q]
//
//   for x [N, C, ..], weight [C, O / groups, kernel..] and y [N, O, ..], with stride s, padding p and dilation d: each number
//   of x is spread over a window of y, where windows overlap they add up. An extent becomes
//
//     (extent - 1) s - 2 p + d (kernel - 1) + 1 + output_padding,
//
//   output_padding choosing among the sizes that a convolution of stride s takes to x's. With dy = dL/dy, dL/dx is the
//   convolution of dy with the weight, and dL/dweight that convolution's gradient of the weight (conv.h), x in the place of dy:
//
//     dL/dx[n][c][q]       = sum over o, t of weight[c][o][t] dy[n][o][q s - p + t d]
//     dL/dweight[c][o][t]  = sum over n, q of x[n][c][q] dy[n][o][q s - p + t d]
//     dL/dbias[o]          = sum over n and z of dy[n][o][z]
#pragma once

#include <cstddef>
#include <cstdint>

#include "conv.h"

namespace gradus {

namespace nn {

namespace functional {
/// As gradus::conv_transpose1d and so on, below.
GRADUS_API Tensor conv_transpose1d(Operand x, const Tensor& weight, const ConvTranspose1dFuncOptions& options = {});
GRADUS_API Tensor conv_transpose2d(Operand x, const Tensor& weight, const ConvTranspose2dFuncOptions& options = {});
GRADUS_API Tensor conv_transpose3d(Operand x, const Tensor& weight, const ConvTranspose3dFuncOptions& options = {});
}  // namespace functional

/// What ConvTranspose1d, 2d and 3d share.
template <std::size_t D, class Derived>
class GRADUS_API ConvTransposeLayer : public ConvBase<D, Derived> {
 public:
  ConvTransposeLayer(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size);
  /// ValueError, beside ConvBase's, for a padding_mode other than kZeros.
  explicit ConvTransposeLayer(const ConvTransposeOptions<D>& chosen);
  Tensor compute(Operand x);
  using Layer<Derived>::forward;
  /// To one of the sizes that output_padding chooses among, all of y's or the last D. ValueError when it is none of them.
  Tensor forward(Operand x, IntArrayRef output_size);

 private:
  Tensor spread(Operand x, const ExpandingArray<D>& output_padding) const;
};

/// Over [N, C, L] and [C, L].
class GRADUS_API ConvTranspose1dImpl : public ConvTransposeLayer<1, ConvTranspose1dImpl> {
 public:
  using ConvTransposeLayer::ConvTransposeLayer;
  ~ConvTranspose1dImpl() override;
};
GRADUS_MODULE(ConvTranspose1d);
/// Over [N, C, H, W] and [C, H, W].
class GRADUS_API ConvTranspose2dImpl : public ConvTransposeLayer<2, ConvTranspose2dImpl> {
 public:
  using ConvTransposeLayer::ConvTransposeLayer;
  ~ConvTranspose2dImpl() override;
};
GRADUS_MODULE(ConvTranspose2d);
/// Over [N, C, D, H, W] and [C, D, H, W].
class GRADUS_API ConvTranspose3dImpl : public ConvTransposeLayer<3, ConvTranspose3dImpl> {
 public:
  using ConvTransposeLayer::ConvTransposeLayer;
  ~ConvTranspose3dImpl() override;
};
GRADUS_MODULE(ConvTranspose3d);

extern template class ConvTransposeLayer<1, ConvTranspose1dImpl>;
extern template class ConvTransposeLayer<2, ConvTranspose2dImpl>;
extern template class ConvTransposeLayer<3, ConvTranspose3dImpl>;

}  // namespace nn

/// As above, for inputs with and without N; one number, or one for each dimension. ShapeError where sizes do not fit each
/// other; ValueError for numbers out of range: output_padding is below the stride or the dilation.
GRADUS_API Tensor conv_transpose1d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                                   IntArrayRef padding = 0, IntArrayRef output_padding = 0, std::int64_t groups = 1,
                                   IntArrayRef dilation = 1);
GRADUS_API Tensor conv_transpose2d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                                   IntArrayRef padding = 0, IntArrayRef output_padding = 0, std::int64_t groups = 1,
                                   IntArrayRef dilation = 1);
GRADUS_API Tensor conv_transpose3d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                                   IntArrayRef padding = 0, IntArrayRef output_padding = 0, std::int64_t groups = 1,
                                   IntArrayRef dilation = 1);

}  // namespace gradus
