// Writing at the places that an index names along a dimension, with gradients: what was written over gets none, what was
// written gets that of its place.
#include <array>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/combine.h"
#include "../../core/ops/indexing.h"
#include "../../core/ops/pointwise.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "indexing.h"
#include "rewrite.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
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

// What changes x is written once, into a copy or into x itself.
template <class Op, class... Rest>
Array in_copy(const Array& x, const Rest&... rest) {
  const Array y = x.clone();
  Op::write(y, rest...);
  return y;
}

// dy where the write stayed, 0 where a later one went to the same place.
Tensor if_last(const Tensor& dy, const Shape& x, std::int64_t dim, const Tensor& index) {
  const Array last = core::last_writes(x, dim, index.array());
  if (core::reduce(Reduction::All, last).item<bool>()) return dy;
  return masked_fill(dy, Tensor(core::logical_not(last)), 0);
}

// y[index[i]] = src[i], and x elsewhere
struct Scatter {
  static constexpr std::string_view name = "scatter";
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
  static constexpr auto gradients =
      formulas([](Dy<> dy) { return Tensor(dy); }, no_gradient,
               [](Dy<> dy, In<1> index, const Attrs& a) { return index_select(dy, a.dim, index); });
};

// y[k] = x[k] with all src[i] where index[i] = k.
// Products and extremes, x's own numbers among them. Ties share the gradient of an extreme; that of a product is taken without
// its zeros, times the only one that is left of them (so the second order is exact; the third is not where two factors are 0).
struct ScatterFold {
  static constexpr std::string_view name = "scatter_reduce";
  struct Attrs {
    std::int64_t dim = 0;
    int fold = 0;
    static constexpr auto fields = named("dim", &Attrs::dim, "fold", &Attrs::fold);
    bool product() const { return static_cast<Reduction>(fold) == Reduction::Prod; }
  };
  static void write(const Array& x, const Attrs& a, const Array& index, const Array& src) {
    core::scatter_fold(static_cast<Reduction>(a.fold), x, a.dim, index, src, "scatter_reduce");
  }
  static Array forward(const Attrs& a, const Array& x, const Array& index, const Array& src) {
    return in_copy<ScatterFold>(x, a, index, src);
  }
  // How many of a set of x and src fall to each place.
  static Tensor count(const Tensor& x, const Tensor& src, const Tensor& index, std::int64_t dim) {
    return scatter_add(x, dim, index, src);
  }
  // (for x, for src): what the gradient is multiplied with.
  static std::array<Tensor, 2> shares(const Tensor& x, const Tensor& src, const Tensor& index, const Attrs& a) {
    if (!a.product()) {
      const Tensor best = Tensor(forward(a, x.array(), index.array(), src.array()));
      const Tensor of_x = (x == best).to(x.dtype()), of_src = (src == gather(best, a.dim, index)).to(x.dtype());
      const Tensor ties = clamp_min(count(of_x, of_src, index, a.dim), 1);
      return {of_x / ties, of_src / gather(ties, a.dim, index)};
    }
    const Tensor x_zero = x == 0, src_zero = src == 0;
    const Tensor x_rest = masked_fill(x, x_zero, 1), src_rest = masked_fill(src, src_zero, 1);
    const Tensor rest = apply<ScatterFold>(a, x_rest, index, src_rest);
    const Tensor zeros = count(x_zero.to(x.dtype()), src_zero.to(x.dtype()), index, a.dim);
    const Tensor src_zeros = gather(zeros, a.dim, index);
    // Zeros as factors whose gradient is not lost: 0 elsewhere.
    const Tensor x_null = masked_fill(x, !x_zero, 0), src_null = masked_fill(src, !src_zero, 0);
    const Tensor null = count(x_null, src_null, index, a.dim);
    // Of the factors other than this one those that are 0: none, one, or more.
    const auto times = [](const Tensor& product, const Tensor& others, const Tensor& only) {
      return product * where(others == 0, 1, masked_fill(only, others > 1, 0));
    };
    return {times(rest / x_rest, zeros - x_zero.to(x.dtype()), null - x_null),
            times(gather(rest, a.dim, index) / src_rest, src_zeros - src_zero.to(x.dtype()),
                  gather(null, a.dim, index) - src_null)};
  }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> x, In<1> index, In<2> src, const Attrs& a) { return dy * shares(x, src, index, a)[0]; },
      no_gradient,
      [](Dy<> dy, In<0> x, In<1> index, In<2> src, const Attrs& a) {
        return gather(dy, a.dim, index) * shares(x, src, index, a)[1];
      });
};

