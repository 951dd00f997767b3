#include "linear_lr.h"

#include <algorithm>
#include <cmath>
#include <numbers>

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

SWALR::SWALR(Optimizer& optimizer, PerGroup swa_lr, std::int64_t anneal_epochs, AnnealStrategy anneal_strategy)
    : LRScheduler("SWALR", optimizer),
      swa_lr_(swa_lr.of("SWALR", "swa_lr", optimizer.param_groups().size())),
      anneal_epochs_(anneal_epochs),
      anneal_strategy_(anneal_strategy) {
  if (anneal_epochs < 0) core::fail<ValueError>("SWALR: anneal_epochs must not be negative: {}", anneal_epochs);
  start();
}

double SWALR::part(std::int64_t epoch) const {
  if (epoch >= anneal_epochs_) return 1;
  const double t = static_cast<double>(epoch) / static_cast<double>(anneal_epochs_);
  return anneal_strategy_ == linear ? t : (1 - std::cos(std::numbers::pi * t)) / 2;
}
double SWALR::at(std::int64_t epoch, double base) const {
  return swa_lr_.at(group()) * part(epoch) + base * (1 - part(epoch));
}
double SWALR::next(std::int64_t epoch, double rate, double) const {
  const double last = swa_lr_.at(group()), before = epoch == 0 ? 0 : part(epoch - 1);
  const double first = before == 1 ? last : (rate - before * last) / (1 - before);  // from where it came
  return last * part(epoch) + first * (1 - part(epoch));
}
double SWALR::first(double rate, double base) const { return next(0, rate, base); }

}  // namespace gradus::optim
