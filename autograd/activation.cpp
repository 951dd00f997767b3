#include "activation.h"

#include <algorithm>

#include "../core/activation.h"
#include "../core/fail.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace autograd {

Tensor GeluRule::reference(const Attrs& attrs, const Tensor& x) {
  if (!attrs.tanh) return x * ((erf(x * 0.70710678118654752440) + 1) * 0.5);
  return x * sigmoid((x + pow(x, 3) * 0.044715) * 1.59576912160573071176);
}
Array GeluRule::forward(const Attrs& attrs, const Array& x) { return core::gelu(x, attrs.tanh); }
std::array<Array, 1> GeluRule::backward(const Attrs& attrs, DyArray<> dy, InArray<0> x) {
  return {core::gelu_backward(dy, x, attrs.tanh)};
}

Tensor SiluRule::reference(const Tensor& x) { return x * sigmoid(x); }
Array SiluRule::forward(const Array& x) { return core::silu(x); }
std::array<Array, 1> SiluRule::backward(DyArray<> dy, InArray<0> x) { return {core::silu_backward(dy, x)}; }

Tensor SoftplusRule::reference(const Attrs& attrs, const Tensor& x) {
  const Tensor scaled = x * attrs.beta;
  // Far out it is x to all digits, and the exponential must not overflow.
  const Tensor linear = scaled > std::min(attrs.threshold, 40.0);
  return where(linear, x, log1p(exp(masked_fill(scaled, linear, 0))) / attrs.beta);
}
Array SoftplusRule::forward(const Attrs& attrs, const Array& x) {
  return core::softplus(x, attrs.beta, attrs.threshold);
}
std::array<Array, 1> SoftplusRule::backward(const Attrs& attrs, DyArray<> dy, InArray<0> x) {
  return {core::softplus_backward(dy, x, attrs.beta, attrs.threshold)};
}

}  // namespace autograd

namespace {

// dx = dy (1 - y^2) is linear in dy; in y its slope is -2 y dy.
struct TanhBackward {
  static constexpr std::string_view name = "tanh_backward";
  static Array forward(const Array& dy, const Array& y) { return core::tanh_backward(dy, y); }
  static constexpr auto gradients = formulas([](Dy<> g, In<1> y) { return tanh_backward(g, y); },
                                             [](Dy<> g, In<0> dy, In<1> y) { return g * dy * (y * -2); });
};
// dx = dy (y - y^2)
struct SigmoidBackward {
  static constexpr std::string_view name = "sigmoid_backward";
  static Array forward(const Array& dy, const Array& y) { return core::sigmoid_backward(dy, y); }
  static constexpr auto gradients = formulas([](Dy<> g, In<1> y) { return sigmoid_backward(g, y); },
                                             [](Dy<> g, In<0> dy, In<1> y) { return g * dy * (1 - y * 2); });
};

void check_floating(const char* op, const Operand& x) {
  if (x.tensor().is_floating_point()) return;
  core::fail<DTypeError>("{}: the operand must be floating-point: {}; convert it with to(kFloat)", op,
                         x.tensor().dtype());
}

}  // namespace

Tensor gelu(Operand x, std::string_view approximate) {
  if (approximate != "none" && approximate != "tanh") {
    core::fail<ValueError>("gelu: approximate must be \"none\" or \"tanh\": \"{}\"", approximate);
  }
  return apply<GeluRule>({approximate == "tanh"}, x);
}
Tensor silu(Operand x) { return apply<SiluRule>(x); }
Tensor softplus(Operand x, const Scalar& beta, const Scalar& threshold) {
  if (!(beta.toDouble() > 0)) core::fail<ValueError>("softplus: beta must be positive: {}", beta.toDouble());
  return apply<SoftplusRule>({beta.toDouble(), threshold.toDouble()}, x);
}
Tensor leaky_relu(Operand x, const Scalar& negative_slope) {
  check_floating("leaky_relu", x);
  const Scope scope(x.at());
  const Tensor in = x.tensor();
  return where(in > 0, in, in * negative_slope);
}
Tensor elu(Operand x, const Scalar& alpha) {
  check_floating("elu", x);
  const Scope scope(x.at());
  const Tensor in = x.tensor();
  return where(in <= 0, expm1(clamp_max(in, 0)) * alpha, in);  // NaN, and the gradient there, pass
}
Tensor tanh_backward(Operand dy, Operand y) { return apply<TanhBackward>(dy, y); }
Tensor sigmoid_backward(Operand dy, Operand y) { return apply<SigmoidBackward>(dy, y); }

}  // namespace gradus
