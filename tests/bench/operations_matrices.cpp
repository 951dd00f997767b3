#include "operation.h"

namespace bench {

using torch::Tensor;

// clang-format off
std::vector<Row> matrix_operations() {
  return {
      {"mm", "ls", [](const In& x) { return torch::mm(x.l, x.s.t()); }},
      {"bmm", "mo", [](const In& x) { return torch::bmm(x.m, x.o); }},
      {"matmul", "mo", [](const In& x) { return torch::matmul(x.m, x.o); }},
      {"mv", "ar", [](const In& x) { return torch::mv(x.a, x.r); }},
      {"dot", "vw", [](const In& x) { return torch::dot(x.v, x.w); }},
      {"outer", "rk", [](const In& x) { return torch::outer(x.r, x.k.squeeze(1)); }},
      {"addmm", "als", [](const In& x) { return torch::addmm(x.a, x.l, x.s.t()); }},
      {"addmv", "ar", [](const In& x) { return torch::addmv(x.r, x.a, x.r); }},
      {"addr", "ark", [](const In& x) { return torch::addr(x.a, x.r, x.k.squeeze(1)); }},
      {"baddbmm", "mod", [](const In& x) { return torch::baddbmm(x.m, x.o, x.d); }},
      {"addbmm", "mo", [](const In& x) { return torch::addbmm(x.m[0], x.m, x.o); }},
      {"tensordot", "ls", [](const In& x) { return torch::tensordot(x.l, x.s, {1}, {1}); }},
      {"einsum product", "mo", [](const In& x) { return torch::einsum("bij,bjk->bik", {x.m, x.o}); }},
      {"einsum sum", "mo", [](const In& x) { return torch::einsum("bij,bij->b", {x.m, x.o}); }},
      {"einsum outer", "rk", [](const In& x) { return torch::einsum("i,j->ij", {x.r, x.k.squeeze(1)}); }},
      {"kron", "lr", [](const In& x) { return torch::kron(x.l.slice(0, 0, 16), x.r); }},
      {"kron of matrices", "", [](const In& x) { return torch::kron(x.l.slice(0, 0, 4).slice(1, 0, 4), x.l.slice(0, 0, 976)); }},
      {"cross", "lm", [](const In& x) { return torch::linalg_cross(x.a.slice(1, 0, 3), x.b.slice(1, 0, 3)); }},
      {"trace", "a", [](const In& x) { return torch::trace(x.a); }},
      {"chain_matmul", "mo", [](const In& x) { return torch::linalg_multi_dot({x.m[0], x.o[0], x.d[0]}); }},
      {"linalg_vecdot", "ab", [](const In& x) { return torch::linalg_vecdot(x.a, x.b); }},
      {"matrix_power", "d", [](const In& x) { return torch::matrix_power(x.d, 5); }},
      {"matrix_exp", "m", [](const In& x) { return torch::matrix_exp(x.m); }},
      {"linalg_cholesky", "d", [](const In& x) { return torch::linalg_cholesky(x.d); }},
      {"cholesky_solve", "dm", [](const In& x) { return torch::cholesky_solve(x.m, x.d); }},
      {"linalg_solve", "dm", [](const In& x) { return torch::linalg_solve(x.d, x.m); }},
      {"linalg_solve_triangular", "dm", [](const In& x) { return torch::linalg_solve_triangular(x.d, x.m, false); }},
      {"linalg_inv", "d", [](const In& x) { return torch::linalg_inv(x.d); }},
      {"linalg_det", "d", [](const In& x) { return torch::linalg_det(x.d); }},
      {"linalg_slogdet", "d", [](const In& x) { return std::get<1>(torch::linalg_slogdet(x.d)); }},
      {"linalg_lu_factor", "", [](const In& x) { return std::get<0>(torch::linalg_lu_factor(x.d)); }},
      {"linalg_qr", "d", [](const In& x) { return std::get<0>(torch::linalg_qr(x.d)); }},
      {"linalg_eigh", "d", [](const In& x) { return std::get<0>(torch::linalg_eigh(x.d)); }},
      {"linalg_eigvalsh", "d", [](const In& x) { return torch::linalg_eigvalsh(x.d); }},
      {"linalg_svd", "d", [](const In& x) { return std::get<1>(torch::linalg_svd(x.d, false)); }},
      {"linalg_svdvals", "d", [](const In& x) { return torch::linalg_svdvals(x.d); }},
      {"linalg_pinv", "d", [](const In& x) { return torch::linalg_pinv(x.d); }},
      {"linalg_lstsq", "", [](const In& x) { return std::get<0>(torch::linalg_lstsq(x.d, x.m)); }},
      {"linalg_matrix_rank", "", [](const In& x) { return torch::linalg_matrix_rank(x.d); }},
  };
}
// clang-format on

}  // namespace bench
