// Convolutions' gradients as operations.
#include "conv_rules.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::ConvGeometry;
using core::Shape;

Array ConvWeightGradient::forward(const Attrs& attrs, const Array& dy, const Array& x) {
  return core::conv_weight_gradient(dy, x, attrs.weight, attrs.conv);
}

Tensor ConvWeightGradient::gradient_of_dy(const Attrs& attrs, const Tensor& g, const Tensor& x) {
  return apply<ConvRule>(attrs.conv, x, g, Tensor());
}
Tensor ConvWeightGradient::gradient_of_x(const Attrs& attrs, const Tensor& g, const Tensor& dy, const Shape& x) {
  return conv_input_gradient(dy, g, x, attrs.conv);
}

// Each example is a group of channels; of examples that share x, each is further output channels in every group.
Tensor ConvWeightGradient::batch(const Attrs& attrs, const Examples& x) {
  if (x.size() == 0) return {};
  Attrs all = attrs;
  if (x.shared(1)) {
    const std::int64_t B = x.size(), G = attrs.conv.groups, outs = attrs.weight[0] / G;
    all.weight[0] *= B;
    const Tensor dy = x[0].unflatten(2, {G, outs}).movedim(0, 2).flatten(1, 3);
    return apply<ConvWeightGradient>(all, dy, x[1]).unflatten(0, {G, B, outs}).movedim(1, 0).flatten(1, 2);
  }
  all.conv.groups *= x.size();
  all.weight[0] *= x.size();
  const auto channels = [&](int i) { return x.stacked(i).movedim(0, 1).flatten(1, 2); };
  return x.split(apply<ConvWeightGradient>(all, channels(0), channels(1)), attrs.weight[0]);
}

Tensor conv_input_gradient(const Tensor& dy, const Tensor& weight, const Shape& x, const ConvGeometry& geometry) {
  ConvTransposeRule::Attrs attrs{geometry, {}};
  for (int d = 0; d < x.size() - 2; ++d) {  // what x has behind the last window
    const auto reach = core::window_reach("conv", weight.size(d + 2), geometry.dilation[d], geometry.padding[d]);
    attrs.output_padding.push_back(x[d + 2] + 2 * geometry.padding[d] - reach - 1 -
                                   (dy.size(d + 2) - 1) * geometry.stride[d]);
  }
  return apply<ConvTransposeRule>(attrs, dy, weight, Tensor());
}

Tensor ConvTransposeRule::gradient_of_x(const Attrs& attrs, const Tensor& dy, const Tensor& weight) {
  return apply<ConvRule>(attrs.conv, dy, weight, Tensor());
}

Tensor conv_weight_gradient(const Tensor& dy, const Tensor& x, const Shape& weight, const ConvGeometry& geometry) {
  return apply<ConvWeightGradient>({geometry, weight}, dy, x);
}

}  // namespace gradus::nn
