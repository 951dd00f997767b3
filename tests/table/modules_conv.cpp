#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> conv_modules() {
  const Tensor numbers = ones({3, 4}), line = ones({3});
  return {
      row("conv1d", "Conv1d(4, 6, kernel_size=3, stride=2, padding=1, groups=2)", nn::Conv1d(nn::Conv1dOptions(4, 6, 3).stride(2).padding(1).groups(2))).refuses<ShapeError>({line}, {"conv1d: "}),
      row("conv2d_same", "Conv2d(2, 3, kernel_size=[3, 2], stride=[1, 1], padding='same', dilation=[1, 2])", nn::Conv2d(nn::Conv2dOptions(2, 3, {3, 2}).padding(kSame).dilation({1, 2}))).refuses<ShapeError>({numbers}, {"conv2d: "}),
      row("conv3d", "Conv3d(1, 2, kernel_size=[2, 2, 2], stride=[1, 1, 1], bias=false)", nn::Conv3d(nn::Conv3dOptions(1, 2, 2).bias(false))).refuses<ShapeError>({numbers}, {"conv3d: "}),
      row("conv1d_reflect", "Conv1d(2, 3, kernel_size=3, stride=1, padding=2, padding_mode=reflect)", nn::Conv1d(nn::Conv1dOptions(2, 3, 3).padding(2).padding_mode(kReflect))).refuses<ValueError>({ones({1, 2, 2})}, {"pad: counts"}),
      row("conv2d_circular", "Conv2d(2, 2, kernel_size=[3, 2], stride=[1, 1], padding='same', padding_mode=circular)", nn::Conv2d(nn::Conv2dOptions(2, 2, {3, 2}).padding(kSame).padding_mode(kCircular))).refuses<ShapeError>({ones({3, 4, 4})}, {"conv2d: input"}),
      row("conv3d_replicate", "Conv3d(1, 2, kernel_size=[2, 2, 2], stride=[2, 2, 2], padding=[0, 1, 2], padding_mode=replicate)", nn::Conv3d(nn::Conv3dOptions(1, 2, 2).padding({0, 1, 2}).stride(2).padding_mode(kReplicate))).refuses<ShapeError>({ones({2, 4, 4, 4})}, {"conv3d: input"}),
      row("conv_transpose1d", "ConvTranspose1d(4, 6, kernel_size=3, stride=2, padding=1, output_padding=1, groups=2)", nn::ConvTranspose1d(nn::ConvTranspose1dOptions(4, 6, 3).stride(2).padding(1).output_padding(1).groups(2))).refuses<ShapeError>({line}, {"conv_transpose1d: input"}),
      row("conv_transpose2d", "ConvTranspose2d(2, 3, kernel_size=[3, 2], stride=[2, 1], dilation=[1, 2], bias=false)", nn::ConvTranspose2d(nn::ConvTranspose2dOptions(2, 3, {3, 2}).stride({2, 1}).dilation({1, 2}).bias(false))).refuses<ShapeError>({ones({1, 3, 4, 4})}, {"conv_transpose2d: weight"}),
      row("conv_transpose3d", "ConvTranspose3d(2, 1, kernel_size=[2, 2, 2], stride=[1, 2, 2], padding=[0, 1, 0])", nn::ConvTranspose3d(nn::ConvTranspose3dOptions(2, 1, 2).stride({1, 2, 2}).padding({0, 1, 0}))).refuses<ShapeError>({numbers}, {"conv_transpose3d: input"}),
      row("reflection_pad1d", "ReflectionPad1d(padding=[2, 1])", nn::ReflectionPad1d(nn::ReflectionPad1dOptions({2, 1}))).linear().refuses<ShapeError>({line}, {"reflection_pad1d: "}),
      row("reflection_pad2d", "ReflectionPad2d(padding=[1, 1, 1, 1])", nn::ReflectionPad2d(1)).linear().refuses<ShapeError>({line}, {"reflection_pad2d: "}),
      row("reflection_pad3d", "ReflectionPad3d(padding=[1, 0, 0, 1, 1, 1])", nn::ReflectionPad3d(nn::ReflectionPad3dOptions({1, 0, 0, 1, 1, 1}))).linear().refuses<ShapeError>({line}, {"reflection_pad3d: "}),
      row("replication_pad1d", "ReplicationPad1d(padding=[3, 3])", nn::ReplicationPad1d(3)).linear().refuses<ShapeError>({line}, {"replication_pad1d: "}),
      row("replication_pad2d", "ReplicationPad2d(padding=[2, 0, 1, 3])", nn::ReplicationPad2d(nn::ReplicationPad2dOptions({2, 0, 1, 3}))).linear().refuses<ShapeError>({line}, {"replication_pad2d: "}),
      row("replication_pad3d", "ReplicationPad3d(padding=[1, 1, 1, 1, 1, 1])", nn::ReplicationPad3d(1)).linear().refuses<ShapeError>({line}, {"replication_pad3d: "}),
      row("circular_pad1d", "CircularPad1d(padding=[2, 1])", nn::CircularPad1d(nn::CircularPad1dOptions({2, 1}))).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("circular_pad2d", "CircularPad2d(padding=[1, 1, 1, 1])", nn::CircularPad2d(1)).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("circular_pad3d", "CircularPad3d(padding=[1, 0, 0, 1, 1, 1])", nn::CircularPad3d(nn::CircularPad3dOptions({1, 0, 0, 1, 1, 1}))).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("zero_pad1d", "ZeroPad1d(padding=[2, 2])", nn::ZeroPad1d(2)).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("zero_pad2d", "ZeroPad2d(padding=[1, -1, 0, 2])", nn::ZeroPad2d(nn::ZeroPad2dOptions({1, -1, 0, 2}))).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("zero_pad3d", "ZeroPad3d(padding=[1, 1, 1, 1, 1, 1])", nn::ZeroPad3d(1)).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("constant_pad1d", "ConstantPad1d(padding=[3, 1], value=3.5)", nn::ConstantPad1d(nn::ConstantPad1dOptions({3, 1}, 3.5))).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("constant_pad2d", "ConstantPad2d(padding=[1, 1, 1, 1], value=-0.5)", nn::ConstantPad2d(1, -0.5)).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
      row("constant_pad3d", "ConstantPad3d(padding=[0, 1, 1, 0, 2, 0], value=2)", nn::ConstantPad3d(nn::ConstantPad3dOptions({0, 1, 1, 0, 2, 0}, 2))).linear().refuses<ShapeError>({ones({})}, {"pad: "}),
  };
}
// clang-format on

}  // namespace gradus::test
