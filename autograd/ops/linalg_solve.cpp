// LU and triangular equations: solutions, inverses, determinants.
#include <cmath>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/indexing.h"
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

constexpr const char* kSingular = "the matrix must be invertible";
constexpr const char* kPivot = "U is 0 on its diagonal at place";
constexpr const char* kSolveCure =
    "linalg_lstsq and linalg_pinv take such matrices, linalg_solve_ex and linalg_inv_ex "
    "report them";

// T X = B, or X T = B:  dB = T^-T dX,  dT = -dB X^T, of which the triangle counts.
struct SolveTriangular {
  static constexpr std::string_view name = "linalg_solve_triangular";
  static constexpr Batch batch = Batch::kMatrices;
  struct Attrs {
    bool upper = false, left = true, unit = false;
    static constexpr auto fields = named("upper", &Attrs::upper, "left", &Attrs::left, "unitriangular", &Attrs::unit);
  };
  static Array forward(const Attrs& s, const Array& A, const Array& B) {
    return core::solve_triangular(A, B, s.upper, s.left, s.unit);
  }
  static Tensor of_right(const Tensor& dy, const Tensor& A, const Attrs& s) {
    return linalg_solve_triangular(mT(A), dy, !s.upper, s.left, s.unit);
  }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> A, Out<> X, const Attrs& s) {
        const Tensor dB = of_right(dy, A, s);
        const Tensor dA = s.left ? -matmul(dB, mT(X)) : -matmul(mT(X), dB);
        return s.upper ? dA.triu(s.unit ? 1 : 0) : dA.tril(s.unit ? -1 : 0);
      },
      [](Dy<> dy, In<0> A, const Attrs& s) { return of_right(dy, A, s); });
};

// A X = B, or A^T X = B:  dB = A^-T dX,  dA = -dB X^T (or its transpose). The factorization is made once, and handed on to
// the gradient's own equations.
struct Solve {
  static constexpr std::string_view name = "linalg_solve";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t constant_outputs = 0b0110;  // the factorization: A, beside it, has the history
  struct Attrs {
    bool transposed = false;
    Array lu = {}, pivots = {};  // of A, where it is known
    static constexpr auto fields = named("transposed", &Attrs::transposed);
  };
  static std::tuple<Array, Array, Array, Array> forward(const Attrs& s, const Array& A, const Array& B) {
    if (s.lu.defined()) return {core::lu_solve(s.lu, s.pivots, B, s.transposed), s.lu, s.pivots, Array()};
    auto [lu, pivots, info] = core::lu_factor(A);
    return {core::lu_solve(lu, pivots, B, s.transposed), lu, pivots, info};
  }
  static Tensor of_right(const Tensor& dy, const Tensor& A, const Tensor& lu, const Tensor& pivots, const Attrs& s);
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> A, Out<0> X, Out<1> lu, Out<2> pivots, const Attrs& s) {
        const Tensor dB = of_right(dy, A, lu, pivots, s);
        return s.transposed ? -matmul(X, mT(dB)) : -matmul(dB, mT(X));
      },
      [](Dy<> dy, In<0> A, Out<1> lu, Out<2> pivots, const Attrs& s) { return of_right(dy, A, lu, pivots, s); });
};
Tensor Solve::of_right(const Tensor& dy, const Tensor& A, const Tensor& lu, const Tensor& pivots, const Attrs& s) {
  return std::get<0>(apply<Solve>(Attrs{!s.transposed, lu.array(), pivots.array()}, Operand(A), Operand(dy)));
}

// Y = A^-1:  dA = -Y^T dY Y^T
struct Inv {
  static constexpr std::string_view name = "linalg_inv";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr int differentiable_outputs = 1;
  static std::tuple<Array, Array> forward(const Array& A) {
    return core::in_name_of("linalg_inv", [&]() -> std::tuple<Array, Array> {
      const auto [lu, pivots, info] = core::lu_factor(A);
      return {core::lu_inverse(lu, pivots), info};
    });
  }
  static constexpr auto gradients = formulas([](Dy<> dy, Out<> Y) { return -matmul(mT(Y), matmul(dy, mT(Y))); });
};

