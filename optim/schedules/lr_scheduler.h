// Schedules: how the learning rate changes from epoch to epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "../optimizer.h"

namespace gradus::optim {

/// Call step() once an epoch, after the optimizer's steps. It changes the learning rate of every group; the optimizer
/// must outlive it.
class GRADUS_API LRScheduler {
 public:
  virtual ~LRScheduler();
  void step();

 protected:
  explicit LRScheduler(Optimizer& optimizer);
  /// The factor on each group's learning rate when epoch number `epoch` (1, 2, ...) begins.
  virtual double factor(std::int64_t epoch) const = 0;

 private:
  Optimizer* optimizer_;
  std::int64_t epoch_ = 0;
};

/// Times gamma every step_size epochs.
class GRADUS_API StepLR final : public LRScheduler {
 public:
  /// ValueError when step_size < 1.
  StepLR(Optimizer& optimizer, unsigned step_size, double gamma = 0.1);

 private:
  double factor(std::int64_t epoch) const override;
  unsigned step_size_;
  double gamma_;
};

/// Times gamma every epoch.
class GRADUS_API ExponentialLR final : public LRScheduler {
 public:
  ExponentialLR(Optimizer& optimizer, double gamma) : LRScheduler(optimizer), gamma_(gamma) {}

 private:
  double factor(std::int64_t) const override { return gamma_; }
  double gamma_;
};

}  // namespace gradus::optim
