// Pseudo-inverses, least squares, rank and condition.
#include <cmath>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/matmul.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"
#include "linalg_support.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using namespace autograd::detail;
using core::Array;

namespace {

// Below which a singular value counts as 0: the larger of both, where the second is times the largest value.
struct Tolerance {
  double atol = 0, rtol = 0;
};
Tolerance tolerance(const Tensor& A, std::optional<double> atol, std::optional<double> rtol) {
  const double epsilon = compute_dtype(A.dtype()) == kFloat32
                             ? static_cast<double>(std::numeric_limits<float>::epsilon())
                             : std::numeric_limits<double>::epsilon();
  const double largest = static_cast<double>(std::max(A.size(-2), A.size(-1)));
  return {atol.value_or(0), rtol.value_or(atol.value_or(0) > 0 ? 0 : epsilon * largest)};
}
// Whether each is above it.
Array significant(const Array& S, const Tolerance& t) {
  if (S.numel() == 0) return core::zeros(S.shape(), kBool);
  const Array most = core::reduce(core::Reduction::Max, S, {-1}, true);
  return core::gt(S, core::maximum(most * t.rtol, core::full({}, t.atol, S.dtype())));
}

// Y = A^+ (Golub and Pereyra 1973), where the rank is constant:
// dA = -Y^T dY Y^T + (1 - A Y) dY^T Y Y^T + Y^T Y dY^T (1 - Y A)
Tensor of_pinv(const Tensor& dY, const Tensor& Y, const Tensor& A) {
  const Tensor g = mT(dY), Yt = mT(Y);
  const Tensor first = matmul(g, matmul(Y, Yt)), second = matmul(matmul(Yt, Y), g);
  return first - matmul(A, matmul(Y, first)) + second - matmul(matmul(second, Y), A) - matmul(Yt, matmul(dY, Yt));
}

struct Pinv {
  static constexpr std::string_view name = "linalg_pinv";
  static constexpr std::string_view formula = "Y = A^+, dA = -Y^T dY Y^T + (1 - A Y) dY^T Y Y^T + Y^T Y dY^T (1 - Y A)";
  static constexpr Batch batch = Batch::kMatrices;
  struct Attrs {
    double atol = 0, rtol = 0;
    static constexpr auto fields = named("atol", &Attrs::atol, "rtol", &Attrs::rtol);
  };
  static Array forward(const Attrs& s, const Array& A) {
    const auto [U, S, Vh] = core::svd(A, false, true, "linalg_pinv");
    const Array none = core::zeros({}, S.dtype());
    const Array inverse = core::where(significant(S, {s.atol, s.rtol}), core::reciprocal(S), none);
    return core::matmul(Vh.transpose(-2, -1) * inverse.unsqueeze(-2), U.transpose(-2, -1));
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> A, Out<> Y) { return of_pinv(dy, Y, A); });
};

// X = A^+ B:  dB = A^+T dX,  dA as of A^+ with dX B^T from above.
struct Lstsq {
  static constexpr std::string_view name = "linalg_lstsq";
  static constexpr std::string_view formula =
      "X = Y B, Y = A^+, dA = -Y^T G Y^T + (1 - A Y) G^T Y Y^T + Y^T Y G^T (1 - Y A), G = dX B^T, dB = Y^T dX";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr int differentiable_outputs = 1;
  struct Attrs {
    double rcond = 0;
    static constexpr auto fields = named("rcond", &Attrs::rcond);
  };
  static std::tuple<Array, Array> forward(const Attrs& s, const Array& A, const Array& B) {
    return core::lstsq(A, B, s.rcond);
  }
  static Tensor pseudo_inverse(const Tensor& A, const Attrs& s) { return linalg_pinv(A, 0.0, s.rcond); }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> A, In<1> B, const Attrs& s) { return of_pinv(matmul(dy, mT(B)), pseudo_inverse(A, s), A); },
      [](Dy<> dy, In<0> A, const Attrs& s) { return matmul(mT(pseudo_inverse(A, s)), dy); });
};

// The symmetric matrix whose lower triangle is A's.
Tensor mirrored(const Tensor& A) { return A.tril() + mT(A.tril(-1)); }

}  // namespace

Tensor linalg_pinv(Operand A, std::optional<double> atol, std::optional<double> rtol, bool hermitian) {
  const Scope scope(A.at());
  const char* const op = "linalg_pinv";
  hermitian ? expect_square(op, A.tensor()) : expect_matrix(op, A.tensor());
  const Tolerance t = tolerance(A.tensor(), atol, rtol);
  return apply<Pinv>({t.atol, t.rtol}, Operand(hermitian ? mirrored(A.tensor()) : A.tensor()));
}
Tensor linalg_pinv(Operand A, double atol, double rtol, bool hermitian) {
  return linalg_pinv(A, std::optional(atol), std::optional(rtol), hermitian);
}
Tensor linalg_pinv(Operand A, double rcond, bool hermitian) {
  return linalg_pinv(A, std::nullopt, std::optional(rcond), hermitian);
}
Tensor linalg_pinv(Operand A) { return linalg_pinv(A, std::nullopt, std::nullopt); }
Tensor pinverse(Operand A, double rcond) {
  return core::in_name_of("pinverse", [&] { return linalg_pinv(A, rcond); });
}