// The part of src that the index covers.
Tensor covered(Operand src, Operand index) {
  Tensor part = src.tensor();
  const Tensor& where = index.tensor();
  if (part.dim() != where.dim()) return part;  // an error below
  for (std::int64_t d = 0; d < part.dim(); ++d) {
    if (where.size(d) < part.size(d)) part = narrow({part, src.at()}, d, 0, where.size(d));
  }
  return part;
}

std::int64_t wrapped(const char* op, const Operand& x, std::int64_t dim) {
  return core::wrap_dim(dim, x.tensor().array().dim(), op);
}
void check_source(const char* op, const Operand& x, std::int64_t dim, const Operand& index, const Operand& source) {
  const Shape& shape = x.tensor().array().shape();
  const Shape expected = picked(shape, dim, index.tensor().numel()), &given = source.tensor().array().shape();
  if (given != expected && !(shape.empty() && given.size() <= 1 && core::numel_of(given) == index.tensor().numel())) {
    core::fail<ShapeError>("{}: the source must have the shape {}: {} for {} entries of dimension {} of {}", op,
                           expected, given, index.tensor().numel(), dim, shape);
  }
}
// The index with entries that count from the beginning.
Tensor from_start(const char* op, const Operand& x, std::int64_t dim, const Operand& index) {
  const Shape& shape = x.tensor().array().shape();
  return Tensor(core::wrapped_index(index.tensor().array(), shape.empty() ? 1 : shape[static_cast<int>(dim)], op));
}
Scalar number_of(const char* op, const Operand& value) {
  if (value.tensor().dim() != 0) {
    core::fail<ShapeError>("{}: the value must be a number or a 0-d tensor: {}", op, value.tensor().sizes());
  }
  return value.tensor().item();
}
}  // namespace

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
    return rounded_once([&](Operand u, Operand v) { return index_add(u, dim, index, v, alpha); }, x, source);
  }
  const std::int64_t d = wrapped("index_add", x, dim);
  check_source("index_add", x, d, index, source);
  const Scope scope(x.at());
  return apply<IndexAddTo>({d}, x, index, alpha == Scalar(1) ? source.tensor() : source.tensor() * alpha);
}
Tensor& index_add_(Operand x, std::int64_t dim, Operand index, Operand source, const Scalar& alpha) {
  if (stored(x, source)) {
    return core::in_name_of(
        "index_add_", [&]() -> Tensor& { return x.tensor().copy_(index_add(x, dim, index, source, alpha), x.at()); });
  }
  const std::int64_t d = wrapped("index_add_", x, dim);
  check_source("index_add_", x, d, index, source);
  const Tensor scaled = alpha == Scalar(1) ? source.tensor() : mul(source, alpha);
  return apply_inplace<IndexAddTo>({d}, x, index, Operand(scaled, source.at()));
}

