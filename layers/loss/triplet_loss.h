// Triplet losses: an anchor a is to be nearer to a positive p than to a negative n, by a margin m.
//
//   l = max(m + d(a, p) - d(a, n), 0)        `swap`: d(p, n) in the place of d(a, n) where it is smaller
//
// with pairwise_distance for d (triplet_margin_loss, of margin_loss.h), or any function of two tensors.
#pragma once

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../core/base/export.h"
#include "../module/enumerations.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `p` and `eps`: pairwise_distance's.
struct TripletMarginLossOptions {
  GRADUS_ARG(double, margin) = 1;
  GRADUS_ARG(double, p) = 2;
  GRADUS_ARG(double, eps) = 1e-6;
  GRADUS_ARG(bool, swap) = false;
  GRADUS_ARG(Reduction, reduction) = kMean;

 public:
  static constexpr auto fields =
      named("margin", &TripletMarginLossOptions::margin_, "p", &TripletMarginLossOptions::p_, "eps",
            &TripletMarginLossOptions::eps_, "swap", &TripletMarginLossOptions::swap_);
};

/// How far two tensors are from each other: anything that is called with two and gives one, kept by copies of this.
class DistanceFunction {
  struct Callable {
    virtual ~Callable() = default;
    virtual Tensor call(const Tensor& a, const Tensor& b) = 0;
  };
  template <class F>
  struct Of final : Callable {
    explicit Of(F kept) : f(std::move(kept)) {}
    Tensor call(const Tensor& a, const Tensor& b) override { return f(a, b); }
    F f;
  };

 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, DistanceFunction> &&
           std::is_invocable_r_v<Tensor, std::decay_t<F>&, const Tensor&, const Tensor&>)
      DistanceFunction(F&& f)  // NOLINT(google-explicit-constructor): made where a lambda is passed
      : callable_(std::make_shared<Of<std::decay_t<F>>>(std::forward<F>(f))) {}
  Tensor operator()(const Tensor& a, const Tensor& b) const { return callable_->call(a, b); }

 private:
  std::shared_ptr<Callable> callable_;
};

/// `distance_function`: pairwise_distance unless said otherwise.
struct TripletMarginWithDistanceLossOptions {
  using distance_function_t = DistanceFunction;
  GRADUS_ARG(std::optional<DistanceFunction>, distance_function);
  GRADUS_ARG(double, margin) = 1;
  GRADUS_ARG(bool, swap) = false;
  GRADUS_ARG(Reduction, reduction) = kMean;

 public:
  static constexpr auto fields = named("margin", &TripletMarginWithDistanceLossOptions::margin_, "swap",
                                       &TripletMarginWithDistanceLossOptions::swap_);
};

namespace functional {
using TripletMarginLossFuncOptions = TripletMarginLossOptions;
using TripletMarginWithDistanceLossFuncOptions = TripletMarginWithDistanceLossOptions;
GRADUS_API Tensor triplet_margin_loss(Operand anchor, const Tensor& positive, const Tensor& negative,
                                      const TripletMarginLossFuncOptions& options = {});
/// ValueError unless the margin is above 0; ShapeError for operands of different numbers of dimensions.
GRADUS_API Tensor triplet_margin_with_distance_loss(Operand anchor, const Tensor& positive, const Tensor& negative,
                                                    const TripletMarginWithDistanceLossFuncOptions& options = {});
}  // namespace functional

class GRADUS_API TripletMarginLossImpl : public Layer<TripletMarginLossImpl> {
 public:
  explicit TripletMarginLossImpl(const TripletMarginLossOptions& chosen = {});
  Tensor compute(Operand anchor, const Tensor& positive, const Tensor& negative);
  void reset() override {}

  TripletMarginLossOptions options;
};
GRADUS_MODULE(TripletMarginLoss);

class GRADUS_API TripletMarginWithDistanceLossImpl : public Layer<TripletMarginWithDistanceLossImpl> {
 public:
  explicit TripletMarginWithDistanceLossImpl(const TripletMarginWithDistanceLossOptions& chosen = {});
  Tensor compute(Operand anchor, const Tensor& positive, const Tensor& negative);
  void reset() override {}

  TripletMarginWithDistanceLossOptions options;
};
GRADUS_MODULE(TripletMarginWithDistanceLoss);

}  // namespace gradus::nn
