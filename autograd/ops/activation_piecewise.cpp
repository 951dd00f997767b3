// Activations that are made of pieces or of other activations.
#include <limits>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/activation.h"
#include "../../core/ops/elementwise.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "activation.h"
#include "activation_rules.h"
#include "binary_operation.h"
#include "piecewise_rules.h"
#include "rewrite.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

void check_floating(const char* op, const Operand& x) { core::expect_floating(op, "the operand", x.tensor()); }

// y = log s(x), s the logistic function
struct LogSigmoid {
  static constexpr std::string_view name = "log_sigmoid";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x) { return core::softplus(x, -1, std::numeric_limits<double>::infinity()); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x) { return dy * logistic(-x); });
};
}  // namespace

namespace autograd {

Tensor HardtanhRule::reference(const Attrs& c, const Tensor& x) {
  return where(logical_or(x <= c.low, x >= c.high), clamp(x.detach(), c.low, c.high), x);
}
Array HardtanhRule::forward(const Attrs& c, const Array& x) {
  return core::in_name_of("hardtanh", [&] { return core::clamp(x, c.low, c.high); });
}
std::array<Array, 1> HardtanhRule::backward(const Attrs& c, DyArray<> dy, InArray<0> x) {
  return {core::hardtanh_backward(dy, x, c.low.toDouble(), c.high.toDouble())};
}

Tensor HardsigmoidRule::reference(const Tensor& x) {
  const Tensor bent = masked_fill(masked_fill((x + 3) / 6, x <= -3, 0), x >= 3, 1);
  return where(x != x, x.detach(), bent);
}
Array HardsigmoidRule::forward(const Array& x) { return core::hardsigmoid(x); }
std::array<Array, 1> HardsigmoidRule::backward(DyArray<> dy, InArray<0> x) {
  return {core::hardsigmoid_backward(dy, x)};
}

Tensor HardswishRule::reference(const Tensor& x) {
  // An infinite x would not cancel. Where it is flat it has x's sign, and is NaN at -inf.
  const Tensor above = x >= 3, below = x <= -3, bent = masked_fill(x, logical_or(below, above), 0);
  return where(below, x.detach() * 0, where(above, x, bent * (bent + 3) / 6));
}
Array HardswishRule::forward(const Array& x) { return core::hardswish(x); }
std::array<Array, 1> HardswishRule::backward(DyArray<> dy, InArray<0> x) { return {core::hardswish_backward(dy, x)}; }

Tensor HardshrinkRule::reference(const Attrs& c, const Tensor& x) {
  return masked_fill(x, logical_and(x >= -c.lambda, x <= c.lambda), 0);
}
Array HardshrinkRule::forward(const Attrs& c, const Array& x) { return core::hardshrink(x, c.lambda); }
std::array<Array, 1> HardshrinkRule::backward(const Attrs& c, DyArray<> dy, InArray<0> x) {
  return {core::hardshrink_backward(dy, x, c.lambda)};
}

Tensor SoftshrinkRule::reference(const Attrs& c, const Tensor& x) {
  const Tensor near = logical_and(x >= -c.lambda, x <= c.lambda);
  return where(near, x.detach() * 0, where(x > 0, x - c.lambda, x + c.lambda));  // a zero has x's sign
}
Array SoftshrinkRule::forward(const Attrs& c, const Array& x) { return core::softshrink(x, c.lambda); }
std::array<Array, 1> SoftshrinkRule::backward(const Attrs& c, DyArray<> dy, InArray<0> x) {
  return {core::hardshrink_backward(dy, x, c.lambda)};
}

Tensor ThresholdRule::reference(const Attrs& c, const Tensor& x) { return masked_fill(x, x <= c.threshold, c.value); }
Array ThresholdRule::forward(const Attrs& c, const Array& x) { return core::threshold(x, c.threshold, c.value); }
std::array<Array, 1> ThresholdRule::backward(const Attrs& c, DyArray<> dy, InArray<0> x) {
  return {core::threshold_backward(dy, x, c.threshold)};
}

Tensor PreluRule::reference(const Tensor& x, const Tensor& weight) {
  const Tensor above = x > 0;
  return where(above, x, weight * masked_fill(x, above, 0));  // 0 times an infinite x would be NaN
}
Array PreluRule::forward(const Array& x, const Array& weight) { return core::prelu(x, weight); }
std::array<Array, 2> PreluRule::backward(Needs needs, DyArray<> dy, InArray<0> x, InArray<1> weight) {
  return {needs[0] ? core::prelu_backward(dy, x, weight) : Array(),
          needs[1] ? core::prelu_backward_weight(dy, x) : Array()};
}

}  // namespace autograd

