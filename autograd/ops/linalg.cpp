// Norms of vectors and matrices, functions of matrices, and their products.
#include "linalg.h"

#include <cmath>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "linalg_support.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using namespace autograd::detail;
using core::Array;

namespace {

// y = e^A:  dA is the right upper block of the exponential of [[A^T, dy], [0, A^T]] (Mathias 1996).
struct MatrixExp {
  static constexpr std::string_view name = "linalg_matrix_exp";
  static constexpr std::string_view formula =
      "Y = e^{A}, dA = the block above the diagonal of e^{B}, B = the blocks A^T and dY above 0 and A^T";
  static constexpr Batch batch = Batch::kMatrices;
  static Array forward(const Array& A) { return core::matrix_exp(A); }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> A) {
    const std::int64_t n = A.size(-1);
    const Tensor At = mT(A), zero(core::zeros(A.sizes(), A.dtype()));
    const Tensor block = cat({cat({At, dy}, -1), cat({zero, At}, -1)}, -2);
    return linalg_matrix_exp(block).narrow(-2, 0, n).narrow(-1, n, n);
  });
};

Tensor in_dtype_of(const Tensor& x, std::optional<DType> dtype, const char* op) {
  const Tensor y = dtype ? x.to(*dtype) : x;
  if (!is_floating_point(y.dtype())) {
    core::fail<DTypeError>("{}: the operand must be floating-point: {}; convert it with to(kFloat)", op, y.dtype());
  }
  return y;
}

// The two dimensions of a matrix, wrapped.
struct Plane {
  std::int64_t rows = 0, columns = 0;
  std::int64_t low() const { return std::min(rows, columns); }
  std::int64_t high() const { return std::max(rows, columns); }
};
Plane plane(const char* op, const Tensor& A, IntArrayRef dim) {
  if (A.dim() < 2) core::fail<ShapeError>("{}: a matrix has at least 2 dimensions: {}", op, A.sizes());
  if (dim.size() != 2) core::fail<ValueError>("{}: dim must name two dimensions: {}", op, dim);
  const int n = static_cast<int>(A.dim());
  const Plane p{core::wrap_dim(dim[0], n, op), core::wrap_dim(dim[1], n, op)};
  if (p.rows == p.columns) core::fail<ValueError>("{}: dim must name two different dimensions: {}", op, dim);
  return p;
}
// The matrices in the last two dimensions.
Tensor in_last(const Tensor& A, const Plane& p) {
  core::Dims order;
  for (std::int64_t i = 0; i < A.dim(); ++i) {
    if (i != p.rows && i != p.columns) order.push_back(i);
  }
  order.push_back(p.rows);
  order.push_back(p.columns);
  return A.permute(order);
}
// With or without its two dimensions, of size 1.
Tensor kept(const Tensor& norms, const Plane& p, bool keepdim) {
  return keepdim ? norms.unsqueeze(p.low()).unsqueeze(p.high()) : norms;
}
Tensor kept_or_not(const Tensor& norms, const Plane& p, bool keepdim) {
  return keepdim ? norms : as_result(norms.squeeze(p.high()).squeeze(p.low()));
}

Tensor to(const Operand& x, DType dtype) { return x.tensor().to(dtype, x.at()); }

Tensor one_like(const Tensor& A) {
  return Tensor(core::eye(A.size(-1), A.size(-1), A.dtype()).expand(A.sizes()).clone());
}

// The order of fewest multiplications: the product of matrices i to j is cut behind cut[i][j].
std::vector<std::vector<std::size_t>> best_cuts(const std::vector<Tensor>& x) {
  const std::size_t n = x.size();
  std::vector<double> size;
  for (const Tensor& m : x) size.push_back(static_cast<double>(m.size(0)));
  size.push_back(static_cast<double>(x.back().size(1)));
  std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
  std::vector<std::vector<std::size_t>> cut(n, std::vector<std::size_t>(n, 0));
  for (std::size_t length = 2; length <= n; ++length) {
    for (std::size_t i = 0; i + length <= n; ++i) {
      const std::size_t j = i + length - 1;
      cost[i][j] = std::numeric_limits<double>::infinity();
      for (std::size_t k = i; k < j; ++k) {
        const double each = cost[i][k] + cost[k + 1][j] + size[i] * size[k + 1] * size[j + 1];
        if (each < cost[i][j]) {
          cost[i][j] = each;
          cut[i][j] = k;
        }
      }
    }
  }
  return cut;
}
Tensor product(const std::vector<Tensor>& x, const std::vector<std::vector<std::size_t>>& cut, std::size_t i,
               std::size_t j) {
  if (i == j) return x[i];
  return matmul(product(x, cut, i, cut[i][j]), product(x, cut, cut[i][j] + 1, j));
}

}  // namespace