// dA = dy C, C the cofactors.
struct Det {
  static constexpr std::string_view name = "linalg_det";
  static constexpr Batch batch = Batch::kMatrices;
  static Array forward(const Array& A) {
    const auto [lu, pivots, info] = core::lu_factor(A);
    return core::lu_det(lu, pivots);
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> A) { return for_matrices(dy) * linalg_cofactor(A); });
};

// A = U S V^T, and det(U) det(V), which is 1 or -1.
struct Singular {
  Array U, S, Vh, sign;
};
Singular singular_of(const Array& A) {
  const auto det = [](const Array& x) {
    const auto [lu, pivots, info] = core::lu_factor(x);
    return core::lu_det(lu, pivots);
  };
  const auto [U, S, Vh] = core::svd(A, true, true, "linalg_cofactor");
  return {U, S, Vh, det(U) * det(Vh)};
}
// By singular values the cofactors divide by none of them: C = det(U) det(V) U S' V^T, where S' has the products of all
// the others.
Array cofactors_of_singular(const Array& A) {
  const auto [U, S, Vh, sign] = singular_of(A);
  const std::int64_t n = A.shape()[0];
  const Array others = core::ones_like(S);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (j != i) others[i].copy_(others[i] * S[j]);
    }
  }
  return core::matmul(U * others, Vh) * sign;
}
// And how they change towards B: with G = U^T B V, and P_ij the product of all singular values but two, the change in the
// same bases is D_ij = -P_ij G_ji, and D_ii the sum of P_ij G_jj.
Array slope_of_singular(const Array& A, const Array& B) {
  const auto [U, S, Vh, sign] = singular_of(A);
  const std::int64_t n = A.shape()[0];
  const Array values = S.to(kFloat64),
              G = core::matmul(core::matmul(U.transpose(0, 1), B), Vh.transpose(0, 1)).to(kFloat64).contiguous(),
              D = core::zeros({n, n}, kFloat64);
  const auto *const s = values.data_ptr<double>(), *const g = G.data_ptr<double>();
  auto* const d = D.data_ptr<double>();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      if (j == i) continue;
      double others = 1;
      for (std::int64_t l = 0; l < n; ++l) others *= l == i || l == j ? 1 : s[l];
      d[i * n + j] = -others * g[j * n + i];
      d[i * n + i] += others * g[j * n + j];
    }
  }
  return core::matmul(core::matmul(U, D.to(A.dtype())), Vh) * sign;
}

// Of which matrices a pivot is nothing beside the others: their inverses have lost their digits.
Array nearly_singular(const Array& lu) {
  const Array pivot = core::abs(lu.diagonal(0, -2, -1));
  const double small = lu.dtype() == kFloat32 ? 1.2e-7 : 2.2e-16;
  const Array least = core::reduce(core::Reduction::Min, pivot, {-1}),
              most = core::reduce(core::Reduction::Max, pivot, {-1}) * (8 * small * static_cast<double>(lu.size(-1)));
  return core::le(least, most).contiguous();
}
Array matrices_of(const Array& A) { return A.reshape({-1, A.size(-2), A.size(-1)}); }

