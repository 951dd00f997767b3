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
      row("adaptive_avg_pool1d", "AdaptiveAvgPool1d(output_size=3)", nn::AdaptiveAvgPool1d(3)).linear().refuses<ShapeError>({line}, {"adaptive_avg_pool1d: ", "[3]"}),
      row("adaptive_avg_pool3d", "AdaptiveAvgPool3d(output_size=[none, 2, 1])", nn::AdaptiveAvgPool3d(nn::AdaptiveAvgPool3dOptions({std::nullopt, 2, 1}))).linear().refuses<ShapeError>({line}, {"adaptive_avg_pool3d: ", "[3]"}),
      row("adaptive_max_pool1d", "AdaptiveMaxPool1d(output_size=3)", nn::AdaptiveMaxPool1d(3)).linear().refuses<ShapeError>({line}, {"adaptive_max_pool1d: ", "[3]"}),
      row("adaptive_max_pool2d", "AdaptiveMaxPool2d(output_size=[2, none])", nn::AdaptiveMaxPool2d(nn::AdaptiveMaxPool2dOptions({2, std::nullopt}))).linear().refuses<ShapeError>({line}, {"adaptive_max_pool2d: ", "[3]"}),
      row("adaptive_max_pool3d", "AdaptiveMaxPool3d(output_size=[1, 2, 2])", nn::AdaptiveMaxPool3d(nn::AdaptiveMaxPool3dOptions({1, 2, 2}))).linear().refuses<ShapeError>({line}, {"adaptive_max_pool3d: ", "[3]"}),
      row("lp_pool1d", "LPPool1d(norm_type=2, kernel_size=3, stride=3, ceil_mode=false)", nn::LPPool1d(2, 3)).refuses<ShapeError>({line}, {"lp_pool1d: ", "[3]"}),
      row("lp_pool2d", "LPPool2d(norm_type=1.5, kernel_size=[3, 2], stride=[2, 2], ceil_mode=true)", nn::LPPool2d(nn::LPPool2dOptions(1.5, {3, 2}).stride(2).ceil_mode(true))).refuses<ShapeError>({line}, {"lp_pool2d: ", "[3]"}),
      row("lp_pool3d", "LPPool3d(norm_type=3, kernel_size=[2, 2, 2], stride=[2, 2, 2], ceil_mode=false)", nn::LPPool3d(3, 2)).refuses<ShapeError>({line}, {"lp_pool3d: ", "[3]"}),
      row("max_unpool1d", "MaxUnpool1d(kernel_size=3, stride=3, padding=0)", nn::MaxUnpool1d(3)).linear().refuses<ShapeError>({line, line}, {"max_unpool1d: ", "[3]"}).refuses<IndexError>({ones({1, 2}), full({1, 2}, 6)}, {"max_unpool1d: ", "6"}),
      row("max_unpool2d", "MaxUnpool2d(kernel_size=[3, 3], stride=[2, 2], padding=[1, 1])", nn::MaxUnpool2d(nn::MaxUnpool2dOptions(3).stride(2).padding(1))).linear().refuses<ShapeError>({ones({1, 2, 2}), full({1, 2}, 1)}, {"max_unpool2d: indices"}).refuses<DTypeError>({ones({1, 2, 2}), ones({1, 2, 2})}, {"max_unpool2d: indices"}),
      row("max_unpool3d", "MaxUnpool3d(kernel_size=[1, 2, 2], stride=[1, 2, 2], padding=[0, 0, 0])", nn::MaxUnpool3d(nn::MaxUnpool3dOptions({1, 2, 2}))).linear().refuses<ShapeError>({line, line}, {"max_unpool3d: ", "[3]"}),
  };
}
// clang-format on

}  // namespace gradus::test
