// Adadelta, and averaged SGD.
#pragma once

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API AdadeltaOptions final : public OptimizerCloneableOptions<AdadeltaOptions> {
  GRADUS_ARG(double, lr) = 1;
  GRADUS_ARG(double, rho) = 0.9;
  GRADUS_ARG(double, eps) = 1e-6;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, maximize) = false;

 public:
  AdadeltaOptions(double lr = 1);  // NOLINT(google-explicit-constructor)
  ~AdadeltaOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API AdadeltaParamState final : public OptimizerCloneableParamState<AdadeltaParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;
  GRADUS_ARG(Tensor, square_avg);  ///< v
  GRADUS_ARG(Tensor, acc_delta);   ///< u

 public:
  std::vector<Field> named_fields() override;
};

/// Zeiler, "ADADELTA: an adaptive learning rate method", 2012; PyTorch's form. With gradient g of parameter w:
///   g <- g + weight_decay w
///   v <- rho v + (1 - rho) g^2
///   d = sqrt(u + eps) / sqrt(v + eps) g
///   u <- rho u + (1 - rho) d^2
///   w <- w - lr d
struct AdadeltaRule {
  static constexpr const char* name = "Adadelta";
  using Options = AdadeltaOptions;
  using State = AdadeltaParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

class GRADUS_API ASGDOptions final : public OptimizerCloneableOptions<ASGDOptions> {
  GRADUS_ARG(double, lr) = 1e-2;
  GRADUS_ARG(double, lambd) = 1e-4;
  GRADUS_ARG(double, alpha) = 0.75;
  GRADUS_ARG(double, t0) = 1e6;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, maximize) = false;

 public:
  ASGDOptions(double lr = 1e-2);  // NOLINT(google-explicit-constructor)
  ~ASGDOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API ASGDParamState final : public OptimizerCloneableParamState<ASGDParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;  ///< t
  GRADUS_ARG(double, eta) = 0;         ///< the next step's rate
  GRADUS_ARG(double, mu) = 1;          ///< the part of the next w in the average
  GRADUS_ARG(Tensor, ax);              ///< the average

 public:
  std::vector<Field> named_fields() override;
};

/// Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992; PyTorch's form. With gradient g of
/// parameter w, at step t, eta at first lr and mu at first 1:
///   g <- g + weight_decay w
///   w <- w (1 - lambd eta) - eta g
///   ax <- ax + mu (w - ax)
///   eta <- lr / (1 + lambd lr t)^alpha,   mu <- 1 / max(1, t - t0)
/// The parameters themselves stay what SGD makes of them: the averages are in state().
struct ASGDRule {
  static constexpr const char* name = "ASGD";
  using Options = ASGDOptions;
  using State = ASGDParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

extern template class GRADUS_API OptimizerOf<AdadeltaRule>;
extern template class GRADUS_API OptimizerOf<ASGDRule>;
/// See AdadeltaRule for the formula.
class GRADUS_API Adadelta final : public OptimizerOf<AdadeltaRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~Adadelta() override;
};
/// See ASGDRule for the formula.
class GRADUS_API ASGD final : public OptimizerOf<ASGDRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~ASGD() override;
};

}  // namespace gradus::optim
