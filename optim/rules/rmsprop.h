// RMSprop.
#pragma once

#include "../optimizer.h"

namespace gradus::optim {

class GRADUS_API RMSpropOptions final : public OptimizerCloneableOptions<RMSpropOptions> {
  GRADUS_ARG(double, lr) = 1e-2;
  GRADUS_ARG(double, alpha) = 0.99;
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(double, weight_decay) = 0;
  GRADUS_ARG(double, momentum) = 0;
  GRADUS_ARG(bool, centered) = false;
  GRADUS_ARG(bool, maximize) = false;

 public:
  RMSpropOptions(double lr = 1e-2);  // NOLINT(google-explicit-constructor)
  ~RMSpropOptions() override;
  void check() const override;
  std::vector<Field> named_fields() override;
};

class GRADUS_API RMSpropParamState final : public OptimizerCloneableParamState<RMSpropParamState> {
  GRADUS_ARG(std::int64_t, step) = 0;
  GRADUS_ARG(Tensor, square_avg);       ///< v
  GRADUS_ARG(Tensor, momentum_buffer);  ///< b, with momentum
  GRADUS_ARG(Tensor, grad_avg);         ///< m, when centered

 public:
  std::vector<Field> named_fields() override;
};

/// With gradient g of parameter w:
///   g <- g + weight_decay w
///   v <- alpha v + (1 - alpha) g^2,   m <- alpha m + (1 - alpha) g
///   d = g / (sqrt(v) + eps)             (centered: v - m^2 in the place of v, 0 where rounding makes it negative)
///   w <- w - lr d                       (with momentum: b <- momentum b + d,  w <- w - lr b)
/// Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning", 2012; centered by Graves, "Generating
/// sequences with recurrent neural networks", 2013; PyTorch's form, eps outside the root.
struct RMSpropRule {
  static constexpr const char* name = "RMSprop";
  using Options = RMSpropOptions;
  using State = RMSpropParamState;
  GRADUS_API static void prepare(State& s, const Options& o, const Tensor& w);
  GRADUS_API static void step(State& s, const Options& o, const Tensor& w, const Tensor& g);
  GRADUS_API static Tensor reference(State& s, const Options& o, const Tensor& w, const Tensor& g);
};

extern template class GRADUS_API OptimizerOf<RMSpropRule>;
/// See RMSpropRule for the formula.
class GRADUS_API RMSprop final : public OptimizerOf<RMSpropRule> {
 public:
  using OptimizerOf::OptimizerOf;
  ~RMSprop() override;
};

}  // namespace gradus::optim
