// Warming up, or cooling down, along a line.
#pragma once

#include "lr_scheduler.h"

namespace gradus::optim {

/// base times a factor that goes from start_factor, at epoch 0, to end_factor, at epoch total_iters, and stays there.
class GRADUS_API LinearLR final : public LRScheduler {
 public:
  /// ValueError unless 0 < start_factor <= 1, 0 <= end_factor <= 1, total_iters >= 1.
  explicit LinearLR(Optimizer& optimizer, double start_factor = 1.0 / 3, double end_factor = 1,
                    std::int64_t total_iters = 5);

 private:
  double factor(std::int64_t epoch) const;
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  double start_factor_, end_factor_;
  std::int64_t total_iters_;
};

}  // namespace gradus::optim