// Y = (d / dt) C(A + t B) at t = 0, C the cofactors.
// The Hessian of the determinant times B, which is its own adjoint: the cofactors' gradient where a matrix has no inverse.
struct CofactorSlope {
  static constexpr std::string_view name = "linalg_cofactor_slope";
  static constexpr Batch batch = Batch::kMatrices;
  static Array forward(const Array& A, const Array& B) {
    const Array C = core::full(A.shape(), NAN, A.dtype()), flat = matrices_of(A), towards = matrices_of(B),
                to = matrices_of(C);
    for (std::int64_t i = 0; i < flat.size(0); ++i) {
      if (core::first_not_finite(flat[i]) < 0) to[i].copy_(slope_of_singular(flat[i], towards[i]));
    }
    return C;
  }
  [[noreturn]] static void fail_third(const Tensor& A) {
    core::fail<GradError>(
        "linalg_cofactor: a third derivative of the determinant needs matrices that have inverses: {}; at least one of "
        "them is singular (as an expanded row or column makes it)",
        A.sizes());
  }
  static constexpr auto gradients =
      formulas([](Dy<>, In<0> A) -> Tensor { fail_third(A); }, [](Dy<>, In<0> A) -> Tensor { fail_third(A); });
};

// C = det(A) A^-T:  dA = <dC, C> A^-T - C dC^T A^-T
struct Cofactor {
  static constexpr std::string_view name = "linalg_cofactor";
  static constexpr Batch batch = Batch::kMatrices;
  static Array forward(const Array& A) {
    const auto [lu, pivots, info] = core::lu_factor(A);
    const Array det = core::lu_det(lu, pivots);
    const Array C = (core::lu_inverse(lu, pivots) * det.unsqueeze(-1).unsqueeze(-1)).transpose(-2, -1);
    if (A.numel() == 0) return C;
    const Array singular = nearly_singular(lu), flat = matrices_of(A), to = matrices_of(C).clone();
    bool any = false;
    for (std::int64_t i = 0; i < singular.numel(); ++i) {
      // What is not finite has no singular values: it goes on as NaN, as through det.
      if (!singular.data_ptr<bool>()[i] || core::first_not_finite(flat[i]) >= 0) continue;
      any = true;
      to[i].copy_(cofactors_of_singular(flat[i]));
    }
    return any ? to.view(A.sizes()) : C;
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> A, Out<> C) -> Tensor {
    if (A.numel() == 0) return dy;
    const Array singular = nearly_singular(std::get<0>(core::lu_factor(A.array())));
    if (core::count_true(singular) != 0) return apply<CofactorSlope>(Operand(A), Operand(dy));
    const Tensor inverse = core::in_name_of("linalg_cofactor", [&] { return mT(linalg_inv(A)); });
    return (dy * C).sum({-2, -1}, true) * inverse - matmul(C, matmul(mT(dy), inverse));
  });
};

// y = log |det A|, and its sign:  dA = dy A^-T
struct Slogdet {
  static constexpr std::string_view name = "linalg_slogdet";
  static constexpr std::string_view formula = "y = ln |det A|, dA = dy A^{-T}";
  static constexpr Batch batch = Batch::kMatrices;
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t constant_outputs = 0b1100;  // likewise
  static std::tuple<Array, Array, Array, Array> forward(const Array& A) {
    const auto [lu, pivots, info] = core::lu_factor(A);
    const auto [sign, log] = core::lu_slogdet(lu, pivots);
    return {log, sign, lu, pivots};
  }
  static constexpr auto gradients = formulas([](Dy<> dy, In<0> A, Out<2> lu, Out<3> pivots) {
    const Tensor one = Tensor(core::eye(A.size(-1), A.size(-1), A.dtype())).expand(A.sizes());
    const Solve::Attrs known{true, lu.array(), pivots.array()};
    return for_matrices(dy) * std::get<0>(apply<Solve>(known, Operand(A), Operand(one)));
  });
};

