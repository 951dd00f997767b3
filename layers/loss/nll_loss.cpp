#include "nll_loss.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "loss_support.h"

namespace gradus::nn {

using core::Array;
using core::fail;
using core::Shape;

void detail::check_classes(const char* op, const Array& x, const Array& target, const Array& weight,
                           std::int64_t ignore_index) {
  core::expect_dims(op, "input", x, 1, core::kMaxDims, "[C], [N, C] or [N, C, d1, ..]");
  core::expect_defined(op, "target", target);
  core::expect_floating(op, "input", x);
  const int at = class_dim(x.dim());
  const std::int64_t C = x.shape()[at];
  Shape shape = x.shape();
  shape.erase(at);
  if (weight.defined()) core::expect_shape(op, "weight", weight.shape(), "[C]", C);
  if (is_floating_point(target.dtype())) {
    return core::expect_same_shape(op, "a target of probabilities", target, "input", x, "class numbers are int64");
  }
  if (!is_integral(target.dtype())) fail<DTypeError>("{}: target must be int64: {}", op, target.dtype());
  if (target.shape() != shape) {
    fail<ShapeError>("{}: a target of class numbers must have input's shape without the classes: {} for input {}", op,
                     target.shape(), x.shape());
  }
  const Array numbers = target.to(kInt64).contiguous();
  const auto* t = numbers.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < numbers.numel(); ++i) {
    if (t[i] == ignore_index || (t[i] >= 0 && t[i] < C)) continue;
    fail<IndexError>("{}: target must be in [0, {}), or ignore_index ({}): {} at position {}", op, C, ignore_index,
                     t[i], i);
  }
}

std::tuple<Tensor, Tensor> detail::negative_log_likelihood(const Tensor& log_p, const Tensor& target,
                                                           const Tensor& weight, std::int64_t ignore_index) {
  const int at = class_dim(log_p.dim());
  const Tensor t = target.to(kInt64);
  const Tensor ignored = t == ignore_index;
  const Tensor index = masked_fill(t, ignored, 0);
  // Masked before it is weighted: an ignored sample has no gradient, whatever infinity its log p is.
  const Tensor log_p_t = masked_fill(gather(log_p, at, index.unsqueeze(at)).squeeze(at), ignored, 0);
  const Tensor w_t = weight.defined() ? index_select(weight, 0, index.flatten()).reshape(index.sizes())
                                      : ones(index.sizes(), log_p.dtype());
  const Tensor w = masked_fill(w_t, ignored, 0);
  return {-(w * log_p_t), w};
}

Tensor detail::reduced(const Tensor& losses, Reduction reduction, const Tensor& divisor) {
  if (reduction == kNone) return losses;
  return reduction == kSum ? losses.sum() : losses.sum() / divisor;
}

Tensor functional::nll_loss(Operand log_p, const Tensor& target, const NLLLossFuncOptions& options) {
  return gradus::nll_loss(log_p, target, options.weight(), options.reduction(), options.ignore_index());
}

NLLLossImpl::NLLLossImpl(const NLLLossOptions& chosen) : options(chosen) { reset(); }
void NLLLossImpl::reset() { weight = register_buffer("weight", detail::constant(options.weight())); }
Tensor NLLLossImpl::compute(Operand log_p, const Tensor& target) {
  return gradus::nll_loss(log_p, target, weight, options.reduction(), options.ignore_index());
}

}  // namespace gradus::nn

namespace gradus {

Tensor nll_loss(Operand log_p, const Tensor& target, const Tensor& weight, Reduction reduction,
                std::int64_t ignore_index) {
  const autograd::Scope scope(log_p.at());
  const Tensor& x = log_p.tensor();
  core::expect_defined("nll_loss", "input", x, "target", target);
  if (target.is_floating_point()) {
    core::fail<DTypeError>(
        "nll_loss: target must be int64, the numbers of classes: {}; cross_entropy takes probabilities",
        target.dtype());
  }
  nn::detail::check_classes("nll_loss", x.array(), target.array(), weight.defined() ? weight.array() : core::Array(),
                            ignore_index);
  const auto [losses, w] = nn::detail::negative_log_likelihood(x, target, weight, ignore_index);
  return nn::detail::reduced(losses, reduction, w.sum());
}

}  // namespace gradus