Tensor linalg_vector_norm(Operand x, const Scalar& ord, OptionalIntArrayRef dim, bool keepdim,
                          std::optional<DType> dtype) {
  const Scope scope(x.at());
  const char* const op = "linalg_vector_norm";
  return core::in_name_of(op, [&] { return norm(in_dtype_of(x.tensor(), dtype, op), ord, dim, keepdim); });
}

Tensor linalg_matrix_norm(Operand A, std::string_view ord, IntArrayRef dim, bool keepdim, std::optional<DType> dtype) {
  if (dtype && *dtype != A.tensor().dtype()) return linalg_matrix_norm({to(A, *dtype), A.at()}, ord, dim, keepdim);
  if (stored(A)) return rounded_once([&](Operand u) { return linalg_matrix_norm(u, ord, dim, keepdim); }, A);
  const Scope scope(A.at());
  const char* const op = "linalg_matrix_norm";
  return core::in_name_of(op, [&]() -> Tensor {
    const Tensor x = in_dtype_of(A.tensor(), dtype, op);
    const Plane p = plane(op, x, dim);
    if (ord == "fro") return norm(x, 2, {p.rows, p.columns}, keepdim);
    if (ord == "nuc") return kept(linalg_svdvals(in_last(x, p)).sum(-1), p, keepdim);
    core::fail<ValueError>("{}: the order must be \"fro\" or \"nuc\", or a number: \"{}\"", op, ord);
  });
}
Tensor linalg_matrix_norm(Operand A, const Scalar& ord, IntArrayRef dim, bool keepdim, std::optional<DType> dtype) {
  if (dtype && *dtype != A.tensor().dtype()) return linalg_matrix_norm({to(A, *dtype), A.at()}, ord, dim, keepdim);
  if (stored(A)) return rounded_once([&](Operand u) { return linalg_matrix_norm(u, ord, dim, keepdim); }, A);
  const Scope scope(A.at());
  const char* const op = "linalg_matrix_norm";
  return core::in_name_of(op, [&]() -> Tensor {
    const Tensor x = in_dtype_of(A.tensor(), dtype, op);
    const Plane p = plane(op, x, dim);
    const double order = ord.toDouble();
    if (std::abs(order) == 2) {
      const Tensor S = linalg_svdvals(in_last(x, p));
      return kept(order > 0 ? S.amax(-1) : S.amin(-1), p, keepdim);
    }
    if (std::abs(order) != 1 && !std::isinf(order)) {
      core::fail<ValueError>("{}: the order must be 1, 2, infinity, one of these below 0, \"fro\" or \"nuc\": {}", op,
                             order);
    }
    const bool columns = std::abs(order) == 1;
    const Tensor sums = x.abs().sum(columns ? p.rows : p.columns, true);
    const std::int64_t over = columns ? p.columns : p.rows;
    return kept_or_not(order > 0 ? sums.amax(over, true) : sums.amin(over, true), p, keepdim);
  });
}

Tensor linalg_norm(Operand x, const std::optional<Scalar>& ord, OptionalIntArrayRef dim, bool keepdim,
                   std::optional<DType> dtype) {
  if (dtype && *dtype != x.tensor().dtype()) return linalg_norm({to(x, *dtype), x.at()}, ord, dim, keepdim);
  if (stored(x)) return rounded_once([&](Operand u) { return linalg_norm(u, ord, dim, keepdim); }, x);
  const std::int64_t dims = x.tensor().dim();
  return core::in_name_of("linalg_norm", [&]() -> Tensor {
    if (!ord) return linalg_vector_norm(x, 2, dim, keepdim, dtype);
    if (dim.empty() && dims != 1 && dims != 2) {
      core::fail<ShapeError>("linalg_norm: with an order and without dim there must be 1 or 2 dimensions: {}",
                             x.tensor().sizes());
    }
    if (dim.size() == 1 || (dim.empty() && dims == 1)) return linalg_vector_norm(x, *ord, dim, keepdim, dtype);
    return linalg_matrix_norm(x, *ord, dim.empty() ? IntArrayRef({-2, -1}) : IntArrayRef(dim), keepdim, dtype);
  });
}
Tensor linalg_norm(Operand x, std::string_view ord, OptionalIntArrayRef dim, bool keepdim, std::optional<DType> dtype) {
  return core::in_name_of("linalg_norm", [&] {
    if (dim.empty()) return linalg_matrix_norm(x, ord, {-2, -1}, keepdim, dtype);
    return linalg_matrix_norm(x, ord, dim, keepdim, dtype);
  });
}

