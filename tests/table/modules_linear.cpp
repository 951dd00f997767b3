#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> linear_modules() {
  const Tensor whole = ones({3, 4}).to(kInt64);
  return {
      row("linear", "Linear(in_features=4, out_features=3, bias=true)", nn::Linear(4, 3)).refuses<ShapeError>({ones({2, 3})}, {"linear: ", "[2, 3]"}),
      row("linear_no_bias", "Linear(in_features=4, out_features=3, bias=false)", nn::Linear(nn::LinearOptions(4, 3).bias(false))).refuses<DTypeError>({whole}, {"linear: ", "int64"}),
      row("bilinear", "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=true)", nn::Bilinear(2, 3, 4)).refuses<ShapeError>({ones({2, 3}), ones({2, 3})}, {"bilinear: ", "[2, 3] and [2, 3] for weight [4, 2, 3]"}),
      row("bilinear_no_bias", "Bilinear(in1_features=3, in2_features=2, out_features=1, bias=false)", nn::Bilinear(nn::BilinearOptions(3, 2, 1).bias(false))).refuses<DTypeError>({whole, whole}, {"bilinear: ", "int64"}),
  };
}
// clang-format on

}  // namespace gradus::test
