// Adam and AdamW.
#pragma once

#include <tuple>

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API AdamOptions : public OptimizerOptions {
  using Betas = std::tuple<double, double>;
  GRADUS_ARG(double, lr) = 1e-3;
  GRADUS_ARG(Betas, betas) = Betas(0.9, 0.999);
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, amsgrad) = false;

 public:
  AdamOptions(double lr = 1e-3) : lr_(lr) {}  // NOLINT(google-explicit-constructor)
  std::unique_ptr<OptimizerOptions> clone() const override;
  double get_lr() const override { return lr_; }
  void set_lr(double lr) override { lr_ = lr; }
  void check() const override;
};

/// Kingma and Ba, "Adam: a method for stochastic optimization", 2015. With gradient g of parameter w, at step t:
///   g <- g + weight_decay w
///   m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2     (amsgrad: the largest v so far takes v's place)
///   w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
class GRADUS_API Adam : public Optimizer {
 public:
  explicit Adam(std::vector<OptimizerParamGroup> groups, const AdamOptions& defaults = {});
  explicit Adam(std::vector<Tensor> params, const AdamOptions& defaults = {});
  ~Adam() override;

 protected:
  Adam(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults, bool decoupled);

 private:
  struct State {
    std::int64_t step = 0;
    core::Array exp_avg, exp_avg_sq, max_exp_avg_sq;
  };
  void prepare(const core::Array& parameter, const OptimizerOptions& options, std::size_t index) override;
  void update(const core::Array& parameter, const core::Array& gradient, const OptimizerOptions& options,
              std::size_t index) override;
  std::vector<State> states_;
  bool decoupled_decay_ = false;
};

/// Adam's settings with AdamW's default weight decay, 0.01.
class GRADUS_API AdamWOptions final : public AdamOptions {
 public:
  AdamWOptions(double lr = 1e-3) : AdamOptions(lr) { weight_decay(1e-2); }  // NOLINT(google-explicit-constructor)
  // The setters again, so that a chain of them stays an AdamWOptions.
  using AdamOptions::amsgrad, AdamOptions::betas, AdamOptions::eps, AdamOptions::lr, AdamOptions::weight_decay;
  AdamWOptions& lr(double v) { return AdamOptions::lr(v), *this; }
  AdamWOptions& betas(std::tuple<double, double> v) { return AdamOptions::betas(v), *this; }
  AdamWOptions& eps(double v) { return AdamOptions::eps(v), *this; }
  AdamWOptions& weight_decay(double v) { return AdamOptions::weight_decay(v), *this; }
  AdamWOptions& amsgrad(bool v) { return AdamOptions::amsgrad(v), *this; }
  std::unique_ptr<OptimizerOptions> clone() const override;
};

/// Loshchilov and Hutter, "Decoupled weight decay regularization", 2019: w <- w (1 - lr weight_decay) before Adam's step,
/// instead of weight decay in the gradient.
class GRADUS_API AdamW final : public Adam {
 public:
  explicit AdamW(std::vector<OptimizerParamGroup> groups, const AdamWOptions& defaults = {});
  explicit AdamW(std::vector<Tensor> params, const AdamWOptions& defaults = {});
};

}  // namespace gradus::optim
