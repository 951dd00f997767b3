// Cross-entropy under func::vmap: the samples of all examples as one batch, whose losses are reduced example by example.
#include "../../autograd/tensor/create.h"
#include "cross_entropy.h"
#include "loss_support.h"

namespace gradus::nn {

using namespace autograd;

std::tuple<Tensor, Tensor, Tensor> CrossEntropyRule::batch(const Attrs& attrs, const Examples& x) {
  const bool alone = x.dim(0) == 1;  // one sample: the classes
  if (x.dim(0) == 0 || x.size() == 0 || !x.shared(2)) return {};
  const bool classes = !is_floating_point(x[1].dtype());
  if (x.dim(1) != (classes ? x.dim(0) - 1 : x.dim(0))) return {};
  const Tensor in = alone ? x.stacked(0) : x.merged(0), target = alone ? x.stacked(1) : x.merged(1);
  Attrs each = attrs;
  each.reduction = kNone;
  Tensor losses = std::get<0>(apply<CrossEntropyRule>(each, in, target, x[2]));
  const auto by_example = [&](const Tensor& y) { return y.reshape({x.size(), y.numel() / x.size()}); };
  if (attrs.reduction == kNone) return {alone ? losses : x.split(losses, x.shape(0)[0]), Tensor(), Tensor()};
  losses = by_example(losses).sum(1);
  if (attrs.reduction == kSum) return {losses, Tensor(), Tensor()};
  Tensor weights = ones({target.numel()}, in.dtype());
  if (!classes) {
    weights = ones({alone ? x.size() : target.numel() / target.size(1)}, in.dtype());
  } else {
    const Tensor flat = target.reshape({target.numel()}), ignored = flat == attrs.ignore_index;
    if (x[2].defined()) weights = x[2].to(in.dtype()).index_select(0, masked_fill(flat, ignored, 0));
    weights = masked_fill(weights, ignored, 0);
  }
  return {losses / by_example(weights).sum(1), Tensor(), Tensor()};
}

}  // namespace gradus::nn
