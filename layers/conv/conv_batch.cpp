// Convolutions under func::vmap: examples are samples where they share the weight; else each is a group of channels.
#include "conv_rules.h"

namespace gradus::nn {

using namespace autograd;

namespace {

// `convolve(x, weight, bias, groups)` is the operation itself.
template <class Convolve>
Tensor over_batch(const Examples& x, std::int64_t groups, const Convolve& convolve) {
  if (x.dim(0) != x.dim(1)) return {};
  const std::int64_t B = x.size(), N = x.shape(0)[0];
  if (x.shared(1) && x.shared(2)) return x.split(convolve(x.merged(0), x[1], x[2], groups), N);
  if (B == 0) return {};
  const Tensor in = x.stacked(0).movedim(0, 1).flatten(1, 2), weight = x.merged(1);
  const Tensor y = convolve(in, weight, x[2].defined() ? x.merged(2) : Tensor(), B * groups);
  core::Shape shape{N, B, y.size(1) / B};
  for (std::int64_t d = 2; d < y.dim(); ++d) shape.push_back(y.size(d));
  return y.reshape(shape).movedim(1, 0);
}

}  // namespace

Tensor ConvRule::batch(const Attrs& attrs, const Examples& x) {
  return over_batch(x, attrs.groups, [&](const Tensor& in, const Tensor& w, const Tensor& b, std::int64_t groups) {
    Attrs own = attrs;
    own.groups = groups;
    return apply<ConvRule>(own, in, w, b);
  });
}

Tensor ConvTransposeRule::batch(const Attrs& attrs, const Examples& x) {
  return over_batch(x, attrs.conv.groups, [&](const Tensor& in, const Tensor& w, const Tensor& b, std::int64_t groups) {
    Attrs own = attrs;
    own.conv.groups = groups;
    return apply<ConvTransposeRule>(own, in, w, b);
  });
}

}  // namespace gradus::nn
