// More pointwise operations, special functions, activations in pieces; second names.
#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

// clang-format off
std::vector<Row> elementwise_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s34 = {3, 4};
  return {
      Row{"frac", one(frac), {between(s23)}, kPointwise | kLinear}.in_place(frac_).wrong<DTypeError>("frac: ", [](const Tensor& x) { frac(x.to(kInt64)); }),
      Row{"deg2rad", one(deg2rad), {real(s23)}, kPointwise | kLinear | kComposed}.in_place(deg2rad_),
      Row{"rad2deg", one(rad2deg), {real(s23)}, kPointwise | kLinear | kComposed}.in_place(rad2deg_),
      Row{"nan_to_num", on([](const Tensor& x) { return nan_to_num(x, 1.5); }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.nan_to_num_(1.5); }),
      Row{"floor_divide", two(floor_divide), {between(s23), positive(s23)}, kBroadcasts | kFlat}.in_place([](const Tensor& y, const Operands& x) { y.floor_divide_(x[1]); }).wrong<ValueError>("floor_divide: ", [](const Tensor& x) { floor_divide(x.to(kInt64), 0); }),
      Row{"floor_divide", on([](const Tensor& x) { return floor_divide(x, 1.7); }), {real(s23)}, kPointwise | kFlat}.in_place([](const Tensor& y) { y.floor_divide_(1.7); }),
      Row{"trunc_divide", [](const Operands& x) { return div(x[0], x[1], "trunc"); }, {real(s23), positive(s23)}, kFlat, {{{2, 3}, {}}, {{2, 1}, {1, 3}}, {{0, 3}, {3}}}}.in_place([](const Tensor& y, const Operands& x) { y.div_(x[1], "trunc"); }).wrong<ValueError>("div: rounding_mode", [](const Tensor& x) { div(x, 2, "up"); }),
      Row{"trunc_divide", on([](const Tensor& x) { return div(x, 0.7, "trunc"); }), {real(s23)}, kPointwise | kFlat}.in_place([](const Tensor& y) { y.div_(0.7, "trunc"); }),
      Row{"fmod", on([](const Tensor& x) { return fmod(x, 0.7); }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.fmod_(0.7); }),
      Row{"remainder", on([](const Tensor& x) { return remainder(x, 0.7); }), {real(s23)}, kPointwise | kLinear}.in_place([](const Tensor& y) { y.remainder_(0.7); }),
      {"remainder of a number", on([](const Tensor& x) { return remainder(5.3, x); }), {positive(s23)}, kPointwise | kLinear | kComposed},
      {"xlogy of a number", on([](const Tensor& x) { return xlogy(1.5, x); }), {positive(s23)}, kPointwise | kComposed},
      {"xlogy with a number", on([](const Tensor& x) { return xlogy(x, 1.5); }), {positive(s23)}, kPointwise | kComposed | kLinear},
      Row{"copysign", on([](const Tensor& x) { return copysign(x, tensor({1., -1., -2.}, kDouble).to(x.dtype())); }), {real(s23)}, kLinear}.in_place([](const Tensor& y) { y.copysign_(tensor({1., -1., -2.}, kDouble).to(y.dtype())); }).wrong<ShapeError>("copysign: ", [](const Tensor& x) { copysign(x, x.t()); }),
      {"copysign with a number", on([](const Tensor& x) { return copysign(x, -2); }), {real(s23)}, kPointwise | kLinear | kComposed},
      {"fmax", two(fmax), {real(s23), real(s23)}, kBroadcasts | kLinear | kNoTies},
      {"fmin", two(fmin), {real(s23), real(s23)}, kBroadcasts | kLinear | kNoTies},
      {"max of two", [](const Operands& x) { return max(x[0], x[1]); }, {real(s23), real(s23)}, kLinear | kNoTies | kComposed, {{{2, 3}, {}}, {{2, 3}, {2, 1}}, {{0, 3}, {3}}}},
      {"min of two", [](const Operands& x) { return x[0].min(x[1]); }, {real(s23), real(s23)}, kLinear | kNoTies | kComposed, {{{2, 3}, {}}, {{2, 3}, {2, 1}}, {{0, 3}, {3}}}},
      {"logaddexp2", two(logaddexp2), {real(s23), real(s23)}, kBroadcasts},
      Row{"lerp", [](const Operands& x) { return lerp(x[0], x[1], 0.3); }, {real(s23), real(s23)}, kBroadcasts | kLinear}.in_place([](const Tensor& y, const Operands& x) { y.lerp_(x[1], 0.3); }).wrong<DTypeError>("lerp: ", [](const Operands& x) { lerp(x[0].to(kInt64), x[1].to(kInt64), 0.5); }),
      Row{"lerp", [](const Operands& x) { return lerp(x[0], x[1], x[2]); }, {real(s23), real(s23), real(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.lerp_(x[1], x[2]); }),
      Row{"addcmul", [](const Operands& x) { return addcmul(x[0], x[1], x[2], 0.7); }, {real(s23), real(s23), real(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.addcmul_(x[1], x[2], 0.7); }).wrong<ShapeError>("addcmul: ", [](const Operands& x) { addcmul(x[0], x[1].t(), x[2]); }),
      Row{"addcdiv", [](const Operands& x) { return addcdiv(x[0], x[1], x[2], 0.7); }, {real(s23), real(s23), positive(s23)}, kBroadcasts}.in_place([](const Tensor& y, const Operands& x) { y.addcdiv_(x[1], x[2], 0.7); }).wrong<DTypeError>("addcdiv: ", [](const Operands& x) { addcdiv(x[0].to(kInt64), x[1].to(kInt64), x[2].to(kInt64)); }),
      Row{"clamp", [](const Operands& x) { return clamp(x[0], x[1], x[2]); }, {real(s23), real(s23, -2, 1), real(s23, -0.5, 2)}, kBroadcasts | kLinear | kNoTies}.in_place([](const Tensor& y, const Operands& x) { y.clamp_(x[1], x[2]); }),
      Row{"clamp_min with a tensor", [](const Operands& x) { return clamp_min(x[0], x[1]); }, {real(s23), real(s23)}, kLinear | kNoTies | kComposed, {{{2, 3}, {}}, {{2, 3}, {2, 1}}, {{0, 3}, {3}}}}.in_place([](const Tensor& y, const Operands& x) { y.clamp_min_(x[1]); }),
      Row{"clamp_max with a tensor", [](const Operands& x) { return clip(x[0], {}, x[1]); }, {real(s23), real(s23)}, kLinear | kNoTies | kComposed, {{{2, 3}, {}}, {{2, 3}, {2, 1}}, {{0, 3}, {3}}}}.in_place([](const Tensor& y, const Operands& x) { y.clamp_max_(x[1]); }),
      Row{"heaviside", on([](const Tensor& values) { return heaviside(tensor({0., -1.5, 2.}, kDouble).to(values.dtype()), values); }), {real(s23)}, kLinear | kComposed, {{{3}}, {{0, 3}}}}.wrong<ShapeError>("heaviside: ", [](const Tensor& x) { heaviside(x, x.t()); }),
      Row{"ldexp", two(ldexp), {real(s23), real(s23)}, kComposed, {{{2, 3}, {}}, {{2, 1}, {1, 3}}, {{0, 3}, {3}}}}.in_place([](const Tensor& y, const Operands& x) { y.ldexp_(x[1]); }).wrong<ShapeError>("ldexp: ", [](const Tensor& x) { ldexp(x, x.t()); }).wrong<DTypeError>("ldexp_: ", [](const Tensor& x) { x.to(kInt64).ldexp_(x); }),
      Row{"float_power", [](const Operands& x) { return float_power(x[0], x[1]).to(x[0].dtype()); }, {positive(s23), real(s23)}, kComposed, {{{2, 3}, {}}, {{2, 1}, {1, 3}}, {{0, 3}, {3}}}}.wrong<ShapeError>("float_power: ", [](const Tensor& x) { float_power(x, x.t()); }),
      Row{"float_power with a number", on([](const Tensor& x) { return x.float_power(3).to(x.dtype()); }), {real(s23)}, kPointwise | kComposed}.wrong<DTypeError>("float_power_: ", [](const Tensor& x) { x.to(kFloat).float_power_(3); }),
      {"float_power of a number", on([](const Tensor& x) { return float_power(2.5, x).to(x.dtype()); }), {real(s23)}, kPointwise | kComposed},
      // Special functions.
      Row{"erfinv", one(erfinv), {real(s23, -0.9, 0.9)}, kPointwise}.in_place(erfinv_),
      Row{"i0", one(i0), {real(s23)}, kPointwise}.in_place(i0_),
      {"i1", one(special::i1), {real(s23)}, kPointwise},
      Row{"sinc", one(sinc), {real(s23)}, kPointwise}.in_place(sinc_),
      Row{"logit", on([](const Tensor& x) { return logit(x); }), {real(s23, 0.1, 0.9)}, kPointwise}.in_place([](const Tensor& y) { y.logit_(); }),
      Row{"logit", on([](const Tensor& x) { return logit(x, 0.2); }), {real(s23, 0.1, 0.9)}, kPointwise}.in_place([](const Tensor& y) { y.logit_(0.2); }),
      {"entr", one(special::entr), {positive(s23)}, kPointwise},
      {"ndtr", one(special::ndtr), {real(s23)}, kPointwise | kComposed},
      {"xlog1py", [](const Operands& x) { return special::xlog1py(x[0], x[1]); }, {real(s23), positive(s23)}, kBroadcasts},
      {"xlog1py with a number", on([](const Tensor& x) { return special::xlog1py(x, 1.5) + special::xlog1py(1.5, x); }), {positive(s23)}, kPointwise | kComposed},
      Row{"polygamma in place", on([](const Tensor& x) { return polygamma(1, x); }), {positive(s23)}, kPointwise | kComposed}.in_place([](const Tensor& y) { y.polygamma_(1); }),
      // Activations.
      {"log_sigmoid", one(log_sigmoid), {real(s23)}, kPointwise},
      Row{"hardtanh", on([](const Tensor& x) { return hardtanh(x, -0.7, 1.1); }), {real(s34)}, kPointwise | kLinear}.wrong<ValueError>("hardtanh: ", [](const Tensor& x) { hardtanh(x, 1, -1); }),
      {"relu6", one(relu6), {real(s34, -8, 8)}, kPointwise | kLinear | kComposed},
      {"hardsigmoid", one(hardsigmoid), {real(s34, -5, 5)}, kPointwise | kLinear},
      {"hardswish", one(hardswish), {real(s34, -5, 5)}, kPointwise},
      Row{"hardshrink", on([](const Tensor& x) { return x.hardshrink(0.7); }), {real(s34)}, kPointwise | kLinear}.wrong<DTypeError>("hardshrink: ", [](const Tensor& x) { hardshrink(x.to(kInt64)); }),
      Row{"softshrink", on([](const Tensor& x) { return softshrink(x, 0.7); }), {real(s34)}, kPointwise | kLinear}.wrong<ValueError>("softshrink: ", [](const Tensor& x) { softshrink(x, -1); }),
      Row{"threshold", on([](const Tensor& x) { return threshold(x, 0.4, 7); }), {real(s34)}, kPointwise | kLinear}.in_place([](const Tensor& y) { threshold_(y, 0.4, 7); }),
      Row{"prelu", [](const Operands& x) { return prelu(x[0], x[1]); }, {real(s34), real({4})}, 0, {{{}, {1}}, {{3}, {1}}, {{2, 3, 2}, {3}}, {{0, 2}, {2}}}}.wrong<ShapeError>("prelu: ", [](const Operands& x) { prelu(x[0].t(), x[1]); }),
      Row{"celu", on([](const Tensor& x) { return celu(x, 1.5); }), {real(s23)}, kPointwise | kComposed}.in_place([](const Tensor& y) { celu_(y, 1.5); }).wrong<ValueError>("celu: ", [](const Tensor& x) { celu(x, 0); }),
      Row{"selu", one(selu), {real(s23)}, kPointwise | kComposed}.in_place(selu_),
      {"mish", one(mish), {real(s23)}, kPointwise | kComposed},
      Row{"glu", on([](const Tensor& x) { return glu(x, 1); }), {real(s34)}, kComposed, {{{2, 0}}, {{0, 2}}}}.wrong<ShapeError>("glu: ", [](const Tensor& x) { glu(x, 0); }),
      Row{"rrelu", on([](const Tensor& x) { return rrelu(x); }), {real(s23)}, kPointwise | kComposed | kLinear}.wrong<ValueError>("rrelu: ", [](const Tensor& x) { rrelu(x, 1, 0); }),
      // Second names, in chains: each is the operation that it forwards to.
      Row{"second names", on([](const Tensor& x) { return arctanh(arcsinh(arctan(negative(absolute(x))))); }), {real(s23)}, kPointwise | kComposed}.in_place([](const Tensor& y) { y.absolute_(), y.negative_(), y.arctan_(), y.arcsinh_(), y.arctanh_(); }),
      Row{"more second names", on([](const Tensor& x) { return arccosh(arccos(arcsin(x) * 0.5) + 1); }), {real(s23, -0.9, 0.9)}, kPointwise | kComposed}.in_place([](const Tensor& y) { y.arcsin_(), y.multiply_(0.5), y.arccos_(), y.subtract_(-1), y.arccosh_(); }),
      Row{"second names of two", [](const Operands& x) { return arctan2(subtract(true_divide(multiply(clip(x[0], -1.5, 1.5), x[1]), 0.7), 1.5, 2), x[1]); }, {real(s23), positive(s23)}, kComposed}.in_place([](const Tensor& y, const Operands& x) { y.clip_(-1.5, 1.5).multiply_(x[1]).divide_(0.7).subtract_(1.5, 2).arctan2_(x[1]); }),
      Row{"fix", one(fix), {between(s23)}, kPointwise | kFlat | kComposed}.in_place(fix_),
  };
}
// clang-format on

}  // namespace gradus::test
