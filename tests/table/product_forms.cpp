// Products made of others.
#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

namespace {

Call sum_of(const char* equation) {
  return [equation](const Operands& x) { return einsum(equation, x); };
}

}  // namespace

// clang-format off
std::vector<Row> product_form_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s34 = {3, 4};
  return {
      Row{"addmm", [](const Operands& x) { return addmm(x[0], x[1], x[2], 0.5, -1.5); }, {real({2, 4}), real(s23), real(s34)}}.in_place([](const Tensor& y, const Operands& x) { y.addmm_(x[1], x[2], 0.5, -1.5); }),
      Row{"addmv", [](const Operands& x) { return x[0].addmv(x[1], x[2], 0.5, -1.5); }, {real({2}), real(s23), real({3})}, kComposed, {{{}, {2, 3}, {3}}, {{1}, {2, 3}, {3}}, {{2}, {2, 0}, {0}}}}.in_place([](const Tensor& y, const Operands& x) { y.addmv_(x[1], x[2], 0.5, -1.5); }).wrong<ShapeError>("addmv: ", [](const Operands& x) { addmv(x[2], x[1], x[2]); }).wrong<ShapeError>("addmv: ", [](const Operands& x) { addmv(x[0], x[2], x[2]); }).wrong<ShapeError>("addmv: ", [](const Operands& x) { addmv(x[0], x[1], x[0]); }),
      Row{"addr", [](const Operands& x) { return x[0].addr(x[1], x[2], 0.5, -1.5); }, {real(s23), real({2}), real({3})}, kComposed, {{{3}, {2}, {3}}, {{}, {2}, {0}}}}.in_place([](const Tensor& y, const Operands& x) { y.addr_(x[1], x[2], 0.5, -1.5); }).wrong<ShapeError>("addr: ", [](const Operands& x) { addr(x[0], x[2], x[1]); }),
      Row{"baddbmm", [](const Operands& x) { return x[0].baddbmm(x[1], x[2], 0.5, -1.5); }, {real({2, 2, 2}), real({2, 2, 3}), real({2, 3, 2})}, kComposed, {{{2}, {2, 2, 3}, {2, 3, 2}}}}.in_place([](const Tensor& y, const Operands& x) { y.baddbmm_(x[1], x[2], 0.5, -1.5); }).wrong<ShapeError>("baddbmm: ", [](const Operands& x) { baddbmm(x[1], x[1], x[2]); }).wrong<ShapeError>("baddbmm: ", [](const Operands& x) { baddbmm(x[0], x[1], x[1]); }),
      Row{"addbmm", [](const Operands& x) { return x[0].addbmm(x[1], x[2], 0.5, -1.5); }, {real({2, 2}), real({2, 2, 3}), real({2, 3, 2})}, kComposed, {{{2}, {0, 2, 3}, {0, 3, 2}}}}.in_place([](const Tensor& y, const Operands& x) { y.addbmm_(x[1], x[2], 0.5, -1.5); }).wrong<ShapeError>("addbmm: ", [](const Operands& x) { addbmm(x[1], x[1], x[2]); }).wrong<ShapeError>("addbmm: ", [](const Operands& x) { addbmm(x[0], x[1], x[2].narrow(0, 0, 1)); }),
      Row{"ger", [](const Operands& x) { return x[0].ger(x[1]) + x[0].outer(x[1]); }, {real({3}), real({2})}, kComposed}.wrong<ShapeError>("ger: ", [](const Operands& x) { ger(x[0], x[1][0]); }),
      Row{"vdot", [](const Operands& x) { return x[0].vdot(x[1]); }, {real({3}), real({3})}, kComposed}.wrong<ShapeError>("vdot: ", [](const Operands& x) { vdot(x[0], x[1][0]); }),
      Row{"inner", [](const Operands& x) { return x[0].inner(x[1]); }, {real({2, 3}), real({2, 1, 3})}, kComposed, {{{3}, {3}}, {{}, {2}}, {{2, 0}, {0}}}}.wrong<ShapeError>("inner: ", [](const Operands& x) { inner(x[0], x[1][0].t()); }),
      Row{"tensordot", [](const Operands& x) { return tensordot(x[0], x[1], {2, 0}, {0, 1}); }, {real({2, 3, 2}), real({2, 2, 3})}, kComposed, {{{2, 1, 1}, {3, 2, 2}}, {{0, 2, 2}, {2, 0, 1}}}}.wrong<ShapeError>("tensordot: ", [](const Operands& x) { tensordot(x[0], x[1], 1, 0); }).wrong<ValueError>("tensordot: ", [](const Operands& x) { tensordot(x[0], x[1], {0, 0}, {0, 1}); }).wrong<ValueError>("tensordot: ", [](const Operands& x) { tensordot(x[0], x[1], {0, 1}, 0); }).wrong<DTypeError>("tensordot: ", [](const Operands& x) { tensordot(x[0], x[1].to(kFloat32), 0, 0); }),
      {"tensordot", [](const Operands& x) { return tensordot(x[0], x[1], {}, {}); }, {real({2}), real({1, 2})}, kComposed},
      Row{"kron", [](const Operands& x) { return x[0].kron(x[1]); }, {real({2, 1}), real({3})}, kComposed, {{{}, {2}}, {{2, 0}, {2, 2}}}}.wrong<ShapeError>("kron: ", [](const Operands& x) { kron(x[0].view({1, 1, 1, 1, 2}), x[1]); }),
      Row{"cross", [](const Operands& x) { return x[0].cross(x[1]); }, {real({3, 2}), real({3, 2})}, kComposed, {{{3, 2}, {3, 1}}, {{2, 3}, {2, 3}}}}.wrong<ShapeError>("cross: ", [](const Operands& x) { cross(x[0], x[1], 1); }).wrong<ShapeError>("cross: ", [](const Operands& x) { cross(x[0], x[1][0]); }),
      {"cross", [](const Operands& x) { return x[0].cross(x[1], -1); }, {real({2, 3}), real({1, 3})}, kComposed},
      Row{"einsum", sum_of("ij,jk->ik"), {real(s23), real(s34)}, kComposed, {{{2, 0}, {0, 3}}, {{2, 1}, {3, 2}}}}.wrong<ValueError>("einsum: ", [](const Operands& x) { einsum("ij,jk,k->i", {x[0], x[1]}); }).wrong<ShapeError>("einsum: ", [](const Operands& x) { einsum("ij,ji->i", {x[0], x[1]}); }).wrong<ShapeError>("einsum: ", [](const Operands& x) { einsum("ijk,jk", {x[0], x[1]}); }).wrong<ValueError>("einsum: ", [](const Operands& x) { einsum("ij,jk->il", {x[0], x[1]}); }).wrong<ValueError>("einsum: ", [](const Operands& x) { einsum("ij,jk->ii", {x[0], x[1]}); }).wrong<ValueError>("einsum: ", [](const Operands& x) { einsum("i1,jk", {x[0], x[1]}); }).wrong<ShapeError>("einsum: ", [](const Operands& x) { einsum("ii,jk", {x[0], x[1]}); }).wrong<DTypeError>("einsum: ", [](const Operands& x) { einsum("ij,jk", {x[0], x[1].to(kFloat32)}); }),
      {"einsum", sum_of("ij"), {real(s23)}, kLinear | kComposed},
      {"einsum", sum_of("ba"), {real(s23)}, kLinear | kComposed},
      {"einsum", sum_of("iji -> j"), {real({2, 3, 2})}, kLinear | kComposed},
      {"einsum", sum_of("ij->"), {real(s23)}, kLinear | kComposed, {{{0, 2}}}},
      {"einsum", sum_of("bij,bjk->bik"), {real({2, 2, 3}), real({2, 3, 2})}, kComposed, {{{1, 2, 3}, {2, 3, 1}}}},
      {"einsum", sum_of("...ij,...jk->...ik"), {real({2, 1, 2, 2}), real({2, 2, 3})}, kComposed, {{{2, 2}, {3, 2, 1}}}},
      {"einsum", sum_of("i...,j"), {real({2, 3}), real({2})}, kComposed, {{{2}, {3}}}},
      {"einsum", sum_of("bn,anm,bm->ba"), {real({2, 2}), real({3, 2, 2}), real({2, 2})}, kComposed},
      {"einsum", sum_of("i,i,ij"), {real({2}), real({2}), real({2, 3})}, kComposed},
      Row{"vander", on([](const Tensor& x) { return vander(x) + vander(x, 3, true); }), {real({3})}, kComposed}.wrong<ShapeError>("vander: ", [](const Tensor& x) { vander(x.unsqueeze(0)); }).wrong<ValueError>("vander: ", [](const Tensor& x) { vander(x, -1); }),
  };
}
// clang-format on

}  // namespace gradus::test
