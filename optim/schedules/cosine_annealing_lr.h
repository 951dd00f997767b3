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

}  // namespace gradus::optim
