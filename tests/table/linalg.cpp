// Linear algebra. What is free in a decomposition (the sign of a column) does not reach a row's result.
#include <cmath>
#include <tuple>

#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

namespace {

Tensor mT(const Tensor& x) { return x.transpose(-2, -1); }
Tensor one(const Tensor& x) { return Tensor(core::eye(x.size(-1), x.size(-1), x.dtype())); }
// Symmetric, positive definite, and far from singular.
Tensor symmetric(const Tensor& x) { return x + mT(x); }
Tensor definite(const Tensor& x) { return matmul(x, mT(x)) + one(x); }
Tensor regular(const Tensor& x) { return x + one(x) * 4; }
// Several results in one.
Tensor joined(const std::vector<Tensor>& parts) {
  std::vector<Tensor> flat;
  for (const Tensor& part : parts) flat.push_back(part.reshape({-1}));
  return cat(flat);
}

}  // namespace

// clang-format off
std::vector<Row> linalg_rows() {
  const std::vector<std::int64_t> s33 = {3, 3}, s233 = {2, 3, 3}, s32 = {3, 2}, s23 = {2, 3};
  const std::vector<Shapes> empties = {{{0, 0}}, {{0, 2, 2}}};
  return {
      Row{"linalg_cholesky", on([](const Tensor& x) { return linalg_cholesky(definite(x)); }), {real(s233)}, 0, empties}.wrong<ShapeError>("linalg_cholesky: the matrix must be square", [](const Tensor& x) { linalg_cholesky(x.slice(1, 1)); }).wrong<ValueError>("linalg_cholesky: the matrix must be positive definite: the leading minor is not, of order 1 (batch index [0])", [](const Tensor& x) { linalg_cholesky(-definite(x)); }).wrong<DTypeError>("linalg_cholesky: ", [](const Tensor& x) { linalg_cholesky(x.to(kInt64)); }),
      {"linalg_cholesky", on([](const Tensor& x) { return std::get<0>(linalg_cholesky_ex(definite(x), true)); }), {real(s33)}},
      Row{"cholesky_solve", [](const Operands& x) { return cholesky_solve(x[1], linalg_cholesky(definite(x[0]))); }, {real(s33), real(s32)}, kComposed}.wrong<ShapeError>("cholesky_solve: ", [](const Operands& x) { cholesky_solve(mT(x[1]), x[0]); }),
      {"cholesky_inverse", on([](const Tensor& x) { return cholesky_inverse(linalg_cholesky(definite(x), true), true); }), {real(s33)}, kComposed},
      Row{"linalg_lu_factor", on([](const Tensor& x) { return std::get<0>(linalg_lu_factor(regular(x))); }), {real(s233)}, 0, empties}.wrong<ValueError>("linalg_lu_factor: pivot must be true", [](const Tensor& x) { linalg_lu_factor(x, false); }).wrong<ShapeError>("linalg_lu_factor: ", [](const Tensor& x) { linalg_lu_factor(x[0][0]); }),
      {"linalg_lu", on([](const Tensor& x) { const auto [P, L, U] = linalg_lu(x); return joined({L, U, matmul(P, L)}); }), {real({4, 2})}, kComposed | kNoTies, {{{2, 4}}, {{0, 2}}}},
      Row{"lu_unpack", on([](const Tensor& x) { const auto [lu, pivots] = linalg_lu_factor(regular(x)); const auto [P, L, U] = lu_unpack(lu, pivots); return matmul(square(L), U); }), {real(s33)}, kComposed}.wrong<DTypeError>("lu_unpack: pivots must be int32", [](const Tensor& x) { lu_unpack(x, x); }),
      Row{"linalg_lu_solve", [](const Operands& x) { const auto [lu, pivots] = linalg_lu_factor(regular(x[0])); return linalg_lu_solve(lu, pivots, x[1]) + linalg_lu_solve(lu, pivots, mT(x[1]), false).transpose(0, 1) + linalg_lu_solve(lu, pivots, x[1], true, true); }, {real(s33), real(s32)}, kComposed}.wrong<ShapeError>("linalg_lu_solve: ", [](const Operands& x) { linalg_lu_solve(x[1], x[1], x[1]); }),
      Row{"linalg_qr", on([](const Tensor& x) { const auto [Q, R] = linalg_qr(x); return joined({square(Q), square(R)}); }), {real(s32)}, kNoTies, {{{2, 3, 2}}, {{2, 3}}, {{0, 2}}, {{0, 3, 2}}}}.wrong<ValueError>("linalg_qr: mode must be", [](const Tensor& x) { linalg_qr(x, "thin"); }),
      {"linalg_qr", on([](const Tensor& x) { return square(std::get<0>(linalg_qr(x, "complete"))); }), {real(s23)}, kNoTies},
      {"linalg_qr", on([](const Tensor& x) { return square(std::get<1>(linalg_qr(x, "r"))); }), {real(s32)}, kNoTies},
      Row{"linalg_eigh", on([](const Tensor& x) { const auto [w, V] = linalg_eigh(symmetric(x)); return joined({w, square(V)}); }), {real(s233)}, kNoTies, empties}.wrong<ValueError>("linalg_eigh: UPLO must be", [](const Tensor& x) { linalg_eigh(x, "both"); }).wrong<ValueError>("linalg_eigh: the matrix must be finite: it holds NaN or infinity (batch index [0])", [](const Tensor& x) { linalg_eigh(x * INFINITY); }).wrong<ShapeError>("linalg_eigh: ", [](const Tensor& x) { linalg_eigh(x.slice(1, 1)); }),
      {"linalg_eigh", on([](const Tensor& x) { return square(std::get<1>(linalg_eigh(symmetric(x), "U"))); }), {real(s33)}, kNoTies},
      {"linalg_eigvalsh", on([](const Tensor& x) { return linalg_eigvalsh(symmetric(x)); }), {real(s33)}, kComposed | kNoTies},
      Row{"linalg_svd", on([](const Tensor& x) { const auto [U, S, Vh] = linalg_svd(x, false); return joined({square(U), S, square(Vh)}); }), {real(s32)}, kNoTies, {{{2, 2, 3}}, {{0, 2}}, {{0, 3, 2}}}}.wrong<ValueError>("linalg_svd: the matrix must be finite", [](const Tensor& x) { linalg_svd(x * NAN); }).wrong<ValueError>("linalg_svd: driver must be", [](const Tensor& x) { linalg_svd(x, true, "fast"); }),
      {"linalg_svd", on([](const Tensor& x) { return square(std::get<0>(linalg_svd(x))).slice(-1, 0, 2); }), {real(s32)}, kNoTies},
      {"linalg_svd", on([](const Tensor& x) { return square(std::get<2>(linalg_svd(x, false))); }), {real(s23)}, kNoTies},
      {"svd", on([](const Tensor& x) { const auto [U, S, V] = x.svd(); return joined({square(U), S, square(V)}); }), {real(s23)}, kComposed | kNoTies},
      {"linalg_svdvals", on([](const Tensor& x) { return linalg_svdvals(x); }), {real(s32)}, kComposed | kNoTies},
      Row{"linalg_solve", [](const Operands& x) { return linalg_solve(regular(x[0]), x[1]); }, {real(s233), real({2, 3, 2})}, 0, {{{3, 3}, {2, 3, 1}}, {{2, 3, 3}, {3}}, {{2, 3, 3}, {2, 3}}, {{0, 0}, {0, 2}}, {{0, 2, 2}, {2, 1}}}}.wrong<ShapeError>("linalg_solve: the right side must have the matrix's size 3: [2, 3, 3] and [2, 2, 2]", [](const Operands& x) { linalg_solve(x[0], x[1].slice(1, 1)); }).wrong<ValueError>("linalg_solve: the matrix must be invertible: U is 0 on its diagonal at place 1 (batch index [0])", [](const Operands& x) { linalg_solve(x[0] * 0, x[1]); }).wrong<DTypeError>("linalg_solve: ", [](const Operands& x) { linalg_solve(x[0], x[1].to(kFloat)); }),
      {"linalg_solve", [](const Operands& x) { return std::get<0>(linalg_solve_ex(regular(x[0]), x[1], false)); }, {real(s33), real(s23)}},
      Row{"linalg_solve_triangular", [](const Operands& x) { return linalg_solve_triangular(regular(x[0]), x[1], true); }, {real(s233), real({2, 3, 2})}, 0, {{{3, 3}, {2, 3, 1}}, {{0, 0}, {0, 2}}}}.wrong<ShapeError>("linalg_solve_triangular: ", [](const Operands& x) { linalg_solve_triangular(x[0], mT(x[1]), true); }),
      {"linalg_solve_triangular", [](const Operands& x) { return linalg_solve_triangular(x[0], x[1], false, false, true); }, {real(s33), real(s23)}},
      Row{"linalg_inv", on([](const Tensor& x) { return linalg_inv(regular(x)); }), {real(s233)}, 0, empties}.wrong<ValueError>("linalg_inv: the matrix must be invertible", [](const Tensor& x) { linalg_inv(x * 0); }).wrong<ShapeError>("linalg_inv: ", [](const Tensor& x) { linalg_inv(x.slice(1, 1)); }),
      {"inverse", on([](const Tensor& x) { return regular(x).inverse(); }), {real(s33)}, kComposed},
      Row{"linalg_det", on([](const Tensor& x) { return linalg_det(regular(x)); }), {real(s233)}, 0, {{{0, 2, 2}}}}.wrong<ShapeError>("linalg_det: ", [](const Tensor& x) { linalg_det(x.slice(1, 1)); }),
      {"det", on([](const Tensor& x) { return regular(x).det(); }), {real(s33)}, kComposed},
      Row{"linalg_cofactor", on([](const Tensor& x) { return linalg_cofactor(regular(x)); }), {real(s33)}, 0, empties}.wrong<ShapeError>("linalg_cofactor: ", [](const Tensor& x) { linalg_cofactor(x.slice(1, 1)); }),
      Row{"linalg_slogdet", on([](const Tensor& x) { return std::get<1>(linalg_slogdet(regular(x))); }), {real(s233)}, 0, {{{0, 2, 2}}}}.wrong<ShapeError>("linalg_slogdet: ", [](const Tensor& x) { linalg_slogdet(x.slice(1, 1)); }),
      {"logdet", on([](const Tensor& x) { return logdet(regular(x)); }), {real(s33)}, kComposed},
      {"slogdet", on([](const Tensor& x) { return std::get<1>(regular(x).slogdet()); }), {real(s33)}, kComposed},
      Row{"linalg_pinv", on([](const Tensor& x) { return linalg_pinv(x); }), {real(s32)}, kNoTies, {{{2, 2, 3}}, {{0, 2}}}}.wrong<ValueError>("linalg_pinv: the matrix must be finite", [](const Tensor& x) { linalg_pinv(x * NAN); }),
      {"linalg_pinv", on([](const Tensor& x) { return linalg_pinv(matmul(x, mT(x)), 1e-8, true); }), {real(s32)}, kNoTies},
      Row{"linalg_lstsq", [](const Operands& x) { const auto [X, residuals, rank, values] = linalg_lstsq(x[0], x[1]); return joined({X, residuals}); }, {real({4, 2}), real({4, 2})}, kNoTies, {{{2, 3, 2}, {3, 1}}, {{2, 3}, {2, 2}}, {{4, 2}, {4}}}}.wrong<ShapeError>("linalg_lstsq: both sides must have as many rows", [](const Operands& x) { linalg_lstsq(x[0], x[1].slice(0, 1)); }).wrong<ValueError>("linalg_lstsq: driver must be", [](const Operands& x) { linalg_lstsq(x[0], x[1], {}, "best"); }).wrong<ValueError>("linalg_lstsq: the matrix must be finite", [](const Operands& x) { linalg_lstsq(x[0] * NAN, x[1]); }),
      {"linalg_cond", on([](const Tensor& x) { return joined({linalg_cond(regular(x)), linalg_cond(regular(x), 1), linalg_cond(regular(x), "fro")}); }), {real(s33)}, kComposed | kNoTies},
      Row{"linalg_vector_norm", on([](const Tensor& x) { return linalg_vector_norm(x, 3, {0, 1}); }), {real(s233)}, kComposed}.wrong<IndexError>("linalg_vector_norm: ", [](const Tensor& x) { linalg_vector_norm(x, 2, 7); }),
      Row{"linalg_matrix_norm", on([](const Tensor& x) { return joined({linalg_matrix_norm(x), linalg_matrix_norm(x, "nuc"), linalg_matrix_norm(x, 2), linalg_matrix_norm(x, 1, {0, 2}, true), linalg_matrix_norm(x, -INFINITY)}); }), {real({2, 3, 2})}, kComposed | kNoTies}.wrong<ValueError>("linalg_matrix_norm: the order must be", [](const Tensor& x) { linalg_matrix_norm(x, 3); }).wrong<ValueError>("linalg_matrix_norm: dim must name two different dimensions", [](const Tensor& x) { linalg_matrix_norm(x, 1, {1, -2}); }),
      Row{"linalg_norm", on([](const Tensor& x) { return joined({linalg_norm(x), linalg_norm(x, 2, 0), linalg_norm(x, "fro", {0, 1})}); }), {real(s23)}, kComposed}.wrong<ShapeError>("linalg_norm: ", [](const Tensor& x) { linalg_norm(x.unsqueeze(0), 2); }),
      {"nuclear_norm", on([](const Tensor& x) { return joined({nuclear_norm(x), nuclear_norm(x, {0, 1})}); }), {real({2, 3, 2})}, kComposed | kNoTies},
      Row{"linalg_matrix_exp", on([](const Tensor& x) { return linalg_matrix_exp(x); }), {real({2, 2, 2})}, 0, empties}.wrong<ShapeError>("linalg_matrix_exp: ", [](const Tensor& x) { linalg_matrix_exp(x.slice(1, 1)); }),
      {"linalg_matrix_exp", on([](const Tensor& x) { return x.matrix_exp(); }), {real({2, 2}, -9, 9)}, 0},
      Row{"linalg_matrix_power", on([](const Tensor& x) { return joined({linalg_matrix_power(x, 3), regular(x).matrix_power(-2)}); }), {real({2, 2, 2})}, kComposed}.wrong<ShapeError>("linalg_matrix_power: ", [](const Tensor& x) { linalg_matrix_power(x.slice(1, 1), 2); }),
      Row{"linalg_multi_dot", [](const Operands& x) { return linalg_multi_dot({x[0], x[1], x[2]}); }, {real({3}), real({3, 4}), real({4, 2})}, kComposed, {{{2, 3}, {3, 1}, {1}}}}.wrong<ShapeError>("linalg_multi_dot: inner sizes differ", [](const Operands& x) { linalg_multi_dot({x[1], x[1]}); }).wrong<ValueError>("linalg_multi_dot: ", [](const Operands& x) { linalg_multi_dot({x[1]}); }),
      {"linalg_vecdot", [](const Operands& x) { return linalg_vecdot(x[0], x[1], 0); }, {real(s32), real({3, 1})}, kComposed},
      Row{"linalg_cross", [](const Operands& x) { return linalg_cross(x[0], x[1], 0); }, {real(s32), real({3, 1})}, kComposed}.wrong<ShapeError>("linalg_cross: ", [](const Operands& x) { linalg_cross(x[0], x[1], 1); }),
      {"linalg_diagonal", on([](const Tensor& x) { return square(linalg_diagonal(x, 1)); }), {real(s233)}, kComposed},
  };
}
// clang-format on

}  // namespace gradus::test
