// Joining, picking and padding.
#include <gradus/gradus.h>

#include "gradient_of.h"

namespace gradus::test {

// clang-format off
std::vector<Row> joining_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s234 = {2, 3, 4}, s34 = {3, 4};
  return {
      Row{"cat", [](const Operands& x) { return cat({x[0], x[1], x[0]}, -1); }, {real({2, 1}), real({2, 3})}, kLinear, {{{2, 0}, {2, 3}}, {{0}, {2, 3}}, {{0}, {0}}, {{0, 2}, {0, 1}}}}.wrong<IndexError>("cat: ", [](const Operands& x) { cat({x[0], x[1]}, 2); }).wrong<ShapeError>("cat: ", [](const Operands& x) { cat({x[0], x[1]}, 0); }),
      Row{"stack", [](const Operands& x) { return stack({x[0], x[1], x[0]}, 1); }, {real(s23), real(s23)}, kLinear | kComposed, {{{0, 2}, {0, 2}}}}.wrong<ShapeError>("stack: ", [](const Operands& x) { stack({x[0], x[1].t()}); }),
      {"stack", [](const Operands& x) { return stack({x[0], x[1]}, -1); }, {real({}), real({})}, kLinear | kComposed},
      Row{"index_select", [](const Operands& x) { return index_select(x[0], 1, x[1]); }, {real(s234), index({5}, 3)}, kLinear, {{{2, 3}, {}}, {{0, 3}, {2}}, {{2, 3}, {0}}}}.wrong<DTypeError>("index_select: ", [](const Operands& x) { index_select(x[0], 1, x[1].to(kFloat64)); }).wrong<IndexError>("index_select: ", [](const Operands& x) { index_select(x[0], 1, x[1] + 3); }),
      {"index_add", gradient_of([](const Tensor& w, const Operands& x) { return index_select(w, 1, x[1]); }, s234), {real({2, 5, 4}), index({5}, 3)}, kLinear | kRecords},
      Row{"gather", [](const Operands& x) { return gather(x[0], 1, x[1]); }, {real(s34), index({3, 2}, 4)}, kLinear, {{{3, 4}, {2, 6}}, {{3, 4}, {0, 2}}}}.wrong<IndexError>("gather: ", [](const Operands& x) { gather(x[0], 1, x[1] + 4); }).wrong<ShapeError>("gather: ", [](const Operands& x) { gather(x[0], 1, x[1][0]); }),
      {"scatter_add", [](const Operands& x) { return scatter_add({3, 4}, 1, x[1], x[0]); }, {real({3, 5}), index({3, 5}, 4)}, kLinear, {{{2, 1}, {2, 1}}, {{3, 0}, {3, 0}}}},
      Row{"constant_pad_nd", on([](const Tensor& x) { return constant_pad_nd(x, {1, 2, -1, 3}, 0.5); }), {real(s34)}, kLinear, {{{2, 3, 3}}, {{1, 2}}, {{2, 0}}, {{0, 2, 2}}}}.wrong<ShapeError>("constant_pad_nd: ", [](const Tensor& x) { constant_pad_nd(x, {1}); }),
      Row{"tril", on([](const Tensor& x) { return tril(x, 1); }), {real(s34)}, kLinear, {{{2, 3, 3}}, {{0, 2}}}}.wrong<ShapeError>("tril: ", [](const Tensor& x) { tril(x[0], 1); }),
      Row{"triu", on([](const Tensor& x) { return triu(x, -1); }), {real(s34)}, kLinear, {{{2, 3, 3}}, {{0, 2}}}}.wrong<ShapeError>("triu: ", [](const Tensor& x) { triu(x[0], 1); }),
  };
}
// clang-format on

}  // namespace gradus::test
