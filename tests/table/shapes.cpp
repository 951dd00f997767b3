// Shapes in other forms, and tensors that become another view of themselves.
#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

namespace {

// What becomes of a copy.
template <class F>
Call becomes(F f) {
  return [f](const Operands& x) {
    const Tensor y = x[0].clone();
    f(y);
    return y;
  };
}
Tensor scalar(std::int64_t value) { return full({}, value, kInt64); }

}  // namespace

// clang-format off
std::vector<Row> shape_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s234 = {2, 3, 4}, s34 = {3, 4};
  return {
      Row{"broadcast_to", on([](const Tensor& x) { return x.broadcast_to({2, 3, 4}); }), {real({3, 1})}, kLinear | kComposed, {{{}}, {{1, 4}}}}.wrong<ShapeError>("broadcast_to: ", [](const Tensor& x) { x.broadcast_to({4, 1}); }),
      Row{"broadcast_tensors", [](const Operands& x) { const auto all = broadcast_tensors({x[0], x[1]}); return all[0] * all[1]; }, {real({3, 1}), real({4})}, kComposed, {{{}, {2, 1}}, {{0, 1}, {3}}}}.wrong<ShapeError>("broadcast_tensors: ", [](const Operands& x) { broadcast_tensors({x[0], x[1].narrow(0, 0, 2), x[1]}); }),
      Row{"movedim", on([](const Tensor& x) { return x.movedim({0, -1}, {1, 0}); }), {real(s234)}, kLinear | kComposed, {{{0, 2, 1}}}}.wrong<ValueError>("movedim: ", [](const Tensor& x) { x.movedim({0, 0}, {1, 2}); }).wrong<ValueError>("movedim: ", [](const Tensor& x) { x.movedim({0, 1}, {1}); }),
      Row{"moveaxis", on([](const Tensor& x) { return x.moveaxis(0, -1); }), {real(s234)}, kLinear | kComposed}.wrong<IndexError>("moveaxis: ", [](const Tensor& x) { x.moveaxis(3, 0); }),
      Row{"swapaxes", on([](const Tensor& x) { return x.swapaxes(0, -1); }), {real(s234)}, kLinear | kComposed}.wrong<IndexError>("swapaxes: ", [](const Tensor& x) { x.swapaxes(3, 0); }),
      Row{"swapdims", on([](const Tensor& x) { return x.swapdims(1, 2); }), {real(s234)}, kLinear | kComposed}.wrong<IndexError>("swapdims: ", [](const Tensor& x) { x.swapdims(3, 0); }),
      Row{"adjoint", on([](const Tensor& x) { return x.mT() + adjoint(x) + x.mH(); }), {real(s234)}, kLinear | kComposed}.wrong<ShapeError>("adjoint: ", [](const Tensor& x) { x[0][0].mT(); }),
      Row{"unflatten", on([](const Tensor& x) { return x.unflatten(1, {3, -1}); }), {real({2, 6})}, kLinear | kComposed, {{{0, 3}}}}.wrong<ShapeError>("unflatten: ", [](const Tensor& x) { x.unflatten(1, {4, -1}); }).wrong<ShapeError>("unflatten: ", [](const Tensor& x) { x.unflatten(1, {2, 2}); }),
      Row{"unfold", on([](const Tensor& x) { return x.unfold(1, 3, 2); }), {real({2, 6})}, kLinear | kComposed, {{{3, 3}}, {{0, 4}}}}.wrong<ValueError>("unfold: ", [](const Tensor& x) { x.unfold(1, 7, 1); }).wrong<ValueError>("unfold: ", [](const Tensor& x) { x.unfold(1, 2, 0); }),
      Row{"narrow", on([](const Tensor& x) { return x.narrow(1, scalar(1), 2); }), {real(s234)}, kLinear | kComposed}.wrong<IndexError>("narrow: ", [](const Tensor& x) { x.narrow(1, scalar(2), 2); }).wrong<DTypeError>("narrow: ", [](const Tensor& x) { x.narrow(1, x, 1); }),
      Row{"split", on([](const Tensor& x) { return x.split({1, 2}, 1)[1]; }), {real(s234)}, kLinear | kComposed}.wrong<ValueError>("split: ", [](const Tensor& x) { x.split({1, 1}, 1); }),
      Row{"split_with_sizes", on([](const Tensor& x) { return x.split_with_sizes({0, 3, 1}, -1)[1]; }), {real(s234)}, kLinear | kComposed}.wrong<ValueError>("split_with_sizes: ", [](const Tensor& x) { x.split_with_sizes({-1, 5}, -1); }),
      Row{"tensor_split", on([](const Tensor& x) { return x.tensor_split(3, -1)[0]; }), {real(s234)}, kLinear | kComposed, {{{2, 1}}}}.wrong<ValueError>("tensor_split: ", [](const Tensor& x) { x.tensor_split(0); }),
      Row{"tensor_split", on([](const Tensor& x) { return x.tensor_split({1, 3}, -1)[1] + x.tensor_split(tensor({1, -1}), 2)[1]; }), {real(s234)}, kLinear | kComposed}.wrong<IndexError>("tensor_split: ", [](const Tensor& x) { x.tensor_split({1, 2}, 3); }),
      Row{"hsplit", on([](const Tensor& x) { return x.hsplit(2)[1] + x.hsplit({1, 3})[1]; }), {real({2, 4})}, kLinear | kComposed, {{{4}}, {{0, 4}}, {{1, 4, 2}}}}.wrong<ValueError>("hsplit: ", [](const Tensor& x) { x.hsplit(3); }).wrong<ShapeError>("hsplit: ", [](const Tensor& x) { x[0][0].hsplit(1); }),
      Row{"vsplit", on([](const Tensor& x) { return x.vsplit(2)[1] + x.vsplit({1, 2})[0]; }), {real(s23)}, kLinear | kComposed, {{{2, 0}}, {{2, 1, 2}}}}.wrong<ValueError>("vsplit: ", [](const Tensor& x) { x.vsplit(0); }).wrong<ShapeError>("vsplit: ", [](const Tensor& x) { x[0].vsplit(1); }),
      Row{"dsplit", on([](const Tensor& x) { return x.dsplit(2)[1] + x.dsplit({1, 3})[1]; }), {real(s234)}, kLinear | kComposed, {{{0, 2, 4}}}}.wrong<ValueError>("dsplit: ", [](const Tensor& x) { x.dsplit(3); }).wrong<ShapeError>("dsplit: ", [](const Tensor& x) { x[0].dsplit(1); }),
      {"atleast_1d", on([](const Tensor& x) { return atleast_1d(x) + atleast_1d({x, x})[1]; }), {real({})}, kLinear | kComposed, {{{3}}, {{2, 3}}}},
      {"atleast_2d", on([](const Tensor& x) { return atleast_2d(x) * 2; }), {real({3})}, kLinear | kComposed, {{{}}, {{2, 3}}}},
      {"atleast_3d", on([](const Tensor& x) { return atleast_3d(x) * 2; }), {real({3})}, kLinear | kComposed, {{{}}, {{2, 3}}, {{2, 0, 3, 1}}}},
      Row{"meshgrid", [](const Operands& x) { const auto g = meshgrid({x[0], x[1]}); return g[0] * g[1]; }, {real({3}), real({2})}, kComposed, {{{}, {2}}, {{0}, {2}}}}.wrong<ValueError>("meshgrid: ", [](const Operands& x) { meshgrid({x[0], x[1]}, "yx"); }).wrong<ShapeError>("meshgrid: ", [](const Operands& x) { meshgrid({x[0], x[1].unsqueeze(0)}); }),
      {"meshgrid", [](const Operands& x) { const auto g = meshgrid({x[0], x[1]}, "xy"); return g[0] * g[1]; }, {real({3}), real({2})}, kComposed},
      {"ravel", on([](const Tensor& x) { return x.ravel() * 2; }), {real(s234)}, kLinear | kComposed, {{{}}, {{0, 2}}}},
      Row{"channel_shuffle", on([](const Tensor& x) { return channel_shuffle(x, 2); }), {real({1, 4, 2})}, kLinear | kComposed}.wrong<ValueError>("channel_shuffle: ", [](const Tensor& x) { channel_shuffle(x, 3); }).wrong<ShapeError>("channel_shuffle: ", [](const Tensor& x) { channel_shuffle(x[0], 2); }),
      Row{"pixel_shuffle", on([](const Tensor& x) { return pixel_shuffle(x, 2); }), {real({1, 4, 2, 3})}, kLinear | kComposed, {{{8, 1, 2}}, {{0, 4, 1, 1}}}}.wrong<ShapeError>("pixel_shuffle: ", [](const Tensor& x) { pixel_shuffle(x, 3); }).wrong<ValueError>("pixel_shuffle: ", [](const Tensor& x) { pixel_shuffle(x, 0); }),
      Row{"pixel_unshuffle", on([](const Tensor& x) { return pixel_unshuffle(x, 2); }), {real({1, 2, 4})}, kLinear | kComposed, {{{1, 2, 2, 2}}}}.wrong<ShapeError>("pixel_unshuffle: ", [](const Tensor& x) { pixel_unshuffle(x, 3); }),
      Row{"hstack", [](const Operands& x) { return hstack({x[0], x[1]}); }, {real({2, 1}), real(s23)}, kLinear | kComposed, {{{}, {3}}}}.wrong<ShapeError>("hstack: ", [](const Operands& x) { hstack({x[0], x[1].t()}); }).wrong<ValueError>("hstack: ", [](const Operands&) { hstack(std::vector<Tensor>()); }),
      Row{"vstack", [](const Operands& x) { return vstack({x[0], x[1]}); }, {real({3}), real(s23)}, kLinear | kComposed}.wrong<ShapeError>("vstack: ", [](const Operands& x) { vstack({x[0], x[1].t()}); }),
      Row{"dstack", [](const Operands& x) { return dstack({x[0], x[1]}); }, {real({3}), real({1, 3, 2})}, kLinear | kComposed}.wrong<ShapeError>("dstack: ", [](const Operands& x) { dstack({x[0], x[1][0]}); }),
      Row{"column_stack", [](const Operands& x) { return column_stack({x[0], x[1]}); }, {real({2}), real(s23)}, kLinear | kComposed, {{{}, {}}, {{0}, {0, 2}}, {{2, 1, 3}, {2, 2, 3}}}}.wrong<ShapeError>("column_stack: ", [](const Operands& x) { column_stack({x[0], x[1].t()}); }).wrong<ValueError>("column_stack: ", [](const Operands&) { column_stack(std::vector<Tensor>()); }),
      Row{"concat", [](const Operands& x) { return concat({x[0], x[1]}, 1); }, {real({2, 1}), real(s23)}, kLinear | kComposed}.wrong<ShapeError>("concat: ", [](const Operands& x) { concat({x[0], x[1]}); }),
      Row{"concatenate", [](const Operands& x) { return concatenate({x[0], x[1]}, -1); }, {real({2, 1}), real(s23)}, kLinear | kComposed}.wrong<ShapeError>("concatenate: ", [](const Operands& x) { concatenate({x[0], x[1]}); }),
      Row{"roll", on([](const Tensor& x) { return x.roll({1, -5}, {0, -1}); }), {real(s23)}, kLinear, {{{0, 2}}}}.wrong<ValueError>("roll: ", [](const Tensor& x) { x.roll({1, 2}, 0); }).wrong<IndexError>("roll: ", [](const Tensor& x) { x.roll(1, 2); }),
      {"roll", on([](const Tensor& x) { return x.roll(2); }), {real(s23)}, kLinear | kComposed, {{{}}, {{0}}}},
      Row{"rot90", on([](const Tensor& x) { return x.rot90(1) + x.rot90(-3); }), {real(s23)}, kLinear | kComposed, {{{0, 2}}}}.wrong<ValueError>("rot90: ", [](const Tensor& x) { x.rot90(1, {0, 0}); }).wrong<ValueError>("rot90: ", [](const Tensor& x) { x.rot90(1, 0); }),
      {"rot90", on([](const Tensor& x) { return x.rot90(2, {2, 0}); }), {real(s234)}, kLinear | kComposed},
      {"rot90", on([](const Tensor& x) { return x.rot90(3, {0, 2}); }), {real(s234)}, kLinear | kComposed},
      Row{"fliplr", on([](const Tensor& x) { return x.fliplr(); }), {real(s23)}, kLinear | kComposed}.wrong<ShapeError>("fliplr: ", [](const Tensor& x) { x[0].fliplr(); }),
      Row{"flipud", on([](const Tensor& x) { return x.flipud(); }), {real(s23)}, kLinear | kComposed, {{{3}}}}.wrong<ShapeError>("flipud: ", [](const Tensor& x) { x[0][0].flipud(); }),
      Row{"tile", on([](const Tensor& x) { return x.tile(2) + x.tile({1, 2}); }), {real(s23)}, kLinear | kComposed, {{{0, 2}}}}.wrong<ValueError>("tile: ", [](const Tensor& x) { x.tile(-1); }),
      Row{"diag", on([](const Tensor& x) { return x.diag(-1); }), {real({3})}, kLinear | kComposed, {{{0}}}}.wrong<ShapeError>("diag: ", [](const Tensor& x) { x[0].diag(); }),
      {"diag", on([](const Tensor& x) { return x.diag(1); }), {real(s34)}, kLinear | kComposed, {{{2, 2}}, {{0, 3}}}},
      {"diagflat", on([](const Tensor& x) { return x.diagflat(1); }), {real({2, 2})}, kLinear | kComposed, {{{}}, {{0}}}},
      Row{"diag_embed", on([](const Tensor& x) { return x.diag_embed(-1, 0, 2); }), {real(s23)}, kLinear | kComposed, {{{0, 2}}, {{2, 0}}}}.wrong<ValueError>("diag_embed: ", [](const Tensor& x) { x.diag_embed(0, 1, 1); }).wrong<ShapeError>("diag_embed: ", [](const Tensor& x) { x[0][0].diag_embed(); }),
      Row{"trace", on([](const Tensor& x) { return x.trace(); }), {real(s34)}, kLinear | kComposed, {{{0, 2}}}}.wrong<ShapeError>("trace: ", [](const Tensor& x) { x[0].trace(); }),
      Row{"combinations", on([](const Tensor& x) { return combinations(x, 2); }), {real({4})}, kLinear | kComposed, {{{1}}, {{0}}}}.wrong<ShapeError>("combinations: ", [](const Tensor& x) { combinations(x.unsqueeze(0)); }).wrong<ValueError>("combinations: ", [](const Tensor& x) { combinations(x, -1); }),
      {"combinations", on([](const Tensor& x) { return combinations(x, 3, true); }), {real({2})}, kLinear | kComposed},
      Row{"cartesian_prod", [](const Operands& x) { return cartesian_prod({x[0], x[1]}); }, {real({2}), real({3})}, kLinear | kComposed, {{{0}, {2}}}}.wrong<ShapeError>("cartesian_prod: ", [](const Operands& x) { cartesian_prod({x[0], x[1][0]}); }),
      Row{"pad", on([](const Tensor& x) { return pad(x, {1, 2}, "constant", 0.5); }), {real(s23)}, kLinear | kComposed}.wrong<ValueError>("pad: ", [](const Tensor& x) { pad(x, {1, 1}, "edge"); }).wrong<ValueError>("pad: ", [](const Tensor& x) { pad(x, {1, 1}, "reflect", 1.); }),
      Row{"pad", on([](const Tensor& x) { return pad(x, {2, 1, 1, 0}, "reflect"); }), {real(s23)}, kLinear | kComposed}.wrong<ValueError>("pad: ", [](const Tensor& x) { pad(x, {3, 0}, "reflect"); }).wrong<ShapeError>("pad: ", [](const Tensor& x) { pad(x, {1}, "reflect"); }),
      Row{"pad", on([](const Tensor& x) { return pad(x, {2, 1}, "circular"); }), {real(s23)}, kLinear | kComposed}.wrong<ValueError>("pad: ", [](const Tensor& x) { pad(x, {4, 0}, "circular"); }),
      Row{"reflection_pad1d", on([](const Tensor& x) { return reflection_pad1d(x, {1, 2}); }), {real(s23)}, kLinear | kComposed}.wrong<ShapeError>("reflection_pad1d: ", [](const Tensor& x) { reflection_pad1d(x[0], {1, 1}); }),
      Row{"reflection_pad2d", on([](const Tensor& x) { return reflection_pad2d(x, {1, 0, 0, 1}); }), {real({1, 2, 2})}, kLinear | kComposed}.wrong<ShapeError>("reflection_pad2d: ", [](const Tensor& x) { reflection_pad2d(x, {1, 1}); }),
      Row{"reflection_pad3d", on([](const Tensor& x) { return reflection_pad3d(x, {1, 0, 0, 1, 0, 0}); }), {real({1, 2, 2, 2})}, kLinear | kComposed}.wrong<ShapeError>("reflection_pad3d: ", [](const Tensor& x) { reflection_pad3d(x, {1, 1}); }),
      Row{"replication_pad1d", on([](const Tensor& x) { return replication_pad1d(x, {1, 3}); }), {real(s23)}, kLinear | kComposed}.wrong<ValueError>("replication_pad1d: ", [](const Tensor& x) { replication_pad1d(x, {-4, 1}); }),
      Row{"replication_pad2d", on([](const Tensor& x) { return replication_pad2d(x, {1, 0, 0, 2}); }), {real({1, 2, 2})}, kLinear | kComposed}.wrong<ShapeError>("replication_pad2d: ", [](const Tensor& x) { replication_pad2d(x, {1, 1}); }),
      Row{"replication_pad3d", on([](const Tensor& x) { return replication_pad3d(x, {1, 0, 0, 1, 2, 0}); }), {real({1, 2, 2, 2})}, kLinear | kComposed}.wrong<ShapeError>("replication_pad3d: ", [](const Tensor& x) { replication_pad3d(x, {1, 1}); }),
      {"sum_to_size", on([](const Tensor& x) { return x.sum_to_size({3, 1}); }), {real(s234)}, kLinear, {{{0, 3, 2}}}},
      Row{"tril", on([](const Tensor& x) { return x.tril(-1); }), {real(s34)}, kLinear}.in_place([](const Tensor& y) { y.tril_(-1); }),
      Row{"triu", on([](const Tensor& x) { return x.triu(1); }), {real(s34)}, kLinear}.in_place([](const Tensor& y) { y.triu_(1); }),
      {"fill_", [](const Operands& x) { const Tensor y = x[0].clone(); y.fill_(x[1]); return y; }, {real(s23), real({})}, kLinear | kOverwrites | kComposed},
      // Views of what it was follow, and so does what is written through them.
      Row{"transpose_", becomes([](const Tensor& y) { const Tensor v = y[0]; y.transpose_(0, -1); v.mul_(y.select(0, 1)[1][0]); y.mul_(2); }), {real(s234)}, kComposed}.wrong<IndexError>("transpose_: ", [](const Tensor& x) { x.clone().transpose_(0, 3); }).wrong<GradError>("transpose_: a leaf", [](const Tensor& x) { x.transpose_(0, 1); }).wrong<GradError>("transpose_: a view of a leaf", [](const Tensor& x) { x[0].transpose_(0, 1); }),
      {"transpose_", becomes([](const Tensor& y) { const Tensor v = y[1]; v.transpose_(0, 1).mul_(v[0][0].clone()); }), {real(s234)}, kComposed},
      Row{"t_", becomes([](const Tensor& y) { y.t_().mul_(y[0][1].clone()); }), {real(s23)}, kComposed}.wrong<ShapeError>("t_: ", [](const Tensor& x) { x.unsqueeze(0).clone().t_(); }),
      {"swapaxes_", becomes([](const Tensor& y) { y.swapaxes_(0, 1).swapdims_(0, 1).swapdims_(-1, 0); }), {real(s234)}, kLinear | kComposed},
      {"squeeze_", becomes([](const Tensor& y) { y.squeeze_().mul_(2); }), {real({2, 1, 3, 1})}, kLinear | kComposed, {{{1}}, {{0, 1}}}},
      Row{"squeeze_", becomes([](const Tensor& y) { y.squeeze_(1).mul_(2); }), {real({2, 1, 3})}, kLinear | kComposed}.wrong<IndexError>("squeeze_: ", [](const Tensor& x) { x.clone().squeeze_(3); }),
      Row{"unsqueeze_", becomes([](const Tensor& y) { y.unsqueeze_(1).mul_(2); }), {real(s23)}, kLinear | kComposed, {{{0}}}}.wrong<IndexError>("unsqueeze_: ", [](const Tensor& x) { x.clone().unsqueeze_(4); }),
      Row{"as_strided_", becomes([](const Tensor& y) { y.as_strided_({2, 2}, {1, 2}, 1).mul_(y[0][0].clone()); }), {real(s23)}, kComposed}.wrong<GradError>("as_strided_: ", [](const Tensor& x) { const Tensor y = x.clone(), v = y[0]; y.as_strided_({2}, {1}); }).wrong<IndexError>("as_strided_: ", [](const Tensor& x) { x.clone().as_strided_({7}, {1}); }),
  };
}
// clang-format on

}  // namespace gradus::test
