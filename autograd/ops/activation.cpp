#include "activation.h"

#include "activation_rules.h"
#include "rounded_once.h"

#include <cmath>
#include <limits>

#include "../../core/nn/activation.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

struct Logistic {
  static constexpr std::string_view name = "logistic";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::sigmoid(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * logistic_slope(x); });
};
// y = s(x) s(-x):  dy/dx = y (s(-x) - s(x)) = -y tanh(x / 2)
struct LogisticSlope {
  static constexpr std::string_view name = "logistic_slope";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::sigmoid(x) * core::sigmoid(-x); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> y) { return -(dy * (y * tanh(x * 0.5))); });
};
struct Log1pExp {
  static constexpr std::string_view name = "log1p_exp";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::softplus(x, 1, std::numeric_limits<double>::infinity()); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * logistic(x); });
};
// dPhi/dx = exp(-x^2 / 2) / sqrt(2 pi)
struct NormalCdf {
  static constexpr std::string_view name = "normal_cdf";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::normal_cdf(x); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x) { return dy * (exp(square(x) * -0.5) * 0.39894228040143267794); });
};

struct ExpTimes {
  static constexpr std::string_view name = "exp_times";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& dy, const Array& x) { return core::exp_times(dy, x); }
  static constexpr auto gradients = formulas([](Dy<> g, In<1> x) { return exp_times(g, x); },
                                             [](Dy<> g, In<0> dy, In<1> x) { return exp_times(g * dy, x); });
};

// x f(x) for an f that rises from 0 to 1: where |x| is beyond the bound it is x or 0, without infinity times 0.
template <class F>
Tensor gated(const Tensor& x, double bound, F f) {
  const Tensor far = abs(x) > bound, near = masked_fill(x, far, 0);
  return where(far, clamp_min(x, 0), near * f(near));
}

}  // namespace

namespace autograd {

Tensor logistic(const Tensor& x) { return apply<Logistic>(x); }
Tensor logistic_slope(const Tensor& x) { return apply<LogisticSlope>(x); }
Tensor log1p_exp(const Tensor& x) { return apply<Log1pExp>(x); }
Tensor exp_times(const Tensor& dy, const Tensor& x) { return apply<ExpTimes>(dy, x); }
Tensor normal_cdf(const Tensor& x) { return apply<NormalCdf>(x); }

Tensor ReluRule::reference(const Tensor& x) { return masked_fill(x, x <= 0, 0); }
Array ReluRule::forward(const Array& x) { return core::relu(x); }
void ReluRule::write(const Array& x) { core::relu.write(x, x); }
std::array<Array, 1> ReluRule::backward(DyArray<> dy, InArray<0> x) { return {core::relu_backward(dy, x)}; }

Tensor GeluRule::reference(const Attrs& attrs, const Tensor& x) {
  if (!attrs.tanh) return gated(x, 40, normal_cdf);
  return gated(x, 40, [](const Tensor& t) { return logistic((t + pow(t, 3) * 0.044715) * 1.59576912160573071176); });
}
Array GeluRule::forward(const Attrs& attrs, const Array& x) { return core::gelu(x, attrs.tanh); }
std::array<Array, 1> GeluRule::backward(const Attrs& attrs, DyArray<> dy, InArray<0> x) {
  return {core::gelu_backward(dy, x, attrs.tanh)};
}

Tensor SiluRule::reference(const Tensor& x) { return gated(x, 800, logistic); }
Array SiluRule::forward(const Array& x) { return core::silu(x); }
std::array<Array, 1> SiluRule::backward(DyArray<> dy, InArray<0> x) { return {core::silu_backward(dy, x)}; }

Tensor SoftplusRule::reference(const Attrs& attrs, const Tensor& x) {
  const Tensor scaled = x * attrs.beta, linear = scaled > attrs.threshold;
  return where(linear, x, log1p_exp(masked_fill(scaled, linear, 0)) / attrs.beta);
}
Array SoftplusRule::forward(const Attrs& attrs, const Array& x) {
  return core::softplus(x, attrs.beta, attrs.threshold);
}
std::array<Array, 1> SoftplusRule::backward(const Attrs& attrs, DyArray<> dy, InArray<0> x) {
  return {core::softplus_backward(dy, x, attrs.beta, attrs.threshold)};
}

Tensor EluRule::reference(const Attrs& attrs, const Tensor& x) {
  return where(x <= 0, expm1(clamp_max(x, 0)) * attrs.alpha, x);
}
Array EluRule::forward(const Attrs& attrs, const Array& x) { return core::elu(x, attrs.alpha); }
std::array<Array, 1> EluRule::backward(const Attrs& attrs, DyArray<> dy, InArray<0> x) {
  return {core::elu_backward(dy, x, attrs.alpha)};
}

}  // namespace autograd

namespace {

// dx = dy (1 - y^2) is linear in dy; in y its slope is -2 y dy.
struct TanhBackward {
  static constexpr std::string_view name = "tanh_backward";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& dy, const Array& y) { return core::tanh_backward(dy, y); }
  static constexpr auto gradients = formulas([](Dy<> g, In<1> y) { return tanh_backward(g, y); },
                                             [](Dy<> g, In<0> dy, In<1> y) { return g * dy * (y * -2); });
};
// dx = dy (y - y^2)
struct SigmoidBackward {
  static constexpr std::string_view name = "sigmoid_backward";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& dy, const Array& y) { return core::sigmoid_backward(dy, y); }
  static constexpr auto gradients = formulas([](Dy<> g, In<1> y) { return sigmoid_backward(g, y); },
                                             [](Dy<> g, In<0> dy, In<1> y) { return g * dy * (1 - y * 2); });
};

}  // namespace

Tensor gelu(Operand x, std::string_view approximate) {
  if (approximate != "none" && approximate != "tanh") {
    core::fail<ValueError>("gelu: approximate must be \"none\" or \"tanh\": \"{}\"", approximate);
  }
  return apply<GeluRule>({approximate == "tanh"}, x);
}
Tensor silu(Operand x) { return apply<SiluRule>(x); }
Tensor softplus(Operand x, const Scalar& beta, const Scalar& threshold) {
  if (beta.toDouble() == 0 || std::isnan(beta.toDouble()))
    core::fail<ValueError>("softplus: beta must be a number other than 0: {}", beta.toDouble());
  return apply<SoftplusRule>({beta.toDouble(), threshold.toDouble()}, x);
}
Tensor elu(Operand x, const Scalar& alpha, const Scalar& scale, const Scalar& input_scale) {
  const double a = alpha.toDouble(), s = scale.toDouble(), c = input_scale.toDouble();
  if (s == 1 && c == 1) return apply<EluRule>({a}, x);
  if (stored(x)) return rounded_once([&](Operand u) { return elu(u, a, s, c); }, x);
  core::expect_floating("elu", "the operand", x.tensor());
  const Scope scope(x.at());
  if (c == 1) return elu(x.tensor(), a) * s;
  const Tensor &t = x.tensor(), positive = t > 0;
  return where(positive, t * s, expm1(masked_fill(t, positive, 0) * c) * (a * s));
}
Tensor tanh_backward(Operand dy, Operand y) { return apply<TanhBackward>(dy, y); }
Tensor sigmoid_backward(Operand dy, Operand y) { return apply<SigmoidBackward>(dy, y); }

}  // namespace gradus
