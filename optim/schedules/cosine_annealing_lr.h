// Half a cosine down, half a cosine up, and so on.
#pragma once

#include "lr_scheduler.h"

namespace gradus::optim {

/// eta_min + (base - eta_min) (1 + cos(pi epoch / T_max)) / 2: eta_min at epoch T_max, base again at 2 T_max. (Loshchilov
/// and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, without the restarts.)
class GRADUS_API CosineAnnealingLR final : public LRScheduler {
 public:
  /// ValueError when T_max < 1 or eta_min < 0.
  CosineAnnealingLR(Optimizer& optimizer, std::int64_t T_max, double eta_min = 0);

 private:
  double at(std::int64_t epoch, double base) const override;
  double next(std::int64_t epoch, double rate, double base) const override;
  std::int64_t t_max_;
  double eta_min_;
};

/// The same way down, and then from base again: the first time after T_0 epochs, and after each restart after T_mult times
/// as many as before it. With i epochs since the restart and T until the next: eta_min + (base - eta_min)
/// (1 + cos(pi i / T)) / 2. The schedule is not chainable. (Loshchilov and Hutter, as above.)
class GRADUS_API CosineAnnealingWarmRestarts final : public LRScheduler {
 public:
  /// ValueError when T_0 < 1, T_mult < 1 or eta_min < 0.
  CosineAnnealingWarmRestarts(Optimizer& optimizer, std::int64_t T_0, std::int64_t T_mult = 1, double eta_min = 0);

 private:
  double at(std::int64_t epoch, double base) const override;
  std::int64_t t_0_, t_mult_;
  double eta_min_;
};

}  // namespace gradus::optim
