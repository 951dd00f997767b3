#include "loss.h"

#include <limits>

#include "../../autograd/ops/activation_rules.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/activation.h"
#include "../../core/ops/pointwise.h"
#include "difference_loss.h"
#include "loss_support.h"

namespace gradus::nn {

using core::Array;
using detail::of_pairs;

void detail::check_margin(const char* op, double margin) {
  if (!(margin > 0)) core::fail<ValueError>("{}: margin must be above 0: {}", op, margin);
}

Tensor detail::reduced(const Tensor& losses, Reduction reduction) {
  if (reduction == kNone) return losses;
  return reduction == kSum ? losses.sum() : losses.mean();
}

// l = -(v t log s + (1 - t) log(1 - s)), s the sigmoid of x, v the weight of what is positive:
// dx = dl ((1 - t) s - v t (1 - s)),  dt = dl ((v - 1) log(1 + exp(-x)) - x)
Tensor BCEWithLogitsRule::reference(const Tensor& x, const Tensor& target, const Tensor& pos_weight) {
  const Tensor positive = pos_weight.defined() ? pos_weight * target : target;
  return (1 - target) * autograd::log1p_exp(x) + positive * autograd::log1p_exp(-x);
}
Array BCEWithLogitsRule::forward(const Array& x, const Array& target, const Array& pos_weight) {
  return core::logit_loss(x, target, pos_weight.defined() ? pos_weight * target : target);
}
Tensor BCEWithLogitsRule::batch(const autograd::Examples& x) {
  const Tensor weight = x[2].defined() ? x.stacked(2) : Tensor();
  return autograd::apply<BCEWithLogitsRule>(x.stacked(0), x.stacked(1), weight);
}
std::array<Array, 3> BCEWithLogitsRule::backward(autograd::Needs needs, autograd::DyArray<> dl, autograd::InArray<0> x,
                                                 autograd::InArray<1> target, autograd::InArray<2> pos_weight) {
  const bool weighted = pos_weight.defined();
  std::array<Array, 3> gradients;
  if (needs[0]) gradients[0] = core::logit_loss_slope(x, target, weighted ? pos_weight * target : target) * dl;
  if (!needs[1] && !(weighted && needs[2])) return gradients;
  const Array softplus = weighted ? core::softplus(-x, 1, std::numeric_limits<double>::infinity()) : Array();
  if (needs[1]) gradients[1] = dl * (weighted ? (pos_weight - 1) * softplus - x : -x);
  if (weighted && needs[2]) gradients[2] = dl * target * softplus;
  return gradients;
}

namespace {

// What weighs the losses may repeat, but not make more of them.
void check_factor(const char* name, const Tensor& factor, const Tensor& x) {
  if (!factor.defined() || core::broadcasts_to(factor.sizes(), x.sizes())) return;
  core::fail<ShapeError>("binary_cross_entropy_with_logits: {} must broadcast to input's shape: {} for input {}", name,
                         factor.sizes(), x.sizes());
}

// A loss of differences: in one pass where it is reduced.
template <class Rule>
Tensor of_differences(Operand x, const Tensor& target, Reduction reduction, typename Rule::Attrs attrs) {
  const autograd::Scope scope(x.at());
  detail::check_target(Rule::name.data(), x.tensor(), target);
  if (reduction == Reduction::None) return Rule::losses(attrs, x.tensor(), target);
  attrs.mean = reduction == Reduction::Mean;
  const DType dtype = promote_types(x.tensor().dtype(), target.dtype());
  return autograd::apply<Rule>(attrs, Operand(x.tensor().to(dtype), x.at()), Operand(target.to(dtype), x.at()));
}

}  // namespace

Tensor functional::mse_loss(Operand x, const Tensor& target, const MSELossFuncOptions& options) {
  return of_pairs("mse_loss", x, target, options.reduction(),
                  [](const Tensor& a, const Tensor& t) { return square(a - t); });
}
Tensor functional::l1_loss(Operand x, const Tensor& target, const L1LossFuncOptions& options) {
  return of_differences<L1LossRule>(x, target, options.reduction(), {});
}
Tensor functional::smooth_l1_loss(Operand x, const Tensor& target, const SmoothL1LossFuncOptions& options) {
  const double beta = options.beta().value_or(1);
  if (!(beta >= 0)) core::fail<ValueError>("smooth_l1_loss: beta must not be negative: {}", beta);
  return of_differences<SmoothL1LossRule>(x, target, options.reduction(), {true, beta});
}
Tensor functional::huber_loss(Operand x, const Tensor& target, const HuberLossFuncOptions& options) {
  const double delta = options.delta();
  if (!(delta > 0)) core::fail<ValueError>("huber_loss: delta must be above 0: {}", delta);
  return of_differences<HuberLossRule>(x, target, options.reduction(), {true, delta});
}
Tensor functional::binary_cross_entropy_with_logits(Operand x, const Tensor& target,
                                                    const BinaryCrossEntropyWithLogitsFuncOptions& options) {
  return gradus::binary_cross_entropy_with_logits(x, target, options.weight(), options.pos_weight(),
                                                  options.reduction());
}

BCEWithLogitsLossImpl::BCEWithLogitsLossImpl(const BCEWithLogitsLossOptions& chosen) : options(chosen) { reset(); }
void BCEWithLogitsLossImpl::reset() {
  weight = register_buffer("weight", detail::constant(options.weight()));
  pos_weight = register_buffer("pos_weight", detail::constant(options.pos_weight()));
}
Tensor BCEWithLogitsLossImpl::compute(Operand x, const Tensor& target) {
  return gradus::binary_cross_entropy_with_logits(x, target, weight, pos_weight, options.reduction());
}

}  // namespace gradus::nn

namespace gradus {

Tensor binary_cross_entropy_with_logits(Operand input, const Tensor& target, const Tensor& weight,
                                        const Tensor& pos_weight, Reduction reduction) {
  const autograd::Scope scope(input.at());
  const Tensor &x = input.tensor(), &t = target;
  nn::detail::check_target("binary_cross_entropy_with_logits", x, t);
  nn::check_factor("weight", weight, x);
  nn::check_factor("pos_weight", pos_weight, x);
  const DType dtype = promote_types(x.dtype(), t.dtype());
  const Tensor positive = pos_weight.defined() ? pos_weight.to(dtype).expand(x.sizes()) : pos_weight;
  const Tensor losses = autograd::apply<nn::BCEWithLogitsRule>({x.to(dtype), input.at()}, {t.to(dtype), input.at()},
                                                               {positive, input.at()});
  return nn::detail::reduced(weight.defined() ? losses * weight : losses, reduction);
}

}  // namespace gradus
