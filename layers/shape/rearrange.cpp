#include "rearrange.h"

namespace gradus::nn {

Tensor functional::pixel_shuffle(Operand x, const PixelShuffleFuncOptions& options) {
  return gradus::pixel_shuffle(x, options.upscale_factor());
}
Tensor functional::pixel_unshuffle(Operand x, const PixelUnshuffleFuncOptions& options) {
  return gradus::pixel_unshuffle(x, options.downscale_factor());
}
Tensor detail::channel_shuffle(Operand x, const ChannelShuffleOptions& options) {
  return gradus::channel_shuffle(x, options.groups());
}
Tensor detail::unflatten(Operand x, const UnflattenOptions& options) {
  return gradus::unflatten(x, options.dim(), options.sizes());
}

UnflattenImpl::UnflattenImpl(std::int64_t dim, std::vector<std::int64_t> sizes)
    : FunctionLayer(UnflattenOptions(dim, std::move(sizes))) {}

}  // namespace gradus::nn
