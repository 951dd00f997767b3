// A lower rate where a measure has ceased to improve.
#pragma once

#include <limits>

#include "lr_scheduler.h"

namespace gradus::optim {

/// Times factor, though not below min_lr, after more than `patience` epochs in a row in which the metric was not better
/// than the best so far: less than best (1 - threshold), in mode max more than best (1 + threshold); with threshold_mode
/// abs, than best -+ threshold. For `cooldown` epochs after that none counts as bad. A change by eps or less is not made.
class GRADUS_API ReduceLROnPlateau final : public Schedule {
 public:
  enum SchedulerMode { min, max };
  enum ThresholdMode { rel, abs };
  /// min_lr is one number, or one for each group, {} is 0; verbose: reductions are told on std::cout. ValueError unless
  /// 0 <= factor < 1, and for what is negative.
  explicit ReduceLROnPlateau(Optimizer& optimizer, SchedulerMode mode = min, double factor = 0.1, int patience = 10,
                             double threshold = 1e-4, ThresholdMode threshold_mode = rel, int cooldown = 0,
                             PerGroup min_lr = 0, double eps = 1e-8, bool verbose = false);
  /// Call it once an epoch with what has been measured. ValueError when that is NaN.
  void step(double metric);

 private:
  std::vector<Field> named_fields() override;
  bool is_better(double metric) const;
  void reduce();
  std::vector<double> least() const;  ///< of each group

  SchedulerMode mode_;
  ThresholdMode threshold_mode_;
  double factor_, threshold_, eps_;
  std::int64_t patience_, cooldown_;
  PerGroup min_lr_;
  bool verbose_;
  double best_;
  std::int64_t num_bad_epochs_ = 0, cooldown_counter_ = 0;
};

/// The name that it has in PyTorch's C++ frontend.
using ReduceLROnPlateauScheduler = ReduceLROnPlateau;

}  // namespace gradus::optim
