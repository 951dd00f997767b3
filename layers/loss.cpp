#include "loss.h"

#include "../autograd/create.h"
#include "../core/fail.h"

namespace gradus::nn {

namespace {

void check_target(const char* op, const Tensor& x, const Tensor& target) {
  if (!x.is_floating_point()) core::fail<DTypeError>("{}: input must be floating: {}", op, x.dtype());
  if (target.sizes() == x.sizes()) return;
  core::fail<ShapeError>(
      "{}: target must have input's shape: {} for input {}; expand() the one that is meant to repeat", op,
      target.sizes(), x.sizes());
}

Tensor reduced(const Tensor& losses, Reduction reduction) {
  if (reduction == kNone) return losses;
  return reduction == kSum ? losses.sum() : losses.mean();
}

Tensor copy_of(const Tensor& weight) { return weight.defined() ? weight.detach().clone() : Tensor(); }

}  // namespace

Tensor functional::mse_loss(Operand x, const Tensor& target, const MSELossFuncOptions& options) {
  return gradus::mse_loss(x, target, options.reduction());
}
Tensor functional::binary_cross_entropy_with_logits(Operand x, const Tensor& target,
                                                    const BinaryCrossEntropyWithLogitsFuncOptions& options) {
  return gradus::binary_cross_entropy_with_logits(x, target, options.weight(), options.pos_weight(),
                                                  options.reduction());
}

Tensor MSELossImpl::forward(Operand x, const Tensor& target) {
  const autograd::Scope scope(x.at(), path());
  return gradus::mse_loss(x, target, options.reduction());
}

BCEWithLogitsLossImpl::BCEWithLogitsLossImpl(const BCEWithLogitsLossOptions& chosen) : options(chosen) { reset(); }
void BCEWithLogitsLossImpl::reset() {
  weight = register_buffer("weight", copy_of(options.weight()));
  pos_weight = register_buffer("pos_weight", copy_of(options.pos_weight()));
}
Tensor BCEWithLogitsLossImpl::forward(Operand x, const Tensor& target) {
  const autograd::Scope scope(x.at(), path());
  return gradus::binary_cross_entropy_with_logits(x, target, weight, pos_weight, options.reduction());
}

}  // namespace gradus::nn

namespace gradus {

Tensor mse_loss(Operand input, const Tensor& target, Reduction reduction) {
  const autograd::Scope scope(input.at());
  const Tensor& x = input.tensor();
  nn::check_target("mse_loss", x, target);
  return nn::reduced(square(x - target), reduction);
}

Tensor binary_cross_entropy_with_logits(Operand input, const Tensor& target, const Tensor& weight,
                                        const Tensor& pos_weight, Reduction reduction) {
  const autograd::Scope scope(input.at());
  const Tensor &x = input.tensor(), &t = target;
  nn::check_target("binary_cross_entropy_with_logits", x, t);
  const Tensor softplus = logsumexp(stack({zeros_like(x), -x}), 0);  // log(1 + exp(-x))
  const Tensor positive = pos_weight.defined() ? softplus * ((pos_weight - 1) * t + 1) : softplus;
  const Tensor losses = (1 - t) * x + positive;
  return nn::reduced(weight.defined() ? losses * weight : losses, reduction);
}

}  // namespace gradus
