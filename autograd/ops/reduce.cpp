// Reductions and their gradients.
#include "../../core/ops/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/softmax.h"
#include "../graph/grad_mode.h"
#include "../graph/without_gradient.h"
#include "result_dtype.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Dims;
using core::Reduction;
using core::Shape;

namespace {

// Over which dimensions (sorted, wrapped), and whether they stay with size 1.
struct Over {
  Dims dims;
  bool keepdim = false;
  static constexpr auto fields = named("dim", &Over::dims, "keepdim", &Over::keepdim);
};

// A reduction's result or gradient with the reduced dimensions back, of size 1, so that it broadcasts against x.
Tensor with_dims(const Tensor& y, const Shape& x, const Over& over) {
  return over.keepdim ? y : y.reshape(core::reduced_shape(x, over.dims, true));
}
std::int64_t count(const Shape& x, const Over& over) {
  std::int64_t n = 1;
  for (std::int64_t d : over.dims) n *= x[static_cast<int>(d)];
  return n;
}

struct Sum {
  static constexpr std::string_view name = "sum";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Over;
  static Array forward(const Over& o, const Array& x) { return core::sum(x, o.dims, o.keepdim); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, ShapeOf<0> x, const Over& o) { return with_dims(dy, x, o).expand(x); });
};
struct Mean {
  static constexpr std::string_view name = "mean";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Over;
  static Array forward(const Over& o, const Array& x) { return core::mean(x, o.dims, o.keepdim); }
  static constexpr auto gradients = formulas([](Dy<> dy, ShapeOf<0> x, const Over& o) {
    return (with_dims(dy, x, o) / static_cast<double>(count(x, o))).expand(x);
  });
};
// y = sum (x - mean(x))^2 / (n - correction).
// The mean of squared distances from the mean, n / (n - 1) times that when the correction is 1:
// dx = dy 2 (x - mean) / (n - correction)
struct Var {
  static constexpr std::string_view name = "var";
  static constexpr std::string_view formula =
      "y = sum_{dim} (x - m)^2 / (n - correction), m = mean_{dim} x, dx = 2 dy (x - m) / (n - correction)";
  static constexpr Batch batch = Batch::kDims;
  struct Attrs {
    Over over;
    std::int64_t correction = 1;
    static constexpr auto fields = named(&Attrs::over, "correction", &Attrs::correction);
  };
  static Array forward(const Attrs& a, const Array& x) {
    return core::var(x, a.over.dims, a.correction, a.over.keepdim);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Attrs& a) {
    const Shape& shape = x.body().array.shape();
    const double divisor = static_cast<double>(std::max<std::int64_t>(count(shape, a.over) - a.correction, 0));
    return with_dims(dy, shape, a.over) * ((x - mean(x, a.over.dims, true)) * (2 / divisor));
  });
};
// Whether each y is above 0, and each dy / y has all its digits, and its derivative -dy / y^2, too.
template <class T>
bool divide_well(const Array& quotients, const Array& dy, const Array& y) {
  using Limits = std::numeric_limits<T>;
  const Array q = quotients.contiguous(), above = dy.expand(q.shape()).contiguous(), below = y.contiguous();
  const T *quotient = q.data_ptr<T>(), *from = above.data_ptr<T>(), *by = below.data_ptr<T>();
  bool well = true;
  for (std::int64_t i = 0; i < q.numel(); ++i) {
    const T size = std::abs(quotient[i]), slope = size / by[i];
    const bool normal =
        size >= Limits::min() && size <= Limits::max() && slope >= Limits::min() && slope <= Limits::max();
    well &= by[i] > 0 && (normal || from[i] == 0);
  }
  return well;
}
// x dy / y for each result y, whose derivative at y = 0 is taken for 0. That has none itself, NaN, unless `constant`: 0.
Tensor of_ratio(const Tensor& dy, const Tensor& x, const Tensor& y, bool constant) {
  const Tensor quotient = dy / y;
  const bool single = quotient.dtype() == kFloat32;
  if (single ? divide_well<float>(quotient.array(), dy.array(), y.array())
             : divide_well<double>(quotient.array(), dy.array(), y.array())) {
    return x * quotient;
  }
  const Tensor zero = y == 0;
  return masked_fill(dy, zero, 0) * masked_fill(x / (constant ? masked_fill(y, zero, 1) : y), zero, 0);
}
// y = sqrt(sum (x - mean(x))^2 / (n - correction)):
// dx = dy (x - mean) / (n - correction) / y
struct Std {
  static constexpr std::string_view name = "std";
  static constexpr std::string_view formula =
      "y = sqrt(sum_{dim} (x - m)^2 / (n - correction)), m = mean_{dim} x, dx = dy (x - m) / ((n - correction) y)";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Var::Attrs;
  static Array forward(const Attrs& a, const Array& x) {
    return core::std(x, a.over.dims, a.correction, a.over.keepdim);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> y, const Attrs& a) {
    const Shape& shape = x.body().array.shape();
    const double divisor = static_cast<double>(std::max<std::int64_t>(count(shape, a.over) - a.correction, 0));
    return of_ratio(with_dims(dy, shape, a.over) / divisor, x - mean(x, a.over.dims, true), with_dims(y, shape, a.over),
                    true);
  });
};
// y = (sum |x|^p)^(1/p), p neither 0 nor infinite:  dx = dy sign(x) (|x| / y)^(p - 1)
struct Norm {
  static constexpr std::string_view name = "norm";
  static constexpr std::string_view formula = "y = (sum_{dim} |x|^p)^{1 / p}, dx = dy sign(x) (|x| / y)^{p - 1}";
  static constexpr Batch batch = Batch::kDims;
  struct Attrs {
    double p = 2;
    Over over;
    static constexpr auto fields = named("p", &Attrs::p, &Attrs::over);
  };
  static Array forward(const Attrs& a, const Array& x) { return core::norm(x, a.p, a.over.dims, a.over.keepdim); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> result, const Attrs& a) -> Tensor {
    const Shape& shape = x.body().array.shape();
    const Tensor g = with_dims(dy, shape, a.over), y = with_dims(result, shape, a.over);
    if (a.p == 1) return g * sign(x);
    if (a.p == 2) return of_ratio(g, x, y, false);
    const Tensor none = y == 0;
    Tensor ratio = abs(x) / (a.p > 2 ? masked_fill(y, none, 1) : y);  // as of_ratio, constant where there is a slope
    // A power below 1 has no finite slope at 0, one below 2 no finite second derivative: such elements are constants.
    if (a.p < 2) ratio = masked_fill(ratio, logical_and(x == 0, logical_not(none)), 1);
    return masked_fill(g, none, 0) * masked_fill(sign(x) * pow(ratio, a.p - 1), none, 0);
  });
};
// The share of the gradient of each element that equals the extremum: 1 / (number of those).
Tensor shared(const Tensor& dy, const Tensor& x, const Tensor& y, const Over& o) {
  const Shape& shape = x.body().array.shape();
  const Tensor wins = logical_or(x == with_dims(y, shape, o), isnan(x)), n = wins.to(dy.dtype()).sum(o.dims, true);
  return masked_fill((with_dims(dy, shape, o) / n).expand(shape), !wins, 0);
}
// y = max x or min x over the dimensions
template <Reduction R>
struct Extremum {
  static constexpr std::string_view name = R == Reduction::Max ? "amax" : "amin";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Over;
  static Array forward(const Over& o, const Array& x) {
    return core::in_name_of(name, [&] { return core::reduce(R, x, o.dims, o.keepdim); });
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<0> x, Out<> y, const Over& o) { return shared(dy, x, y, o); });
};

