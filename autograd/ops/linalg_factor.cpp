// Triangular factors: Cholesky, LU, QR.
#include <algorithm>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "linalg_support.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using namespace autograd::detail;
using core::Array;

namespace {

constexpr const char* kDefinite = "the matrix must be positive definite";
constexpr const char* kMinor = "the leading minor is not, of order";
constexpr const char* kDefiniteCure = "add a small multiple of the identity, or see what linalg_eigvalsh says";

// X = T^-1 X, X T^-1 with T a triangle.
Tensor divided(const Tensor& X, const Tensor& T, bool upper, bool left, bool unit = false) {
  return linalg_solve_triangular(T, X, upper, left, unit);
}

// A = L L^T:  dA = L^-T S L^-1 with S the symmetric matrix whose lower triangle is that of L^T dL / 2 (Murray 2016).
struct Cholesky {
  static constexpr std::string_view name = "linalg_cholesky";
  static constexpr std::string_view formula =
      "L = chol(A), A = L L^T, dA = L^{-T} S L^{-1}, S = the symmetric matrix with the lower triangle of L^T dL / 2";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr int differentiable_outputs = 1;
  struct Attrs {
    bool upper = false;
    static constexpr auto fields = named("upper", &Attrs::upper);
  };
  static std::tuple<Array, Array> forward(const Attrs& s, const Array& A) { return core::cholesky(A, s.upper); }
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> factor, const Attrs& s) {
    const Tensor L = s.upper ? mT(factor) : Tensor(factor), dL = s.upper ? mT(dy) : Tensor(dy);
    const Tensor P = matmul(mT(L), dL);
    const Tensor S = (P.tril(-1) + mT(P.tril())) * 0.5;
    return divided(divided(S, mT(L), true, true), L, false, false);
  });
};

// P^T A = L U. With M = tril(L^T dL, -1) + triu(dU U^T), where all are square: dA = P L^-T M U^-T. What else a wide U or a
// tall L holds is a solution of a triangular equation: it has that gradient, and takes its part from M.
struct LuFactor {
  static constexpr std::string_view name = "linalg_lu_factor";
  static constexpr std::string_view formula =
      "(LU, P) = lu(A), A = P L U, dA = P L^{-T} (tril(L^T dL, -1) + triu(dU U^T)) U^{-T}";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr int differentiable_outputs = 1;
  static std::tuple<Array, Array, Array> forward(const Array& A) { return core::lu_factor(A); }
  static constexpr auto gradients = formulas([](Dy<> dy, Out<0> LU, Out<1> pivots) {
    const std::int64_t m = LU.size(-2), n = LU.size(-1), k = std::min(m, n);
    const Tensor square = LU.narrow(-2, 0, k).narrow(-1, 0, k), above = dy.narrow(-2, 0, k).narrow(-1, 0, k);
    const Tensor L = with_ones_on_diagonal(square.tril(-1)), U = square.triu();
    Tensor of_L = matmul(mT(L), above.tril(-1)), of_U = matmul(above.triu(), mT(U));
    Tensor rest;
    if (n > k) {
      const Tensor dU2 = dy.narrow(-1, k, n - k);
      of_L = of_L - matmul(dU2, mT(LU.narrow(-1, k, n - k)));
      rest = divided(dU2, mT(L), true, true, true);
    }
    if (m > k) {
      const Tensor dL2 = dy.narrow(-2, k, m - k);
      of_U = of_U - matmul(mT(LU.narrow(-2, k, m - k)), dL2);
      rest = divided(dL2, mT(U), false, false);
    }
    const Tensor M = of_L.tril(-1) + of_U.triu();
    Tensor dA = divided(divided(M, mT(U), false, false), mT(L), true, true, true);
    if (rest.defined()) dA = cat({dA, rest}, n > k ? -1 : -2);
    return matmul(Tensor(core::lu_permutation(pivots.array(), m, LU.dtype())), dA);
  });
};