namespace {

// A 0-d value with a gradient is spread over the entries.
Tensor spread(const Operand& x, std::int64_t dim, const Operand& index, const Operand& value) {
  return value.tensor().to(x.tensor().dtype()).expand(picked(x.tensor().array().shape(), dim, index.tensor().numel()));
}

struct Folding {
  std::int64_t dim;
  std::string_view name;
  bool sums() const { return name == "sum" || name == "mean"; }
  ScatterFold::Attrs attrs() const {
    const Reduction fold = name == "prod" ? Reduction::Prod : name == "amax" ? Reduction::Max : Reduction::Min;
    return {dim, static_cast<int>(fold)};
  }
};
Folding folding(const char* op, const Operand& x, std::int64_t dim, std::string_view reduce) {
  for (const char* known : {"sum", "prod", "mean", "amax", "amin"}) {
    if (reduce == known) return {wrapped(op, x, dim), reduce};
  }
  core::fail<ValueError>("{}: reduce must be sum, prod, mean, amax or amin: {}", op, reduce);
}
// x with what changes nothing in the places that the index names.
Tensor without_self(const Tensor& x, const Folding& f, const Operand& index) {
  if (f.sums()) return scatter(x, f.dim, index, 0);
  if (f.name == "prod") return scatter(x, f.dim, index, 1);
  const bool max = f.name == "amax";
  const double infinity = std::numeric_limits<double>::infinity();
  if (x.is_floating_point()) return scatter(x, f.dim, index, max ? -infinity : infinity);
  const bool narrow = x.dtype() == kInt32, unsigned8 = x.dtype() == kUInt8;
  using Int = std::numeric_limits<std::int32_t>;
  using Long = std::numeric_limits<std::int64_t>;
  const std::int64_t low = unsigned8 ? 0
                           : narrow  ? Int::min()
                                     : Long::min(),
                     high = unsigned8 ? 255
                            : narrow  ? Int::max()
                                      : Long::max();
  return scatter(x, f.dim, index, max ? low : high);
}
// Sums over counts; those of integers are rounded down.
Tensor mean_of(const Tensor& sums, const Folding& f, const Operand& index, bool include_self) {
  const Array one = core::ones(index.tensor().sizes(), sums.dtype());
  const Array counts = core::full(sums.sizes(), include_self ? 1 : 0, sums.dtype());
  core::scatter_sum(counts, f.dim, index.tensor().array(), one, "scatter_reduce");
  const Tensor each(core::maximum(counts, 1));
  if (sums.is_floating_point()) return sums / each;
  const Array rest = core::remainder(sums.array(), each.array());
  return floor(Tensor((sums.array() - rest).to(kFloat64)) / each.to(kFloat64)).to(sums.dtype());
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

Tensor scatter_reduce(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce,
                      bool include_self) {
  if (stored(x, src)) {
    return rounded_once([&](Operand u, Operand v) { return scatter_reduce(u, dim, index, v, reduce, include_self); }, x,
                        src);
  }
  return core::in_name_of("scatter_reduce", [&] {
    const Folding f = folding("scatter_reduce", x, dim, reduce);
    const Scope scope(x.at());
    const Tensor part = covered(src, index), base = include_self ? x.tensor() : without_self(x.tensor(), f, index);
    if (!f.sums()) return apply<ScatterFold>(f.attrs(), base, index, part);
    const Tensor sums = scatter_add(base, f.dim, index, part);
    return reduce == "sum" ? sums : mean_of(sums, f, index, include_self);
  });
}
Tensor& scatter_reduce_(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce,
                        bool include_self) {
  return core::in_name_of("scatter_reduce_", [&]() -> Tensor& {
    const Folding f = folding("scatter_reduce_", x, dim, reduce);
    const Scope scope(x.at());
    if (include_self && reduce == "sum") {
      scatter_add_(x, dim, index, src);
      return written_as("scatter_reduce_", x);
    }
    if (include_self && !f.sums()) return apply_inplace<ScatterFold>(f.attrs(), x, index, covered(src, index));
    // Of a copy: what is kept for the gradient is not written over.
    x.tensor().copy_(scatter_reduce(x.tensor().clone(), dim, index, src, reduce, include_self));
    return written_as("scatter_reduce_", x);
  });
}

}  // namespace gradus
