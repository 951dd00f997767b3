// Layers that only move elements: PixelShuffle, PixelUnshuffle, ChannelShuffle, Unflatten. Their gradients move back.
//
//   PixelShuffle:    [.., C r^2, H, W] -> [.., C, H r, W r]     y[c][h r + i][w r + j] = x[c r^2 + i r + j][h][w]
//                    (Shi et al., CVPR 2016); PixelUnshuffle is its inverse
//   ChannelShuffle:  [N, g c, ..]: channel i of group k, k c + i, becomes channel i g + k (Zhang et al., CVPR 2018)
//   Unflatten:       a dimension in the place of which several come
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

struct PixelShuffleOptions {
  PixelShuffleOptions(std::int64_t upscale_factor) : upscale_factor_(upscale_factor) {}  // NOLINT
  GRADUS_ARG(std::int64_t, upscale_factor);

 public:
  static constexpr auto fields = named("upscale_factor", &PixelShuffleOptions::upscale_factor_);
};
struct PixelUnshuffleOptions {
  PixelUnshuffleOptions(std::int64_t downscale_factor) : downscale_factor_(downscale_factor) {}  // NOLINT
  GRADUS_ARG(std::int64_t, downscale_factor);

 public:
  static constexpr auto fields = named("downscale_factor", &PixelUnshuffleOptions::downscale_factor_);
};
struct ChannelShuffleOptions {
  ChannelShuffleOptions(std::int64_t groups) : groups_(groups) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, groups);

 public:
  static constexpr auto fields = named("groups", &ChannelShuffleOptions::groups_);
};
/// `UnflattenOptions(1, {3, 4})`: the dimension, and what comes in its place; one size may be -1.
struct UnflattenOptions {
  UnflattenOptions(std::int64_t dim, std::vector<std::int64_t> sizes) : dim_(dim), sizes_(std::move(sizes)) {}
  GRADUS_ARG(std::int64_t, dim);
  GRADUS_ARG(std::vector<std::int64_t>, sizes);

 public:
  static constexpr auto fields = named("dim", &UnflattenOptions::dim_, "unflattened_size", &UnflattenOptions::sizes_);
};

namespace functional {
using PixelShuffleFuncOptions = PixelShuffleOptions;
using PixelUnshuffleFuncOptions = PixelUnshuffleOptions;
/// ShapeError where the channels, or the extents, are no multiple.
GRADUS_API Tensor pixel_shuffle(Operand x, const PixelShuffleFuncOptions& options);
GRADUS_API Tensor pixel_unshuffle(Operand x, const PixelUnshuffleFuncOptions& options);
}  // namespace functional

namespace detail {
GRADUS_API Tensor channel_shuffle(Operand x, const ChannelShuffleOptions& options);
GRADUS_API Tensor unflatten(Operand x, const UnflattenOptions& options);
}  // namespace detail

class GRADUS_API PixelShuffleImpl
    : public FunctionLayer<PixelShuffleImpl, functional::pixel_shuffle, PixelShuffleOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(PixelShuffle);
class GRADUS_API PixelUnshuffleImpl
    : public FunctionLayer<PixelUnshuffleImpl, functional::pixel_unshuffle, PixelUnshuffleOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(PixelUnshuffle);
class GRADUS_API ChannelShuffleImpl
    : public FunctionLayer<ChannelShuffleImpl, detail::channel_shuffle, ChannelShuffleOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(ChannelShuffle);
class GRADUS_API UnflattenImpl : public FunctionLayer<UnflattenImpl, detail::unflatten, UnflattenOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  UnflattenImpl(std::int64_t dim, std::vector<std::int64_t> sizes);
};
GRADUS_MODULE(Unflatten);

}  // namespace gradus::nn