std::tuple<Tensor, Tensor> solve(const char* op, Operand A, Operand B, bool left, bool check) {
  const Scope scope(A.at());
  expect_square(op, A.tensor());
  const Tensor &a = A.tensor(), &b = B.tensor();
  // A vector for each matrix, as PyTorch tells it from a matrix.
  const bool vector =
      b.dim() == 1 || (b.dim() == a.dim() - 1 && b.sizes() == IntArrayRef(a.sizes().data(), a.sizes().size() - 1));
  if (vector && !left)
    core::fail<ShapeError>("{}: a vector stands on the right side only with left = true: {}", op, b.sizes());
  const Tensor matrix = vector ? b.unsqueeze(-1) : b;
  if (matrix.dim() < 2 || matrix.size(left ? -2 : -1) != a.size(-1)) {
    core::fail<ShapeError>("{}: the right side must have the matrix's size {}: {} and {}", op, a.size(-1), a.sizes(),
                           b.sizes());
  }
  const std::tuple<Tensor, Tensor> sides = broadcast_batches(op, a, left ? matrix : mT(matrix));
  const auto results = core::in_name_of(
      op, [&] { return apply<Solve>(Solve::Attrs{!left}, Operand(std::get<0>(sides)), Operand(std::get<1>(sides))); });
  const Tensor& info = std::get<3>(results);
  if (check) expect_info_0(op, numbers_of_all(info), kSingular, kPivot, kSolveCure);
  const Tensor& x = std::get<0>(results);
  return {vector ? as_result(x.squeeze(-1)) : left ? x : as_result(mT(x)), info};
}

}  // namespace

Tensor linalg_solve(Operand A, Operand B, bool left) { return std::get<0>(solve("linalg_solve", A, B, left, true)); }
std::tuple<Tensor, Tensor> linalg_solve_ex(Operand A, Operand B, bool left, bool check_errors) {
  return solve("linalg_solve_ex", A, B, left, check_errors);
}
Tensor linalg_solve_triangular(Operand A, Operand B, bool upper, bool left, bool unitriangular) {
  const Scope scope(A.at());
  const char* const op = "linalg_solve_triangular";
  expect_square(op, A.tensor());
  expect_matrix(op, B.tensor());
  const auto [a, b] = broadcast_batches(op, A.tensor(), B.tensor());
  return apply<SolveTriangular>({upper, left, unitriangular}, Operand(a), Operand(b));
}

Tensor linalg_inv(Operand A) {
  expect_square("linalg_inv", A.tensor());
  const auto [inverse, info] = apply<Inv>(A);
  expect_info_0("linalg_inv", numbers_of_all(info), kSingular, kPivot, kSolveCure);
  return inverse;
}
std::tuple<Tensor, Tensor> linalg_inv_ex(Operand A, bool check_errors) {
  expect_square("linalg_inv_ex", A.tensor());
  auto results = apply<Inv>(A);
  if (check_errors) expect_info_0("linalg_inv_ex", numbers_of_all(std::get<1>(results)), kSingular, kPivot, kSolveCure);
  return results;
}
Tensor inverse(Operand A) {
  return core::in_name_of("inverse", [&] { return linalg_inv(A); });
}

Tensor linalg_det(Operand A) {
  expect_square("linalg_det", A.tensor());
  return apply<Det>(A);
}
Tensor linalg_cofactor(Operand A) {
  expect_square("linalg_cofactor", A.tensor());
  return apply<Cofactor>(A);
}
Tensor det(Operand A) {
  return core::in_name_of("det", [&] { return linalg_det(A); });
}
std::tuple<Tensor, Tensor> linalg_slogdet(Operand A) {
  expect_square("linalg_slogdet", A.tensor());
  const auto results = apply<Slogdet>(A);
  return {std::get<1>(results), std::get<0>(results)};
}
std::tuple<Tensor, Tensor> slogdet(Operand A) {
  return core::in_name_of("slogdet", [&] { return linalg_slogdet(A); });
}
Tensor logdet(Operand A) {
  if (stored(A)) return rounded_once([&](Operand u) { return logdet(u); }, A);
  const Scope scope(A.at());
  const auto [sign, log] = core::in_name_of("logdet", [&] { return linalg_slogdet(A); });
  // The logarithm of a number below 0.
  return where(sign < 0, Tensor(core::full({}, NAN, log.dtype())), log);
}

}  // namespace gradus
