// Rates up and down, again and again, with the momentum the other way round.
#pragma once

#include <functional>
#include <optional>

#include "lr_scheduler.h"

namespace gradus::optim {

/// base_lr, max_lr, base_momentum and max_momentum are one number, or one for each group.
class GRADUS_API CyclicLROptions {
 public:
  enum Mode { triangular, triangular2, exp_range };
  enum ScaleMode { cycle, iterations };
  using ScaleFunction = std::function<double(double)>;

 private:
  GRADUS_ARG(PerGroup, base_lr);
  GRADUS_ARG(PerGroup, max_lr);
  GRADUS_ARG(std::int64_t, step_size_up) = 2000;
  GRADUS_ARG(std::optional<std::int64_t>, step_size_down);  ///< step_size_up where it is not given
  GRADUS_ARG(Mode, mode) = triangular;
  GRADUS_ARG(double, gamma) = 1;        ///< of exp_range
  GRADUS_ARG(ScaleFunction, scale_fn);  ///< in the place of mode
  GRADUS_ARG(ScaleMode,
             scale_mode) = cycle;  ///< whether scale_fn is of the number of the cycle, from 1, or of the step
  GRADUS_ARG(bool, cycle_momentum) = true;
  GRADUS_ARG(PerGroup, base_momentum) = 0.8;
  GRADUS_ARG(PerGroup, max_momentum) = 0.9;

 public:
  CyclicLROptions(PerGroup base_lr, PerGroup max_lr);
};

/// Smith, "Cyclical learning rates for training neural networks", 2017; PyTorch's form. From base_lr on a line to max_lr in
/// step_size_up steps, and back in step_size_down: base_lr + (max_lr - base_lr) h s, with h from 0 to 1 and back. s is 1;
/// in triangular2 1/2 in the second cycle, 1/4 in the third, and so on; in exp_range gamma^step. The momentum (or beta1),
/// unless cycle_momentum is false: max_momentum - (max_momentum - base_momentum) h s. step() is called after each batch.
/// Not chainable. A function is not saved: it is the same where one goes on.
class GRADUS_API CyclicLR final : public LRScheduler {
 public:
  /// ValueError for sizes below 1; for negative rates or momenta, momenta of 1 or more, lists of another length than there
  /// are groups; for an optimizer without momentum or betas unless cycle_momentum is false.
  CyclicLR(Optimizer& optimizer, const CyclicLROptions& options);

 private:
  double height(std::int64_t step) const;
  double at(std::int64_t step, double base) const override;
  void entering(std::int64_t step) override;

  CyclicLROptions options_;
  double up_, down_;
  std::vector<double> base_lr_, max_lr_, base_momentum_, max_momentum_;
};

}  // namespace gradus::optim
