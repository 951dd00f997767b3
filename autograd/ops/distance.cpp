// Distances, differences and integrals, made of other operations.
#include "distance.h"

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/statistics.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "../tensor/create.h"
#include "functions.h"
#include "rewrite.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;

namespace {

// Euclidean distances, y_ij = |a_i - b_j|:  da_i = sum_j dy_ij (a_i - b_j) / y_ij, 0 where y_ij is. As a product, of numbers
// near the b's mean, so that no large ones cancel.
struct Cdist {
  static constexpr std::string_view name = "cdist";
  static constexpr std::string_view formula =
      "y_ij = ||a_i - b_j||, da_i = sum_{j} dy_ij (a_i - b_j) / y_ij, db_j = sum_{i} dy_ij (b_j - a_i) / y_ij";
  static constexpr Batch batch = Batch::kMatrices;
  static core::Array forward(const core::Array& a, const core::Array& b) { return core::distances(a, b); }
  static Tensor towards(const Tensor& dy, const Tensor& a, const Tensor& b, const Tensor& y) {
    if (b.size(-2) == 0) return zeros_like(a);
    const Tensor zero = y == 0, share = masked_fill(dy / masked_fill(y, zero, 1), zero, 0),
                 centre = b.detach().mean(-2, true);
    return (a - centre) * share.sum(-1, true) - matmul(share, b - centre);
  }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> a, In<1> b, Out<> y) { return towards(dy, a, b, y); },
      [](Dy<> dy, In<0> a, In<1> b, Out<> y) { return towards(dy.transpose(-1, -2), b, a, y.transpose(-1, -2)); });
};

// Where the pairs stand in an n x n matrix.
core::Array pairs(std::int64_t n) {
  const core::Array places = core::empty({n * (n - 1) / 2}, kInt64);
  std::int64_t* to = places.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = i + 1; j < n; ++j) *to++ = i * n + j;
  }
  return places;
}

// y[k] = |x_i - x_j| for the k-th of all pairs i < j of rows. The pairs' shares of dy, put where they belong on both sides of the
// diagonal, make a matrix as that of Cdist.
struct Pdist {
  static constexpr std::string_view name = "pdist";
  static constexpr std::string_view formula =
      "y_k = ||x_i - x_j||, dx_i = sum_{j} dy_k (x_i - x_j) / y_k, k = the place of the pair i and j";
  static core::Array forward(const core::Array& x) { return core::pair_distances(x); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> in, Out<> out) {
    const Tensor x = in, y = out, zero = y == 0;
    const std::int64_t n = x.size(0);
    const Tensor share = masked_fill(Tensor(dy) / masked_fill(y, zero, 1), zero, 0);
    const Tensor upper = zeros({n * n}, share.options()).index_add(0, Tensor(pairs(n)), share).view({n, n});
    const Tensor both = upper + upper.t(), centred = x - x.detach().mean(0, true);
    return centred * both.sum(1, true) - matmul(both, centred);
  });
};

void check_order(const char* op, double p) {
  if (!(p >= 0)) core::fail<ValueError>("{}: p must not be negative: {}", op, p);
}
// Neighbours along a dimension, without the first, and without the last.
Tensor behind(const Tensor& x, std::int64_t dim) { return x.narrow(dim, 1, x.size(dim) - 1); }
Tensor ahead(const Tensor& x, std::int64_t dim) { return x.narrow(dim, 0, x.size(dim) - 1); }

}  // namespace

