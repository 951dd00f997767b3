// Views, what copies as they do, and their gradients.
#include <gradus/gradus.h>

#include "gradient_of.h"

namespace gradus::test {

// clang-format off
std::vector<Row> view_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s234 = {2, 3, 4}, s34 = {3, 4};
  return {
      Row{"select", on([](const Tensor& x) { return x.select(1, -1); }), {real(s234)}, kLinear, {{{0, 2}}, {{3, 1}}}}.wrong<IndexError>("select: ", [](const Tensor& x) { x.select(0, 2); }).wrong<IndexError>("select: ", [](const Tensor& x) { x.select(3, 0); }),
      Row{"slice", on([](const Tensor& x) { return x.slice(-1, 1, {}, 2); }), {real(s234)}, kLinear, {{{2, 0}}, {{0}}, {{2, 1}}}}.wrong<ValueError>("slice: ", [](const Tensor& x) { x.slice(0, 0, 2, 0); }).wrong<ValueError>("flip", [](const Tensor& x) { x.slice(0, 0, 2, -1); }),
      {"diagonal", on([](const Tensor& x) { return x.diagonal(1, 0, -1); }), {real(s234)}, kLinear, {{{2, 2}}, {{0, 0}}}},
      Row{"view", on([](const Tensor& x) { return x.unsqueeze(-1); }), {real(s234)}, kLinear, {{{}}, {{0}}, {{2, 0, 3}}, {{1, 2, 1, 1, 3, 1, 1}}}}.wrong<IndexError>("unsqueeze: ", [](const Tensor& x) { x.unsqueeze(5); }),
      {"view", on([](const Tensor& x) { return x.squeeze(1); }), {real({2, 1, 3})}, kLinear, {{{0, 1}}, {{1, 1}}}},
      Row{"view", on([](const Tensor& x) { return x.view({-1, 2}); }), {real(s234)}, kLinear | kDense, {{{2}}, {{2, 1, 1}}}}.wrong<ShapeError>("view: ", [](const Tensor& x) { x.view({5, 2}); }).wrong<ShapeError>("reshape", [](const Tensor& x) { x.transpose(0, 1).view({24}); }),
      Row{"reshape", on([](const Tensor& x) { return x.transpose(0, 1).reshape({2, -1}); }), {real(s34)}, kLinear | kNoTies}.wrong<ShapeError>("reshape: ", [](const Tensor& x) { x.reshape({-1, 5}); }),
      Row{"expand", on([](const Tensor& x) { return x.expand({2, -1, 3}); }), {real({4, 1})}, kLinear, {{{0, 1}}, {{1, 3}}}}.wrong<ShapeError>("expand: ", [](const Tensor& x) { x.expand({2}); }),
      {"expand", on([](const Tensor& x) { return x.expand({2, 3}); }), {real({})}, kLinear, {{{1}}, {{3}}}},
      {"expand", on([](const Tensor& x) { return x.expand({0, 3}); }), {real({3})}, kLinear | kFlat, {{{1, 1}}}},
      Row{"permute", on([](const Tensor& x) { return x.permute({2, 0, -2}); }), {real(s234)}, kLinear, {{{0, 2, 1}}}}.wrong<ValueError>("permute: ", [](const Tensor& x) { x.permute({0, 0, 1}); }).wrong<ShapeError>("permute: ", [](const Tensor& x) { x.permute({0}); }),
      {"permute", on([](const Tensor& x) { return x.movedim(0, -1); }), {real(s234)}, kLinear},
      {"permute", on([](const Tensor& x) { return x.t(); }), {real(s23)}, kLinear, {{{0, 2}}}},
      {"alias", on([](const Tensor& x) { return x.t(); }), {real({3})}, kLinear, {{{}}, {{0}}}},
      {"clone", on([](const Tensor& x) { return x.clone(); }), {real(s23)}, kPointwise | kLinear},
      {"to", on([](const Tensor& x) { return x.to(kFloat32).to(kFloat64); }), {dyadic(s23)}, kPointwise | kLinear, {}, 1. / 1024},
      {"repeat", on([](const Tensor& x) { return x.repeat({2, 1, 3}); }), {real(s23)}, kComposed | kLinear},
      {"outer", two(outer), {real({3}), real({4})}, kComposed},
      Row{"flip", on([](const Tensor& x) { return x.flip({0, -1}); }), {real(s234)}, kLinear, {{{0, 2}}}}.wrong<IndexError>("flip: ", [](const Tensor& x) { x.flip(3); }),
      Row{"as_strided", on([](const Tensor& x) { return x.as_strided({3, 2}, {2, 3}, 1); }), {real(s234)}, kLinear | kDense}.wrong<IndexError>("as_strided: ", [](const Tensor& x) { x.as_strided({3, 30}, {30, 1}); }),
      {"as_strided", on([](const Tensor& x) { return x.as_strided({3, 4}, {1, 2}, 2); }), {real(s234)}, kLinear | kDense},
      {"put_selected", gradient_of([](const Tensor& w, const Operands&) { return w.select(1, -1); }, s234), {real({2, 4})}, kLinear | kRecords},
      {"put_slice", gradient_of([](const Tensor& w, const Operands&) { return w.slice(-1, 1, {}, 2); }, s234), {real({2, 3, 2})}, kLinear | kRecords},
      {"put_diagonal", gradient_of([](const Tensor& w, const Operands&) { return w.diagonal(1, 0, -1); }, s234), {real({3, 2})}, kLinear | kRecords},
      {"strided_sum", gradient_of([](const Tensor& w, const Operands&) { return w.as_strided({3, 4}, {1, 2}, 2); }, s234), {real(s34)}, kLinear | kRecords},
      Row{"split", on([](const Tensor& x) { return x.split(2, 1)[1]; }), {real(s234)}, kLinear | kComposed}.wrong<ValueError>("split: ", [](const Tensor& x) { x.split(0); }),
      Row{"chunk", on([](const Tensor& x) { return x.chunk(3, -1)[1]; }), {real(s234)}, kLinear | kComposed}.wrong<ValueError>("chunk: ", [](const Tensor& x) { x.chunk(0); }),
      {"unbind", on([](const Tensor& x) { return x.unbind(1)[2]; }), {real(s234)}, kLinear | kComposed},
      Row{"index", on([](const Tensor& x) { return x.index({"...", indexing::Slice(1, 3), indexing::None, 2}); }), {real(s234)}, kLinear | kComposed}.wrong<IndexError>("index: ", [](const Tensor& x) { x.index({0, 0, 0, 0}); }),
  };
}
// clang-format on

}  // namespace gradus::test
