// Order statistics and their gradients, counts, places, distinct elements.
#include "../../core/ops/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "rounded_once.h"
#include "../../core/ops/stored.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

enum class Pick : std::uint8_t { Kth, Median, NanMedian, Mode };
constexpr std::string_view name_of(Pick pick) {
  constexpr std::string_view names[] = {"kthvalue", "median", "nanmedian", "mode"};
  return names[static_cast<int>(pick)];
}
// y = x[index] along dim.
// An element along a dimension, and its index: the gradient goes to that element.
template <Pick pick>
struct Picked {
  static constexpr std::string_view name = name_of(pick);
  static constexpr Batch batch = Batch::kDims;
  static constexpr int differentiable_outputs = 1;
  struct Attrs {
    std::int64_t k = 1, dim = 0;
    bool keepdim = false;
    static constexpr auto fields = named("k", &Attrs::k, "dim", &Attrs::dim, "keepdim", &Attrs::keepdim);
  };
  static std::tuple<Array, Array> forward(const Attrs& a, const Array& x) {
    if constexpr (pick == Pick::Kth) return core::kthvalue(x, a.k, a.dim, a.keepdim);
    if constexpr (pick == Pick::Mode) return core::mode(x, a.dim, a.keepdim);
    return core::median(x, a.dim, a.keepdim, pick == Pick::NanMedian);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, Out<1> index, ShapeOf<0> x, const Attrs& a) {
    if (x.empty()) return dy.reshape({});
    const Tensor g = a.keepdim ? Tensor(dy) : dy.unsqueeze(a.dim),
                 i = a.keepdim ? Tensor(index) : index.unsqueeze(a.dim);
    return scatter_add(x, a.dim, i, g);
  });
};
// y = the middle one of all x.
// Of all elements: those that equal it share the gradient.
template <bool IgnoreNan>
struct MedianOfAll {
  static constexpr std::string_view name = IgnoreNan ? "nanmedian_of_all" : "median_of_all";
  static Array forward(const Array& x) {
    if (x.numel() == 0) return core::full({}, std::numeric_limits<double>::quiet_NaN(), x.dtype());
    return std::get<0>(core::median(x.reshape({-1}), 0, false, IgnoreNan));
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> y) {
    const Tensor wins = logical_or(x == y, logical_and(isnan(x), isnan(y)));
    return masked_fill((dy / wins.to(dy.dtype()).sum()).expand(x.sizes()), !wins, 0);
  });
};

std::int64_t wrapped(const Operand& x, std::int64_t dim, const char* op) {
  return core::wrap_dim(dim, x.tensor().body().array.dim(), op);
}
void check_floating(const char* op, const Tensor& x) { core::expect_floating(op, "the operand", x); }

