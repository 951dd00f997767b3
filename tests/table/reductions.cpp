// Over dimensions, and along one.
#include <cmath>
#include <tuple>

#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

// clang-format off
std::vector<Row> reduction_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s234 = {2, 3, 4};
  return {
      {"nansum", on([](const Tensor& x) { return nansum(x, {0, -1}); }), {real(s234)}, kComposed | kLinear, {{{2, 0, 3}}}},
      Row{"sum", on([](const Tensor& x) { return sum(x); }), {real(s234)}, kPointwise | kLinear}.wrong<IndexError>("sum: ", [](const Tensor& x) { sum(x, 3); }),
      Row{"sum", on([](const Tensor& x) { return sum(x, {0, -1}); }), {real(s234)}, kLinear, {{{2, 0, 3}}, {{0, 2, 0}}}}.wrong<ValueError>("sum: ", [](const Tensor& x) { sum(x, {0, -3}); }),
      {"sum", on([](const Tensor& x) { return sum(x, 1, true); }), {real(s234)}, kLinear, {{{2, 0}}, {{0, 2}}}},
      Row{"mean", on([](const Tensor& x) { return mean(x); }), {real(s234)}, kPointwise | kLinear}.wrong<DTypeError>("mean: ", [](const Tensor& x) { mean(x.to(kInt64)); }),
      {"mean", on([](const Tensor& x) { return mean(x, {0, -1}); }), {real(s234)}, kLinear, {{{2, 0, 3}}}},
      {"mean", on([](const Tensor& x) { return mean(x, 1, true); }), {real(s234)}, kLinear, {{{0, 2}}}},
      Row{"var", on([](const Tensor& x) { return var(x); }), {real(s234)}}.wrong<DTypeError>("var: ", [](const Tensor& x) { var(x.to(kInt64)); }),
      {"var", on([](const Tensor& x) { return var(x, {0, 2}, false, true); }), {real(s234)}, kComposed},
      Row{"std", on([](const Tensor& x) { return std(x); }), {real(s234)}}.wrong<DTypeError>("std: ", [](const Tensor& x) { std(x.to(kInt64)); }),
      {"std", on([](const Tensor& x) { return std(x, 1); }), {real(s234)}},
      Row{"amax", on([](const Tensor& x) { return amax(x, {1, 2}); }), {real(s234)}, 0, {{{0, 2, 3}}}}.wrong<IndexError>("amax: ", [](const Tensor& x) { amax(x, 7); }),
      {"amin", on([](const Tensor& x) { return amin(x, 1, true); }), {real(s234)}, 0, {{{3, 2, 0}}}},
      Row{"max of all", on([](const Tensor& x) { return max(x); }), {real(s234)}, kComposed | kNoTies, {{{}}}}.wrong<IndexError>("max: ", [](const Tensor& x) { max(x.slice(0, 0, 0)); }),
      {"min of all", on([](const Tensor& x) { return min(x); }), {real(s234)}, kComposed | kNoTies, {{{}}}},
      Row{"max", on([](const Tensor& x) { return std::get<0>(max(x, 1)); }), {real(s234)}, 0, {{{0, 2}}}}.wrong<IndexError>("max: ", [](const Tensor& x) { max(x, 7); }),
      {"max", on([](const Tensor& x) { return std::get<0>(max(x, 0)); }), {real({3})}, kNoTies, {{{}}, {{1}}}},
      {"min", on([](const Tensor& x) { return std::get<0>(min(x, -1, true)); }), {real(s234)}, 0, {{{0, 2}}}},
      {"logsumexp", on([](const Tensor& x) { return logsumexp(x, {0, 2}); }), {real(s234)}, 0, {{{2, 0, 3}}}},
      Row{"logsumexp", on([](const Tensor& x) { return logsumexp(x, -1, true); }), {real(s23)}, 0, {{{}}}}.wrong<IndexError>("logsumexp: ", [](const Tensor& x) { logsumexp(x, 7); }),
      Row{"softmax", on([](const Tensor& x) { return softmax(x, 1); }), {real(s234)}, 0, {{{2, 0}}, {{0, 3}}}}.wrong<IndexError>("softmax: ", [](const Tensor& x) { softmax(x, 3); }).wrong<DTypeError>("softmax: ", [](const Tensor& x) { softmax(x.to(kInt64), 0); }),
      {"softmax", on([](const Tensor& x) { return softmax(x, -1); }), {real({4})}},
      Row{"log_softmax", on([](const Tensor& x) { return log_softmax(x, 1); }), {real(s234)}, 0, {{{2, 0}}, {{0, 3}}}}.wrong<IndexError>("log_softmax: ", [](const Tensor& x) { log_softmax(x, 3); }),
      {"log_softmax", on([](const Tensor& x) { return log_softmax(x, -1); }), {real({4})}},
      Row{"norm", on([](const Tensor& x) { return norm(x); }), {real(s234)}}.wrong<IndexError>("norm: ", [](const Tensor& x) { norm(x, 2, {7}); }),
      {"norm", on([](const Tensor& x) { return norm(x, 1, {0, 2}); }), {real(s234)}},
      {"norm", on([](const Tensor& x) { return norm(x, 3, 1, true); }), {real(s234)}},
      {"norm", on([](const Tensor& x) { return norm(x, 0.5, 1); }), {real(s234)}},
      {"norm", on([](const Tensor& x) { return norm(x, INFINITY, 1); }), {real(s234)}, kComposed},
      Row{"sum_to_size", on([](const Tensor& x) { return sum_to_size(x, {3, 1}); }), {real(s234)}, kLinear, {{{0, 3, 2}}, {{3, 0}}}}.wrong<ShapeError>("sum_to_size: ", [](const Tensor& x) { sum_to_size(x, {5}); }),
  };
}