Tensor dist(Operand a, Operand b, const Scalar& p) {
  if (stored(a, b)) return rounded_once([&](Operand u, Operand v) { return dist(u, v, p); }, a, b);
  const Scope scope(a.at());
  return core::in_name_of("dist", [&] { return norm(a.tensor() - b.tensor(), p); });
}
Tensor cosine_similarity(Operand a, Operand b, std::int64_t dim, double eps) {
  core::expect_defined("cosine_similarity", "x1", a.tensor(), "x2", b.tensor());
  if (stored(a, b)) return rounded_once([&](Operand u, Operand v) { return cosine_similarity(u, v, dim, eps); }, a, b);
  const Scope scope(a.at());
  return core::in_name_of("cosine_similarity", [&] {
    const auto unit = [&](const Tensor& x) { return x / clamp_min(norm(x, 2, dim, true), eps); };
    const Tensor &x = a.tensor(), &y = b.tensor();
    const core::Shape shape =
        core::broadcast_shapes(x.body().array.shape(), y.body().array.shape(), "cosine_similarity");
    return sum(unit(x.expand(shape)) * unit(y.expand(shape)), dim);
  });
}
Tensor pairwise_distance(Operand a, Operand b, double p, double eps, bool keepdim) {
  core::expect_defined("pairwise_distance", "x1", a.tensor(), "x2", b.tensor());
  if (stored(a, b))
    return rounded_once([&](Operand u, Operand v) { return pairwise_distance(u, v, p, eps, keepdim); }, a, b);
  const Scope scope(a.at());
  return core::in_name_of("pairwise_distance", [&] { return norm(a.tensor() - b.tensor() + eps, p, -1, keepdim); });
}
Tensor cdist(Operand a, Operand b, double p, std::optional<std::int64_t>) {
  if (stored(a, b))
    return rounded_once(
        "cdist", [&](Operand u, Operand v) { return cdist(u, v, p); }, a, b);
  check_order("cdist", p);
  const Tensor &x = a.tensor(), &y = b.tensor();
  if (x.dim() < 2 || y.dim() < 2 || x.size(-1) != y.size(-1)) {
    core::fail<ShapeError>("cdist: the operands must be [.., P, M] and [.., R, M]: {} and {}", x.sizes(), y.sizes());
  }
  const Scope scope(a.at());
  return core::in_name_of("cdist", [&] {
    if (p != 2) return norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, -1);
    const auto batch = [](const Tensor& t) { return core::Shape(IntArrayRef(t.sizes().data(), t.sizes().size() - 2)); };
    const core::Shape common = core::broadcast_shapes(batch(x), batch(y), "cdist");
    const auto expanded = [&](const Tensor& t) {
      core::Shape shape = common;
      shape.push_back(t.size(-2));
      shape.push_back(t.size(-1));
      return t.expand(shape);
    };
    return apply<Cdist>(expanded(x), expanded(y));
  });
}
Tensor pdist(Operand x, double p) {
  if (stored(x)) return rounded_once([&](Operand u) { return pdist(u, p); }, x);
  check_order("pdist", p);
  const Tensor& in = x.tensor();
  if (in.dim() != 2) core::fail<ShapeError>("pdist: the operand must be [N, M]: {}", in.sizes());
  const Scope scope(x.at());
  if (p == 2) return apply<Pdist>(in);
  const std::int64_t n = in.size(0), pairs = n * (n - 1) / 2;
  const core::Array first = core::empty({pairs}, kInt64), second = core::empty({pairs}, kInt64);
  for (std::int64_t i = 0, k = 0; i < n; ++i) {
    for (std::int64_t j = i + 1; j < n; ++j, ++k) {
      first.data_ptr<std::int64_t>()[k] = i;
      second.data_ptr<std::int64_t>()[k] = j;
    }
  }
  return core::in_name_of(
      "pdist", [&] { return norm(index_select(in, 0, Tensor(first)) - index_select(in, 0, Tensor(second)), p, 1); });
}
Tensor frobenius_norm(Operand x, IntArrayRef dim, bool keepdim) {
  return core::in_name_of("frobenius_norm", [&] { return norm(x, 2, dim, keepdim); });
}
Tensor renorm(Operand x, const Scalar& p, std::int64_t dim, const Scalar& maxnorm) {
  if (stored(x)) return rounded_once([&](Operand u) { return renorm(u, p, dim, maxnorm); }, x);
  const Tensor& in = x.tensor();
  if (in.dim() < 2) core::fail<ShapeError>("renorm: the operand must have at least two dimensions: {}", in.sizes());
  if (!(p.toDouble() > 0)) core::fail<ValueError>("renorm: p must be above 0: {}", p.toDouble());
  if (!(maxnorm.toDouble() >= 0))
    core::fail<ValueError>("renorm: maxnorm must not be negative: {}", maxnorm.toDouble());
  const int d = core::wrap_dim(dim, in.body().array.dim(), "renorm");
  core::Dims over;
  for (int i = 0; i < in.body().array.dim(); ++i) {
    if (i != d) over.push_back(i);
  }
  const Scope scope(x.at());
  return core::in_name_of("renorm", [&] {
    const Tensor size = norm(in, p, over, true), far = size > maxnorm;
    return in * masked_fill(maxnorm / (size + 1e-7), !far, 1);
  });
}
Tensor& renorm_(Operand x, const Scalar& p, std::int64_t dim, const Scalar& maxnorm) {
  return rewrite("renorm_", x, [&](Operand in) { return renorm(in, p, dim, maxnorm); });
}
Tensor diff(Operand x, std::int64_t n, std::int64_t dim, OptionalOperand prepend, OptionalOperand append) {
  const auto alike = [&](const OptionalOperand& y) { return !y || (*y).dtype() == x.tensor().dtype(); };
  if (stored(x) && alike(prepend) && alike(append)) {  // otherwise they meet in another dtype
    return rounded_once([&](Operand u) { return diff(u, n, dim, prepend, append); }, x);
  }
  if (n < 0) core::fail<ValueError>("diff: n must not be negative: {}", n);
  const int d = core::existing_dim(dim, x.tensor().body().array.dim(), "diff");
  const Scope scope(x.at());
  return core::in_name_of("diff", [&] {
    Tensor y = x.tensor();
    if (prepend) y = cat({*prepend, y}, d);
    if (append) y = cat({y, *append}, d);
    for (std::int64_t i = 0; i < n; ++i) {
      if (y.size(d) == 0) break;
      y = y.dtype() == kBool ? behind(y, d) != ahead(y, d) : behind(y, d) - ahead(y, d);
    }
    return y.body().array.storage() == x.tensor().body().array.storage() ? y.clone()
                                                                         : y;  // n = 0, or nothing to subtract
  });
}
namespace {
// Of neighbours, the distance between their points times their sum.
Tensor areas(const char* op, const Tensor& values, const Tensor& points, int d) {
  const bool one = points.dim() == 1;
  if (points.dim() == 0 || (one ? points.size(0) : points.size(d)) != values.size(d)) {
    core::fail<ShapeError>("{}: there must be a point for each value: {} for {}", op, points.sizes(), values.sizes());
  }
  Tensor step = diff(points, 1, one ? 0 : d);
  if (one) {
    core::Shape shape = core::Shape::filled(static_cast<int>(values.dim()), 1);
    shape[d] = step.size(0);
    step = step.reshape(shape);
  }
  return step * (behind(values, d) + ahead(values, d));
}
}  // namespace
Tensor trapezoid(Operand y, Operand x, std::int64_t dim) {
  if (stored(y, x)) return rounded_once([&](Operand u, Operand v) { return trapezoid(u, v, dim); }, y, x);
  const int d = core::existing_dim(dim, y.tensor().body().array.dim(), "trapezoid");
  const Scope scope(y.at());
  return core::in_name_of("trapezoid", [&] {
    if (y.tensor().size(d) == 0) return y.tensor().sum(d);
    return sum(areas("trapezoid", y.tensor(), x.tensor(), d), d) / 2;
  });
}
Tensor cumulative_trapezoid(Operand y, Operand x, std::int64_t dim) {
  if (stored(y, x)) {
    return rounded_once([&](Operand u, Operand v) { return cumulative_trapezoid(u, v, dim); }, y, x);
  }
  const int d = core::existing_dim(dim, y.tensor().body().array.dim(), "cumulative_trapezoid");
  const Scope scope(y.at());
  return core::in_name_of("cumulative_trapezoid", [&] {
    if (y.tensor().size(d) == 0) return y.tensor().clone();
    return cumsum(areas("cumulative_trapezoid", y.tensor(), x.tensor(), d), d) / 2;
  });
}
Tensor cumulative_trapezoid(Operand y, const Scalar& dx, std::int64_t dim) {
  if (stored(y)) {
    return rounded_once([&](Operand u) { return cumulative_trapezoid(u, dx, dim); }, y);
  }
  const int d = core::existing_dim(dim, y.tensor().body().array.dim(), "cumulative_trapezoid");
  const Scope scope(y.at());
  return core::in_name_of("cumulative_trapezoid", [&] {
    const Tensor& values = y.tensor();
    if (values.size(d) == 0) return values.clone();
    return cumsum(behind(values, d) + ahead(values, d), d) * (dx.toDouble() / 2);
  });
}
Tensor trapezoid(Operand y, const Scalar& dx, std::int64_t dim) {
  if (stored(y)) return rounded_once([&](Operand u) { return trapezoid(u, dx, dim); }, y);
  const int d = core::existing_dim(dim, y.tensor().body().array.dim(), "trapezoid");
  const Scope scope(y.at());
  const Tensor values = y.tensor();
  if (values.size(d) == 0) return values.sum(d);
  return core::in_name_of("trapezoid",
                          [&] { return sum(behind(values, d) + ahead(values, d), d) * (dx.toDouble() / 2); });
}
Tensor trapz(Operand y, Operand x, std::int64_t dim) { return trapezoid(y, x, dim); }
Tensor trapz(Operand y, double dx, std::int64_t dim) { return trapezoid(y, Scalar(dx), dim); }

}  // namespace gradus