Tensor nuclear_norm(Operand A, IntArrayRef dim, bool keepdim) {
  if (stored(A)) return rounded_once([&](Operand u) { return nuclear_norm(u, dim, keepdim); }, A);
  return core::in_name_of("nuclear_norm", [&] { return linalg_matrix_norm(A, "nuc", dim, keepdim); });
}
Tensor nuclear_norm(Operand A, bool keepdim) { return nuclear_norm(A, {-2, -1}, keepdim); }

Tensor linalg_matrix_exp(Operand A) {
  expect_square("linalg_matrix_exp", A.tensor());
  return apply<MatrixExp>(A);
}
Tensor matrix_exp(Operand A) {
  return core::in_name_of("matrix_exp", [&] { return linalg_matrix_exp(A); });
}

Tensor linalg_matrix_power(Operand A, std::int64_t n) {
  if (stored(A)) return rounded_once([&](Operand u) { return linalg_matrix_power(u, n); }, A);
  const Scope scope(A.at());
  expect_square("linalg_matrix_power", A.tensor());
  return core::in_name_of("linalg_matrix_power", [&]() -> Tensor {
    if (n == 0) return one_like(A.tensor());
    Tensor square = n < 0 ? linalg_inv(A) : A.tensor(), y;
    std::uint64_t left = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n);
    if (left == 1) return n < 0 ? square : clone(square);
    for (;; square = matmul(square, square)) {
      if ((left & 1u) != 0) y = y.defined() ? matmul(y, square) : square;
      left >>= 1u;
      if (left == 0) return y;
    }
  });
}
Tensor matrix_power(Operand A, std::int64_t n) {
  return core::in_name_of("matrix_power", [&] { return linalg_matrix_power(A, n); });
}

Tensor linalg_multi_dot(OperandList matrices) {
  if (stored(matrices)) {
    return rounded_once(
        "linalg_multi_dot", [](const std::vector<Tensor>& m) { return linalg_multi_dot(m); }, matrices);
  }
  const char* const op = "linalg_multi_dot";
  if (matrices.size() < 2) core::fail<ValueError>("{}: there must be at least two matrices: {}", op, matrices.size());
  const Scope scope(matrices[0].at());
  std::vector<Tensor> x;
  for (const Operand& each : matrices) x.push_back(each.tensor());
  const bool row = x.front().dim() == 1, column = x.back().dim() == 1;
  if (row) x.front() = x.front().unsqueeze(0);
  if (column) x.back() = x.back().unsqueeze(1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i].dim() != 2) {
      core::fail<ShapeError>("{}: operands must be matrices, the first and the last may be vectors: operand {} is {}",
                             op, i, x[i].sizes());
    }
    if (i > 0 && x[i - 1].size(1) != x[i].size(0)) {
      core::fail<ShapeError>("{}: inner sizes differ: {} x {}", op, x[i - 1].sizes(), x[i].sizes());
    }
  }
  Tensor y = core::in_name_of(op, [&] { return product(x, best_cuts(x), 0, x.size() - 1); });
  if (row) y = y.squeeze(0);
  if (column) y = y.squeeze(-1);
  return as_result(y);
}

Tensor linalg_matmul(Operand A, Operand B) { return matmul(A, B); }

Tensor linalg_vecdot(Operand x, Operand y, std::int64_t dim) {
  if (stored(x, y)) return rounded_once([&](Operand u, Operand v) { return linalg_vecdot(u, v, dim); }, x, y);
  const Scope scope(x.at());
  return core::in_name_of("linalg_vecdot", [&] { return mul(x.tensor(), y.tensor()).sum(dim); });
}

Tensor linalg_cross(Operand x, Operand y, std::int64_t dim) {
  return core::in_name_of("linalg_cross", [&] { return cross(x, y, dim); });
}

Tensor linalg_diagonal(Operand A, std::int64_t offset, std::int64_t dim1, std::int64_t dim2) {
  return core::in_name_of("linalg_diagonal", [&] { return diagonal(A, offset, dim1, dim2); });
}

}  // namespace gradus
