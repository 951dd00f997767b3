#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> shape_modules() {
  const Tensor numbers = ones({3, 4});
  return {
      row("flatten", "Flatten(start_dim=1, end_dim=2)", nn::Flatten(nn::FlattenOptions().start_dim(1).end_dim(2))).linear().refuses<IndexError>({numbers}, {"flatten: "}),
      row("identity", "Identity()", nn::Identity()).linear().recording_nothing(),
      row("pixel_shuffle", "PixelShuffle(upscale_factor=2)", nn::PixelShuffle(2)).linear().refuses<ShapeError>({ones({3, 2, 2})}, {"pixel_shuffle: "}),
      row("pixel_unshuffle", "PixelUnshuffle(downscale_factor=2)", nn::PixelUnshuffle(2)).linear().refuses<ShapeError>({ones({3, 3, 2})}, {"pixel_unshuffle: "}),
      row("channel_shuffle", "ChannelShuffle(groups=2)", nn::ChannelShuffle(2)).linear().refuses<ValueError>({ones({1, 3, 2, 2})}, {"channel_shuffle: "}),
      row("unflatten", "Unflatten(dim=1, unflattened_size=[2, 3])", nn::Unflatten(nn::UnflattenOptions(1, {2, 3}))).linear().refuses<ShapeError>({numbers}, {"unflatten: "}),
      row("unfold", "Unfold(kernel_size=[2, 3], dilation=[1, 2], padding=[1, 1], stride=[2, 1])", nn::Unfold(nn::UnfoldOptions({2, 3}).padding(1).stride({2, 1}).dilation({1, 2}))).linear().refuses<ShapeError>({numbers}, {"unfold: "}).refuses<ShapeError>({ones({1, 1, 1, 2})}, {"unfold: the window"}),
      row("fold", "Fold(output_size=[3, 4], kernel_size=[2, 3], dilation=[1, 2], padding=[1, 1], stride=[2, 1])", nn::Fold(nn::FoldOptions({3, 4}, {2, 3}).padding(1).stride({2, 1}).dilation({1, 2}))).linear().refuses<ShapeError>({ones({6, 3})}, {"fold: input"}),
  };
}
// clang-format on

}  // namespace gradus::test
