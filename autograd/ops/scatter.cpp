// Writing at the places that an index names along a dimension, with gradients: what was written over gets none, what was
// written gets that of its place.
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/combine.h"
#include "../../core/ops/indexing.h"
#include "../../core/ops/pointwise.h"
#include "../graph/without_gradient.h"
#include "../tensor/create.h"
#include "indexing.h"
#include "rewrite.h"
#include "rounded_once.h"
#include "scatter_support.h"

namespace gradus {

using namespace autograd;
using autograd::detail::covered;
using autograd::detail::in_copy;
using autograd::detail::wrapped;
using core::Array;
using core::Reduction;
using core::Shape;

namespace {

struct AlongDim {
  std::int64_t dim = 0;
  static constexpr auto fields = named("dim", &AlongDim::dim);
};
struct Fill {
  std::int64_t dim = 0;
  Scalar value = 0;
  static constexpr auto fields = named("dim", &Fill::dim, "value", &Fill::value);
};

struct WrappedPlaces {
  static constexpr std::string_view name = "index";
  static constexpr Batch batch = Batch::kEach;
  struct Attrs {
    const char* op = "";
    std::int64_t size = 0;
  };
  static Array forward(const Attrs& a, const Array& index) { return core::wrapped_index(index, a.size, a.op); }
};

// dy where the write stayed, 0 where a later one went to the same place.
Tensor if_last(const Tensor& dy, const Shape& x, std::int64_t dim, const Tensor& index) {
  const Array last = core::last_writes(x, dim, index.array());
  if (core::reduce(Reduction::All, last).item<bool>()) return dy;
  return masked_fill(dy, Tensor(core::logical_not(last)), 0);
}

// y[index[i]] = src[i], and x elsewhere
struct Scatter {
  static constexpr std::string_view name = "scatter";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool moves = true;
  using Attrs = AlongDim;
  static void write(const Array& x, const Attrs& a, const Array& index, const Array& src) {
    core::scatter_write(x, a.dim, index, src, "scatter");
  }
  static Array forward(const Attrs& a, const Array& x, const Array& index, const Array& src) {
    return in_copy<Scatter>(x, a, index, src);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> index, const Attrs& a) { return scatter(dy, a.dim, index, 0); }, no_gradient,
               [](Dy<> dy, In<1> index, ShapeOf<0> x, const Attrs& a) {
                 return if_last(gather(dy, a.dim, index), x, a.dim, index);
               });
};
// y[index[i]] = c, and x elsewhere
struct ScatterNumber {
  static constexpr std::string_view name = "scatter";
  static constexpr Batch batch = Batch::kDims;
  static constexpr bool moves = true;
  using Attrs = Fill;
  static void write(const Array& x, const Attrs& a, const Array& index) {
    core::scatter_write(x, a.dim, index, core::scalar(a.value, x.dtype()).expand(index.shape()), "scatter");
  }
  static Array forward(const Attrs& a, const Array& x, const Array& index) {
    return in_copy<ScatterNumber>(x, a, index);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> index, const Attrs& a) { return scatter(dy, a.dim, index, 0); }, no_gradient);
};
// y[k] = x[k] + sum src[i] where index[i] = k
struct ScatterAddTo {
  static constexpr std::string_view name = "scatter_add";
  static constexpr Batch batch = Batch::kDims;
  using Attrs = AlongDim;
  static void write(const Array& x, const Attrs& a, const Array& index, const Array& src) {
    core::scatter_sum(x, a.dim, index, src, "scatter_add");
  }
  static Array forward(const Attrs& a, const Array& x, const Array& index, const Array& src) {
    return in_copy<ScatterAddTo>(x, a, index, src);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, no_gradient,
               [](Dy<> dy, In<1> index, const Attrs& a) { return gather(dy, a.dim, index); });
};

