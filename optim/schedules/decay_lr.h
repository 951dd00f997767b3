// Schedules that multiply the rate now and then.
#pragma once

#include "lr_scheduler.h"

namespace gradus::optim {

/// base gamma^floor(epoch / step_size): times gamma every step_size epochs.
class GRADUS_API StepLR final : public LRScheduler {
 public:
  /// ValueError when step_size < 1 or gamma < 0.
  StepLR(Optimizer& optimizer, unsigned step_size, double gamma = 0.1);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  unsigned step_size_;
  double gamma_;
};

/// base gamma^(number of milestones that are not above epoch): times gamma at each of them; twice where one comes twice.
class GRADUS_API MultiStepLR final : public LRScheduler {
 public:
  /// Milestones in any order. ValueError when one of them, or gamma, is negative.
  MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma = 0.1);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  std::vector<std::int64_t> milestones_;
  double gamma_;
};

/// base gamma^epoch.
class GRADUS_API ExponentialLR final : public LRScheduler {
 public:
  /// ValueError when gamma < 0.
  ExponentialLR(Optimizer& optimizer, double gamma);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  double gamma_;
};

}  // namespace gradus::optim
