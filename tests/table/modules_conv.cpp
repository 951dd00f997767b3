#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> conv_modules() {
  const Tensor numbers = ones({3, 4}), line = ones({3});
  return {
      row("conv1d", "Conv1d(4, 6, kernel_size=3, stride=2, padding=1, groups=2)", nn::Conv1d(nn::Conv1dOptions(4, 6, 3).stride(2).padding(1).groups(2))).refuses<ShapeError>({line}, {"conv1d: "}),
      row("conv2d_same", "Conv2d(2, 3, kernel_size=[3, 2], stride=[1, 1], padding='same', dilation=[1, 2])", nn::Conv2d(nn::Conv2dOptions(2, 3, {3, 2}).padding(kSame).dilation({1, 2}))).refuses<ShapeError>({numbers}, {"conv2d: "}),
      row("conv3d", "Conv3d(1, 2, kernel_size=[2, 2, 2], stride=[1, 1, 1], bias=false)", nn::Conv3d(nn::Conv3dOptions(1, 2, 2).bias(false))).refuses<ShapeError>({numbers}, {"conv3d: "}),
  };
}
// clang-format on

}  // namespace gradus::test
