// Adam and AdamW.
#pragma once

#include <tuple>

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API AdamOptions final : public OptimizerCloneableOptions<AdamOptions> {
 public:
  using betas_t = std::tuple<double, double>;

 private:
  GRADUS_ARG(double, lr) = 1e-3;
  GRADUS_ARG(betas_t, betas) = betas_t(0.9, 0.999);
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, amsgrad) = false;
  GRADUS_ARG(bool, maximize) = false;

 public:
  AdamOptions(double lr = 1e-3);  // NOLINT(google-explicit-constructor)
  ~AdamOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

/// As AdamOptions, with another default of weight_decay.
class GRADUS_API AdamWOptions final : public OptimizerCloneableOptions<AdamWOptions> {
 public:
  using betas_t = std::tuple<double, double>;

 private:
  GRADUS_ARG(double, lr) = 1e-3;
  GRADUS_ARG(betas_t, betas) = betas_t(0.9, 0.999);
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(double, weight_decay) = 1e-2;
  GRADUS_ARG(bool, amsgrad) = false;
  GRADUS_ARG(bool, maximize) = false;

 public:
  AdamWOptions(double lr = 1e-3);  // NOLINT(google-explicit-constructor)
  ~AdamWOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API AdamParamState final : public OptimizerCloneableParamState<AdamParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;  ///< t
  GRADUS_ARG(Tensor, exp_avg);         ///< m
  GRADUS_ARG(Tensor, exp_avg_sq);      ///< v
  GRADUS_ARG(Tensor, max_exp_avg_sq);  ///< the largest v so far, of amsgrad

 public:
  std::vector<Field> named_fields() override;
};
/// As AdamParamState.
class GRADUS_API AdamWParamState final : public OptimizerCloneableParamState<AdamWParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;  ///< t
  GRADUS_ARG(Tensor, exp_avg);         ///< m
  GRADUS_ARG(Tensor, exp_avg_sq);      ///< v
  GRADUS_ARG(Tensor, max_exp_avg_sq);  ///< the largest v so far, of amsgrad

 public:
  std::vector<Field> named_fields() override;
};

template <class AnyOptions, class AnyState, bool decoupled_decay>
struct AdamLikeRule {
  using Options = AnyOptions;
  using State = AnyState;
  static void prepare(State& s, const Options& o, const Tensor& w);
  static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

/// Kingma and Ba, "Adam: a method for stochastic optimization", 2015. With gradient g of parameter w, at step t:
///   g <- g + weight_decay w
///   m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2     (amsgrad: the largest v so far takes v's place)
///   w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
struct AdamRule : AdamLikeRule<AdamOptions, AdamParamState, false> {
  static constexpr const char* name = "Adam";
};

/// Loshchilov and Hutter, "Decoupled weight decay regularization", 2019: w <- w (1 - lr weight_decay) before Adam's step,
/// instead of weight decay in the gradient.
struct AdamWRule : AdamLikeRule<AdamWOptions, AdamWParamState, true> {
  static constexpr const char* name = "AdamW";
};

extern template class GRADUS_API OptimizerOf<AdamRule>;
extern template class GRADUS_API OptimizerOf<AdamWRule>;
/// See AdamRule for the formula.
class GRADUS_API Adam final : public OptimizerOf<AdamRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~Adam() override;
};
/// See AdamWRule.
class GRADUS_API AdamW final : public OptimizerOf<AdamWRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~AdamW() override;
};

}  // namespace gradus::optim
