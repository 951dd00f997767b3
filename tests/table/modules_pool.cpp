#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> pool_modules() {
  const Tensor line = ones({3});
  return {
      row("max_pool1d", "MaxPool1d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=false)", nn::MaxPool1d(nn::MaxPool1dOptions(3).stride(2))).linear().refuses<ShapeError>({line}, {"max_pool1d: ", "[3]"}),
      row("max_pool2d", "MaxPool2d(kernel_size=[3, 2], stride=[3, 2], padding=[1, 0], dilation=[1, 1], ceil_mode=false)", nn::MaxPool2d(nn::MaxPool2dOptions({3, 2}).padding({1, 0}))).linear().refuses<ShapeError>({line}, {"max_pool2d: ", "[3]"}),
      row("max_pool3d", "MaxPool3d(kernel_size=[2, 2, 2], stride=[2, 2, 2], padding=[0, 0, 0], dilation=[1, 1, 1], ceil_mode=false)", nn::MaxPool3d(2)).linear().refuses<ShapeError>({line}, {"max_pool3d: ", "[3]"}),
      row("avg_pool1d", "AvgPool1d(kernel_size=3, stride=3, padding=0)", nn::AvgPool1d(3)).linear().refuses<ShapeError>({line}, {"avg_pool1d: ", "[3]"}),
      row("avg_pool2d", "AvgPool2d(kernel_size=[3, 3], stride=[2, 2], padding=[1, 1])", nn::AvgPool2d(nn::AvgPool2dOptions(3).stride(2).padding(1))).linear().refuses<ShapeError>({line}, {"avg_pool2d: ", "[3]"}),
      row("avg_pool3d", "AvgPool3d(kernel_size=[2, 2, 2], stride=[2, 2, 2], padding=[0, 0, 0])", nn::AvgPool3d(2)).linear().refuses<ShapeError>({line}, {"avg_pool3d: ", "[3]"}),
      row("adaptive_avg_pool2d", "AdaptiveAvgPool2d(output_size=[2, none])", nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({2, std::nullopt}))).linear().refuses<ShapeError>({line}, {"adaptive_avg_pool2d: ", "[3]"}),
  };
}
// clang-format on

}  // namespace gradus::test
