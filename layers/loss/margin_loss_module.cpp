#include "margin_loss_module.h"

#include <string>

#include <fmt/format.h>

#include "../../autograd/ops/rounded_once.h"
#include "../../core/base/fail.h"
#include "loss.h"
#include "loss_support.h"
#include "margin_loss.h"

namespace gradus::nn {

Tensor functional::soft_margin_loss(Operand x, const Tensor& target, const SoftMarginLossFuncOptions& options) {
  return gradus::soft_margin_loss(x, target, options.reduction());
}
Tensor functional::hinge_embedding_loss(Operand x, const Tensor& target, const HingeEmbeddingLossFuncOptions& options) {
  return gradus::hinge_embedding_loss(x, target, options.margin(), options.reduction());
}
Tensor functional::multilabel_margin_loss(Operand x, const Tensor& target,
                                          const MultilabelMarginLossFuncOptions& options) {
  return gradus::multilabel_margin_loss(x, target, options.reduction());
}
Tensor functional::multi_margin_loss(Operand x, const Tensor& target, const MultiMarginLossFuncOptions& options) {
  return gradus::multi_margin_loss(x, target, options.p(), options.margin(), options.weight(), options.reduction());
}
Tensor functional::multilabel_soft_margin_loss(Operand x, const Tensor& target,
                                               const MultilabelSoftMarginLossFuncOptions& options) {
  if (autograd::stored(x, target, options.weight())) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand w) {
          return multilabel_soft_margin_loss(u, v.tensor(),
                                             MultilabelSoftMarginLossFuncOptions(options).weight(w.tensor()));
        },
        x, target, options.weight());
  }
  constexpr const char* op = "multilabel_soft_margin_loss";
  const autograd::Scope scope(x.at());
  detail::check_target(op, x.tensor(), target);
  core::expect_dims(op, "input", x.tensor(), 1, core::kMaxDims, "[C] or [.., C]");
  return core::in_name_of(op, [&] {
    const Tensor losses = gradus::binary_cross_entropy_with_logits(x, target, options.weight(), {}, Reduction::None);
    return detail::reduced(losses.mean(-1), options.reduction());
  });
}
Tensor functional::margin_ranking_loss(Operand x1, const Tensor& x2, const Tensor& target,
                                       const MarginRankingLossFuncOptions& options) {
  return gradus::margin_ranking_loss(x1, x2, target, options.margin(), options.reduction());
}
Tensor functional::cosine_embedding_loss(Operand x1, const Tensor& x2, const Tensor& target,
                                         const CosineEmbeddingLossFuncOptions& options) {
  return gradus::cosine_embedding_loss(x1, x2, target, options.margin(), options.reduction());
}
MultiMarginLossImpl::MultiMarginLossImpl(const MultiMarginLossOptions& chosen) : options(chosen) { reset(); }
void MultiMarginLossImpl::reset() {
  if (options.p() != 1 && options.p() != 2) {
    core::fail<ValueError>("MultiMarginLoss: p must be 1 or 2: {}", options.p());
  }
  weight = register_buffer("weight", detail::constant(options.weight()));
}
Tensor MultiMarginLossImpl::compute(Operand x, const Tensor& target) {
  return gradus::multi_margin_loss(x, target, options.p(), options.margin(), weight, options.reduction());
}
std::string MultiMarginLossImpl::extra_repr() const {
  return fmt::format("p={}, margin={}, weight={}, reduction={}", options.p(), options.margin(),
                     weight.defined() ? "given" : "none", gradus::to_string(options.reduction()));
}

MultiLabelSoftMarginLossImpl::MultiLabelSoftMarginLossImpl(const MultiLabelSoftMarginLossOptions& chosen)
    : options(chosen) {
  reset();
}
void MultiLabelSoftMarginLossImpl::reset() { weight = register_buffer("weight", detail::constant(options.weight())); }
Tensor MultiLabelSoftMarginLossImpl::compute(Operand x, const Tensor& target) {
  return functional::multilabel_soft_margin_loss(
      x, target, MultiLabelSoftMarginLossOptions().weight(weight).reduction(options.reduction()));
}

MarginRankingLossImpl::MarginRankingLossImpl(const MarginRankingLossOptions& chosen) : options(chosen) {}
Tensor MarginRankingLossImpl::compute(Operand x1, const Tensor& x2, const Tensor& target) {
  return functional::margin_ranking_loss(x1, x2, target, options);
}

CosineEmbeddingLossImpl::CosineEmbeddingLossImpl(const CosineEmbeddingLossOptions& chosen) : options(chosen) {}
Tensor CosineEmbeddingLossImpl::compute(Operand x1, const Tensor& x2, const Tensor& target) {
  return functional::cosine_embedding_loss(x1, x2, target, options);
}

}  // namespace gradus::nn
