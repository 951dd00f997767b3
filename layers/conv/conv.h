// Convolution in 1, 2 and 3 dimensions. Input x is [N, C, L], [N, C, H, W] or [N, C, D, H, W], or the same without N.
//
//   y[n][o][q] = bias[o] + sum over c and t of weight[o][c][t] x[n][g C/groups + c][q s - p + t d]
//
//   for output channel o and position q (one number for each dimension), with stride s, padding p and dilation d; x is 0
//   outside its extents. The channels are cut into `groups` parts, g being that of o: each output channel sees the C /
//   groups input channels of its part. With groups = C each channel is convolved on its own ("depthwise"). There are
//
//     (extent + 2 p - d (kernel - 1) - 1) / s + 1, rounded down,
//
//   positions. The sum is linear in x and in weight, and with dy = dL/dy its gradients have the same terms:
//
//     dL/dx[n][i][z]       = sum over o, t, q with q s - p + t d = z of weight[o][i][t] dy[n][o][q]
//     dL/dweight[o][c][t]  = sum over n and q of dy[n][o][q] x[n][g C/groups + c][q s - p + t d]
//     dL/dbias[o]          = sum over n and q of dy[n][o][q]
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../core/base/export.h"
#include "../module/layer.h"
#include "conv_options.h"

namespace gradus {

namespace nn {

namespace functional {
/// ConvRule for inputs with and without N. ValueError for kSame with a stride other than 1.
GRADUS_API Tensor conv1d(Operand x, const Tensor& weight, const Conv1dFuncOptions& options = {});
GRADUS_API Tensor conv2d(Operand x, const Tensor& weight, const Conv2dFuncOptions& options = {});
GRADUS_API Tensor conv3d(Operand x, const Tensor& weight, const Conv3dFuncOptions& options = {});
}  // namespace functional

/// What convolutions and transposed ones share. Weight starts as kaiming_uniform_ with a = sqrt(5), which is uniform in
/// +-1/sqrt(fan in), and so does the bias; fan in is the weight's second size times the kernel's elements.
template <std::size_t D, class Derived>
class GRADUS_API ConvBase : public Layer<Derived> {
 public:
  /// ValueError when groups do not divide the channels, or a number is out of its range.
  explicit ConvBase(const ConvNdOptions<D>& chosen);

  void reset() override;
  /// Draws weight and bias anew.
  void reset_parameters();

  ConvNdOptions<D> options;
  Tensor
      weight;   ///< [out_channels, in_channels / groups, kernel..]; transposed [in_channels, out_channels / groups, ..]
  Tensor bias;  ///< [out_channels]; undefined without bias
};
/// What Conv1d, 2d and 3d share.
template <std::size_t D, class Derived>
class GRADUS_API ConvLayer : public ConvBase<D, Derived> {
 public:
  ConvLayer(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size);
  explicit ConvLayer(const ConvOptions<D>& chosen);
  Tensor compute(Operand x);
};

/// Over [N, C, L] and [C, L].
class GRADUS_API Conv1dImpl : public ConvLayer<1, Conv1dImpl> {
 public:
  using ConvLayer::ConvLayer;
  ~Conv1dImpl() override;
};
GRADUS_MODULE(Conv1d);
/// Over [N, C, H, W] and [C, H, W].
class GRADUS_API Conv2dImpl : public ConvLayer<2, Conv2dImpl> {
 public:
  using ConvLayer::ConvLayer;
  ~Conv2dImpl() override;
};
GRADUS_MODULE(Conv2d);
/// Over [N, C, D, H, W] and [C, D, H, W].
class GRADUS_API Conv3dImpl : public ConvLayer<3, Conv3dImpl> {
 public:
  using ConvLayer::ConvLayer;
  ~Conv3dImpl() override;
};
GRADUS_MODULE(Conv3d);

extern template class ConvLayer<1, Conv1dImpl>;
extern template class ConvLayer<2, Conv2dImpl>;
extern template class ConvLayer<3, Conv3dImpl>;

}  // namespace nn

/// nn::functional::conv1d and so on, with plain arguments: one number, or one for each dimension.
GRADUS_API Tensor conv1d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                         IntArrayRef padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);
GRADUS_API Tensor conv2d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                         IntArrayRef padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);
GRADUS_API Tensor conv3d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                         IntArrayRef padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);
/// Padding by name.
GRADUS_API Tensor conv1d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
                         const nn::PaddingName& padding, IntArrayRef dilation = 1, std::int64_t groups = 1);
GRADUS_API Tensor conv2d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
                         const nn::PaddingName& padding, IntArrayRef dilation = 1, std::int64_t groups = 1);
GRADUS_API Tensor conv3d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
                         const nn::PaddingName& padding, IntArrayRef dilation = 1, std::int64_t groups = 1);

}  // namespace gradus