struct Along {
  std::int64_t dim = 0;
  bool keepdim = false;
  static constexpr auto fields = named("dim", &Along::dim, "keepdim", &Along::keepdim);
};
// y = max x[k] or min x[k] along dim.
// The extremum along a dimension, and its index: the gradient goes to that element.
template <bool Largest>
struct ExtremumAt {
  static constexpr std::string_view name = Largest ? "max" : "min";
  static constexpr Batch batch = Batch::kDims;
  static constexpr int differentiable_outputs = 1;
  using Attrs = Along;
  static std::tuple<Array, Array> forward(const Along& a, const Array& x) {
    return Largest ? core::max(x, a.dim, a.keepdim) : core::min(x, a.dim, a.keepdim);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, Out<1> index, ShapeOf<0> x, const Along& a) {
    if (x.empty()) return dy.reshape({});
    const Tensor g = a.keepdim ? Tensor(dy) : dy.unsqueeze(a.dim),
                 i = a.keepdim ? Tensor(index) : index.unsqueeze(a.dim);
    return scatter_add(x, a.dim, i, g);
  });
};

struct LogSumExp {
  static constexpr std::string_view name = "logsumexp";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Over;
  static Array forward(const Over& o, const Array& x) { return core::logsumexp(x, o.dims, o.keepdim); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> y, const Over& o) {
    const Shape& shape = x.body().array.shape();
    // A row of -inf has probability 0 everywhere, not exp(-inf + inf).
    const Tensor level = with_dims(y, shape, o);
    const Tensor p = exp(x - masked_fill(level, level == -INFINITY, 0));
    return with_dims(dy, shape, o) * p;
  });
};

