// Running sums and products along a dimension, the product over one, and the order of elements, with their gradients.
//
// Products are differentiated without dividing by a factor, so that zeros do no harm: what multiplies x[k] is the
// product of those before it and of those behind it.
#include "../../core/ops/scan.h"

#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/reduce.h"
#include "../../core/ops/statistics.h"
#include "../graph/without_gradient.h"
#include "result_dtype.h"
#include "rewrite.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Reduction;
using core::Shape;

namespace {

struct AlongDim {
  std::int64_t dim = 0;
  bool reverse = false;
  static constexpr auto fields = named("dim", &AlongDim::dim, "reverse", &AlongDim::reverse);
};

// One place along a dimension, holding a number.
Tensor border(const Tensor& x, std::int64_t dim, const Scalar& value) {
  Shape shape = x.body().array.shape();
  shape[static_cast<int>(dim)] = 1;
  return Tensor(core::full(shape, value, x.dtype()));
}
// x moved one place along a dimension, towards its end or its beginning; a number takes the place that is left.
Tensor shifted(const Tensor& x, std::int64_t dim, bool to_end, const Scalar& value) {
  if (x.dim() == 0) return Tensor(core::full({}, value, x.dtype()));
  const std::int64_t n = x.size(dim);
  if (n == 0) return x;
  const Tensor rest = x.narrow(dim, to_end ? 0 : 1, n - 1), edge = border(x, dim, value);
  return to_end ? cat({edge, rest}, dim) : cat({rest, edge}, dim);
}

Tensor run_sum(const Tensor& x, const AlongDim& a);

// y[k] = x[0] + .. + x[k]
struct Cumsum {
  static constexpr std::string_view name = "cumsum";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = AlongDim;
  static Array forward(const Attrs& a, const Array& x) { return core::cumsum(x, a.dim, a.reverse); }
  // x[k] is in all sums from the k-th on.
  static constexpr auto gradients = formulas([](Dy<> dy, const Attrs& a) { return run_sum(dy, {a.dim, !a.reverse}); });
};
Tensor run_sum(const Tensor& x, const AlongDim& a) { return apply<Cumsum>(a, x); }

// y[k] = x[0] .. x[k]:  dx[k] = y[k - 1] s[k],  s[k] = dy[k] + x[k + 1] s[k + 1]
struct Cumprod {
  static constexpr std::string_view name = "cumprod";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = AlongDim;
  static Array forward(const Attrs& a, const Array& x) { return core::cumprod(x, a.dim, a.reverse); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> y, const Attrs& a) {
    const Tensor before = shifted(y, a.dim, !a.reverse, 1);
    return before * linear_recurrence(shifted(x, a.dim, a.reverse, 0), dy, a.dim, !a.reverse);
  });
};
Tensor run_product(const Tensor& x, const AlongDim& a) { return apply<Cumprod>(a, x); }

// y[k] = b[k] + a[k] y[k - 1]:  db[k] = dy[k] + a[k + 1] db[k + 1],  da[k] = db[k] y[k - 1]
struct LinearRecurrence {
  static constexpr std::string_view name = "linear_recurrence";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = AlongDim;
  static Array forward(const Attrs& c, const Array& a, const Array& b) {
    return core::linear_recurrence(a, b, c.dim, c.reverse);
  }
  static Tensor of_b(const Tensor& dy, const Tensor& a, const Attrs& c) {
    return linear_recurrence(shifted(a, c.dim, c.reverse, 0), dy, c.dim, !c.reverse);
  }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> a, Out<> y, const Attrs& c) { return of_b(dy, a, c) * shifted(y, c.dim, !c.reverse, 0); },
      [](Dy<> dy, In<0> a, const Attrs& c) { return of_b(dy, a, c); });
};

struct OverDim {
  std::int64_t dim = 0;
  bool keepdim = false;
  static constexpr auto fields = named("dim", &OverDim::dim, "keepdim", &OverDim::keepdim);
};
struct Prod {
  static constexpr std::string_view name = "prod";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = OverDim;
  static Array forward(const Attrs& o, const Array& x) { return core::reduce(Reduction::Prod, x, o.dim, o.keepdim); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, const Attrs& o) -> Tensor {
    if (x.dim() == 0) return dy;
    const Tensor g = o.keepdim ? Tensor(dy) : dy.unsqueeze(o.dim);
    const Tensor before = run_product(shifted(x, o.dim, true, 1), {o.dim, false}),
                 behind = run_product(shifted(x, o.dim, false, 1), {o.dim, true});
    return g * (before * behind);
  });
};

struct Order {
  std::int64_t dim = -1;
  bool descending = false;
  static constexpr auto fields = named("dim", &Order::dim, "descending", &Order::descending);
};
Tensor back_to_places(const Tensor& dy, const Tensor& index, const Shape& x, std::int64_t dim) {
  return scatter_add(x, dim, index, dy);
}
// y[k] = x[index[k]] in ascending or descending order
struct Sort {
  static constexpr std::string_view name = "sort";
  static constexpr Batch batch = Batch::kDims;
  static constexpr int differentiable_outputs = 1;
  using Attrs = Order;
  static std::tuple<Array, Array> forward(const Attrs& o, const Array& x) { return core::sort(x, o.dim, o.descending); }
  static constexpr auto gradients =
      formulas([](Dy<> dy, Out<1> index, ShapeOf<0> x, const Attrs& o) { return back_to_places(dy, index, x, o.dim); });
};
struct PlacesInOrder {
  static constexpr std::string_view name = "argsort";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = Order;
  static Array forward(const Order& o, const Array& x) { return std::get<1>(core::sort(x, o.dim, o.descending)); }
};
// y[j] = x[index[j]] for the k largest or smallest
struct Topk {
  static constexpr std::string_view name = "topk";
  static constexpr Batch batch = Batch::kDims;
  static constexpr int differentiable_outputs = 1;
  struct Attrs {
    std::int64_t k = 1, dim = -1;
    bool largest = true;
    static constexpr auto fields = named("k", &Attrs::k, "dim", &Attrs::dim, "largest", &Attrs::largest);
  };
  static std::tuple<Array, Array> forward(const Attrs& a, const Array& x) {
    return core::topk(x, a.k, a.dim, a.largest);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, Out<1> index, ShapeOf<0> x, const Attrs& a) { return back_to_places(dy, index, x, a.dim); });
};