Tensor at_quantiles(const char* op, const Operand& x, const Operand& quantiles, std::optional<std::int64_t> dim,
                    bool keepdim, std::string_view interpolation, bool ignore_nan) {
  const Tensor q = quantiles.tensor();
  check_floating(op, x.tensor());
  if (q.dtype() != x.tensor().dtype()) {
    core::fail<DTypeError>("{}: q must have the operand's dtype: {} for {}", op, q.dtype(), x.tensor().dtype());
  }
  if (q.dim() > 1) core::fail<ShapeError>("{}: q must be a number or a vector: {}", op, q.sizes());
  if (x.tensor().numel() == 0)
    core::fail<ShapeError>("{}: there must be at least one element: {}", op, x.tensor().sizes());
  if (!all({logical_and(q >= 0, q <= 1)}).item<bool>()) {
    const Tensor each = q.reshape({-1});
    const auto worst = (each - 0.5).abs().argmax().item<std::int64_t>();
    core::fail<ValueError>("{}: q must lie between 0 and 1: {}", op, each[worst].item<double>());
  }
  const std::int64_t d = dim ? wrapped(x, *dim, op) : 0;
  const Scope scope(x.at());
  const Tensor rows = !dim || x.tensor().dim() == 0 ? x.tensor().reshape({-1}) : x.tensor().movedim(d, -1);
  const Tensor sorted = std::get<0>(sort(rows, -1)), list = q.reshape({-1});
  // Where each falls, [.., Q], in float64. NaNs are sorted to the end: there, where one of them spoils the row.
  const Tensor nans = isnan(sorted), at = list.to(kFloat64);
  const auto last = static_cast<double>(sorted.size(-1) - 1);
  Tensor rank;
  if (ignore_nan) {
    rank = at * clamp_min((!nans).to(kFloat64).sum(-1, true) - 1, 0);
  } else {
    rank = where(any(nans, -1, true), Tensor(core::full({}, last, kFloat64)), at * last);
  }
  Tensor low = rank.detach().floor(), high = rank.detach().ceil();
  if (interpolation == "nearest") {
    low = high = rank.detach().round();
  } else if (interpolation == "lower") {
    high = low;
  } else if (interpolation == "higher") {
    low = high;
  } else if (interpolation != "linear" && interpolation != "midpoint") {
    core::fail<ValueError>(
        "{}: interpolation must be \"linear\", \"lower\", \"higher\", \"midpoint\" or \"nearest\": \"{}\"", op,
        interpolation);
  }
  const Tensor below = gather(sorted, -1, low.to(kInt64));
  Tensor y = below;
  if (interpolation == "linear" || interpolation == "midpoint") {
    const Tensor above = gather(sorted, -1, high.to(kInt64));
    y = interpolation == "linear" ? lerp(below, above, (rank - low).to(sorted.dtype())) : lerp(below, above, 0.5);
  }
  y = y.movedim(-1, 0);  // [Q, ..]
  if (keepdim) {
    Shape shape = dim && x.tensor().dim() > 0 ? x.tensor().body().array.shape()
                                              : Shape::filled(static_cast<int>(x.tensor().dim()), 1);
    if (dim && x.tensor().dim() > 0) shape[static_cast<int>(d)] = 1;
    shape.insert(0, y.size(0));
    y = y.reshape(shape);
  }
  return q.dim() == 0 ? y.squeeze(0) : y;
}

Array places(const char* op, const Tensor& sequence, const Tensor& x, bool right, std::optional<std::string_view> side,
             OptionalOperand sorter) {
  if (side && *side != "left" && *side != "right") {
    core::fail<ValueError>("{}: side must be \"left\" or \"right\": \"{}\"", op, *side);
  }
  if (side && *side == "left" && right) core::fail<ValueError>("{}: side and right must agree: \"left\" and true", op);
  const DType dtype = promote_types(sequence.dtype(), x.dtype());
  const Shape &s = sequence.body().array.shape(), &v = x.body().array.shape();
  bool fits = s.size() == 1 || s.size() == v.size();
  for (int i = 0; fits && s.size() > 1 && i + 1 < s.size(); ++i) fits = s[i] == v[i];
  if (!fits || s.empty()) {
    core::fail<ShapeError>("{}: the sequence must be a vector, or equal x but in its last size: {} for {}", op, s, v);
  }
  if (sorter) {
    if ((*sorter).sizes() != sequence.sizes() || (*sorter).dtype() != kInt64) {
      core::fail<ShapeError>("{}: the sorter must have the sequence's shape and dtype int64: {} {} for {}", op,
                             (*sorter).dtype(), (*sorter).sizes(), s);
    }
    const Array inside = core::logical_and(core::ge((*sorter).array(), 0), core::lt((*sorter).array(), s.back()));
    if (!core::reduce(core::Reduction::All, inside).item<bool>()) {
      core::fail<IndexError>("{}: the sorter's indices must lie in [0, {})", op, s.back());
    }
  }
  return core::searchsorted(core::as_computed(sequence.array().to(dtype)), core::as_computed(x.array().to(dtype)),
                            right || (side && *side == "right"), sorter ? (*sorter).array() : Array());
}
Tensor in_width(const Array& places, bool out_int32) { return Tensor(out_int32 ? places.to(kInt32) : places); }
// A number and a sequence in their common dtype.
std::pair<Tensor, Tensor> with_number(const Tensor& sequence, const Scalar& x) {
  const DType dtype = promote_types(sequence.dtype(), x);
  return {Tensor(sequence.array().to(dtype)), Tensor(core::scalar(x, dtype))};
}

std::tuple<Tensor, Tensor, Tensor> as_tensors(const core::Distinct& d, DType dtype) {
  return {Tensor(core::as_stored(d.values, dtype)), Tensor(d.inverse), Tensor(d.counts)};
}

}  // namespace

