// Adagrad.
#pragma once

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API AdagradOptions final : public OptimizerCloneableOptions<AdagradOptions> {
  GRADUS_ARG(double, lr) = 1e-2;
  GRADUS_ARG(double, lr_decay) = 0;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(double, initial_accumulator_value) = 0;
  GRADUS_ARG(double, eps) = 1e-10;
  GRADUS_ARG(bool, maximize) = false;

 public:
  AdagradOptions(double lr = 1e-2);  // NOLINT(google-explicit-constructor)
  ~AdagradOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API AdagradParamState final : public OptimizerCloneableParamState<AdagradParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;  ///< t
  GRADUS_ARG(Tensor, sum);             ///< s

 public:
  std::vector<Field> named_fields() override;
};

/// With gradient g of parameter w, at step t:
///   g <- g + weight_decay w
///   s <- s + g^2                        (at first initial_accumulator_value, of the parameter's group)
///   w <- w - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
/// Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011; PyTorch's
/// form.
struct AdagradRule {
  static constexpr const char* name = "Adagrad";
  using Options = AdagradOptions;
  using State = AdagradParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

extern template class GRADUS_API OptimizerOf<AdagradRule>;
/// See AdagradRule for the formula.
class GRADUS_API Adagrad final : public OptimizerOf<AdagradRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~Adagrad() override;
};

}  // namespace gradus::optim
