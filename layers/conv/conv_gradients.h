// The gradients of convolutions as operations, in which convolutions are differentiated again (under create_graph). All are
// linear in each of their two operands, and each is the gradient of the others: of y = conv(x, W),
//
//   dL/dx = the transposed convolution of dy with W,   dL/dW = conv_weight_gradient(dy, x)
//
// of a transposed convolution, dL/dx is a convolution of dy with W and dL/dW = conv_weight_gradient(x, dy); and of that, the
// gradient of its first operand is a convolution, of its second one a transposed convolution. So derivatives of every order take
// one such operation for each first-order gradient, however many taps there are.
#pragma once

#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../../core/nn/conv.h"

namespace gradus::nn {

/// dL/dweight [O, C / groups, kernel..] of dy [N, O, ..] and x [N, C, ..].
struct ConvWeightGradient {
  static constexpr std::string_view name = "conv_weight_gradient";
  static constexpr std::string_view formula =
      "y[o, c, k] = sum dy[n, o, p] x[n, c, s p + d k] over n and p, ddy[n, o, p] = sum g[o, c, k] x[n, c, s p + d k] "
      "over "
      "c and k, dx[n, c, s p + d k] = sum g[o, c, k] dy[n, o, p] over o and p";
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
