// Eigenvalues of symmetric matrices, and singular values.
#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "linalg_support.h"
#include "rounded_once.h"

namespace gradus {

using namespace autograd;
using namespace autograd::detail;
using core::Array;

namespace {

// x[j] - x[i] at [i, j].
Tensor differences(const Tensor& x) { return x.unsqueeze(-2) - x.unsqueeze(-1); }

// A = V diag(w) V^T:  dA = V (diag(dw) + (V^T dV) / E) V^T with E[i, j] = w[j] - w[i] and 0 where i = j (Giles 2008).
struct Eigh {
  static constexpr std::string_view name = "linalg_eigh";
  static constexpr std::string_view formula =
      "(w, V) = eigh(A), A = V diag(w) V^T, dA = V (diag(dw) + E) V^T, E_ij = (P - P^T)_ij / (2 (w_j - w_i)), P = "
      "V^T dV";
  static constexpr Batch batch = Batch::kMatrices;
  struct Attrs {
    bool upper = false;
    static constexpr auto fields = named("upper", &Attrs::upper);
  };
  static std::tuple<Array, Array> forward(const Attrs& s, const Array& A) {
    return core::eigh(A, s.upper, true, "linalg_eigh");
  }
  static constexpr auto gradients = formulas([](Dy<0> dw, Dy<1> dV, Out<0> w, Out<1> V) {
    if (!came(dV)) return matmul(V * dw.unsqueeze(-2), mT(V));
    // Of V^T dV what is antisymmetric alone moves eigenvectors of unit length; both halves, for a symmetric gradient.
    const Tensor P = matmul(mT(V), dV);
    Tensor inner = (P - mT(P)) / (with_ones_on_diagonal(differences(w)) * 2);
    if (came(dw)) inner = add_diagonal(inner, dw);
    return matmul(V, matmul(inner, mT(V)));
  });
};

// A = U diag(S) V^T with k columns in U and V (Townsend 2016). With E[i, j] = S[j]^2 - S[i]^2 and F(X) = (X - X^T) / E:
// dA = U (F(U^T dU) S + S F(V^T dV) + diag(dS)) V^T, and of what U or V leave of their spaces
// + (1 - U U^T) dU S^-1 V^T + U S^-1 dV^T (1 - V V^T).
struct Svd {
  static constexpr std::string_view name = "linalg_svd";
  static constexpr std::string_view formula =
      "(U, S, V^T) = svd(A), A = U diag(S) V^T, dA = (U (F ⊙ (U^T dU - dU^T U)) S + (1 - U U^T) dU S^{-1}) V^T + U "
      "diag(dS) V^T + U (S (F ⊙ (V^T dV - dV^T V)) V^T + S^{-1} dV^T (1 - V V^T)), F_ij = 1 / (S_j^2 - S_i^2)";
  static constexpr Batch batch = Batch::kMatrices;
  struct Attrs {
    bool full_matrices = true;
    static constexpr auto fields = named("full_matrices", &Attrs::full_matrices);
  };
  static std::tuple<Array, Array, Array> forward(const Attrs& s, const Array& A) {
    return core::svd(A, s.full_matrices, true, "linalg_svd");
  }
  static constexpr auto gradients =
      formulas([](Dy<0> dy_U, Dy<1> dS, Dy<2> dy_Vh, Out<0> all_U, Out<1> S, Out<2> all_Vh) {
        const std::int64_t m = all_U.size(-2), n = all_Vh.size(-1), k = S.size(-1);
        const Tensor U = all_U.narrow(-1, 0, k), Vh = all_Vh.narrow(-2, 0, k);
        const Tensor row = S.unsqueeze(-2), column = S.unsqueeze(-1);
        if (!came(dy_U) && !came(dy_Vh)) return matmul(U * dS.unsqueeze(-2), Vh);
        const Tensor E = with_ones_on_diagonal(differences(S) * (row + column));
        const auto antisymmetric = [&](const Tensor& P) { return (P - mT(P)) / E; };
        Tensor inner, dU, dVh, left, right;
        if (came(dy_U)) {
          dU = dy_U.narrow(-1, 0, k);
          left = matmul(mT(U), dU);
          inner = antisymmetric(left) * row;
        }
        if (came(dy_Vh)) {
          dVh = dy_Vh.narrow(-2, 0, k);
          right = matmul(Vh, mT(dVh));
          const Tensor part = column * antisymmetric(right);
          inner = inner.defined() ? inner + part : part;
        }
        if (came(dS)) inner = add_diagonal(inner, dS);
        Tensor dA = matmul(U, matmul(inner, Vh));
        if (m > k && came(dy_U)) dA = dA + matmul((dU - matmul(U, left)) / row, Vh);
        if (n > k && came(dy_Vh)) dA = dA + matmul(U, (dVh - matmul(mT(right), Vh)) / column);
        return dA;
      });
};

void expect_driver(const char* op, std::optional<std::string_view> driver) {
  if (driver && *driver != "gesvd" && *driver != "gesvdj" && *driver != "gesvda") {
    core::fail<ValueError>("{}: driver must be \"gesvd\", \"gesvdj\" or \"gesvda\": \"{}\"", op, *driver);
  }
}

}  // namespace

std::tuple<Tensor, Tensor> linalg_eigh(Operand A, std::string_view UPLO) {
  expect_square("linalg_eigh", A.tensor());
  return apply<Eigh>({reads_upper("linalg_eigh", UPLO)}, A);
}
Tensor linalg_eigvalsh(Operand A, std::string_view UPLO) {
  const char* const op = "linalg_eigvalsh";
  expect_square(op, A.tensor());
  const bool upper = reads_upper(op, UPLO);
  if (!recording(&A, 1) && !stored(A)) return Tensor(std::get<0>(core::eigh(A.tensor().array(), upper, false, op)));
  return core::in_name_of(op, [&] { return std::get<0>(apply<Eigh>({upper}, A)); });
}

std::tuple<Tensor, Tensor, Tensor> linalg_svd(Operand A, bool full_matrices, std::optional<std::string_view> driver) {
  expect_matrix("linalg_svd", A.tensor());
  expect_driver("linalg_svd", driver);
  return apply<Svd>({full_matrices}, A);
}
Tensor linalg_svdvals(Operand A, std::optional<std::string_view> driver) {
  const char* const op = "linalg_svdvals";
  expect_matrix(op, A.tensor());
  expect_driver(op, driver);
  if (!recording(&A, 1) && !stored(A)) return Tensor(std::get<1>(core::svd(A.tensor().array(), false, false, op)));
  return core::in_name_of(op, [&] { return std::get<1>(apply<Svd>({false}, A)); });
}
std::tuple<Tensor, Tensor, Tensor> svd(Operand A, bool some, bool compute_uv) {
  const Scope scope(A.at());
  return core::in_name_of("svd", [&]() -> std::tuple<Tensor, Tensor, Tensor> {
    if (compute_uv) {
      const auto [U, S, Vh] = linalg_svd(A, !some);
      return {U, S, as_result(mT(Vh))};
    }
    const Tensor S = linalg_svdvals(A);
    const auto zeros = [&](std::int64_t n) {
      core::Shape shape = A.tensor().body().array.shape();
      shape[shape.size() - 2] = shape[shape.size() - 1] = n;
      return Tensor(core::zeros(shape, S.dtype()));
    };
    return {zeros(A.tensor().size(-2)), S, zeros(A.tensor().size(-1))};
  });
}

}  // namespace gradus
