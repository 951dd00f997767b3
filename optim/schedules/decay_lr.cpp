#include "decay_lr.h"

#include <algorithm>
#include <cmath>

#include "../../core/base/fail.h"

namespace gradus::optim {

StepLR::StepLR(Optimizer& optimizer, unsigned step_size, double gamma)
    : LRScheduler("StepLR", optimizer), step_size_(step_size), gamma_(gamma) {
  if (step_size == 0) core::fail<ValueError>("StepLR: step_size must be at least 1: {}", step_size);
  detail::expect_not_negative(name(), {{"gamma", gamma}});
  start();
}
double StepLR::at(std::int64_t epoch, double base) const {
  return base * std::pow(gamma_, static_cast<double>(epoch / step_size_));
}
double StepLR::next(std::int64_t epoch, double rate, double) const {
  return epoch > 0 && epoch % step_size_ == 0 ? rate * gamma_ : rate;
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, std::vector<std::int64_t> milestones, double gamma)
    : LRScheduler("MultiStepLR", optimizer), milestones_(std::move(milestones)), gamma_(gamma) {
  for (const std::int64_t epoch : milestones_) {
    if (epoch < 0) core::fail<ValueError>("MultiStepLR: milestones must not be negative: {}", epoch);
  }
  detail::expect_not_negative(name(), {{"gamma", gamma}});
  start();
}
double MultiStepLR::at(std::int64_t epoch, double base) const {
  const auto passed = std::count_if(milestones_.begin(), milestones_.end(), [=](auto m) { return m <= epoch; });
  return base * std::pow(gamma_, static_cast<double>(passed));
}
double MultiStepLR::next(std::int64_t epoch, double rate, double) const {
  const auto here = std::count(milestones_.begin(), milestones_.end(), epoch);
  return here == 0 ? rate : rate * std::pow(gamma_, static_cast<double>(here));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, double gamma)
    : LRScheduler("ExponentialLR", optimizer), gamma_(gamma) {
  detail::expect_not_negative(name(), {{"gamma", gamma}});
  start();
}
double ExponentialLR::at(std::int64_t epoch, double base) const {
  return base * std::pow(gamma_, static_cast<double>(epoch));
}
double ExponentialLR::next(std::int64_t epoch, double rate, double) const { return epoch > 0 ? rate * gamma_ : rate; }

}  // namespace gradus::optim
