#include "operation_table.h"

#include <cmath>
#include <tuple>

#include <gradus/autograd/ops/activation_rules.h>
#include <gradus/autograd/graph/engine.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/random.h>

namespace gradus::test {

namespace {

using Operands = std::vector<Tensor>;
using Call = std::function<Tensor(const Operands&)>;
constexpr unsigned kPointwise = OperationLine::kPointwise, kBroadcasts = OperationLine::kBroadcasts,
                   kFlat = OperationLine::kFlat, kDense = OperationLine::kDense, kNoTies = OperationLine::kNoTies,
                   kComposed = OperationLine::kComposed, kLinear = OperationLine::kLinear;

Draw real(std::vector<std::int64_t> shape, double low = -2, double high = 2) { return {std::move(shape), low, high}; }
Draw positive(std::vector<std::int64_t> shape) { return real(std::move(shape), 0.3, 3); }
Draw between(std::vector<std::int64_t> shape) { return {std::move(shape), -4, 4, Draw::Kind::Between}; }
Draw dyadic(std::vector<std::int64_t> shape) { return {std::move(shape), -2, 2, Draw::Kind::Dyadic}; }
Draw index(std::vector<std::int64_t> shape, double n) { return {std::move(shape), 0, n, Draw::Kind::Index}; }
Draw mask(std::vector<std::int64_t> shape) { return {std::move(shape), 0, 2, Draw::Kind::Mask}; }

// An operation on one tensor, an operation on two.
Call one(Tensor (*f)(Operand)) {
  return [f](const Operands& x) { return f(x[0]); };
}
Call two(Tensor (*f)(Operand, Operand)) {
  return [f](const Operands& x) { return f(x[0], x[1]); };
}
template <class F>
Call on(F f) {  // anything else on the first operand
  return [f](const Operands& x) { return f(x[0]); };
}
template <class F>
Call in_place(F change) {  // of a copy, so that the operands stay as they are
  return [change](const Operands& x) {
    const Tensor y = x[0].clone();
    change(y, x);
    return y;
  };
}
// The gradient of a linear operation is an operation of its own: x -> dL/dw of w -> f(w) with x = dL/df.
template <class F>
Call gradient_of(F f, std::vector<std::int64_t> shape) {
  return [f, shape = std::move(shape)](const Operands& x) {
    const Tensor w = Tensor(core::ones(shape, kFloat64)).requires_grad_();
    return autograd::grad({f(w, x)}, {w}, {x[0]}, true, true)[0];
  };
}

std::vector<OperationLine> make_table() {
  const std::vector<std::int64_t> s23 = {2, 3}, s234 = {2, 3, 4}, s34 = {3, 4};
  // clang-format off: one operation a line
  return {
      // Pointwise, one operand.
      {"neg", one(neg), {real(s23)}, kPointwise | kLinear},
      {"abs", one(abs), {real(s23)}, kPointwise},
      {"relu", one(relu), {real(s23)}, kPointwise},
      {"square", one(square), {real(s23)}, kPointwise},
      {"sqrt", one(sqrt), {positive(s23)}, kPointwise},
      {"rsqrt", one(rsqrt), {positive(s23)}, kPointwise},
      {"reciprocal", one(reciprocal), {real(s23)}, kPointwise},
      {"exp", one(exp), {real(s23)}, kPointwise},
      {"exp2", one(exp2), {real(s23)}, kPointwise},
      {"expm1", one(expm1), {real(s23)}, kPointwise},
      {"log", one(log), {positive(s23)}, kPointwise},
      {"logistic", on(autograd::logistic), {real(s23)}, kPointwise},
      {"logistic_slope", on(autograd::logistic_slope), {real(s23)}, kPointwise},
      {"log1p_exp", on(autograd::log1p_exp), {real(s23)}, kPointwise},
      {"exp_times", [](const Operands& x) { return autograd::exp_times(x[0], x[1]); }, {real(s23), real(s23)}, 0},
      {"normal_cdf", on(autograd::normal_cdf), {real(s23)}, kPointwise},
      {"log1p", one(log1p), {positive(s23)}, kPointwise},
      {"log2", one(log2), {positive(s23)}, kPointwise},
      {"log10", one(log10), {positive(s23)}, kPointwise},
      {"sin", one(sin), {real(s23)}, kPointwise},
      {"cos", one(cos), {real(s23)}, kPointwise},
      {"tan", one(tan), {real(s23, -1.2, 1.2)}, kPointwise},
      {"asin", one(asin), {real(s23, -0.9, 0.9)}, kPointwise},
      {"acos", one(acos), {real(s23, -0.9, 0.9)}, kPointwise},
      {"atan", one(atan), {real(s23)}, kPointwise},
      {"sinh", one(sinh), {real(s23)}, kPointwise},
      {"cosh", one(cosh), {real(s23)}, kPointwise},
      {"tanh", one(tanh), {real(s23)}, kPointwise},
      {"sigmoid", one(sigmoid), {real(s23)}, kPointwise},
      {"erf", one(erf), {real(s23)}, kPointwise},
      {"sign", one(sign), {real(s23)}, kPointwise | kFlat},
      {"floor", one(floor), {between(s23)}, kPointwise | kFlat},
      {"ceil", one(ceil), {between(s23)}, kPointwise | kFlat},
      {"round", one(round), {between(s23)}, kPointwise | kFlat},
      {"trunc", one(trunc), {between(s23)}, kPointwise | kFlat},

      // Activations.
      {"gelu", on([](const Tensor& x) { return gelu(x); }), {real(s23)}, kPointwise},
      {"gelu", on([](const Tensor& x) { return gelu(x, "tanh"); }), {real(s23)}, kPointwise},
      {"silu", on([](const Tensor& x) { return silu(x); }), {real(s23)}, kPointwise},
      {"softplus", on([](const Tensor& x) { return softplus(x, 2, 3); }), {real(s34)}, kPointwise},
      {"leaky_relu",
       on([](const Tensor& x) { return leaky_relu(x, 0.2); }),
       {real(s23)},
       kPointwise | kComposed | kLinear},
      {"elu", on([](const Tensor& x) { return elu(x, 1.5); }), {real(s23)}, kPointwise | kComposed},
      {"tanh_backward", two(tanh_backward), {real(s23), real(s23)}, 0, {{{}, {}}, {{0, 2}, {0, 2}}}},
      {"sigmoid_backward", two(sigmoid_backward), {real(s23), real(s23)}, 0, {{{}, {}}, {{0, 2}, {0, 2}}}},

      // Pointwise, with a number.
      {"add", on([](const Tensor& x) { return add(x, 1.5, 2); }), {real(s23)}, kPointwise | kLinear},
      {"sub", on([](const Tensor& x) { return sub(x, 1.5, 2); }), {real(s23)}, kPointwise | kLinear},
      {"rsub", on([](const Tensor& x) { return 1.5 - x; }), {real(s23)}, kPointwise | kLinear},
      {"mul", on([](const Tensor& x) { return 0.7 * x; }), {real(s23)}, kPointwise | kLinear},
      {"div", on([](const Tensor& x) { return x / 0.7; }), {real(s23)}, kPointwise | kLinear},
      {"pow", on([](const Tensor& x) { return pow(x, 3); }), {real(s23)}, kPointwise},
      {"pow", on([](const Tensor& x) { return pow(x, 2); }), {real(s23)}, kPointwise},
      {"pow", on([](const Tensor& x) { return pow(x, 1); }), {real(s23)}, kPointwise | kLinear},
      {"pow", on([](const Tensor& x) { return pow(x, 0); }), {real(s23)}, kPointwise | kFlat},
      {"pow", on([](const Tensor& x) { return pow(x, -1.5); }), {positive(s23)}, kPointwise},
      {"rpow", on([](const Tensor& x) { return pow(2.5, x); }), {real(s23)}, kPointwise},
      {"clamp", on([](const Tensor& x) { return clamp(x, -0.9, 1.05); }), {real(s34)}, kPointwise},
      {"clamp", on([](const Tensor& x) { return clamp_min(x, -0.9); }), {real(s34)}, kPointwise},
      {"clamp", on([](const Tensor& x) { return clamp_max(x, 1.05); }), {real(s34)}, kPointwise},
      {"division of a number", on([](const Tensor& x) { return 1.5 / x; }), {real(s23)}, kPointwise | kComposed},

      // Pointwise, two operands and more.
      {"add", [](const Operands& x) { return add(x[0], x[1], 0.3); }, {real(s23), real(s23)}, kBroadcasts | kLinear},
      {"sub", [](const Operands& x) { return sub(x[0], x[1], 0.3); }, {real(s23), real(s23)}, kBroadcasts | kLinear},
      {"sub", [](const Operands& x) { return x[0] - x[1]; }, {real(s23), real(s23)}, kBroadcasts | kLinear},
      {"mul", two(mul), {real(s23), real(s23)}, kBroadcasts},
      {"div", two(div), {real(s23), real(s23)}, kBroadcasts},
      {"pow", two(pow), {positive(s23), real(s23)}, kBroadcasts},
      {"maximum", two(maximum), {real(s23), real(s23)}, kBroadcasts},
      {"minimum", two(minimum), {real(s23), real(s23)}, kBroadcasts},
      {"fmod", two(fmod), {real(s23, 2.3, 2.7), real(s23, 0.95, 1.05)}, kBroadcasts},
      {"fmod", two(fmod), {real(s23, 2.3, 2.7), real(s23, -1.05, -0.95)}, kBroadcasts},
      {"remainder", two(remainder), {real(s23, 2.3, 2.7), real(s23, 0.95, 1.05)}, kBroadcasts},
      {"remainder", two(remainder), {real(s23, 2.3, 2.7), real(s23, -1.05, -0.95)}, kBroadcasts},
      {"atan2", two(atan2), {real(s23), real(s23)}, kBroadcasts},
      {"where",
       [](const Operands& x) { return where(x[2], x[0], x[1]); },
       {real(s23), real(s23), mask(s23)},
       kBroadcasts},
      {"masked_fill",
       [](const Operands& x) { return masked_fill(x[0], x[1], 0.5); },
       {real(s23), mask(s23)},
       kBroadcasts},

      // Reductions.
      {"sum", on([](const Tensor& x) { return sum(x); }), {real(s234)}, kPointwise | kLinear},
      {"sum",
       on([](const Tensor& x) {
         return sum(x, {0, -1});
       }),
       {real(s234)},
       kLinear,
       {{{2, 0, 3}}, {{0, 2, 0}}}},
      {"sum", on([](const Tensor& x) { return sum(x, 1, true); }), {real(s234)}, kLinear, {{{2, 0}}, {{0, 2}}}},
      {"mean", on([](const Tensor& x) { return mean(x); }), {real(s234)}, kPointwise | kLinear},
      {"mean",
       on([](const Tensor& x) {
         return mean(x, {0, -1});
       }),
       {real(s234)},
       kLinear,
       {{{2, 0, 3}}}},
      {"mean", on([](const Tensor& x) { return mean(x, 1, true); }), {real(s234)}, kLinear, {{{0, 2}}}},
      {"var", on([](const Tensor& x) { return var(x); }), {real(s234)}},
      {"var",
       on([](const Tensor& x) {
         return var(x, {0, 2}, false, true);
       }),
       {real(s234)},
       kComposed},
      {"std", on([](const Tensor& x) { return std(x); }), {real(s234)}},
      {"std", on([](const Tensor& x) { return std(x, 1); }), {real(s234)}},
      {"amax",
       on([](const Tensor& x) {
         return amax(x, {1, 2});
       }),
       {real(s234)},
       0,
       {{{0, 2, 3}}}},
      {"amin", on([](const Tensor& x) { return amin(x, 1, true); }), {real(s234)}, 0, {{{3, 2, 0}}}},
      {"max of all", on([](const Tensor& x) { return max(x); }), {real(s234)}, kComposed | kNoTies, {{{}}}},
      {"min of all", on([](const Tensor& x) { return min(x); }), {real(s234)}, kComposed | kNoTies, {{{}}}},
      {"max", on([](const Tensor& x) { return std::get<0>(max(x, 1)); }), {real(s234)}, 0, {{{0, 2}}}},
      {"max", on([](const Tensor& x) { return std::get<0>(max(x, 0)); }), {real({3})}, kNoTies, {{{}}, {{1}}}},
      {"min", on([](const Tensor& x) { return std::get<0>(min(x, -1, true)); }), {real(s234)}, 0, {{{0, 2}}}},
      {"logsumexp",
       on([](const Tensor& x) {
         return logsumexp(x, {0, 2});
       }),
       {real(s234)},
       0,
       {{{2, 0, 3}}}},
      {"logsumexp", on([](const Tensor& x) { return logsumexp(x, -1, true); }), {real(s23)}, 0, {{{}}}},
      {"softmax", on([](const Tensor& x) { return softmax(x, 1); }), {real(s234)}, 0, {{{2, 0}}, {{0, 3}}}},
      {"softmax", on([](const Tensor& x) { return softmax(x, -1); }), {real({4})}},
      {"log_softmax", on([](const Tensor& x) { return log_softmax(x, 1); }), {real(s234)}, 0, {{{2, 0}}, {{0, 3}}}},
      {"log_softmax", on([](const Tensor& x) { return log_softmax(x, -1); }), {real({4})}},
      {"norm", on([](const Tensor& x) { return norm(x); }), {real(s234)}},
      {"norm",
       on([](const Tensor& x) {
         return norm(x, 1, {0, 2});
       }),
       {real(s234)}},
      {"norm", on([](const Tensor& x) { return norm(x, 3, 1, true); }), {real(s234)}},
      {"norm", on([](const Tensor& x) { return norm(x, 0.5, 1); }), {real(s234)}},
      {"norm", on([](const Tensor& x) { return norm(x, INFINITY, 1); }), {real(s234)}, kComposed},
      {"sum_to_size",
       on([](const Tensor& x) {
         return sum_to_size(x, {3, 1});
       }),
       {real(s234)},
       kLinear,
       {{{0, 3, 2}}, {{3, 0}}}},

      // Along a dimension.
      {"cumsum", on([](const Tensor& x) { return cumsum(x, 1); }), {real(s234)}, kLinear, {{{0, 2}}, {{2, 0}}}},
      {"cumprod", on([](const Tensor& x) { return cumprod(x, 1); }), {real(s234)}, 0, {{{0, 2}}, {{2, 0}}, {{2, 1}}}},
      {"prod", on([](const Tensor& x) { return prod(x, 1); }), {real(s234)}, 0, {{{0, 2}}, {{2, 0}}, {{2, 1}}}},
      {"prod", on([](const Tensor& x) { return prod(x, -1, true); }), {real(s23)}},
      {"prod of all", on([](const Tensor& x) { return prod(x); }), {real(s23)}, kComposed},
      {"linear_recurrence",
       [](const Operands& x) { return linear_recurrence(x[0], x[1], 1); },
       {real(s34), real(s34)},
       0,
       {{{2, 3, 2}, {2, 3, 2}}, {{2, 0}, {2, 0}}}},
      {"linear_recurrence",
       [](const Operands& x) { return linear_recurrence(x[0], x[1], 0, true); },
       {real(s34), real(s34)}},
      {"sort",
       on([](const Tensor& x) { return std::get<0>(sort(x, 1)); }),
       {real(s234)},
       kLinear | kNoTies,
       {{{2, 0}}, {{0, 2}}}},
      {"topk",
       on([](const Tensor& x) { return std::get<0>(topk(x, 2, -1)); }),
       {real(s234)},
       kLinear | kNoTies,
       {{{0, 3}}}},

      // Products.
      {"matmul", two(matmul), {real(s23), real(s34)}, 0, {{{2, 0}, {0, 3}}, {{0, 2}, {2, 3}}, {{2, 3}, {3, 0}}}},
      {"matmul",
       two(matmul),
       {real({2, 1, 2, 3}), real({2, 3, 4})},
       0,
       {{{2, 2, 3}, {3, 4}}, {{2, 1, 2, 3}, {3, 4}}, {{2, 3}, {2, 3, 2}}, {{0, 2, 3}, {3, 1}}}},
      {"matmul",
       two(matmul),
       {real({3}), real({3})},
       0,
       {{{3}, {3, 2}}, {{2, 3}, {3}}, {{3}, {2, 3, 2}}, {{2, 2, 3}, {3}}, {{0}, {0}}}},
      {"addmm",
       [](const Operands& x) { return addmm(x[0], x[1], x[2], 0.5, -1.5); },
       {real({2, 4}), real(s23), real(s34)},
       0,
       {{{4}, {2, 3}, {3, 4}},
        {{2, 1}, {2, 3}, {3, 4}},
        {{}, {2, 3}, {3, 4}},
        {{1, 4}, {2, 0}, {0, 4}},
        {{4}, {0, 3}, {3, 4}}}},

      // Views and copies.
      {"select", on([](const Tensor& x) { return x.select(1, -1); }), {real(s234)}, kLinear, {{{0, 2}}, {{3, 1}}}},
      {"slice",
       on([](const Tensor& x) { return x.slice(-1, 1, {}, 2); }),
       {real(s234)},
       kLinear,
       {{{2, 0}}, {{0}}, {{2, 1}}}},
      {"diagonal",
       on([](const Tensor& x) { return x.diagonal(1, 0, -1); }),
       {real(s234)},
       kLinear,
       {{{2, 2}}, {{0, 0}}}},
      {"view",
       on([](const Tensor& x) { return x.unsqueeze(-1); }),
       {real(s234)},
       kLinear,
       {{{}}, {{0}}, {{2, 0, 3}}, {{1, 2, 1, 1, 3, 1, 1}}}},
      {"view", on([](const Tensor& x) { return x.squeeze(1); }), {real({2, 1, 3})}, kLinear, {{{0, 1}}, {{1, 1}}}},
      {"view",
       on([](const Tensor& x) {
         return x.view({-1, 2});
       }),
       {real(s234)},
       kLinear | kDense,
       {{{2}}, {{2, 1, 1}}}},
      {"reshape",
       on([](const Tensor& x) {
         return x.transpose(0, 1).reshape({2, -1});
       }),
       {real(s34)},
       kLinear | kNoTies},
      {"expand",
       on([](const Tensor& x) {
         return x.expand({2, -1, 3});
       }),
       {real({4, 1})},
       kLinear,
       {{{0, 1}}, {{1, 3}}}},
      {"expand",
       on([](const Tensor& x) {
         return x.expand({2, 3});
       }),
       {real({})},
       kLinear,
       {{{1}}, {{3}}}},
      {"expand",
       on([](const Tensor& x) {
         return x.expand({0, 3});
       }),
       {real({3})},
       kLinear | kFlat,
       {{{1, 1}}}},
      {"permute",
       on([](const Tensor& x) {
         return x.permute({2, 0, -2});
       }),
       {real(s234)},
       kLinear,
       {{{0, 2, 1}}}},
      {"permute", on([](const Tensor& x) { return x.movedim(0, -1); }), {real(s234)}, kLinear},
      {"permute", on([](const Tensor& x) { return x.t(); }), {real(s23)}, kLinear, {{{0, 2}}}},
      {"alias", on([](const Tensor& x) { return x.t(); }), {real({3})}, kLinear, {{{}}, {{0}}}},
      {"clone", on([](const Tensor& x) { return x.clone(); }), {real(s23)}, kPointwise | kLinear},
      {"to",
       on([](const Tensor& x) { return x.to(kFloat32).to(kFloat64); }),
       {dyadic(s23)},
       kPointwise | kLinear,
       {},
       1. / 1024},
      {"repeat",
       on([](const Tensor& x) {
         return x.repeat({2, 1, 3});
       }),
       {real(s23)},
       kComposed | kLinear},
      {"outer", two(outer), {real({3}), real({4})}, kComposed},
      {"flip",
       on([](const Tensor& x) {
         return x.flip({0, -1});
       }),
       {real(s234)},
       kLinear,
       {{{0, 2}}}},
      {"as_strided",
       on([](const Tensor& x) {
         return x.as_strided({3, 2}, {2, 3}, 1);
       }),
       {real(s234)},
       kLinear | kDense},
      {"as_strided",
       on([](const Tensor& x) {
         return x.as_strided({3, 4}, {1, 2}, 2);
       }),
       {real(s234)},
       kLinear | kDense},
      {"put_selected",
       gradient_of([](const Tensor& w, const Operands&) { return w.select(1, -1); }, s234),
       {real({2, 4})},
       kLinear},
      {"put_slice",
       gradient_of([](const Tensor& w, const Operands&) { return w.slice(-1, 1, {}, 2); }, s234),
       {real({2, 3, 2})},
       kLinear},
      {"put_diagonal",
       gradient_of([](const Tensor& w, const Operands&) { return w.diagonal(1, 0, -1); }, s234),
       {real({3, 2})},
       kLinear},
      {"strided_sum",
       gradient_of(
           [](const Tensor& w, const Operands&) {
             return w.as_strided({3, 4}, {1, 2}, 2);
           },
           s234),
       {real(s34)},
       kLinear},
      {"split", on([](const Tensor& x) { return x.split(2, 1)[1]; }), {real(s234)}, kLinear | kComposed},
      {"chunk", on([](const Tensor& x) { return x.chunk(3, -1)[1]; }), {real(s234)}, kLinear | kComposed},
      {"unbind", on([](const Tensor& x) { return x.unbind(1)[2]; }), {real(s234)}, kLinear | kComposed},
      {"index",
       on([](const Tensor& x) {
         return x.index({"...", indexing::Slice(1, 3), indexing::None, 2});
       }),
       {real(s234)},
       kLinear | kComposed},

      // Joining and picking.
      {"cat",
       [](const Operands& x) {
         return cat({x[0], x[1], x[0]}, -1);
       },
       {real({2, 1}), real({2, 3})},
       kLinear,
       {{{2, 0}, {2, 3}}, {{0}, {2, 3}}, {{0}, {0}}, {{0, 2}, {0, 1}}}},
      {"stack",
       [](const Operands& x) {
         return stack({x[0], x[1], x[0]}, 1);
       },
       {real(s23), real(s23)},
       kLinear | kComposed,
       {{{0, 2}, {0, 2}}}},
      {"stack",
       [](const Operands& x) {
         return stack({x[0], x[1]}, -1);
       },
       {real({}), real({})},
       kLinear | kComposed},
      {"index_select",
       [](const Operands& x) { return index_select(x[0], 1, x[1]); },
       {real(s234), index({5}, 3)},
       kLinear,
       {{{2, 3}, {}}, {{0, 3}, {2}}, {{2, 3}, {0}}}},
      {"index_add",
       gradient_of([](const Tensor& w, const Operands& x) { return index_select(w, 1, x[1]); }, s234),
       {real({2, 5, 4}), index({5}, 3)},
       kLinear},
      {"gather",
       [](const Operands& x) { return gather(x[0], 1, x[1]); },
       {real(s34), index({3, 2}, 4)},
       kLinear,
       {{{3, 4}, {2, 6}}, {{3, 4}, {0, 2}}}},
      {"scatter_add",
       [](const Operands& x) {
         return scatter_add({3, 4}, 1, x[1], x[0]);
       },
       {real({3, 5}), index({3, 5}, 4)},
       kLinear,
       {{{2, 1}, {2, 1}}, {{3, 0}, {3, 0}}}},
      {"constant_pad_nd",
       on([](const Tensor& x) {
         return constant_pad_nd(x, {1, 2, -1, 3}, 0.5);
       }),
       {real(s34)},
       kLinear,
       {{{2, 3, 3}}, {{1, 2}}, {{2, 0}}, {{0, 2, 2}}}},
      {"tril", on([](const Tensor& x) { return tril(x, 1); }), {real(s34)}, kLinear, {{{2, 3, 3}}, {{0, 2}}}},
      {"triu", on([](const Tensor& x) { return triu(x, -1); }), {real(s34)}, kLinear, {{{2, 3, 3}}, {{0, 2}}}},

      // In-place changes of a copy.
      {"add_",
       in_place([](const Tensor& y, const Operands& x) { y.add_(x[1], 0.3); }),
       {real(s23), real(s23)},
       kLinear,
       {{{2, 3}, {3}}, {{2, 3}, {2, 1}}, {{2, 3}, {}}, {{0, 3}, {3}}}},
      {"add_", in_place([](const Tensor& y, const Operands&) { y.add_(1.5, 2); }), {real(s23)}, kPointwise | kLinear},
      {"sub_",
       in_place([](const Tensor& y, const Operands& x) { y.sub_(x[1], 0.3); }),
       {real(s23), real(s23)},
       kLinear,
       {{{2, 3}, {3}}, {{2, 3}, {}}}},
      {"sub_", in_place([](const Tensor& y, const Operands&) { y.sub_(1.5, 2); }), {real(s23)}, kPointwise | kLinear},
      {"mul_",
       in_place([](const Tensor& y, const Operands& x) { y.mul_(x[1]); }),
       {real(s23), real(s23)},
       0,
       {{{2, 3}, {3}}, {{2, 3}, {2, 1}}, {{2, 3}, {}}, {{0, 3}, {1, 3}}}},
      {"mul_", in_place([](const Tensor& y, const Operands&) { y.mul_(0.7); }), {real(s23)}, kPointwise | kLinear},
      {"div_",
       in_place([](const Tensor& y, const Operands& x) { y.div_(x[1]); }),
       {real(s23), real(s23)},
       0,
       {{{2, 3}, {3}}, {{2, 3}, {}}}},
      {"div_", in_place([](const Tensor& y, const Operands&) { y.div_(0.7); }), {real(s23)}, kPointwise | kLinear},
      {"copy_",
       in_place([](const Tensor& y, const Operands& x) { y.copy_(x[1]); }),
       {real(s23), real(s23)},
       kLinear,
       {{{2, 3}, {3}}, {{2, 3}, {}}, {{0, 3}, {3}}}},
      {"fill_", in_place([](const Tensor& y, const Operands&) { y.fill_(2.5); }), {real(s23)}, kPointwise | kFlat},
      {"zero_", in_place([](const Tensor& y, const Operands&) { y.zero_(); }), {real(s23)}, kPointwise | kFlat},
      {"strided_put",
       on([](const Tensor& x) {
         const Tensor y(core::zeros({3, 2}, kFloat64).t());  // no view, and not contiguous
         y.copy_(x);
         y[1].mul_(y[0].clone());
         return y;
       }),
       {real(s23)}},
      {"as_strided_scatter",
       in_place([](const Tensor& y, const Operands& x) { y.t()[1].mul_(x[1]); }),
       {real(s23), real({2})},
       0,
       {{{2, 3}, {1}}, {{2, 3}, {}}}},
  };
  // clang-format on
}

}  // namespace

Tensor drawn(const Draw& draw, int position, const std::vector<std::int64_t>* other) {
  const core::Shape shape(other != nullptr ? *other : draw.shape);
  const std::int64_t n = core::numel_of(shape);
  const core::RandomPosition at{static_cast<std::uint64_t>(20240607 + position), 0};
  if (draw.kind == Draw::Kind::Index) {
    return Tensor(core::randint(0, static_cast<std::int64_t>(draw.high), shape, kInt64, at));
  }
  if (draw.kind == Draw::Kind::Mask) return Tensor(core::bernoulli_mask(shape, 0.5, at));
  // A place for each number, in random order; the operands' places lie between each other's. An even count puts none of
  // them at the middle, which may be 0.
  const std::int64_t places = 2 * ((n + 3) / 2);
  const core::Array order = core::randperm(places, kInt64, at), x = core::empty(shape, kFloat64);
  auto* out = x.data_ptr<double>();
  for (std::int64_t i = 0; i < n; ++i) {
    const auto place = static_cast<double>(order.data_ptr<std::int64_t>()[i]);
    const double inside = 0.35 + 0.1 * position;  // of its place
    double value = draw.low + (draw.high - draw.low) * (place + inside) / static_cast<double>(places);
    if (draw.kind == Draw::Kind::Between)
      value = std::floor(value) + 0.25 + 0.125 * (place + inside) / static_cast<double>(places);
    if (draw.kind == Draw::Kind::Dyadic) value = std::floor(value * 256) / 256;
    out[i] = value;
  }
  return Tensor(x);
}

const std::vector<OperationLine>& operation_table() {
  static const std::vector<OperationLine> table = make_table();
  return table;
}

const std::vector<ProvenElsewhere>& proven_elsewhere() {
  // The rules of the layers, which are proven three ways.
  static const std::vector<ProvenElsewhere> list = {{"linear", "check"},
                                                    {"batch_norm", "check"},
                                                    {"dropout", "check"},
                                                    {"batch_norm_eval", "check"},
                                                    {"relu", "check"},
                                                    {"cross_entropy", "check"},
                                                    {"softmax", "softmax"},
                                                    {"log_softmax", "softmax"},
                                                    {"max_pool", "pooling"},
                                                    {"avg_pool", "pooling"},
                                                    {"adaptive_avg_pool2d", "pooling"},
                                                    {"layer_norm", "layer_norm"},
                                                    {"embedding", "embedding"},
                                                    {"conv", "conv"},
                                                    {"gelu", "activation"},
                                                    {"silu", "activation"},
                                                    {"softplus", "activation"},
                                                    {"elu", "activation"},
                                                    {"scaled_dot_product_attention", "attention"},
                                                    {"binary_cross_entropy_with_logits", "loss"},
                                                    {"power_log", "gradients_at_edges"}};
  return list;
}

}  // namespace gradus::test
