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

#include <array>
#include <cstdint>
#include <string_view>

#include "../../core/nn/conv.h"
#include "conv.h"

namespace gradus {

namespace nn {

/// y of x [N, C, ..], weight [C, O / groups, kernel..] and bias [O] or absent.
struct ConvTransposeRule {
  static constexpr std::string_view name = "conv_transpose";
  static constexpr std::string_view formula =
      "y[n, o, z] = b[o] + sum W[c, o, k] x[n, c, q] over c and q s - p + k d = z, dx[n, c, q] = sum W[c, o, "
      "k] dy[n, o, q s - p + k d] over o and k, dW[c, o, k] = sum x[n, c, q] dy[n, o, q s - p + k d] over n "
      "and q, db[o] = sum dy[n, o, z] over n and z";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias"};
  static constexpr std::uint32_t shape_only = 1u << 2;  // no gradient reads the bias

  struct Attrs {
    core::ConvGeometry conv;
    core::Dims output_padding;  ///< below the stride
    static constexpr auto fields = named(&Attrs::conv, "output_padding", &Attrs::output_padding);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& weight,
                                        const core::Array& bias);
  GRADUS_API static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  /// dx, dweight, dbias.
  GRADUS_API static std::array<core::Array, 3> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::InArray<0> x,
                                                        autograd::InArray<1> weight);
  GRADUS_API static Tensor gradient_of_x(const Attrs& attrs, const Tensor& dy, const Tensor& weight);
  static constexpr auto gradients = autograd::formulas(
      [](autograd::Dy<> dy, autograd::In<1> weight, const Attrs& attrs) { return gradient_of_x(attrs, dy, weight); },
      [](autograd::Dy<> dy, autograd::In<0> x, autograd::ShapeOf<1> weight, const Attrs& attrs) {
        return conv_weight_gradient(x, dy, weight, attrs.conv);
      },
      [](autograd::Dy<> dy) { return dy.sum(all_but_channels(dy.dim())); });
};

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
