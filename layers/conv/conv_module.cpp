// The modules over conv.h's functions.
#include <cmath>

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "conv.h"
#include "../module/init.h"

namespace gradus::nn {

using namespace autograd;
using core::Shape;

template <std::size_t D, class Derived>
ConvBase<D, Derived>::ConvBase(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size)
    : ConvBase(ConvOptions<D>(in_channels, out_channels, kernel_size)) {}
template <std::size_t D, class Derived>
ConvBase<D, Derived>::ConvBase(const ConvOptions<D>& chosen) : options(chosen) {
  reset();
}
template <std::size_t D, class Derived>
void ConvBase<D, Derived>::reset() {
  const std::int64_t in = options.in_channels(), out = options.out_channels(), groups = options.groups();
  if (options.padding_mode() != kZeros) {
    core::fail<ValueError>("Conv{}d: padding_mode must be kZeros: {}", D, to_string(options.padding_mode()));
  }
  if (in < 0 || out < 0) {
    core::fail<ValueError>("Conv{}d: channels must not be negative: {} in and {} out", D, in, out);
  }
  if (groups < 1 || in % groups != 0 || out % groups != 0) {
    core::fail<ValueError>("Conv{}d: groups must divide the channels: groups {} for {} in and {} out", D, groups, in,
                           out);
  }
  const IntArrayRef stride = options.stride(), kernel = options.kernel_size(), dilation = options.dilation();
  const IntArrayRef padding = options.padding().amount;
  Shape shape = {out, in / groups};
  for (std::size_t d = 0; d < D; ++d) {
    if (kernel[d] < 1 || stride[d] < 1 || dilation[d] < 1 || padding[d] < 0) {
      core::fail<ValueError>(
          "Conv{}d: kernel_size, stride and dilation must be at least 1, padding at least 0: {}, {}, {} and {}", D,
          kernel, stride, dilation, padding);
    }
    if (options.padding().mode == kSame && stride[d] != 1) {
      core::fail<ValueError>("Conv{}d: padding kSame needs stride 1: {}", D, stride);
    }
    shape.push_back(kernel[d]);
  }
  weight = this->register_parameter("weight", empty(shape));
  bias = this->register_parameter("bias", options.bias() ? empty({out}) : Tensor());
  reset_parameters();
}

template <std::size_t D, class Derived>
void ConvBase<D, Derived>::reset_parameters() {
  const NoGradGuard no_grad;
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  const std::int64_t fan_in = weight.size(0) > 0 ? weight.numel() / weight.size(0) : 0;
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  if (bias.defined()) bias.uniform_(-bound, bound);
}

template <std::size_t D, class Derived>
Tensor ConvBase<D, Derived>::compute(Operand x) {
  const auto how = functional::ConvFuncOptions<D>()
                       .bias(bias)
                       .stride(options.stride())
                       .padding(options.padding())
                       .dilation(options.dilation())
                       .groups(options.groups());
  if constexpr (D == 1) return functional::conv1d(x, weight, how);
  if constexpr (D == 2) return functional::conv2d(x, weight, how);
  if constexpr (D == 3) return functional::conv3d(x, weight, how);
}

Conv1dImpl::~Conv1dImpl() = default;
Conv2dImpl::~Conv2dImpl() = default;
Conv3dImpl::~Conv3dImpl() = default;

template class ConvBase<1, Conv1dImpl>;
template class ConvBase<2, Conv2dImpl>;
template class ConvBase<3, Conv3dImpl>;

}  // namespace gradus::nn
