#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> sampling_modules() {
  const Tensor numbers = ones({3, 4});
  return {
      row("upsample_nearest", "Upsample(scale_factor=2, mode=nearest)", nn::Upsample(nn::UpsampleOptions().scale_factor(std::vector<double>{2}))).linear().refuses<ShapeError>({numbers}, {"interpolate: ", "[3, 4]"}),
      row("upsample_bilinear", "Upsample(size=[5, 3], mode=bilinear)", nn::Upsample(nn::UpsampleOptions().size(std::vector<std::int64_t>{5, 3}).mode(kBilinear).align_corners(true))).linear().refuses<ShapeError>({ones({1, 1, 3})}, {"interpolate: ", "bilinear", "[1, 1, 3]"}),
      row("upsample_bicubic", "Upsample(scale_factor=[1.5, 2], mode=bicubic)", nn::Upsample(nn::UpsampleOptions().scale_factor(std::vector<double>{1.5, 2}).mode(kBicubic))).linear().refuses<DTypeError>({ones({1, 2, 4, 3}).to(kInt64)}, {"interpolate: ", "int64"}),
  };
}
// clang-format on

}  // namespace gradus::test