// A = Q R (Walter and Lehmann 2010; a wide A: Roberts and Roberts 2020). With M = dR R^T - Q^T dQ: of a tall A
// dA = (dQ + Q sym(M)) R^-T, where sym mirrors the upper triangle; of a wide one, whose first m columns have the triangle
// R1, dA = Q dR + [Q (N - N^T) R1^-T, 0] with N the strictly lower triangle of -M.
struct Qr {
  static constexpr std::string_view name = "linalg_qr";
  static constexpr std::string_view formula =
      "(Q, R) = qr(A), A = Q R, dA = (dQ + Q S) R^{-T}, S = the symmetric matrix with the lower triangle of R dR^T "
      "- dQ^T Q";
  static constexpr Batch batch = Batch::kMatrices;
  struct Attrs {
    bool complete = false;
    static constexpr auto fields = named("complete", &Attrs::complete);
  };
  static std::tuple<Array, Array> forward(const Attrs& s, const Array& A) { return core::qr(A, s.complete); }
  static constexpr auto gradients = formulas([](Dy<0> dQ, Dy<1> dR, Out<0> Q, Out<1> R, const Attrs& s) {
    const std::int64_t m = Q.size(-2), n = R.size(-1);
    if (s.complete && m > n) {
      core::fail<GradError>(
          "linalg_qr: the gradient of \"complete\" needs at least as many columns as rows: [{}, {}]; "
          "\"reduced\" has one",
          m, n);
    }
    Tensor M;
    if (came(dR)) M = matmul(dR, mT(R));
    if (came(dQ)) M = M.defined() ? M - matmul(mT(Q), dQ) : -matmul(mT(Q), dQ);
    if (m >= n) {
      const Tensor upper = M.triu();
      Tensor dA = matmul(Q, upper + mT(M.triu(1)));
      if (came(dQ)) dA = dA + dQ;
      return divided(dA, mT(R), false, false);
    }
    const Tensor N = -(M - mT(M)).tril(-1);
    Tensor dA = divided(matmul(Q, N), mT(R.narrow(-1, 0, m)), false, false);
    core::Shape rest = R.body().array.shape();
    rest[rest.size() - 1] = n - m;
    dA = cat({dA, Tensor(core::zeros(rest, R.dtype()))}, -1);
    return came(dR) ? dA + matmul(Q, dR) : dA;
  });
};

void expect_pivot(const char* op, bool pivot) {
  if (!pivot) core::fail<ValueError>("{}: pivot must be true: false; LAPACK factorizes with interchanges of rows", op);
}
Tensor nothing(const Tensor& like) { return Tensor(core::empty({0}, like.dtype())); }

}  // namespace

Tensor linalg_cholesky(Operand A, bool upper) {
  expect_square("linalg_cholesky", A.tensor());
  const auto [L, info] = apply<Cholesky>({upper}, A);
  expect_info_0("linalg_cholesky", numbers_of_all(info), kDefinite, kMinor, kDefiniteCure);
  return L;
}
std::tuple<Tensor, Tensor> linalg_cholesky_ex(Operand A, bool upper, bool check_errors) {
  expect_square("linalg_cholesky_ex", A.tensor());
  auto results = apply<Cholesky>({upper}, A);
  if (check_errors) {
    expect_info_0("linalg_cholesky_ex", numbers_of_all(std::get<1>(results)), kDefinite, kMinor, kDefiniteCure);
  }
  return results;
}
Tensor cholesky(Operand A, bool upper) {
  return core::in_name_of("cholesky", [&] { return linalg_cholesky(A, upper); });
}
Tensor cholesky_solve(Operand B, Operand L, bool upper) {
  if (stored(B, L)) {
    return rounded_once(
        "cholesky_solve", [&](Operand u, Operand v) { return cholesky_solve(u, v, upper); }, B, L);
  }
  const Scope scope(B.at());
  return core::in_name_of("cholesky_solve", [&] {
    const Tensor& factor = L.tensor();
    expect_square("cholesky_solve", factor);
    const Tensor lower = upper ? mT(factor) : factor, y = linalg_solve_triangular(lower, B.tensor(), false);
    return linalg_solve_triangular(mT(lower), y, true);
  });
}
Tensor cholesky_inverse(Operand L, bool upper) {
  if (stored(L)) return rounded_once([&](Operand u) { return cholesky_inverse(u, upper); }, L);
  const Scope scope(L.at());
  expect_square("cholesky_inverse", L.tensor());
  const Tensor& factor = L.tensor();
  const Tensor one(core::eye(factor.size(-1), factor.size(-1), factor.dtype()));
  return core::in_name_of("cholesky_inverse", [&] { return cholesky_solve(one, factor, upper); });
}

