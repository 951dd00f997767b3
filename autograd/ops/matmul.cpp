// Matrix products and their gradients.
#include "../../core/ops/matmul.h"

#include <algorithm>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../graph/grad_mode.h"
#include "../graph/operation.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

// y = a b, batches broadcast:  da = dy b^T,  db = a^T dy. Operands have at least 2 dimensions here.
struct Matmul {
  static constexpr std::string_view name = "matmul";
  static constexpr bool broadcasts = true;
  static Array forward(const Array& a, const Array& b) { return core::matmul(a, b); }
  static Tensor batch(const Examples& x) {
    const Shape a = x.shape(0), b = x.shape(1);
    if (x.shared(0) && a.size() == 2 &&
        b == Shape{a[1], 1}) {  // a matrix for all columns: as rows they are one product
      return detail::as_result(matmul(x[1].transpose(-2, -1), x[0].t()).transpose(-2, -1));
    }
    const int dims = std::max(a.size(), b.size());
    return matmul(x.aligned(0, dims), x.aligned(1, dims));
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<1> b) { return matmul(dy, b.transpose(-2, -1)); },
                                             [](Dy<> dy, In<0> a) { return matmul(a.transpose(-2, -1), dy); });
  static constexpr auto tangent = [](Dx<0> da, Dx<1> db, In<0> a, In<1> b) {
    Tensor dy;
    if (da.defined()) dy = matmul(da, b);
    if (db.defined()) detail::add_to(dy, matmul(a, db));
    return dy;
  };
};

Tensor scaled(const Tensor& x, double factor) { return factor == 1 ? x : x * factor; }

// y = beta c + alpha a b
struct Addmm {
  static constexpr std::string_view name = "addmm";
  static constexpr bool broadcasts = true;
  struct Attrs {
    double beta = 1, alpha = 1;
    static constexpr auto fields = named("beta", &Attrs::beta, "alpha", &Attrs::alpha);
  };
  static Array forward(const Attrs& s, const Array& c, const Array& a, const Array& b) {
    if (a.dim() != 2 || b.dim() != 2 || a.shape()[1] != b.shape()[0]) {
      core::fail<ShapeError>("addmm: matrices with equal inner sizes: {} x {}", a.shape(), b.shape());
    }
    const Shape shape{a.shape()[0], b.shape()[1]};
    const Array y = core::empty(shape, a.dtype());
    if (core::broadcast_shapes(c.shape(), shape, "addmm") != shape) {
      core::fail<ShapeError>("addmm: the input must broadcast to {}: {}", shape, c.shape());
    }
    if (s.beta != 0) y.copy_(c);
    core::gemm(y, a, b, s.alpha, s.beta);
    return y;
  }
  static Tensor batch(const Attrs& s, const Examples& x) {
    if (x.dim(0) > 2 || x.dim(1) != 2 || x.dim(2) != 2) return {};
    const bool alone = x.shared(1) && x.shared(2);  // then the batch is the summand's alone
    const Tensor product = matmul(alone ? x.stacked(1) : x[1], x[2]) * s.alpha;
    return s.beta == 0 ? product : add(product, x.aligned(0, 2), s.beta);
  }
  static constexpr auto gradients =
      formulas([](Dy<> dy, const Attrs& s) { return scaled(dy, s.beta); },
               [](Dy<> dy, In<2> b, const Attrs& s) { return scaled(matmul(dy, b.t()), s.alpha); },
               [](Dy<> dy, In<1> a, const Attrs& s) { return scaled(matmul(a.t(), dy), s.alpha); });
};

void check_dims(const Operand& x, std::int64_t dims, const char* op, const char* which) {
  if (x.tensor().dim() != dims) {
    core::fail<ShapeError>("{}: {} must have {} dimensions: {}; matmul takes any number", op, which, dims,
                           x.tensor().sizes());
  }
}

}  // namespace

Tensor matmul(Operand a, Operand b) {
  const Tensor &x = a.tensor(), &y = b.tensor();
  check_alike("matmul", a, b);
  if (x.dim() >= 2 && y.dim() >= 2) return apply<Matmul>(a, b);
  // A 1-d operand joins as a row or a column, and its dimension leaves the result again.
  if (x.dim() == 0 || y.dim() == 0) {
    core::fail<ShapeError>("matmul: operands must have at least 1 dimension: {} x {}; mul multiplies by a 0-d tensor",
                           x.sizes(), y.sizes());
  }
  if (x.size(-1) != y.size(y.dim() == 1 ? 0 : -2)) {
    core::fail<ShapeError>("matmul: inner sizes differ: {} x {}", x.sizes(), y.sizes());
  }
  const Scope scope(a.at());
  const Tensor rows = x.dim() == 1 ? x.unsqueeze(0) : x, columns = y.dim() == 1 ? y.unsqueeze(1) : y;
  Tensor product = apply<Matmul>(Operand(rows), Operand(columns));
  if (y.dim() == 1) product = product.squeeze(-1);
  if (x.dim() == 1) product = product.squeeze(y.dim() == 1 ? -1 : -2);
  return detail::as_result(product);
}
Tensor mm(Operand a, Operand b) {
  check_dims(a, 2, "mm", "the first operand");
  check_dims(b, 2, "mm", "the second operand");
  return core::in_name_of("mm", [&] { return matmul(a, b); });
}
Tensor bmm(Operand a, Operand b) {
  check_dims(a, 3, "bmm", "the first operand");
  check_dims(b, 3, "bmm", "the second operand");
  if (a.tensor().size(0) != b.tensor().size(0)) {
    core::fail<ShapeError>("bmm: batch sizes differ: {} x {}", a.tensor().sizes(), b.tensor().sizes());
  }
  return core::in_name_of("bmm", [&] { return matmul(a, b); });
}
Tensor mv(Operand a, Operand x) {
  check_dims(a, 2, "mv", "the matrix");
  check_dims(x, 1, "mv", "the vector");
  return core::in_name_of("mv", [&] { return matmul(a, x); });
}
Tensor dot(Operand a, Operand b) {
  check_dims(a, 1, "dot", "the first operand");
  check_dims(b, 1, "dot", "the second operand");
  return core::in_name_of("dot", [&] { return matmul(a, b); });
}
Tensor addmm(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  check_alike("addmm", a, b);
  check_alike("addmm", input, a);
  return apply<Addmm>({beta.toDouble(), alpha.toDouble()}, input, a, b);
}
Tensor& addmm_(Operand input, Operand a, Operand b, const Scalar& beta, const Scalar& alpha) {
  check_alike("addmm_", a, b);
  check_alike("addmm_", input, a);
  return apply_inplace<Addmm>({beta.toDouble(), alpha.toDouble()}, input, a, b);
}
Tensor outer(Operand a, Operand b) {
  check_dims(a, 1, "outer", "the first operand");
  check_dims(b, 1, "outer", "the second operand");
  return mul({unsqueeze(a, 1), a.at()}, b);
}

}  // namespace gradus
