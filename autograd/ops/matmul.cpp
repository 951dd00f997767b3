// Matrix products and their gradients.
#include "../../core/ops/matmul.h"

#include <algorithm>

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
Tensor outer(Operand a, Operand b) {
  check_dims(a, 1, "outer", "the first operand");
  check_dims(b, 1, "outer", "the second operand");
  return mul({unsqueeze(a, 1), a.at()}, b);
}

}  // namespace gradus