// Without a gradient: no operations of the graph.
template <bool Largest>
struct PlaceOfExtremum {
  static constexpr std::string_view name = Largest ? "argmax" : "argmin";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Along;
  static Array forward(const Along& a, const Array& x) {
    return Largest ? core::argmax(x, a.dim, a.keepdim) : core::argmin(x, a.dim, a.keepdim);
  }
};
template <bool Largest>
Tensor place_of_extremum(const Operand& x, std::optional<std::int64_t> dim, bool keepdim) {
  if (dim) return without_gradient<PlaceOfExtremum<Largest>>({*dim, keepdim}, x);
  if (!detail::any_batched(&x, 1)) {
    const Array& a = x.tensor().array();
    return Tensor(Largest ? core::argmax(a, dim, keepdim) : core::argmin(a, dim, keepdim));
  }
  const Tensor place = without_gradient<PlaceOfExtremum<Largest>>({0, false}, flatten(x));
  return keepdim ? place.reshape(Shape::filled(static_cast<int>(x.tensor().dim()), 1)) : place;
}
template <Reduction R>
struct Quantifier {
  static constexpr std::string_view name = R == Reduction::All ? "all" : "any";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Over;
  static Array forward(const Over& o, const Array& x) { return core::reduce(R, x, o.dims, o.keepdim); }
};

Over over(const Operand& x, IntArrayRef dim, bool keepdim, const char* op) {
  return {core::wrap_dims(dim, x.tensor().body().array.dim(), op), keepdim};
}
template <class Op>
Tensor spread(const Operand& x, const Over& o, const std::optional<Scalar>& correction) {
  const double number = correction ? correction->toDouble() : 1;
  if (number != std::floor(number) || std::abs(number) > 9e15) {
    core::fail<ValueError>("{}: the correction must be a whole number: {}", Op::name, number);
  }
  return apply<Op>({o, static_cast<std::int64_t>(number)}, x);
}

}  // namespace