std::vector<Row> scan_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s234 = {2, 3, 4}, s34 = {3, 4};
  return {
      Row{"cumsum", on([](const Tensor& x) { return cumsum(x, 1); }), {real(s234)}, kLinear, {{{0, 2}}, {{2, 0}}}}.wrong<IndexError>("cumsum: ", [](const Tensor& x) { cumsum(x, 7); }),
      Row{"cumprod", on([](const Tensor& x) { return cumprod(x, 1); }), {real(s234)}, 0, {{{0, 2}}, {{2, 0}}, {{2, 1}}}}.wrong<IndexError>("cumprod: ", [](const Tensor& x) { cumprod(x, 7); }),
      Row{"prod", on([](const Tensor& x) { return prod(x, 1); }), {real(s234)}, 0, {{{0, 2}}, {{2, 0}}, {{2, 1}}}}.wrong<IndexError>("prod: ", [](const Tensor& x) { prod(x, 7); }),
      {"prod", on([](const Tensor& x) { return prod(x, -1, true); }), {real(s23)}},
      {"prod of all", on([](const Tensor& x) { return prod(x); }), {real(s23)}, kComposed},
      Row{"linear_recurrence", [](const Operands& x) { return linear_recurrence(x[0], x[1], 1); }, {real(s34), real(s34)}, 0, {{{2, 3, 2}, {2, 3, 2}}, {{2, 0}, {2, 0}}}}.wrong<ShapeError>("linear_recurrence: ", [](const Operands& x) { linear_recurrence(x[0], x[1].t(), 0); }),
      {"linear_recurrence", [](const Operands& x) { return linear_recurrence(x[0], x[1], 0, true); }, {real(s34), real(s34)}},
      Row{"sort", on([](const Tensor& x) { return std::get<0>(sort(x, 1)); }), {real(s234)}, kLinear | kNoTies, {{{2, 0}}, {{0, 2}}}}.wrong<IndexError>("sort: ", [](const Tensor& x) { sort(x, 7); }),
      Row{"topk", on([](const Tensor& x) { return std::get<0>(topk(x, 2, -1)); }), {real(s234)}, kLinear | kNoTies, {{{0, 3}}}}.wrong<IndexError>("topk: ", [](const Tensor& x) { topk(x, 1, 7); }),
  };
}
// clang-format on

}  // namespace gradus::test
