// The rules of convolutions and of transposed ones (their sums: conv.h, conv_transpose.h), and the gradients of both as
// operations, in which they are differentiated again (under create_graph). All are linear in each of their two operands, and
// each is the gradient of the others: of y = conv(x, W),
//
//   dL/dx = the transposed convolution of dy with W,   dL/dW = conv_weight_gradient(dy, x)
//
// of a transposed convolution, dL/dx is a convolution of dy with W and dL/dW = conv_weight_gradient(x, dy); and of that, the
// gradient of its first operand is a convolution, of its second one a transposed convolution. So derivatives of every order
// take one such operation for each first-order gradient, however many taps there are.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../../core/nn/channels.h"
#include "../../core/nn/conv.h"

namespace gradus::nn {

/// dL/dx of the shape x, a transposed convolution.
GRADUS_API Tensor conv_input_gradient(const Tensor& dy, const Tensor& weight, const core::Shape& x,
                                      const core::ConvGeometry& geometry);
GRADUS_API Tensor conv_weight_gradient(const Tensor& dy, const Tensor& x, const core::Shape& weight,
                                       const core::ConvGeometry& geometry);

/// y of x [N, C, ..], weight [O, C / groups, kernel..] and bias [O] or absent. Errors are those of core/nn/conv.h.
struct ConvRule {
  static constexpr std::string_view name = "conv";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias"};
  static constexpr std::uint32_t shape_only = 1u << 2;  // no gradient reads the bias
  using Attrs = core::ConvGeometry;

  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& weight,
                                        const core::Array& bias);
  GRADUS_API static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  /// dx, dweight, dbias.
  GRADUS_API static std::array<core::Array, 3> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::InArray<0> x,
                                                        autograd::InArray<1> weight);
  static constexpr auto gradients =
      autograd::formulas([](autograd::Dy<> dy, autograd::In<1> weight, autograd::ShapeOf<0> x,
                            const Attrs& attrs) { return conv_input_gradient(dy, weight, x, attrs); },
                         [](autograd::Dy<> dy, autograd::In<0> x, autograd::ShapeOf<1> weight, const Attrs& attrs) {
                           return conv_weight_gradient(dy, x, weight, attrs);
                         },
                         [](autograd::Dy<> dy) { return dy.sum(core::all_but_channels(dy.dim())); });
};

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
      [](autograd::Dy<> dy) { return dy.sum(core::all_but_channels(dy.dim())); });
};

/// dL/dweight [O, C / groups, kernel..] of dy [N, O, ..] and x [N, C, ..].
struct ConvWeightGradient {
  static constexpr std::string_view name = "conv_weight_gradient";
  static constexpr std::string_view formula =
      "y[o, c, k] = sum dy[n, o, p] x[n, c, s p + d k] over n and p, ddy[n, o, p] = sum g[o, c, k] x[n, c, s p + d k] "
      "over c and k, dx[n, c, s p + d k] = sum g[o, c, k] dy[n, o, p] over o and p";
  static constexpr std::string_view input_names[] = {"dy", "x"};
  struct Attrs {
    core::ConvGeometry conv;
    core::Shape weight;
    static constexpr auto fields = named(&Attrs::conv, "weight", &Attrs::weight);
  };
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& dy, const core::Array& x);
  GRADUS_API static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  GRADUS_API static Tensor gradient_of_dy(const Attrs& attrs, const Tensor& g, const Tensor& x);
  GRADUS_API static Tensor gradient_of_x(const Attrs& attrs, const Tensor& g, const Tensor& dy, const core::Shape& x);
  static constexpr auto gradients = autograd::formulas(
      [](autograd::Dy<> g, autograd::In<1> x, const Attrs& attrs) { return gradient_of_dy(attrs, g, x); },
      [](autograd::Dy<> g, autograd::In<0> dy, autograd::ShapeOf<1> x, const Attrs& attrs) {
        return gradient_of_x(attrs, g, dy, x);
      });
};

}  // namespace gradus::nn
