#include "triplet_loss.h"

#include "../../core/base/fail.h"
#include "loss_support.h"
#include "margin_loss.h"

namespace gradus::nn {

Tensor functional::triplet_margin_loss(Operand anchor, const Tensor& positive, const Tensor& negative,
                                       const TripletMarginLossFuncOptions& options) {
  return gradus::triplet_margin_loss(anchor, positive, negative, options.margin(), options.p(), options.eps(),
                                     options.swap(), options.reduction());
}
Tensor functional::triplet_margin_with_distance_loss(Operand anchor, const Tensor& positive, const Tensor& negative,
                                                     const TripletMarginWithDistanceLossFuncOptions& options) {
  constexpr const char* op = "triplet_margin_with_distance_loss";
  const Tensor& a = anchor.tensor();
  core::expect_defined(op, "anchor", a, "positive", positive, "negative", negative);
  core::expect_floating(op, "anchor", a);
  detail::check_margin(op, options.margin());
  if (positive.dim() != a.dim() || negative.dim() != a.dim()) {
    core::fail<ShapeError>("{}: anchor, positive and negative must have as many dimensions: {}, {} and {}", op,
                           a.sizes(), positive.sizes(), negative.sizes());
  }
  const autograd::Scope scope(anchor.at());
  const auto apart = [&](const Tensor& u, const Tensor& v) {
    return options.distance_function() ? (*options.distance_function())(u, v) : pairwise_distance(u, v);
  };
  return core::in_name_of(op, [&] {
    const Tensor near = apart(a, positive);
    Tensor far = apart(a, negative);
    if (options.swap()) far = minimum(far, apart(positive, negative));
    return detail::reduced(clamp_min(options.margin() + near - far, 0), options.reduction());
  });
}

TripletMarginLossImpl::TripletMarginLossImpl(const TripletMarginLossOptions& chosen) : options(chosen) {
  detail::check_margin("TripletMarginLoss", options.margin());
}
Tensor TripletMarginLossImpl::compute(Operand anchor, const Tensor& positive, const Tensor& negative) {
  return functional::triplet_margin_loss(anchor, positive, negative, options);
}

TripletMarginWithDistanceLossImpl::TripletMarginWithDistanceLossImpl(const TripletMarginWithDistanceLossOptions& chosen)
    : options(chosen) {
  detail::check_margin("TripletMarginWithDistanceLoss", options.margin());
}
Tensor TripletMarginWithDistanceLossImpl::compute(Operand anchor, const Tensor& positive, const Tensor& negative) {
  return functional::triplet_margin_with_distance_loss(anchor, positive, negative, options);
}

}  // namespace gradus::nn