// y[k] = max(x[0], .., x[k]) or min(x[0], .., x[k]).
// The gradient goes to the element that stands there.
template <bool Largest>
struct RunningExtremum {
  static constexpr std::string_view name = Largest ? "cummax" : "cummin";
  static constexpr Batch batch = Batch::kDims;
  static constexpr int differentiable_outputs = 1;
  using Attrs = AlongDim;
  static std::tuple<Array, Array> forward(const Attrs& a, const Array& x) {
    return core::running_extremum(x, a.dim, Largest);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, Out<1> index, ShapeOf<0> x, const Attrs& a) { return back_to_places(dy, index, x, a.dim); });
};
// y[k] = log(exp(x[0]) + .. + exp(x[k])):
// dx[k] = exp(x[k] - y[k]) s[k],  s[k] = dy[k] + exp(y[k] - y[k + 1]) s[k + 1]: no exponent is above 0. Equal infinite ones
// differ by 0.
struct LogCumSumExp {
  static constexpr std::string_view name = "logcumsumexp";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = AlongDim;
  static Array forward(const Attrs& a, const Array& x) { return core::logcumsumexp(x, a.dim); }
  static Tensor ratio(const Tensor& part, const Tensor& whole) {
    const Tensor infinite = logical_and(part == whole, isinf(whole));
    return exp(masked_fill(part, infinite, 0) - masked_fill(whole, infinite, 0));
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> x, Out<> y, const Attrs& a) -> Tensor {
    if (x.dim() == 0) return dy;
    const Tensor next = shifted(y, a.dim, false, std::numeric_limits<double>::infinity());
    return ratio(x, y) * linear_recurrence(ratio(y, next), dy, a.dim, true);
  });
};

std::int64_t wrapped(const Operand& x, std::int64_t dim, const char* op) {
  return core::wrap_dim(dim, x.tensor().body().array.dim(), op);
}

}  // namespace

Tensor cumsum(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  const Tensor in = detail::in_dtype(x, dtype);
  return detail::in_dtype(apply<Cumsum>({wrapped(x, dim, "cumsum"), false}, Operand(in, x.at())), dtype);
}
Tensor cumprod(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  const Tensor in = detail::in_dtype(x, dtype);
  return detail::in_dtype(apply<Cumprod>({wrapped(x, dim, "cumprod"), false}, Operand(in, x.at())), dtype);
}
Tensor& cumsum_(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  return rewrite("cumsum_", x, [&](Operand in) { return cumsum(in, dim, dtype.value_or(x.tensor().dtype())); });
}
Tensor& cumprod_(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  return rewrite("cumprod_", x, [&](Operand in) { return cumprod(in, dim, dtype.value_or(x.tensor().dtype())); });
}
std::tuple<Tensor, Tensor> cummax(Operand x, std::int64_t dim) {
  return apply<RunningExtremum<true>>({wrapped(x, dim, "cummax"), false}, x);
}
std::tuple<Tensor, Tensor> cummin(Operand x, std::int64_t dim) {
  return apply<RunningExtremum<false>>({wrapped(x, dim, "cummin"), false}, x);
}
Tensor logcumsumexp(Operand x, std::int64_t dim) {
  return apply<LogCumSumExp>({wrapped(x, dim, "logcumsumexp"), false}, x);
}
Tensor linear_recurrence(Operand a, Operand b, std::int64_t dim, bool reverse) {
  return apply<LinearRecurrence>({wrapped(a, dim, "linear_recurrence"), reverse}, a, b);
}
Tensor prod(Operand x, std::optional<DType> dtype) {
  const Scope scope(x.at());
  const Tensor in = detail::in_dtype(x, dtype);
  return prod(in.dim() == 0 ? in : in.reshape({-1}), 0, false, dtype);
}
Tensor prod(Operand x, std::int64_t dim, bool keepdim, std::optional<DType> dtype) {
  const Tensor in = detail::in_dtype(x, dtype);
  return detail::in_dtype(apply<Prod>({wrapped(x, dim, "prod"), keepdim}, Operand(in, x.at())), dtype);
}
std::tuple<Tensor, Tensor> sort(Operand x, std::int64_t dim, bool descending) {
  return apply<Sort>({wrapped(x, dim, "sort"), descending}, x);
}
std::tuple<Tensor, Tensor> sort(Operand x, std::optional<bool>, std::int64_t dim, bool descending) {
  return sort(x, dim, descending);
}
Tensor argsort(Operand x, std::int64_t dim, bool descending) {
  return core::in_name_of("argsort", [&] { return without_gradient<PlacesInOrder>({dim, descending}, x); });
}
std::tuple<Tensor, Tensor> topk(Operand x, std::int64_t k, std::int64_t dim, bool largest, bool) {
  return apply<Topk>({k, wrapped(x, dim, "topk"), largest}, x);
}

}  // namespace gradus
