// Rprop and Lion, whose steps go by signs.
#pragma once

#include <tuple>

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API RpropOptions final : public OptimizerCloneableOptions<RpropOptions> {
 public:
  using Pair = std::tuple<double, double>;

 private:
  GRADUS_ARG(double, lr) = 1e-2;                  ///< the first step's size
  GRADUS_ARG(Pair, etas) = Pair(0.5, 1.2);        ///< by what a size shrinks and grows
  GRADUS_ARG(Pair, step_sizes) = Pair(1e-6, 50);  ///< the smallest and the largest
  GRADUS_ARG(bool, maximize) = false;

 public:
  RpropOptions(double lr = 1e-2);  // NOLINT(google-explicit-constructor)
  ~RpropOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API RpropParamState final : public OptimizerCloneableParamState<RpropParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;
  GRADUS_ARG(Tensor, prev);       ///< p
  GRADUS_ARG(Tensor, step_size);  ///< e, at first lr

 public:
  std::vector<Field> named_fields() override;
};

/// Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", 1993;
/// PyTorch's form, for whole batches. With gradient g of parameter w, and p that of the step before, at first 0:
///   e <- e etas[1] where g p > 0, e etas[0] where g p < 0, within step_sizes
///   g <- 0 where g p < 0
///   w <- w - e sign(g),   p <- g
struct RpropRule {
  static constexpr const char* name = "Rprop";
  using Options = RpropOptions;
  using State = RpropParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

class GRADUS_API LionOptions final : public OptimizerCloneableOptions<LionOptions> {
 public:
  using betas_t = std::tuple<double, double>;

 private:
  GRADUS_ARG(double, lr) = 1e-4;
  GRADUS_ARG(betas_t, betas) = betas_t(0.9, 0.99);
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, maximize) = false;

 public:
  LionOptions(double lr = 1e-4);  // NOLINT(google-explicit-constructor)
  ~LionOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API LionParamState final : public OptimizerCloneableParamState<LionParamState> {
  GRADUS_ARG(Tensor, exp_avg);  ///< m

 public:
  std::vector<Field> named_fields() override;
};

/// Chen et al., "Symbolic discovery of optimization algorithms", 2023 (PyTorch has it not). With gradient g of parameter w:
///   w <- w (1 - lr weight_decay)
///   w <- w - lr sign(beta1 m + (1 - beta1) g)
///   m <- beta2 m + (1 - beta2) g
struct LionRule {
  static constexpr const char* name = "Lion";
  using Options = LionOptions;
  using State = LionParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

extern template class GRADUS_API OptimizerOf<RpropRule>;
extern template class GRADUS_API OptimizerOf<LionRule>;
/// See RpropRule for the formula.
class GRADUS_API Rprop final : public OptimizerOf<RpropRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~Rprop() override;
};
/// See LionRule for the formula.
class GRADUS_API Lion final : public OptimizerOf<LionRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~Lion() override;
};

}  // namespace gradus::optim
