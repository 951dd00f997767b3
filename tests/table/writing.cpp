// Writes that have no form out of place. (The others are fields of their rows.)
#include <gradus/core/array/create.h>
#include <gradus/gradus.h>

#include "vocabulary.h"

namespace gradus::test {

// clang-format off
std::vector<Row> writing_rows() {
  const std::vector<std::int64_t> s23 = {2, 3};
  return {
      {"copy_", [](const Operands& x) { const Tensor y = x[0].clone(); y.copy_(x[1]); return y; }, {real(s23), real(s23)}, kLinear | kOverwrites, {{{2, 3}, {3}}, {{2, 3}, {}}, {{0, 3}, {3}}}},
      {"fill_", [](const Operands& x) { const Tensor y = x[0].clone(); y.fill_(2.5); return y; }, {real(s23)}, kPointwise | kFlat},
      {"zero_", [](const Operands& x) { const Tensor y = x[0].clone(); y.zero_(); return y; }, {real(s23)}, kPointwise | kFlat},
      // Into what is no view, and not contiguous.
      {"strided_put", on([](const Tensor& x) { const Tensor y(core::zeros({3, 2}, kFloat64).t()); y.copy_(x); y[1].mul_(y[0].clone()); return y; }), {real(s23)}},
      {"as_strided_scatter", [](const Operands& x) { const Tensor y = x[0].clone(); y.t()[1].mul_(x[1]); return y; }, {real(s23), real({2})}, 0, {{{2, 3}, {1}}, {{2, 3}, {}}}},
  };
}
// clang-format on

}  // namespace gradus::test
