// One cycle of rates, up and far down, with the momentum the other way round.
#pragma once

#include <optional>

#include "lr_scheduler.h"

namespace gradus::optim {

/// max_lr, base_momentum and max_momentum are one number, or one for each group.
class GRADUS_API OneCycleLROptions {
 public:
  enum AnnealStrategy { cos, linear };

 private:
  GRADUS_ARG(PerGroup, max_lr);
  /// How many steps there are; or epochs times steps_per_epoch.
  GRADUS_ARG(std::optional<std::int64_t>, total_steps);
  GRADUS_ARG(std::optional<std::int64_t>, epochs);
  GRADUS_ARG(std::optional<std::int64_t>, steps_per_epoch);
  GRADUS_ARG(double, pct_start) = 0.3;  ///< the part of the steps in which the rate rises
  GRADUS_ARG(AnnealStrategy, anneal_strategy) = cos;
  GRADUS_ARG(bool, cycle_momentum) = true;
  GRADUS_ARG(PerGroup, base_momentum) = 0.85;
  GRADUS_ARG(PerGroup, max_momentum) = 0.95;
  GRADUS_ARG(double, div_factor) = 25;         ///< the first rate is max_lr / div_factor
  GRADUS_ARG(double, final_div_factor) = 1e4;  ///< the last rate is the first / final_div_factor
  GRADUS_ARG(bool, three_phase) = false;       ///< down to the first rate as fast as it rose, and only then to the last

 public:
  OneCycleLROptions(PerGroup max_lr, std::optional<std::int64_t> total_steps = std::nullopt)  // NOLINT
      : max_lr_(std::move(max_lr)), total_steps_(total_steps) {}
};

/// Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018, in
/// PyTorch's form, by default with two phases. step() is called after each batch, as many times as there are steps at
/// most; the last of them, after which nothing is left to be trained, keeps the rate (PyTorch's leaves it, and may make it
/// negative). The momentum (or beta1), unless cycle_momentum is false, is max_momentum where the rate is low and base_momentum
/// where it is highest. The schedule is not chainable: what others do to the rate is undone.
class GRADUS_API OneCycleLR final : public LRScheduler {
 public:
  /// ValueError when the number of steps is not given, or below 1; for pct_start outside [0, 1]; for factors that are not
  /// positive; for negative rates or momenta, lists of another length than there are groups; for an optimizer without
  /// momentum or betas unless cycle_momentum is false. Of step(), beyond the number of steps.
  OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options);
  OneCycleLR(Optimizer& optimizer, double max_lr, std::int64_t total_steps)
      : OneCycleLR(optimizer, OneCycleLROptions(max_lr, total_steps)) {}

 private:
  /// Up to step number `end`, from one of the three rates, as multiples of the first, to another, and of momenta.
  struct Phase {
    double end, start_rate, end_rate;
    bool starts_at_max, ends_at_max;  // the momentum
  };
  struct Place {
    const Phase* phase;
    double part;
  };
  Place place(std::int64_t step) const;
  double between(double start, double end, double part) const;
  double at(std::int64_t step, double base) const override;
  void entering(std::int64_t step) override;

  OneCycleLROptions options_;
  std::int64_t total_steps_ = 0;
  std::vector<Phase> phases_;
};

}  // namespace gradus::optim
