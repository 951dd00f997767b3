// Products of matrices.
#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

// clang-format off
std::vector<Row> product_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s34 = {3, 4};
  return {
      Row{"matmul", two(matmul), {real(s23), real(s34)}, 0, {{{2, 0}, {0, 3}}, {{0, 2}, {2, 3}}, {{2, 3}, {3, 0}}}}.wrong<ShapeError>("matmul: inner sizes differ: [2, 3] x [2, 3]", [](const Operands& x) { matmul(x[0], x[0]); }).wrong<DTypeError>("matmul: ", [](const Operands& x) { matmul(x[0], x[1].to(kFloat32)); }),
      {"matmul", two(matmul), {real({2, 1, 2, 3}), real({2, 3, 4})}, 0, {{{2, 2, 3}, {3, 4}}, {{2, 1, 2, 3}, {3, 4}}, {{2, 3}, {2, 3, 2}}, {{0, 2, 3}, {3, 1}}}},
      {"matmul", two(matmul), {real({3}), real({3})}, 0, {{{3}, {3, 2}}, {{2, 3}, {3}}, {{3}, {2, 3, 2}}, {{2, 2, 3}, {3}}, {{0}, {0}}}},
      Row{"addmm", [](const Operands& x) { return addmm(x[0], x[1], x[2], 0.5, -1.5); }, {real({2, 4}), real(s23), real(s34)}, 0, {{{4}, {2, 3}, {3, 4}}, {{2, 1}, {2, 3}, {3, 4}}, {{}, {2, 3}, {3, 4}}, {{1, 4}, {2, 0}, {0, 4}}, {{4}, {0, 3}, {3, 4}}}}.wrong<ShapeError>("addmm: ", [](const Operands& x) { addmm(x[0], x[1], x[1]); }),
  };
}
// clang-format on

}  // namespace gradus::test
