#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> norm_modules() {
  const Tensor numbers = ones({3, 4}), line = ones({3});
  return {
      row("batch_norm1d", "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=true, track_running_stats=true)", nn::BatchNorm1d(3)).refuses<ShapeError>({numbers}, {"BatchNorm1d: ", "[3, 4]"}),
      row("batch_norm2d", "BatchNorm2d(3, eps=1e-05, momentum=none, affine=true, track_running_stats=true)", nn::BatchNorm2d(nn::BatchNorm2dOptions(3).momentum(std::nullopt))).refuses<ShapeError>({numbers}, {"BatchNorm2d: ", "[3, 4]"}),
      row("batch_norm3d", "BatchNorm3d(2, eps=0.001, momentum=0.1, affine=false, track_running_stats=true)", nn::BatchNorm3d(nn::BatchNorm3dOptions(2).affine(false).eps(1e-3))).refuses<ShapeError>({numbers}, {"BatchNorm3d: ", "[3, 4]"}),
      row("layer_norm", "LayerNorm([3, 4], eps=1e-05, elementwise_affine=true)", nn::LayerNorm(nn::LayerNormOptions({3, 4}))).refuses<ShapeError>({line}, {"layer_norm: ", "[3]"}),
  };
}
// clang-format on

}  // namespace gradus::test