Tensor sum(Operand x, IntArrayRef dim, bool keepdim, std::optional<DType> dtype) {
  const Tensor in = detail::in_dtype(x, dtype);
  return detail::in_dtype(apply<Sum>(over(in, dim, keepdim, "sum"), Operand(in, x.at())), dtype);
}
Tensor mean(Operand x, IntArrayRef dim, bool keepdim, std::optional<DType> dtype) {
  const Tensor in = detail::in_dtype(x, dtype);
  return apply<Mean>(over(in, dim, keepdim, "mean"), Operand(in, x.at()));
}
Tensor nansum(Operand x, IntArrayRef dim, bool keepdim, std::optional<DType> dtype) {
  return core::in_name_of("nansum", [&] { return sum({masked_fill(x, isnan(x), 0), x.at()}, dim, keepdim, dtype); });
}
Tensor var(Operand x) { return var(x, IntArrayRef()); }
Tensor var(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction, bool keepdim) {
  return spread<Var>(x, over(x, dim, keepdim, "var"), correction);
}
Tensor std(Operand x) { return std(x, IntArrayRef()); }
Tensor std(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction, bool keepdim) {
  return spread<Std>(x, over(x, dim, keepdim, "std"), correction);
}
Tensor amax(Operand x, IntArrayRef dim, bool keepdim) {
  return apply<Extremum<Reduction::Max>>(over(x, dim, keepdim, "amax"), x);
}
Tensor amin(Operand x, IntArrayRef dim, bool keepdim) {
  return apply<Extremum<Reduction::Min>>(over(x, dim, keepdim, "amin"), x);
}
Tensor max(Operand x) {
  return core::in_name_of("max", [&] { return amax(x); });
}
Tensor min(Operand x) {
  return core::in_name_of("min", [&] { return amin(x); });
}
std::tuple<Tensor, Tensor> max(Operand x, std::int64_t dim, bool keepdim) {
  return apply<ExtremumAt<true>>({dim, keepdim}, x);
}
std::tuple<Tensor, Tensor> min(Operand x, std::int64_t dim, bool keepdim) {
  return apply<ExtremumAt<false>>({dim, keepdim}, x);
}
Tensor argmax(Operand x, std::optional<std::int64_t> dim, bool keepdim) {
  return place_of_extremum<true>(x, dim, keepdim);
}
Tensor argmin(Operand x, std::optional<std::int64_t> dim, bool keepdim) {
  return place_of_extremum<false>(x, dim, keepdim);
}
Tensor all(Operand x) { return without_gradient<Quantifier<Reduction::All>>(over(x, {}, false, "all"), x); }
Tensor any(Operand x) { return without_gradient<Quantifier<Reduction::Any>>(over(x, {}, false, "any"), x); }
Tensor all(Operand x, std::int64_t dim, bool keepdim) {
  return without_gradient<Quantifier<Reduction::All>>(over(x, dim, keepdim, "all"), x);
}
Tensor any(Operand x, std::int64_t dim, bool keepdim) {
  return without_gradient<Quantifier<Reduction::Any>>(over(x, dim, keepdim, "any"), x);
}
Tensor norm(Operand x, const Scalar& p) { return norm(x, p, IntArrayRef()); }
Tensor norm(Operand x, const Scalar& p, IntArrayRef dim, bool keepdim) {
  core::expect_floating("norm", "the operand", x.tensor());
  const Scope scope(x.at());
  const double order = p.toDouble();
  const Over dims = over(x, dim, keepdim, "norm");
  if (order != 0 && !std::isinf(order)) return apply<Norm>({order, dims}, x);
  const Tensor magnitude = abs(x);
  if (order == 0) return (magnitude != 0).to(x.tensor().dtype()).sum(dim, keepdim);
  return order > 0 ? amax(magnitude, dim, keepdim) : amin(magnitude, dim, keepdim);
}
Tensor logsumexp(Operand x, IntArrayRef dim, bool keepdim) {
  return apply<LogSumExp>(over(x, dim, keepdim, "logsumexp"), x);
}
bool equal(const Tensor& a, const Tensor& b) { return core::equal(a.array(), b.array()); }
bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  return core::allclose(a.array(), b.array(), rtol, atol, equal_nan);
}

}  // namespace gradus