// The shape of what an index of n entries picks along a dimension.
Shape picked(const Shape& x, std::int64_t dim, std::int64_t n) {
  Shape shape = x.empty() ? Shape{1} : x;
  shape[static_cast<int>(dim)] = n;
  return x.empty() && n == 1 ? Shape() : shape;
}
// y[index[i]] = src[i], and x elsewhere
struct IndexCopy {
  static constexpr std::string_view name = "index_copy";
  static constexpr bool moves = true;
  using Attrs = AlongDim;
  static void write(const Array& x, const Attrs& a, const Array& index, const Array& src) {
    core::scatter_write(x, a.dim, core::along(src.shape(), a.dim, index, "index_copy"), src, "index_copy");
  }
  static Array forward(const Attrs& a, const Array& x, const Array& index, const Array& src) {
    return in_copy<IndexCopy>(x, a, index, src);
  }
  static Tensor batch(const Attrs& a, const Examples& x) {
    if (!x.shared(1) || x.dim(0) == 0) return {};
    return index_copy(x.stacked(0), x.behind(0, a.dim, "index_copy"), x[1], x.stacked(2));
  }
  // As if_last, told by the index alone.
  static Tensor last_of(const Tensor& dy, const Shape& x, std::int64_t dim, const Tensor& index) {
    const Array last =
        core::last_writes({x.empty() ? 1 : x[static_cast<int>(dim)]}, 0, index.array().view(index.numel()));
    if (core::reduce(Reduction::All, last).item<bool>()) return dy;
    Shape shape = Shape::filled(x.empty() ? 1 : x.size(), 1);
    shape[static_cast<int>(dim)] = index.numel();
    return masked_fill(dy, Tensor(core::logical_not(last).view(shape)), 0);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> index, const Attrs& a) { return index_fill(dy, a.dim, index, 0); }, no_gradient,
               [](Dy<> dy, In<1> index, ShapeOf<0> x, const Attrs& a) {
                 return last_of(index_select(dy, a.dim, index), x, a.dim, index);
               });
};
// y[index[i]] = c, and x elsewhere
struct IndexFill {
  static constexpr std::string_view name = "index_fill";
  static constexpr bool moves = true;
  using Attrs = Fill;
  static void write(const Array& x, const Attrs& a, const Array& index) {
    const Shape shape = picked(x.shape(), a.dim, index.numel());
    core::scatter_write(x, a.dim, core::along(shape, a.dim, index, "index_fill"),
                        core::scalar(a.value, x.dtype()).expand(shape), "index_fill");
  }
  static Array forward(const Attrs& a, const Array& x, const Array& index) { return in_copy<IndexFill>(x, a, index); }
  static Tensor batch(const Attrs& a, const Examples& x) {
    if (!x.shared(1) || x.dim(0) == 0) return {};
    return index_fill(x.stacked(0), x.behind(0, a.dim, "index_fill"), x[1], a.value);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, In<1> index, const Attrs& a) { return index_fill(dy, a.dim, index, 0); }, no_gradient);
};
// y[k] = x[k] + sum src[i] where index[i] = k
struct IndexAddTo {
  static constexpr std::string_view name = "index_add";
  using Attrs = AlongDim;
  static void write(const Array& x, const Attrs& a, const Array& index, const Array& src) {
    core::scatter_sum(x, a.dim, core::along(src.shape(), a.dim, index, "index_add"), src, "index_add");
  }
  static Array forward(const Attrs& a, const Array& x, const Array& index, const Array& src) {
    return in_copy<IndexAddTo>(x, a, index, src);
  }
  static Tensor batch(const Attrs& a, const Examples& x) {
    if (!x.shared(1) || x.dim(0) == 0) return {};
    return index_add(x.stacked(0), x.behind(0, a.dim, "index_add"), x[1], x.stacked(2));
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, no_gradient,
               [](Dy<> dy, In<1> index, const Attrs& a) { return index_select(dy, a.dim, index); });
};

void check_source(const char* op, const Operand& x, std::int64_t dim, const Operand& index, const Operand& source) {
  const Shape& shape = x.tensor().body().array.shape();
  const Shape expected = picked(shape, dim, index.tensor().numel()), &given = source.tensor().body().array.shape();
  if (given != expected && !(shape.empty() && given.size() <= 1 && core::numel_of(given) == index.tensor().numel())) {
    core::fail<ShapeError>("{}: the source must have the shape {}: {} for {} entries of dimension {} of {}", op,
                           expected, given, index.tensor().numel(), dim, shape);
  }
}
// The index with entries that count from the beginning.
Tensor from_start(const char* op, const Operand& x, std::int64_t dim, const Operand& index) {
  const Shape& shape = x.tensor().body().array.shape();
  return detail::wrapped_places(op, index, shape.empty() ? 1 : shape[static_cast<int>(dim)]);
}
Scalar number_of(const char* op, const Operand& value) {
  if (value.tensor().dim() != 0) {
    core::fail<ShapeError>("{}: the value must be a number or a 0-d tensor: {}", op, value.tensor().sizes());
  }
  return value.tensor().item();
}
}  // namespace

Tensor autograd::detail::wrapped_places(const char* op, const Operand& index, std::int64_t size) {
  return without_gradient<WrappedPlaces>({op, size}, index);
}

