#include "difference_loss.h"

#include "../../core/array/create.h"
#include "../../core/nn/difference_loss.h"
#include "../../core/ops/pointwise.h"

namespace gradus::nn {

using core::Array;

Tensor absolute_difference(const Tensor& x, const Tensor& t) { return abs(x - t); }
Tensor held_difference(const Tensor& x, const Tensor& t, double bound) {
  const Tensor d = x - t, q = clamp(d, -bound, bound);  // smooth at 0, to the second order, as |d| is not
  return q * (d - q / 2);
}

Array detail::difference_loss(const Array& x, const Array& target, double bound, double unit, bool mean) {
  const double sum = core::difference_loss_sum(x, target, bound, unit);
  return core::scalar(mean ? sum / static_cast<double>(x.numel()) : sum, x.dtype());
}
std::array<Array, 2> detail::difference_loss_gradients(autograd::Needs needs, const Array& dl, const Array& x,
                                                       const Array& target, double bound, double unit, bool mean) {
  const double factor = dl.to(kFloat64).item<double>() / (mean ? static_cast<double>(x.numel()) : 1);
  std::array<Array, 2> gradients;
  if (needs[0]) gradients[0] = core::difference_loss_slope(x, target, bound, unit, factor);
  if (needs[1]) gradients[1] = needs[0] ? -gradients[0] : core::difference_loss_slope(x, target, bound, unit, -factor);
  return gradients;
}

Tensor SmoothL1LossRule::losses(const Tensor& x, const Tensor& target, double beta) {
  if (beta == 0) return absolute_difference(x, target);
  const Tensor d = x - target, q = clamp(d, -beta, beta);
  return q / beta * (d - q / 2);
}

}  // namespace gradus::nn
