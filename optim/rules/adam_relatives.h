// NAdam, RAdam and Adamax: Adam's relatives.
#pragma once

#include <tuple>

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API NAdamOptions final : public OptimizerCloneableOptions<NAdamOptions> {
 public:
  using betas_t = std::tuple<double, double>;

 private:
  GRADUS_ARG(double, lr) = 2e-3;
  GRADUS_ARG(betas_t, betas) = betas_t(0.9, 0.999);
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(double, momentum_decay) = 4e-3;
  GRADUS_ARG(bool, decoupled_weight_decay) = false;
  GRADUS_ARG(bool, maximize) = false;

 public:
  NAdamOptions(double lr = 2e-3);  // NOLINT(google-explicit-constructor)
  ~NAdamOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API NAdamParamState final : public OptimizerCloneableParamState<NAdamParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;  ///< t
  GRADUS_ARG(double, mu_product) = 1;  ///< mu_1 ... mu_t
  GRADUS_ARG(Tensor, exp_avg);         ///< m
  GRADUS_ARG(Tensor, exp_avg_sq);      ///< v

 public:
  std::vector<Field> named_fields() override;
};

/// Dozat, "Incorporating Nesterov momentum into Adam", 2016; PyTorch's form. With gradient g of parameter w, at step t:
///   g <- g + weight_decay w                    (decoupled: w <- w (1 - lr weight_decay) instead)
///   mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),   M_t = mu_1 ... mu_t
///   m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2
///   w <- w - lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) / (sqrt(v / (1 - beta2^t)) + eps)
struct NAdamRule {
  static constexpr const char* name = "NAdam";
  using Options = NAdamOptions;
  using State = NAdamParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

class GRADUS_API RAdamOptions final : public OptimizerCloneableOptions<RAdamOptions> {
 public:
  using betas_t = std::tuple<double, double>;

 private:
  GRADUS_ARG(double, lr) = 1e-3;
  GRADUS_ARG(betas_t, betas) = betas_t(0.9, 0.999);
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, decoupled_weight_decay) = false;
  GRADUS_ARG(bool, maximize) = false;

 public:
  RAdamOptions(double lr = 1e-3);  // NOLINT(google-explicit-constructor)
  ~RAdamOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API RAdamParamState final : public OptimizerCloneableParamState<RAdamParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;  ///< t
  GRADUS_ARG(Tensor, exp_avg);         ///< m
  GRADUS_ARG(Tensor, exp_avg_sq);      ///< v

 public:
  std::vector<Field> named_fields() override;
};

/// Liu et al., "On the variance of the adaptive learning rate and beyond", 2020; PyTorch's form. With gradient g of
/// parameter w, at step t, m and v as Adam's, N = 2 / (1 - beta2) - 1, n = N - 2 t beta2^t / (1 - beta2^t):
///   m^ = m / (1 - beta1^t)
///   w <- w - lr m^                                                          where n <= 5; else
///   w <- w - lr m^ r sqrt(1 - beta2^t) / (sqrt(v) + eps),   r = sqrt((n - 4)(n - 2) N / ((N - 4)(N - 2) n))
struct RAdamRule {
  static constexpr const char* name = "RAdam";
  using Options = RAdamOptions;
  using State = RAdamParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

class GRADUS_API AdamaxOptions final : public OptimizerCloneableOptions<AdamaxOptions> {
 public:
  using betas_t = std::tuple<double, double>;

 private:
  GRADUS_ARG(double, lr) = 2e-3;
  GRADUS_ARG(betas_t, betas) = betas_t(0.9, 0.999);
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, maximize) = false;

 public:
  AdamaxOptions(double lr = 2e-3);  // NOLINT(google-explicit-constructor)
  ~AdamaxOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API AdamaxParamState final : public OptimizerCloneableParamState<AdamaxParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;  ///< t
  GRADUS_ARG(Tensor, exp_avg);         ///< m
  GRADUS_ARG(Tensor, exp_inf);         ///< u

 public:
  std::vector<Field> named_fields() override;
};

/// Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1; PyTorch's form. With gradient g of
/// parameter w, at step t:
///   g <- g + weight_decay w
///   m <- beta1 m + (1 - beta1) g,   u <- max(beta2 u, |g| + eps)
///   w <- w - lr / (1 - beta1^t) m / u
struct AdamaxRule {
  static constexpr const char* name = "Adamax";
  using Options = AdamaxOptions;
  using State = AdamaxParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

extern template class GRADUS_API OptimizerOf<NAdamRule>;
extern template class GRADUS_API OptimizerOf<RAdamRule>;
extern template class GRADUS_API OptimizerOf<AdamaxRule>;
/// See NAdamRule for the formula.
class GRADUS_API NAdam final : public OptimizerOf<NAdamRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~NAdam() override;
};
/// See RAdamRule for the formula.
class GRADUS_API RAdam final : public OptimizerOf<RAdamRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~RAdam() override;
};
/// See AdamaxRule for the formula.
class GRADUS_API Adamax final : public OptimizerOf<AdamaxRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~Adamax() override;
};

}  // namespace gradus::optim