std::tuple<Tensor, Tensor> aminmax(Operand x, std::optional<std::int64_t> dim, bool keepdim) {
  return core::in_name_of("aminmax", [&] {
    const core::Dims over = dim ? core::Dims{*dim} : core::Dims{};
    return std::tuple(amin(x, over, keepdim), amax(x, over, keepdim));
  });
}
Tensor count_nonzero(Operand x, IntArrayRef dim) {
  return core::in_name_of("count_nonzero", [&] {
    return Tensor(core::reduce(core::Reduction::Sum, core::ne(x.tensor().array(), 0), dim));
  });
}
Tensor nanmean(Operand x, IntArrayRef dim, bool keepdim, std::optional<DType> dtype) {
  if (dtype && *dtype != x.tensor().dtype()) {
    check_floating("nanmean", x.tensor());
    return nanmean({x.tensor().to(*dtype, x.at()), x.at()}, dim, keepdim);
  }
  if (stored(x)) return rounded_once([&](Operand u) { return nanmean(u, dim, keepdim); }, x);
  return core::in_name_of("nanmean", [&] {
    check_floating("nanmean", x.tensor());
    const Scope scope(x.at());
    const Tensor& in = x.tensor();
    return sum(masked_fill(in, isnan(in), 0), dim, keepdim) / (!isnan(in)).to(in.dtype()).sum(dim, keepdim);
  });
}
std::tuple<Tensor, Tensor> std_mean(Operand x) { return std_mean(x, IntArrayRef()); }
std::tuple<Tensor, Tensor> var_mean(Operand x) { return var_mean(x, IntArrayRef()); }
std::tuple<Tensor, Tensor> std_mean(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction, bool keepdim) {
  return core::in_name_of("std_mean",
                          [&] { return std::tuple(std(x, dim, correction, keepdim), mean(x, dim, keepdim)); });
}
std::tuple<Tensor, Tensor> var_mean(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction, bool keepdim) {
  return core::in_name_of("var_mean",
                          [&] { return std::tuple(var(x, dim, correction, keepdim), mean(x, dim, keepdim)); });
}

namespace {
// A weight for each observation, in x's dtype.
Tensor weights_of(const char* what, const Tensor& weights, const Tensor& x) {
  if (weights.dim() != 1 || weights.numel() != x.size(1)) {
    core::fail<ShapeError>("cov: there must be one of {} for each observation: {} for {}", what, weights.sizes(),
                           x.size(1));
  }
  if (weights.numel() != 0 && (weights < 0).any().item<bool>()) {
    core::fail<ValueError>("cov: {} must not be negative: {}", what, weights.min().item<double>());
  }
  return weights.to(x.dtype());
}
}  // namespace
Tensor cov(Operand x, std::int64_t correction, OptionalOperand fweights, OptionalOperand aweights) {
  if (stored(x)) {
    return rounded_once([&](Operand u) { return cov(u, correction, fweights, aweights); }, x);
  }
  core::expect_form(x.tensor().dim() <= 2, "cov", "the operand", "[V, N], [N] or []", x.tensor().sizes());
  core::expect_numeric("cov", "the operand", x.tensor());
  if (fweights && !is_integral((*fweights).dtype())) {
    core::fail<DTypeError>("cov: fweights must be integers: {}; aweights may be any", (*fweights).dtype());
  }
  return core::in_name_of("cov", [&] {
    const Scope scope(x.at());
    Tensor rows = x.tensor().dim() == 2 ? x.tensor() : x.tensor().reshape({1, -1});
    if (!rows.is_floating_point()) rows = rows.to(get_default_dtype());
    Tensor weights, divisor;
    if (fweights) weights = weights_of("fweights", *fweights, rows);
    if (aweights) {
      const Tensor a = weights_of("aweights", *aweights, rows);
      const Tensor w = weights.defined() ? weights * a : a;
      divisor = w.sum() - (w * a).sum() / w.sum() * correction;
      weights = w;
    } else if (weights.defined()) {
      divisor = weights.sum() - correction;
    }
    const Tensor mean_of = weights.defined() ? (rows * weights).sum(1, true) / weights.sum() : rows.mean(1, true);
    const Tensor centred = rows - mean_of, weighted = weights.defined() ? centred * weights : centred;
    const Tensor sums = matmul(weighted, centred.t());
    const Tensor y = divisor.defined()
                         ? sums / clamp_min(divisor, 0)
                         : sums / static_cast<double>(std::max<std::int64_t>(rows.size(1) - correction, 0));
    return x.tensor().dim() == 2 ? y : y.reshape({});
  });
}
Tensor corrcoef(Operand x) {
  if (stored(x)) {
    return rounded_once([&](Operand u) { return corrcoef(u); }, x);
  }
  core::expect_form(x.tensor().dim() <= 2, "corrcoef", "the operand", "[V, N], [N] or []", x.tensor().sizes());
  return core::in_name_of("corrcoef", [&] {
    const Scope scope(x.at());
    const Tensor c = cov(x);
    if (c.dim() == 0) return c / c;
    const Tensor deviations = sqrt(c.diagonal());
    return clamp(c / deviations.unsqueeze(1) / deviations.unsqueeze(0), -1, 1);
  });
}

