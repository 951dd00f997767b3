// Stochastic gradient descent.
#pragma once

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API SGDOptions final : public OptimizerCloneableOptions<SGDOptions> {
  GRADUS_ARG(double, lr);  ///< no default: what is right differs by orders of magnitude
  GRADUS_ARG(double, momentum) = 0;
  GRADUS_ARG(double, dampening) = 0;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(bool, nesterov) = false;
  GRADUS_ARG(bool, maximize) = false;

 public:
  SGDOptions(double lr);  // NOLINT(google-explicit-constructor)
  ~SGDOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API SGDParamState final : public OptimizerCloneableParamState<SGDParamState> {
  GRADUS_ARG(Tensor, momentum_buffer);  ///< v; none without momentum

 public:
  bool first = false;  ///< v has been made for this step
  std::vector<Field> named_fields() override;
};

/// With gradient g of parameter w:
///   g <- g + weight_decay w
///   v <- momentum v + (1 - dampening) g     (v <- g at the first step)
///   w <- w - lr v                           (Nesterov: w <- w - lr (g + momentum v))
/// PyTorch's form (after Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013,
/// with the learning rate outside the velocity).
struct SGDRule {
  static constexpr const char* name = "SGD";
  using Options = SGDOptions;
  using State = SGDParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

extern template class GRADUS_API OptimizerOf<SGDRule>;
/// See SGDRule for the formula.
class GRADUS_API SGD final : public OptimizerOf<SGDRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~SGD() override;
};

}  // namespace gradus::optim