Tensor linalg_matrix_rank(Operand A, std::optional<double> atol, std::optional<double> rtol, bool hermitian) {
  if (stored(A)) return rounded_once([&](Operand u) { return linalg_matrix_rank(u, atol, rtol, hermitian); }, A);
  const char* const op = "linalg_matrix_rank";
  hermitian ? expect_square(op, A.tensor()) : expect_matrix(op, A.tensor());
  const Array& a = A.tensor().array();
  const Array S =
      hermitian ? core::abs(std::get<0>(core::eigh(a, false, false, op))) : std::get<1>(core::svd(a, false, false, op));
  return Tensor(core::sum(significant(S, tolerance(A.tensor(), atol, rtol)), {-1}));
}
Tensor linalg_matrix_rank(Operand A, double atol, double rtol, bool hermitian) {
  return linalg_matrix_rank(A, std::optional(atol), std::optional(rtol), hermitian);
}
Tensor linalg_matrix_rank(Operand A, double tol, bool hermitian) { return linalg_matrix_rank(A, tol, 0.0, hermitian); }
Tensor linalg_matrix_rank(Operand A) { return linalg_matrix_rank(A, std::nullopt, std::nullopt); }

std::tuple<Tensor, Tensor, Tensor, Tensor> linalg_lstsq(Operand A, Operand B, std::optional<double> rcond,
                                                        std::optional<std::string_view> driver) {
  const Scope scope(A.at());
  const char* const op = "linalg_lstsq";
  const std::string_view how = driver.value_or("gelsy");
  const bool with_values = how == "gelsd" || how == "gelss";
  if (!with_values && how != "gelsy" && how != "gels") {
    core::fail<ValueError>("{}: driver must be \"gels\", \"gelsy\", \"gelsd\" or \"gelss\": \"{}\"", op, how);
  }
  expect_matrix(op, A.tensor());
  const Tensor &a = A.tensor(), &b = B.tensor();
  const std::int64_t m = a.size(-2), n = a.size(-1);
  const bool vector = b.dim() == a.dim() - 1 && b.size(-1) == m;
  const Tensor matrix = vector ? b.unsqueeze(-1) : b;
  if (matrix.dim() < 2 || matrix.size(-2) != m) {
    core::fail<ShapeError>("{}: both sides must have as many rows: {} and {}", op, a.sizes(), b.sizes());
  }
  const auto [all, right] = broadcast_batches(op, a, matrix);
  const double limit = tolerance(a, {}, rcond).rtol;
  const auto [X, ranks] = apply<Lstsq>({limit}, Operand(all), Operand(right));
  const Tensor nothing(core::empty({0}, a.dtype()));
  Tensor residuals = nothing;
  if (m > n && (how == "gels" || core::reduce(core::Reduction::All, core::eq(ranks.array(), n)).item<bool>())) {
    residuals = square(matmul(all, X) - right).sum(-2);
    if (vector) residuals = as_result(residuals.squeeze(-1));
  }
  return {vector ? as_result(X.squeeze(-1)) : X, residuals, how == "gels" ? Tensor(core::empty({0}, kInt64)) : ranks,
          with_values ? linalg_svdvals(all) : nothing};
}

Tensor linalg_cond(Operand A, const std::optional<Scalar>& p) {
  if (stored(A)) return rounded_once([&](Operand u) { return linalg_cond(u, p); }, A);
  const Scope scope(A.at());
  const double order = p ? p->toDouble() : 2;
  return core::in_name_of("linalg_cond", [&]() -> Tensor {
    if (std::abs(order) == 2) {
      const Tensor S = linalg_svdvals(A), most = S.select(-1, 0), least = S.select(-1, -1);
      return order == 2 ? most / least : least / most;
    }
    const auto [inverse, info] = linalg_inv_ex(A);
    const Tensor product = linalg_matrix_norm(A, order) * linalg_matrix_norm(inverse, order);
    return where(info == 0, product, Tensor(core::full({}, INFINITY, product.dtype())));
  });
}
Tensor linalg_cond(Operand A, std::string_view p) {
  if (stored(A)) return rounded_once([&](Operand u) { return linalg_cond(u, p); }, A);
  const Scope scope(A.at());
  return core::in_name_of("linalg_cond", [&]() -> Tensor {
    const auto [inverse, info] = linalg_inv_ex(A);
    const Tensor product = linalg_matrix_norm(A, p) * linalg_matrix_norm(inverse, p);
    return where(info == 0, product, Tensor(core::full({}, INFINITY, product.dtype())));
  });
}

}  // namespace gradus
