#include "cosine_annealing_lr.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "../../core/base/fail.h"

namespace gradus::optim {

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, std::int64_t T_max, double eta_min)
    : LRScheduler("CosineAnnealingLR", optimizer), t_max_(T_max), eta_min_(eta_min) {
  if (T_max < 1) core::fail<ValueError>("CosineAnnealingLR: T_max must be at least 1: {}", T_max);
  detail::expect_not_negative(name(), {{"eta_min", eta_min}});
  start();
}

double CosineAnnealingLR::at(std::int64_t epoch, double base) const {
  const double angle = std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(t_max_);
  return eta_min_ + (base - eta_min_) * (1 + std::cos(angle)) / 2;
}

double CosineAnnealingLR::next(std::int64_t epoch, double rate, double base) const {
  const auto raised = [this](std::int64_t e) {
    return 1 + std::cos(std::numbers::pi * static_cast<double>(e) / static_cast<double>(t_max_));
  };
  if (epoch == 0) return rate;
  // From the bottom, where nothing is left of the rate to be scaled, one step up.
  const std::int64_t from_bottom = epoch - 1 - t_max_;
  if (from_bottom % t_max_ == 0 && from_bottom / t_max_ % 2 == 0) {
    return rate + (base - eta_min_) * (1 - std::cos(std::numbers::pi / static_cast<double>(t_max_))) / 2;
  }
  return raised(epoch) / raised(epoch - 1) * (rate - eta_min_) + eta_min_;
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer, std::int64_t T_0, std::int64_t T_mult,
                                                         double eta_min)
    : LRScheduler("CosineAnnealingWarmRestarts", optimizer), t_0_(T_0), t_mult_(T_mult), eta_min_(eta_min) {
  if (T_0 < 1 || T_mult < 1) {
    core::fail<ValueError>("CosineAnnealingWarmRestarts: T_0 and T_mult must be at least 1: {}, {}", T_0, T_mult);
  }
  detail::expect_not_negative(name(), {{"eta_min", eta_min}});
  start();
}

double CosineAnnealingWarmRestarts::at(std::int64_t epoch, double base) const {
  std::int64_t since = epoch, length = t_0_;
  if (t_mult_ == 1) since %= length;
  while (since >= length) {
    since -= length;
    if (__builtin_mul_overflow(length, t_mult_, &length)) length = std::numeric_limits<std::int64_t>::max();
  }
  const double angle = std::numbers::pi * static_cast<double>(since) / static_cast<double>(length);
  return eta_min_ + (base - eta_min_) * (1 + std::cos(angle)) / 2;
}

}  // namespace gradus::optim
