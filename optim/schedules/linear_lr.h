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

/// From the rate that there is to swa_lr, within anneal_epochs, where it stays: for averaging weights. With a(t) = t, or
/// (1 - cos(pi t)) / 2: rate (1 - a(epoch / anneal_epochs)) + swa_lr a(epoch / anneal_epochs). (Izmailov et al., "Averaging
/// weights leads to wider optima and better generalization", 2018.)
class GRADUS_API SWALR final : public LRScheduler {
 public:
  enum AnnealStrategy { cos, linear };
  /// swa_lr is one number, or one for each group. ValueError when anneal_epochs < 0.
  SWALR(Optimizer& optimizer, PerGroup swa_lr, std::int64_t anneal_epochs = 10, AnnealStrategy anneal_strategy = cos);

 private:
  double part(std::int64_t epoch) const;
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  double first(double rate, double base) const override;
  std::vector<double> swa_lr_;
  std::int64_t anneal_epochs_;
  AnnealStrategy anneal_strategy_;
};

}  // namespace gradus::optim
