// Stochastic gradient descent.
#pragma once

#include "../optimizer.h"

namespace gradus::optim {

/// lr has no default: what is right differs by orders of magnitude.
class GRADUS_API SGDOptions final : public OptimizerOptions {
  GRADUS_ARG(double, lr);
  GRADUS_ARG(double, momentum) = 0;
  GRADUS_ARG(double, dampening) = 0;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, nesterov) = false;

 public:
  SGDOptions(double lr) : lr_(lr) {}  // NOLINT(google-explicit-constructor)
  std::unique_ptr<OptimizerOptions> clone() const override;
  double get_lr() const override { return lr_; }
  void set_lr(double lr) override { lr_ = lr; }
  void check() const override;
};

/// With gradient g of parameter w:
///   g <- g + weight_decay w
///   v <- momentum v + (1 - dampening) g     (v <- g at the first step)
///   w <- w - lr v                           (Nesterov: w <- w - lr (g + momentum v))
/// PyTorch's form (after Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013,
/// with the learning rate outside the velocity).
class GRADUS_API SGD final : public Optimizer {
 public:
  SGD(std::vector<OptimizerParamGroup> groups, const SGDOptions& defaults);
  SGD(std::vector<Tensor> params, const SGDOptions& defaults);
  ~SGD() override;

 private:
  struct State {
    core::Array velocity;
    bool started = false;
  };
  void prepare(const core::Array& parameter, const OptimizerOptions& options, std::size_t index) override;
  void update(const core::Array& parameter, const core::Array& gradient, const OptimizerOptions& options,
              std::size_t index) override;
  std::vector<State> states_;
};

}  // namespace gradus::optim