std::tuple<Tensor, Tensor> kthvalue(Operand x, std::int64_t k, std::int64_t dim, bool keepdim) {
  return apply<Picked<Pick::Kth>>({k, wrapped(x, dim, "kthvalue"), keepdim}, x);
}
Tensor median(Operand x) {
  return core::in_name_of("median", [&] { return apply<MedianOfAll<false>>(x); });
}
std::tuple<Tensor, Tensor> median(Operand x, std::int64_t dim, bool keepdim) {
  return apply<Picked<Pick::Median>>({0, wrapped(x, dim, "median"), keepdim}, x);
}
Tensor nanmedian(Operand x) {
  return core::in_name_of("nanmedian", [&] { return apply<MedianOfAll<true>>(x); });
}
std::tuple<Tensor, Tensor> nanmedian(Operand x, std::int64_t dim, bool keepdim) {
  return apply<Picked<Pick::NanMedian>>({0, wrapped(x, dim, "nanmedian"), keepdim}, x);
}
std::tuple<Tensor, Tensor> mode(Operand x, std::int64_t dim, bool keepdim) {
  return apply<Picked<Pick::Mode>>({0, wrapped(x, dim, "mode"), keepdim}, x);
}
Tensor quantile(Operand x, Operand q, std::optional<std::int64_t> dim, bool keepdim, std::string_view interpolation) {
  if (stored(x, q))
    return rounded_once(
        "quantile", [&](Operand u, Operand v) { return quantile(u, v, dim, keepdim, interpolation); }, x, q);
  return at_quantiles("quantile", x, q, dim, keepdim, interpolation, false);
}
Tensor quantile(Operand x, double q, std::optional<std::int64_t> dim, bool keepdim, std::string_view interpolation) {
  if (stored(x)) return rounded_once([&](Operand u) { return quantile(u, q, dim, keepdim, interpolation); }, x);
  return quantile(x, {Tensor(core::full({}, q, x.tensor().dtype())), x.at()}, dim, keepdim, interpolation);
}
Tensor nanquantile(Operand x, Operand q, std::optional<std::int64_t> dim, bool keepdim,
                   std::string_view interpolation) {
  if (stored(x, q))
    return rounded_once(
        "nanquantile", [&](Operand u, Operand v) { return nanquantile(u, v, dim, keepdim, interpolation); }, x, q);
  return at_quantiles("nanquantile", x, q, dim, keepdim, interpolation, true);
}
Tensor nanquantile(Operand x, double q, std::optional<std::int64_t> dim, bool keepdim, std::string_view interpolation) {
  if (stored(x)) return rounded_once([&](Operand u) { return nanquantile(u, q, dim, keepdim, interpolation); }, x);
  return nanquantile(x, {Tensor(core::full({}, q, x.tensor().dtype())), x.at()}, dim, keepdim, interpolation);
}
Tensor msort(Operand x) {
  return core::in_name_of("msort", [&] { return std::get<0>(sort(x, 0)); });
}

