#include "difference_loss.h"

#include "../../core/array/create.h"
#include "../../core/nn/difference_loss.h"
#include "../../core/ops/pointwise.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;

namespace {

Array reduced(double sum, bool mean, const Array& x) {
  return core::scalar(mean ? sum / static_cast<double>(x.numel()) : sum, x.dtype());
}

std::array<Array, 2> gradients_of(Needs needs, const Array& dl, const Array& x, const Array& target, double bound,
                                  double unit, bool mean) {
  const double factor = dl.to(kFloat64).item<double>() / (mean ? static_cast<double>(x.numel()) : 1);
  std::array<Array, 2> gradients;
  if (needs[0]) gradients[0] = core::difference_loss_slope(x, target, bound, unit, factor);
  if (needs[1]) gradients[1] = needs[0] ? -gradients[0] : core::difference_loss_slope(x, target, bound, unit, -factor);
  return gradients;
}

}  // namespace

Tensor L1LossRule::losses(const Attrs&, const Tensor& x, const Tensor& target) { return abs(x - target); }
Tensor SmoothL1LossRule::losses(const Attrs& attrs, const Tensor& x, const Tensor& target) {
  if (attrs.beta == 0) return abs(x - target);
  const Tensor d = x - target,
               q = clamp(d, -attrs.beta, attrs.beta);  // smooth at 0, to the second order, as |d| is not
  return q / attrs.beta * (d - q / 2);
}
Tensor HuberLossRule::losses(const Attrs& attrs, const Tensor& x, const Tensor& target) {
  const Tensor d = x - target, q = clamp(d, -attrs.delta, attrs.delta);
  return q * (d - q / 2);
}

// l = |x - t|:  dx = dl sign(x - t)
Tensor L1LossRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& target) {
  return attrs.mean ? losses(attrs, x, target).mean() : losses(attrs, x, target).sum();
}
Array L1LossRule::forward(const Attrs& attrs, const Array& x, const Array& target) {
  return reduced(core::difference_loss_sum(x, target, 0, 1), attrs.mean, x);
}
std::array<Array, 2> L1LossRule::backward(const Attrs& attrs, Needs needs, DyArray<> dl, InArray<0> x,
                                          InArray<1> target) {
  return gradients_of(needs, dl, x, target, 0, 1, attrs.mean);
}

// l = q (x - t - q / 2) / beta, q = x - t held within [-beta, beta]:  dx = dl q / beta
Tensor SmoothL1LossRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& target) {
  return attrs.mean ? losses(attrs, x, target).mean() : losses(attrs, x, target).sum();
}
Array SmoothL1LossRule::forward(const Attrs& attrs, const Array& x, const Array& target) {
  return reduced(core::difference_loss_sum(x, target, attrs.beta, attrs.beta), attrs.mean, x);
}
std::array<Array, 2> SmoothL1LossRule::backward(const Attrs& attrs, Needs needs, DyArray<> dl, InArray<0> x,
                                                InArray<1> target) {
  return gradients_of(needs, dl, x, target, attrs.beta, attrs.beta, attrs.mean);
}

// l = q (x - t - q / 2), q = x - t held within [-delta, delta]:  dx = dl q
Tensor HuberLossRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& target) {
  return attrs.mean ? losses(attrs, x, target).mean() : losses(attrs, x, target).sum();
}
Array HuberLossRule::forward(const Attrs& attrs, const Array& x, const Array& target) {
  return reduced(core::difference_loss_sum(x, target, attrs.delta, 1), attrs.mean, x);
}
std::array<Array, 2> HuberLossRule::backward(const Attrs& attrs, Needs needs, DyArray<> dl, InArray<0> x,
                                             InArray<1> target) {
  return gradients_of(needs, dl, x, target, attrs.delta, 1, attrs.mean);
}

}  // namespace gradus::nn
