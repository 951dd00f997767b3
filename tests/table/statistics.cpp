// Order statistics, distances, differences, running extremes.
#include <cmath>
#include <tuple>

#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

// clang-format off
std::vector<Row> statistics_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s234 = {2, 3, 4}, s34 = {3, 4};
  return {
      Row{"kthvalue", on([](const Tensor& x) { return std::get<0>(kthvalue(x, 2, 1)); }), {real(s234)}, kLinear | kNoTies, {{{0, 2}}}}.wrong<IndexError>("kthvalue: ", [](const Tensor& x) { kthvalue(x, 4, 1); }).wrong<IndexError>("kthvalue: ", [](const Tensor& x) { kthvalue(x, 1, 7); }),
      Row{"median", on([](const Tensor& x) { return std::get<0>(median(x, -1, true)); }), {real(s234)}, kLinear | kNoTies, {{{}}, {{0, 2}}}}.wrong<IndexError>("median: ", [](const Tensor& x) { median(x.slice(1, 0, 0), 1); }),
      {"nanmedian", on([](const Tensor& x) { return std::get<0>(nanmedian(x, 0)); }), {real(s34)}, kLinear | kNoTies, {{{2, 0}}}},
      {"median_of_all", on([](const Tensor& x) { return median(x); }), {real(s34)}, kLinear | kNoTies, {{{}}, {{1}}}},
      {"nanmedian_of_all", on([](const Tensor& x) { return nanmedian(x); }), {real(s34)}, kLinear | kNoTies, {{{}}}},
      {"mode", on([](const Tensor& x) { return std::get<0>(mode(x, -1)); }), {real(s34)}, kLinear | kNoTies, {{{}}, {{0, 2}}}},
      Row{"quantile", on([](const Tensor& x) { return quantile(x, 0.3, 1); }), {real(s34)}, kLinear | kNoTies | kComposed}.wrong<ValueError>("quantile: q must", [](const Tensor& x) { quantile(x, 1.5); }).wrong<ValueError>("quantile: interpolation", [](const Tensor& x) { quantile(x, 0.5, 0, false, "cubic"); }),
      {"quantile of all", [](const Operands& x) { return quantile(x[0], x[1]); }, {real(s34), real({3}, 0.05, 0.95)}, kNoTies | kComposed},
      {"nanquantile", on([](const Tensor& x) { return nanquantile(x, 0.7, 0, true, "midpoint"); }), {real(s34)}, kLinear | kNoTies | kComposed},
      {"nanmean", on([](const Tensor& x) { return nanmean(x, 1); }), {real(s34)}, kLinear | kComposed},
      {"aminmax", on([](const Tensor& x) { const auto [low, high] = aminmax(x, 1); return high - low * 2; }), {real(s34)}, kComposed},
      {"std_mean", on([](const Tensor& x) { const auto [s, m] = std_mean(x, 1); return s + m; }), {real(s34)}, kComposed},
      {"var_mean", on([](const Tensor& x) { const auto [v, m] = var_mean(x, {0}, false, true); return v * m; }), {real(s34)}, kComposed},
      {"msort", one(msort), {real(s34)}, kLinear | kNoTies | kComposed},
      Row{"cummax", on([](const Tensor& x) { return std::get<0>(cummax(x, 1)); }), {real(s234)}, kLinear | kNoTies, {{{0, 2}}, {{2, 0}}}}.wrong<IndexError>("cummax: ", [](const Tensor& x) { cummax(x, 7); }),
      {"cummin", on([](const Tensor& x) { return std::get<0>(cummin(x, -1)); }), {real(s234)}, kLinear | kNoTies, {{{}}, {{2, 0}}}},
      Row{"logcumsumexp", on([](const Tensor& x) { return logcumsumexp(x, 1); }), {real(s234)}, 0, {{{0, 2}}, {{2, 0}}, {{2, 1}}}}.wrong<DTypeError>("logcumsumexp: ", [](const Tensor& x) { logcumsumexp(x.to(kInt64), 0); }),
      Row{"cumsum in place", on([](const Tensor& x) { return cumsum(x, 0); }), {real(s23)}, kLinear | kComposed}.in_place([](const Tensor& y) { y.cumsum_(0); }),
      Row{"cumprod in place", on([](const Tensor& x) { return cumprod(x, 1); }), {real(s23)}, kComposed}.in_place([](const Tensor& y) { y.cumprod_(1); }),
      {"dist", [](const Operands& x) { return dist(x[0], x[1], 3); }, {real(s23), real(s23)}, kComposed, {{{2, 3}, {3}}}},
      {"cosine_similarity", [](const Operands& x) { return cosine_similarity(x[0], x[1]); }, {real(s34), real(s34)}, kComposed, {{{3, 4}, {1, 4}}}},
      {"pairwise_distance", [](const Operands& x) { return pairwise_distance(x[0], x[1]); }, {real(s34), real(s34)}, kComposed | kNoTies, {{{3, 4}, {4}}}},
      Row{"cdist", [](const Operands& x) { return cdist(x[0], x[1]); }, {real({2, 3}), real({4, 3})}, kNoTies, {{{2, 1, 2}, {3, 2}}, {{0, 2}, {3, 2}}}}.wrong<ShapeError>("cdist: ", [](const Operands& x) { cdist(x[0], x[1].t()); }).wrong<ValueError>("cdist: ", [](const Operands& x) { cdist(x[0], x[1], -1); }),
      {"cdist with p 1", [](const Operands& x) { return cdist(x[0], x[1], 1); }, {real({2, 3}), real({4, 3})}, kComposed | kNoTies},
      Row{"pdist", on([](const Tensor& x) { return pdist(x); }), {real(s34)}, kNoTies, {{{1, 2}}}}.wrong<ShapeError>("pdist: ", [](const Tensor& x) { pdist(x[0]); }),
      {"frobenius_norm", on([](const Tensor& x) { return frobenius_norm(x, {0, 1}); }), {real(s34)}, kComposed},
      Row{"renorm", on([](const Tensor& x) { return renorm(x, 2, 0, 2); }), {real(s34)}, kComposed}.in_place([](const Tensor& y) { y.renorm_(2, 0, 2); }).wrong<ShapeError>("renorm: ", [](const Tensor& x) { renorm(x[0], 2, 0, 1); }),
      Row{"diff", [](const Operands& x) { return diff(x[0], 2, 1, x[1], {}); }, {real(s34), real({3, 1})}, kComposed | kLinear}.wrong<ValueError>("diff: ", [](const Tensor& x) { diff(x, -1); }),
      {"diff", on([](const Tensor& x) { const Tensor y = diff(x, 0, 1); y.mul_(x); return y * x; }), {real({2, 3})}, kComposed},
      Row{"trapezoid", [](const Operands& x) { return trapezoid(x[0], x[1]); }, {real(s34), real({4})}, kComposed}.wrong<ShapeError>("trapezoid: ", [](const Operands& x) { trapezoid(x[0], x[1], 0); }),
      {"trapz", on([](const Tensor& x) { return trapz(x, 0.5, 0); }), {real(s34)}, kComposed | kLinear, {{{1, 2}}}},
  };
}
// clang-format on

}  // namespace gradus::test
