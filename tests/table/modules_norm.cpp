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
      row("group_norm", "GroupNorm(2, 4, eps=1e-05, affine=true)", nn::GroupNorm(2, 4)).refuses<ShapeError>({ones({2, 6, 2})}, {"group_norm: weight", "[4] for [6]"}),
      row("group_norm_plain", "GroupNorm(3, 3, eps=0.001, affine=false)", nn::GroupNorm(nn::GroupNormOptions(3, 3).eps(1e-3).affine(false))).refuses<ShapeError>({ones({2, 4, 2})}, {"group_norm: num_groups", "3 for [2, 4, 2]"}).refuses<ShapeError>({line}, {"group_norm: input"}),
      row("instance_norm1d", "InstanceNorm1d(3, eps=1e-05, momentum=0.1, affine=false, track_running_stats=false)", nn::InstanceNorm1d(3)).refuses<ShapeError>({line}, {"InstanceNorm1d: "}).refuses<ValueError>({ones({2, 3, 1})}, {"instance_norm: "}),
      row("instance_norm2d", "InstanceNorm2d(2, eps=1e-05, momentum=0.3, affine=true, track_running_stats=true)", nn::InstanceNorm2d(nn::InstanceNorm2dOptions(2).affine(true).track_running_stats(true).momentum(0.3))).refuses<ShapeError>({ones({1, 3, 2, 2})}, {"InstanceNorm2d: ", "C = 2: [1, 3, 2, 2]"}),
      row("instance_norm3d", "InstanceNorm3d(2, eps=0.001, momentum=0.1, affine=true, track_running_stats=false)", nn::InstanceNorm3d(nn::InstanceNorm3dOptions(2).affine(true).eps(1e-3))).refuses<ShapeError>({line}, {"InstanceNorm3d: "}),
      row("rms_norm", "RMSNorm([3, 4], eps=none, elementwise_affine=true)", nn::RMSNorm(nn::RMSNormOptions({3, 4}))).refuses<ShapeError>({line}, {"rms_norm: ", "[3]"}),
      row("rms_norm_plain", "RMSNorm([4], eps=0.01, elementwise_affine=false)", nn::RMSNorm(nn::RMSNormOptions({4}).eps(0.01).elementwise_affine(false))).refuses<ShapeError>({line}, {"rms_norm: ", "[3]"}),
      row("local_response_norm", "LocalResponseNorm(3, alpha=0.5, beta=0.25, k=2)", nn::LocalResponseNorm(nn::LocalResponseNormOptions(3).alpha(0.5).beta(0.25).k(2))).refuses<ShapeError>({line}, {"local_response_norm: ", "[3]"}),
      row("local_response_norm_line", "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1)", nn::LocalResponseNorm(2)).refuses<ShapeError>({numbers}, {"local_response_norm: "}),
  };
}
// clang-format on

}  // namespace gradus::test
