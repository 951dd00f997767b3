// Sums, products, means and extremes of what an index brings to a place.
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
#include "scatter_support.h"

namespace gradus {

using namespace autograd;
using autograd::detail::covered;
using autograd::detail::in_copy;
using autograd::detail::wrapped;
using core::Array;
using core::Reduction;

namespace {

// y[k] = x[k] with all src[i] where index[i] = k.
// Products and extremes, x's own numbers among them. Ties share the gradient of an extreme; that of a product is taken without
// its zeros, times the only one that is left of them (so the second order is exact; the third is not where two factors are 0).
struct ScatterFold {
  static constexpr std::string_view name = "scatter_reduce";
  static constexpr Batch batch = Batch::kDims;
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

Tensor scatter_reduce(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce,
                      bool include_self) {
  if (stored(x, src)) {
    return rounded_once(
        "scatter_reduce", [&](Operand u, Operand v) { return scatter_reduce(u, dim, index, v, reduce, include_self); },
        x, src);
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
