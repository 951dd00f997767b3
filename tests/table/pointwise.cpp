// Pointwise operations: of one operand, with a number, of two and more.
#include <gradus/autograd/ops/activation_rules.h>
#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

// clang-format off
std::vector<Row> pointwise_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s34 = {3, 4};
  return {
      Row{"neg", one(neg), {real(s23)}, kPointwise | kLinear}.in_place(neg_).wrong<DTypeError>("neg: ", [](const Tensor& x) { -(x > 0); }),
      Row{"abs", one(abs), {real(s23)}, kPointwise}.in_place(abs_),
      Row{"relu", one(relu), {real(s23)}, kPointwise}.in_place(relu_),
      Row{"square", one(square), {real(s23)}, kPointwise}.in_place(square_),
      Row{"sqrt", one(sqrt), {positive(s23)}, kPointwise}.in_place(sqrt_),
      Row{"rsqrt", one(rsqrt), {positive(s23)}, kPointwise}.in_place(rsqrt_),
      Row{"reciprocal", one(reciprocal), {real(s23)}, kPointwise}.in_place(reciprocal_),
      Row{"exp", one(exp), {real(s23)}, kPointwise}.in_place(exp_),
      Row{"exp2", one(exp2), {real(s23)}, kPointwise}.in_place(exp2_),
      Row{"expm1", one(expm1), {real(s23)}, kPointwise}.in_place(expm1_),
      Row{"log", one(log), {positive(s23)}, kPointwise}.in_place(log_),
      {"logistic", on(autograd::logistic), {real(s23)}, kPointwise},
      {"logistic_slope", on(autograd::logistic_slope), {real(s23)}, kPointwise},
      {"log1p_exp", on(autograd::log1p_exp), {real(s23)}, kPointwise},
      {"exp_times", [](const Operands& x) { return autograd::exp_times(x[0], x[1]); }, {real(s23), real(s23)}, 0},
      {"normal_cdf", on(autograd::normal_cdf), {real(s23)}, kPointwise},
      Row{"log1p", one(log1p), {positive(s23)}, kPointwise}.in_place(log1p_),
      Row{"log2", one(log2), {positive(s23)}, kPointwise}.in_place(log2_),
      Row{"log10", one(log10), {positive(s23)}, kPointwise}.in_place(log10_),
      Row{"sin", one(sin), {real(s23)}, kPointwise}.in_place(sin_),
      Row{"cos", one(cos), {real(s23)}, kPointwise}.in_place(cos_),
      Row{"tan", one(tan), {real(s23, -1.2, 1.2)}, kPointwise}.in_place(tan_),
      Row{"asin", one(asin), {real(s23, -0.9, 0.9)}, kPointwise}.in_place(asin_),
      Row{"acos", one(acos), {real(s23, -0.9, 0.9)}, kPointwise}.in_place(acos_),
      Row{"atan", one(atan), {real(s23)}, kPointwise}.in_place(atan_),
      Row{"sinh", one(sinh), {real(s23)}, kPointwise}.in_place(sinh_),
      Row{"cosh", one(cosh), {real(s23)}, kPointwise}.in_place(cosh_),
      Row{"asinh", one(asinh), {real(s23)}, kPointwise}.in_place(asinh_),
      Row{"acosh", one(acosh), {real(s23, 1.2, 3)}, kPointwise}.in_place(acosh_),
      Row{"atanh", one(atanh), {real(s23, -0.9, 0.9)}, kPointwise}.in_place(atanh_),
      Row{"tanh", one(tanh), {real(s23)}, kPointwise}.in_place(tanh_),
      Row{"sigmoid", one(sigmoid), {real(s23)}, kPointwise}.in_place(sigmoid_),
      Row{"erf", one(erf), {real(s23)}, kPointwise}.in_place(erf_),
      Row{"erfc", one(erfc), {real(s23)}, kPointwise}.in_place(erfc_),
      Row{"lgamma", one(lgamma), {positive(s23)}, kPointwise}.in_place(lgamma_),
      Row{"digamma", one(digamma), {positive(s23)}, kPointwise}.in_place(digamma_),
      Row{"polygamma", on([](const Tensor& x) { return polygamma(2, x); }), {positive(s23)}, kPointwise}.wrong<ValueError>("polygamma: n must lie", [](const Tensor& x) { polygamma(-1, x); }),
      Row{"sign", one(sign), {real(s23)}, kPointwise | kFlat}.in_place(sign_),
      Row{"floor", one(floor), {between(s23)}, kPointwise | kFlat}.in_place(floor_),
      Row{"ceil", one(ceil), {between(s23)}, kPointwise | kFlat}.in_place(ceil_),
      Row{"round", one(round), {between(s23)}, kPointwise | kFlat}.in_place([](const Tensor& y) { y.round_(); }),
      Row{"trunc", one(trunc), {between(s23)}, kPointwise | kFlat}.in_place(trunc_),
      // Activations.
      {"gelu", on([](const Tensor& x) { return gelu(x); }), {real(s23)}, kPointwise},
      {"gelu", on([](const Tensor& x) { return gelu(x, "tanh"); }), {real(s23)}, kPointwise},
      {"silu", on([](const Tensor& x) { return silu(x); }), {real(s23)}, kPointwise},
      {"softplus", on([](const Tensor& x) { return softplus(x, 2, 3); }), {real(s34)}, kPointwise},
      {"leaky_relu", on([](const Tensor& x) { return leaky_relu(x, 0.2); }), {real(s23)}, kPointwise | kComposed | kLinear},
      {"elu", on([](const Tensor& x) { return elu(x, 1.5); }), {real(s23)}, kPointwise | kComposed},
      {"tanh_backward", two(tanh_backward), {real(s23), real(s23)}, 0, {{{}, {}}, {{0, 2}, {0, 2}}}},
      {"sigmoid_backward", two(sigmoid_backward), {real(s23), real(s23)}, 0, {{{}, {}}, {{0, 2}, {0, 2}}}},
      // With a number.
      Row{"add", on([](const Tensor& x) { return add(x, 1.5, 2); }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.add_(1.5, 2); }),
      Row{"sub", on([](const Tensor& x) { return sub(x, 1.5, 2); }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.sub_(1.5, 2); }),
      {"rsub", on([](const Tensor& x) { return 1.5 - x; }), {real(s23)}, kPointwise | kLinear},
      Row{"mul", on([](const Tensor& x) { return 0.7 * x; }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.mul_(0.7); }),
      Row{"div", on([](const Tensor& x) { return x / 0.7; }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.div_(0.7); }),
      Row{"pow", on([](const Tensor& x) { return pow(x, 3); }), {real(s23)}, kPointwise}.in_place([](const Tensor& y) { y.pow_(3); }),
      Row{"pow", on([](const Tensor& x) { return pow(x, 2); }), {real(s23)}, kPointwise}.in_place([](const Tensor& y) { y.pow_(2); }),
      Row{"pow", on([](const Tensor& x) { return pow(x, 1); }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.pow_(1); }),
      Row{"pow", on([](const Tensor& x) { return pow(x, 0); }), {real(s23)}, kPointwise | kFlat}.in_place([](const Tensor& y) { y.pow_(0); }),
      Row{"pow", on([](const Tensor& x) { return pow(x, -1.5); }), {positive(s23)}, kPointwise}.in_place([](const Tensor& y) { y.pow_(-1.5); }),
      {"rpow", on([](const Tensor& x) { return pow(2.5, x); }), {real(s23)}, kPointwise},
      Row{"clamp", on([](const Tensor& x) { return clamp(x, -0.9, 1.05); }), {real(s34)}, kPointwise}.in_place([](const Tensor& y) { y.clamp_(-0.9, 1.05); }).wrong<ValueError>("clamp: ", [](const Tensor& x) { clamp(x, std::optional<Scalar>()); }),
      Row{"clamp", on([](const Tensor& x) { return clamp_min(x, -0.9); }), {real(s34)}, kPointwise}.in_place([](const Tensor& y) { y.clamp_min_(-0.9); }),
      Row{"clamp", on([](const Tensor& x) { return clamp_max(x, 1.05); }), {real(s34)}, kPointwise}.in_place([](const Tensor& y) { y.clamp_max_(1.05); }),
      {"rdiv", on([](const Tensor& x) { return 1.5 / x; }), {real(s23)}, kPointwise},
      // Two operands and more.
      Row{"add", [](const Operands& x) { return add(x[0], x[1], 0.3); }, {real(s23), real(s23)}, kBroadcasts | kLinear}.in_place([](const Tensor& y, const Operands& x) { y.add_(x[1], 0.3); }),
      Row{"sub", [](const Operands& x) { return sub(x[0], x[1], 0.3); }, {real(s23), real(s23)}, kBroadcasts | kLinear}.in_place([](const Tensor& y, const Operands& x) { y.sub_(x[1], 0.3); }),
      {"sub", [](const Operands& x) { return x[0] - x[1]; }, {real(s23), real(s23)}, kBroadcasts | kLinear},
      Row{"mul", two(mul), {real(s23), real(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.mul_(x[1]); }),
      Row{"div", two(div), {real(s23), real(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.div_(x[1]); }),
      Row{"pow", two(pow), {positive(s23), real(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.pow_(x[1]); }),
      {"maximum", two(maximum), {real(s23), real(s23)}, kBroadcasts},
      {"minimum", two(minimum), {real(s23), real(s23)}, kBroadcasts},
      Row{"fmod", two(fmod), {real(s23, 2.3, 2.7), real(s23, 0.95, 1.05)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.fmod_(x[1]); }),
      Row{"fmod", two(fmod), {real(s23, 2.3, 2.7), real(s23, -1.05, -0.95)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.fmod_(x[1]); }),
      Row{"remainder", two(remainder), {real(s23, 2.3, 2.7), real(s23, 0.95, 1.05)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.remainder_(x[1]); }),
      Row{"remainder", two(remainder), {real(s23, 2.3, 2.7), real(s23, -1.05, -0.95)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.remainder_(x[1]); }),
      Row{"atan2", two(atan2), {real(s23), real(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.atan2_(x[1]); }),
      Row{"xlogy", two(xlogy), {real(s23), positive(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.xlogy_(x[1]); }),
      Row{"logaddexp", two(logaddexp), {real(s23), real(s23)}, kBroadcasts},
      Row{"hypot", two(hypot), {real(s23), real(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.hypot_(x[1]); }),
      Row{"where", [](const Operands& x) { return where(x[2], x[0], x[1]); }, {real(s23), real(s23), mask(s23)}, kBroadcasts}.wrong<DTypeError>("where: ", [](const Operands& x) { where(x[0], x[0], x[1]); }),
      Row{"masked_fill", [](const Operands& x) { return masked_fill(x[0], x[1], 0.5); }, {real(s23), mask(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.masked_fill_(x[1], 0.5); }).wrong<DTypeError>("masked_fill: the mask must be bool: float64", [](const Operands& x) { masked_fill(x[0], x[0], 1); }),
  };
}
// clang-format on

}  // namespace gradus::test