Tensor celu(Operand x, const Scalar& alpha) {
  if (stored(x)) return rounded_once([&](Operand u) { return celu(u, alpha); }, x);
  check_floating("celu", x);
  const double a = alpha.toDouble();
  if (a == 0) core::fail<ValueError>("celu: alpha must not be 0");
  const Scope scope(x.at());
  return a == 1 ? elu(x.tensor()) : elu(x.tensor() / a) * a;
}
Tensor& celu_(Operand x, const Scalar& alpha) {
  return rewrite("celu_", x, [&](Operand in) { return celu(in, alpha); });
}
Tensor selu(Operand x) {
  if (stored(x)) return rounded_once([&](Operand u) { return selu(u); }, x);
  check_floating("selu", x);
  const Scope scope(x.at());
  return elu(x.tensor(), 1.6732632423543772848170429916717) * 1.0507009873554804934193349852946;
}
Tensor& selu_(Operand x) { return rewrite("selu_", x, selu); }
Tensor mish(Operand x) {
  if (stored(x)) return rounded_once([&](Operand u) { return mish(u); }, x);
  check_floating("mish", x);
  const Scope scope(x.at());
  return x.tensor() * tanh(log1p_exp(x.tensor()));
}
Tensor log_sigmoid(Operand x) {
  check_floating("log_sigmoid", x);
  return apply<LogSigmoid>(x);
}
Tensor hardtanh(Operand x, const Scalar& low, const Scalar& high) {
  if (!(low.toDouble() <= high.toDouble())) {
    core::fail<ValueError>("hardtanh: low must not exceed high: {} and {}", low.toDouble(), high.toDouble());
  }
  return apply<HardtanhRule>({low, high}, x);
}
Tensor relu6(Operand x) {
  return core::in_name_of("relu6", [&] { return hardtanh(x, 0, 6); });
}
Tensor hardsigmoid(Operand x) { return apply<HardsigmoidRule>(x); }
Tensor hardswish(Operand x) { return apply<HardswishRule>(x); }
Tensor hardshrink(Operand x, const Scalar& lambda) { return apply<HardshrinkRule>({lambda.toDouble()}, x); }
Tensor softshrink(Operand x, const Scalar& lambda) {
  if (!(lambda.toDouble() >= 0)) {
    core::fail<ValueError>("softshrink: lambda must not be negative: {}", lambda.toDouble());
  }
  return apply<SoftshrinkRule>({lambda.toDouble()}, x);
}
Tensor threshold(Operand x, const Scalar& threshold, const Scalar& value) {
  return apply<ThresholdRule>({threshold.toDouble(), value.toDouble()}, x);
}
Tensor& threshold_(Operand x, const Scalar& threshold, const Scalar& value) {
  return apply_inplace<ThresholdRule>({threshold.toDouble(), value.toDouble()}, x);
}
Tensor prelu(Operand x, Operand weight) {
  core::expect_defined("prelu", "input", x.tensor(), "weight", weight.tensor());
  const Scope scope(x.at());
  const Tensor in = x.tensor(), w = weight.tensor();
  const std::int64_t channels = in.dim() < 2 ? 1 : in.size(1);
  if (w.dim() > 1 || (w.numel() != 1 && w.numel() != channels)) {
    core::fail<ShapeError>("prelu: there must be one weight, or one for each of the {} entries of dimension 1: {}",
                           channels, w.sizes());
  }
  core::Shape shape = core::Shape::filled(static_cast<int>(in.dim()), 1);
  if (w.numel() != 1) shape[1] = channels;
  return apply<PreluRule>(in, w.reshape(shape));
}
Tensor leaky_relu(Operand x, const Scalar& negative_slope) {
  if (stored(x)) return rounded_once([&](Operand u) { return leaky_relu(u, negative_slope); }, x);
  check_floating("leaky_relu", x);
  const Scope scope(x.at());
  return apply<PreluRule>(x.tensor(), number_like(negative_slope, x.tensor()));
}
Tensor glu(Operand x, std::int64_t dim) {
  core::expect_defined("glu", "the operand", x.tensor());
  if (stored(x)) return rounded_once([&](Operand u) { return glu(u, dim); }, x);
  const Scope scope(x.at());
  const Tensor in = x.tensor();
  const int d = core::existing_dim(dim, static_cast<int>(in.dim()), "glu");
  const std::int64_t n = in.size(d);
  if (n % 2 != 0) core::fail<ShapeError>("glu: dimension {} must have an even size: {}", d, in.sizes());
  return in.narrow(d, 0, n / 2) * sigmoid(in.narrow(d, n / 2, n / 2));
}
Tensor rrelu(Operand x, const Scalar& lower, const Scalar& upper, bool training) {
  const double low = lower.toDouble(), high = upper.toDouble();
  if (!(low <= high)) core::fail<ValueError>("rrelu: lower must not exceed upper: {} and {}", low, high);
  return core::in_name_of("rrelu", [&] {
    if (!training) return leaky_relu(x, (low + high) / 2);
    check_floating("rrelu", x);
    const Scope scope(x.at());
    const Tensor in = x.tensor(), slope = zeros_like(in).uniform_(low, high);
    return apply<PreluRule>(in, slope);
  });
}

}  // namespace gradus
