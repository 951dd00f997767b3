#include "linear_lr.h"

#include <algorithm>

#include "../../core/base/fail.h"

namespace gradus::optim {

LinearLR::LinearLR(Optimizer& optimizer, double start_factor, double end_factor, std::int64_t total_iters)
    : LRScheduler("LinearLR", optimizer),
      start_factor_(start_factor),
      end_factor_(end_factor),
      total_iters_(total_iters) {
  if (!(start_factor > 0 && start_factor <= 1 && end_factor >= 0 && end_factor <= 1)) {
    core::fail<ValueError>("LinearLR: start_factor must lie in (0, 1], end_factor in [0, 1]: {}, {}", start_factor,
                           end_factor);
  }
  if (total_iters < 1) core::fail<ValueError>("LinearLR: total_iters must be at least 1: {}", total_iters);
  start();
}

double LinearLR::factor(std::int64_t epoch) const {
  const double part = static_cast<double>(std::min(epoch, total_iters_)) / static_cast<double>(total_iters_);
  return start_factor_ + (end_factor_ - start_factor_) * part;
}
double LinearLR::at(std::int64_t epoch, double base) const { return base * factor(epoch); }
double LinearLR::next(std::int64_t epoch, double rate, double) const {
  if (epoch == 0) return rate * start_factor_;
  return epoch > total_iters_ ? rate : rate * (factor(epoch) / factor(epoch - 1));
}

}  // namespace gradus::optim
