#include "decay_lr.h"

#include <algorithm>
#include <cmath>

#include "../../core/base/fail.h"

namespace gradus::optim {

StepLR::StepLR(Optimizer& optimizer, std::int64_t step_size, double gamma)
    : LRScheduler("StepLR", optimizer), step_size_(step_size), gamma_(gamma) {
  if (step_size < 1) core::fail<ValueError>("StepLR: step_size must be at least 1: {}", step_size);
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

ConstantLR::ConstantLR(Optimizer& optimizer, double factor, std::int64_t total_iters)
    : LRScheduler("ConstantLR", optimizer), factor_(factor), total_iters_(total_iters) {
  if (!(factor >= 0 && factor <= 1)) core::fail<ValueError>("ConstantLR: factor must lie in [0, 1]: {}", factor);
  if (total_iters < 1) core::fail<ValueError>("ConstantLR: total_iters must be at least 1: {}", total_iters);
  start();
}
double ConstantLR::at(std::int64_t epoch, double base) const { return epoch < total_iters_ ? base * factor_ : base; }
double ConstantLR::next(std::int64_t epoch, double rate, double base) const {
  if (epoch == 0) return rate * factor_;
  if (epoch != total_iters_) return rate;
  return factor_ == 0 ? base : rate * (1 / factor_);
}

PolynomialLR::PolynomialLR(Optimizer& optimizer, std::int64_t total_iters, double power)
    : LRScheduler("PolynomialLR", optimizer), total_iters_(total_iters), power_(power) {
  if (total_iters < 1) core::fail<ValueError>("PolynomialLR: total_iters must be at least 1: {}", total_iters);
  detail::expect_not_negative(name(), {{"power", power}});
  start();
}
double PolynomialLR::at(std::int64_t epoch, double base) const {
  const double part = static_cast<double>(std::min(epoch, total_iters_)) / static_cast<double>(total_iters_);
  return base * std::pow(1 - part, power_);
}
double PolynomialLR::next(std::int64_t epoch, double rate, double) const {
  if (epoch == 0 || epoch > total_iters_) return rate;
  const auto left = [this](std::int64_t e) { return 1 - static_cast<double>(e) / static_cast<double>(total_iters_); };
  return rate * std::pow(left(epoch) / left(epoch - 1), power_);
}

LambdaPerGroup::LambdaPerGroup(std::vector<Function> functions) : functions_(std::move(functions)) {}
void LambdaPerGroup::check(std::string_view op, std::size_t groups) const {
  if (is_list_ && functions_.size() != groups) {
    core::fail<ValueError>("{}: lr_lambda must be one function, or one for each group: {} for {} groups", op,
                           functions_.size(), groups);
  }
  for (const Function& f : functions_) {
    if (!f) core::fail<ValueError>("{}: lr_lambda must be a function: one is empty", op);
  }
}
double LambdaPerGroup::operator()(std::size_t group, std::int64_t epoch) const {
  if (is_list_ && group >= functions_.size()) {
    core::fail<ValueError>("lr_lambda: a function for each group: {} for group number {}", functions_.size(), group);
  }
  return functions_[is_list_ ? group : 0](epoch);
}

LambdaLR::LambdaLR(Optimizer& optimizer, LambdaPerGroup lr_lambda)
    : LRScheduler("LambdaLR", optimizer), lr_lambda_(std::move(lr_lambda)) {
  lr_lambda_.check(name(), groups().size());
  start();
}
double LambdaLR::at(std::int64_t epoch, double base) const { return base * lr_lambda_(group(), epoch); }

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, LambdaPerGroup lr_lambda)
    : LRScheduler("MultiplicativeLR", optimizer), lr_lambda_(std::move(lr_lambda)) {
  lr_lambda_.check(name(), groups().size());
  start();
}
double MultiplicativeLR::at(std::int64_t epoch, double base) const {
  for (std::int64_t i = 1; i <= epoch; ++i) base *= lr_lambda_(group(), i);
  return base;
}
double MultiplicativeLR::next(std::int64_t epoch, double rate, double) const {
  return epoch == 0 ? rate : rate * lr_lambda_(group(), epoch);
}
double MultiplicativeLR::first(double rate, double) const { return rate * lr_lambda_(group(), 0); }

}  // namespace gradus::optim