Tensor scatter(Operand x, std::int64_t dim, Operand index, Operand src) {
  const Scope scope(x.at());
  return apply<Scatter>({wrapped("scatter", x, dim)}, x, index, covered(src, index));
}
Tensor& scatter_(Operand x, std::int64_t dim, Operand index, Operand src) {
  return apply_inplace<Scatter>({wrapped("scatter_", x, dim)}, x, index, Operand(covered(src, index), src.at()));
}
Tensor scatter(Operand x, std::int64_t dim, Operand index, const Scalar& value) {
  return apply<ScatterNumber>({wrapped("scatter", x, dim), value}, x, index);
}
Tensor& scatter_(Operand x, std::int64_t dim, Operand index, const Scalar& value) {
  return apply_inplace<ScatterNumber>({wrapped("scatter_", x, dim), value}, x, index);
}
Tensor scatter_add(Operand x, std::int64_t dim, Operand index, Operand src) {
  if (stored(x, src)) {  // beside an index of int32, which is no operand
    return rounded_once(
        "scatter_add", [&](Operand u, Operand v) { return scatter_add(u, dim, index, v); }, x, src);
  }
  const Scope scope(x.at());
  return apply<ScatterAddTo>({wrapped("scatter_add", x, dim)}, x, index, covered(src, index));
}
Tensor& scatter_add_(Operand x, std::int64_t dim, Operand index, Operand src) {
  return apply_inplace<ScatterAddTo>({wrapped("scatter_add_", x, dim)}, x, index,
                                     Operand(covered(src, index), src.at()));
}

Tensor index_copy(Operand x, std::int64_t dim, Operand index, Operand source) {
  const std::int64_t d = wrapped("index_copy", x, dim);
  check_source("index_copy", x, d, index, source);
  return apply<IndexCopy>({d}, x, index, source);
}
Tensor& index_copy_(Operand x, std::int64_t dim, Operand index, Operand source) {
  const std::int64_t d = wrapped("index_copy_", x, dim);
  check_source("index_copy_", x, d, index, source);
  return apply_inplace<IndexCopy>({d}, x, index, source);
}
Tensor index_fill(Operand x, std::int64_t dim, Operand index, const Scalar& value) {
  const std::int64_t d = wrapped("index_fill", x, dim);
  return apply<IndexFill>({d, value}, x, from_start("index_fill", x, d, index));
}
Tensor& index_fill_(Operand x, std::int64_t dim, Operand index, const Scalar& value) {
  const std::int64_t d = wrapped("index_fill_", x, dim);
  return apply_inplace<IndexFill>({d, value}, x, Operand(from_start("index_fill_", x, d, index), x.at()));
}
Tensor index_add(Operand x, std::int64_t dim, Operand index, Operand source, const Scalar& alpha) {
  if (stored(x, source)) {
    return rounded_once(
        "index_add", [&](Operand u, Operand v) { return index_add(u, dim, index, v, alpha); }, x, source);
  }
  const std::int64_t d = wrapped("index_add", x, dim);
  check_source("index_add", x, d, index, source);
  core::expect_whole("index_add", "alpha", alpha, source.tensor().dtype());
  const Scope scope(x.at());
  return apply<IndexAddTo>({d}, x, index, alpha == Scalar(1) ? source.tensor() : source.tensor() * alpha);
}
Tensor& index_add_(Operand x, std::int64_t dim, Operand index, Operand source, const Scalar& alpha) {
  if (stored(x, source)) {
    return core::in_name_of("index_add_", [&]() -> Tensor& {
      x.tensor().copy_(index_add(x, dim, index, source, alpha), x.at());
      return written_as("index_add_", x);
    });
  }
  const std::int64_t d = wrapped("index_add_", x, dim);
  check_source("index_add_", x, d, index, source);
  core::expect_whole("index_add_", "alpha", alpha, source.tensor().dtype());
  const Tensor scaled = alpha == Scalar(1) ? source.tensor() : mul(source, alpha);
  return apply_inplace<IndexAddTo>({d}, x, index, Operand(scaled, source.at()));
}

namespace {

// A 0-d value with a gradient is spread over the entries.
Tensor spread(const Operand& x, std::int64_t dim, const Operand& index, const Operand& value) {
  return value.tensor()
      .to(x.tensor().dtype())
      .expand(picked(x.tensor().body().array.shape(), dim, index.tensor().numel()));
}

}  // namespace

Tensor index_fill(Operand x, std::int64_t dim, Operand index, Operand value) {
  if (!value.tensor().requires_grad()) return index_fill(x, dim, index, number_of("index_fill", value));
  number_of("index_fill", value);
  const Scope scope(x.at());
  const std::int64_t d = wrapped("index_fill", x, dim);
  return index_copy(x, d, from_start("index_fill", x, d, index), spread(x, d, index, value));
}
Tensor& index_fill_(Operand x, std::int64_t dim, Operand index, Operand value) {
  if (!value.tensor().requires_grad()) return index_fill_(x, dim, index, number_of("index_fill_", value));
  number_of("index_fill_", value);
  const Scope scope(x.at());
  const std::int64_t d = wrapped("index_fill_", x, dim);
  index_copy_(x, d, from_start("index_fill_", x, d, index), spread(x, d, index, value));
  return written_as("index_fill_", x);
}

}  // namespace gradus