Tensor histc(Operand x, std::int64_t bins, const Scalar& min, const Scalar& max) {
  const Array a = core::as_computed(x.tensor().array());
  check_floating("histc", x.tensor());
  if (bins < 1) core::fail<ValueError>("histc: there must be at least one bin: {}", bins);
  double low = min.toDouble(), high = max.toDouble();
  if (low == high && a.numel() > 0) {
    low = core::reduce(core::Reduction::Min, a).item<double>();
    high = core::reduce(core::Reduction::Max, a).item<double>();
  }
  if (!(low <= high) || !std::isfinite(low) || !std::isfinite(high)) {
    core::fail<ValueError>("histc: min must not exceed max, both finite: {} and {}", low, high);
  }
  if (low == high) {
    low -= 1;
    high += 1;
  }
  return Tensor(core::as_stored(core::histc(a, bins, low, high), x.tensor().dtype()));
}
Tensor bincount(Operand x, OptionalOperand weights, std::int64_t minlength) {
  const Array a = x.tensor().array(), w = weights ? (*weights).array() : Array();
  if (a.dim() != 1) core::fail<ShapeError>("bincount: the operand must be a vector: {}", a.shape());
  if (!is_integral(a.dtype())) core::fail<DTypeError>("bincount: the operand must be integers: {}", a.dtype());
  if (minlength < 0) core::fail<ValueError>("bincount: minlength must not be negative: {}", minlength);
  if (w.defined() && w.shape() != a.shape()) {
    core::fail<ShapeError>("bincount: there must be a weight for each number: {} for {}", w.shape(), a.shape());
  }
  return core::in_name_of("bincount", [&] { return Tensor(core::bincount(core::as_computed(a), w, minlength)); });
}
Tensor searchsorted(Operand sequence, Operand x, bool out_int32, bool right, std::optional<std::string_view> side,
                    OptionalOperand sorter) {
  return in_width(places("searchsorted", sequence.tensor(), x.tensor(), right, side, sorter), out_int32);
}
Tensor searchsorted(Operand sequence, const Scalar& x, bool out_int32, bool right, std::optional<std::string_view> side,
                    OptionalOperand sorter) {
  const auto [sorted, value] = with_number(sequence.tensor(), x);
  if (sorted.dim() > 1) core::fail<ShapeError>("searchsorted: the sequence must be a vector: {}", sorted.sizes());
  return in_width(places("searchsorted", sorted, value, right, side, sorter), out_int32);
}
Tensor bucketize(Operand x, Operand boundaries, bool out_int32, bool right) {
  if (boundaries.tensor().dim() != 1) {
    core::fail<ShapeError>("bucketize: the boundaries must be a vector: {}", boundaries.tensor().sizes());
  }
  return in_width(places("bucketize", boundaries.tensor(), x.tensor(), right, {}, {}), out_int32);
}
Tensor bucketize(const Scalar& x, Operand boundaries, bool out_int32, bool right) {
  const auto [sorted, value] = with_number(boundaries.tensor(), x);
  return bucketize({value, boundaries.at()}, {sorted, boundaries.at()}, out_int32, right);
}

std::tuple<Tensor, Tensor, Tensor> unique(Operand x, bool sorted, bool return_inverse, bool return_counts) {
  return as_tensors(core::unique(core::as_computed(x.tensor().array()), sorted, return_inverse, return_counts),
                    x.tensor().dtype());
}
std::tuple<Tensor, Tensor> _unique(Operand x, bool sorted, bool return_inverse) {
  const auto [values, inverse, counts] = unique(x, sorted, return_inverse);
  return {values, inverse};
}
std::tuple<Tensor, Tensor, Tensor> _unique2(Operand x, bool sorted, bool return_inverse, bool return_counts) {
  return unique(x, sorted, return_inverse, return_counts);
}
std::tuple<Tensor, Tensor, Tensor> unique_dim(Operand x, std::int64_t dim, bool, bool return_inverse,
                                              bool return_counts) {
  return as_tensors(
      core::unique_slices(core::as_computed(x.tensor().array()), dim, false, return_inverse, return_counts),
      x.tensor().dtype());
}
std::tuple<Tensor, Tensor, Tensor> unique_consecutive(Operand x, bool return_inverse, bool return_counts,
                                                      std::optional<std::int64_t> dim) {
  const Array a = core::as_computed(x.tensor().array());
  return as_tensors(dim ? core::unique_slices(a, *dim, true, return_inverse, return_counts)
                        : core::unique_consecutive(a, return_inverse, return_counts),
                    x.tensor().dtype());
}

}  // namespace gradus