std::tuple<Tensor, Tensor, Tensor> linalg_lu_factor_ex(Operand A, bool pivot, bool check_errors) {
  const char* const op = "linalg_lu_factor_ex";
  expect_pivot(op, pivot);
  expect_matrix(op, A.tensor());
  auto results = apply<LuFactor>(A);
  if (check_errors) {
    expect_info_0(op, numbers_of_all(std::get<2>(results)), "U must have no 0 on its diagonal", "there is one at place",
                  "without check_errors info says so");
  }
  return results;
}
std::tuple<Tensor, Tensor> linalg_lu_factor(Operand A, bool pivot) {
  expect_pivot("linalg_lu_factor", pivot);
  expect_matrix("linalg_lu_factor", A.tensor());
  const auto [lu, pivots, info] = apply<LuFactor>(A);
  return {lu, pivots};
}
std::tuple<Tensor, Tensor, Tensor> lu_unpack(Operand LU, Operand pivots, bool unpack_data, bool unpack_pivots) {
  const Scope scope(LU.at());
  const Tensor &lu = LU.tensor(), &interchanges = pivots.tensor();
  expect_matrix("lu_unpack", lu);
  if (interchanges.dtype() != kInt32) {
    core::fail<DTypeError>("lu_unpack: pivots must be int32, as linalg_lu_factor gives them: {}", interchanges.dtype());
  }
  const std::int64_t m = lu.size(-2), n = lu.size(-1), k = std::min(m, n);
  if (interchanges.dim() != lu.dim() - 1 || interchanges.size(-1) != k) {
    core::fail<ShapeError>("lu_unpack: there must be {} pivots for each matrix {}: {}", k, lu.sizes(),
                           interchanges.sizes());
  }
  const Tensor P = unpack_pivots ? Tensor(core::lu_permutation(interchanges.array(), m, lu.dtype())) : nothing(lu);
  if (!unpack_data) return {P, nothing(lu), nothing(lu)};
  const Tensor ones(core::eye(m, k, lu.dtype()));
  return {P, lu.narrow(-1, 0, k).tril(-1) + ones, lu.narrow(-2, 0, k).triu()};
}
std::tuple<Tensor, Tensor, Tensor> linalg_lu(Operand A, bool pivot) {
  const Scope scope(A.at());
  expect_pivot("linalg_lu", pivot);
  return core::in_name_of("linalg_lu", [&] {
    const auto [lu, pivots] = linalg_lu_factor(A);
    return lu_unpack(lu, pivots);
  });
}
Tensor linalg_lu_solve(Operand LU, Operand pivots, Operand B, bool left, bool adjoint) {
  const Scope scope(LU.at());
  const char* const op = "linalg_lu_solve";
  return core::in_name_of(op, [&]() -> Tensor {
    expect_square(op, LU.tensor());
    expect_matrix(op, B.tensor());
    const auto [P, L, U] = lu_unpack(LU, pivots);
    // X A = B is A^T X^T = B^T.
    const Tensor right = left ? B.tensor() : mT(B.tensor());
    Tensor x;
    if (adjoint == left) {
      const Tensor y = linalg_solve_triangular(mT(U), right, false);
      x = matmul(P, linalg_solve_triangular(mT(L), y, true, true, true));
    } else {
      const Tensor y = linalg_solve_triangular(L, matmul(mT(P), right), false, true, true);
      x = linalg_solve_triangular(U, y, true);
    }
    return left ? x : as_result(mT(x));
  });
}

std::tuple<Tensor, Tensor> linalg_qr(Operand A, std::string_view mode) {
  expect_matrix("linalg_qr", A.tensor());
  if (mode == "reduced" || mode == "complete") return apply<Qr>({mode == "complete"}, A);
  if (mode != "r") {
    core::fail<ValueError>("linalg_qr: mode must be \"reduced\", \"complete\" or \"r\": \"{}\"", mode);
  }
  const Tensor none = nothing(A.tensor());
  if (!recording(&A, 1) && !stored(A)) return {none, Tensor(std::get<1>(core::qr(A.tensor().array(), false, false)))};
  return {none, std::get<1>(apply<Qr>({false}, A))};
}
std::tuple<Tensor, Tensor> qr(Operand A, bool some) {
  return core::in_name_of("qr", [&] { return linalg_qr(A, some ? "reduced" : "complete"); });
}

}  // namespace gradus
