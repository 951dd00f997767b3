#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> linear_modules() {
  const Tensor whole = ones({3, 4}).to(kInt64);
  return {
      row("linear", "Linear(in_features=4, out_features=3, bias=true)", nn::Linear(4, 3)).refuses<ShapeError>({ones({2, 3})}, {"linear: ", "[2, 3]"}),
      row("linear_no_bias", "Linear(in_features=4, out_features=3, bias=false)", nn::Linear(nn::LinearOptions(4, 3).bias(false))).refuses<DTypeError>({whole}, {"linear: ", "int64"}),
  };
}
// clang-format on

}  // namespace gradus::test
