#include "reduce_lr_on_plateau.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "../../core/base/fail.h"

namespace gradus::optim {

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, SchedulerMode mode, double factor, int patience,
                                     double threshold, ThresholdMode threshold_mode, int cooldown, PerGroup min_lr,
                                     double eps, bool verbose)
    : Schedule("ReduceLROnPlateau", optimizer),
      mode_(mode),
      threshold_mode_(threshold_mode),
      factor_(factor),
      threshold_(threshold),
      eps_(eps),
      patience_(patience),
      cooldown_(cooldown),
      min_lr_(std::move(min_lr)),
      verbose_(verbose),
      best_((mode == min ? 1 : -1) * std::numeric_limits<double>::infinity()) {
  if (!(factor >= 0 && factor < 1)) core::fail<ValueError>("{}: factor must lie in [0, 1): {}", name(), factor);
  detail::expect_not_negative(name(), {{"patience", static_cast<double>(patience)},
                                       {"cooldown", static_cast<double>(cooldown)},
                                       {"threshold", threshold},
                                       {"eps", eps}});
  least();
}

std::vector<double> ReduceLROnPlateau::least() const { return min_lr_.of(name(), "min_lr", groups().size(), 0); }

std::vector<Field> ReduceLROnPlateau::named_fields() {
  return {{"best", &best_}, {"num_bad_epochs", &num_bad_epochs_}, {"cooldown_counter", &cooldown_counter_}};
}

bool ReduceLROnPlateau::is_better(double metric) const {
  const double sign = mode_ == min ? -1 : 1;
  const double bound = threshold_mode_ == rel ? best_ * (1 + sign * threshold_) : best_ + sign * threshold_;
  return mode_ == min ? metric < bound : metric > bound;
}

void ReduceLROnPlateau::step(double metric) {
  if (std::isnan(metric)) {
    core::fail<ValueError>("ReduceLROnPlateau: the metric must be a number: {} after epoch {}", metric, last_epoch());
  }
  least();  // or it would be an error at the first reduction
  if (is_better(metric)) {
    best_ = metric;
    num_bad_epochs_ = 0;
  } else {
    ++num_bad_epochs_;
  }
  if (cooldown_counter_ > 0) {
    --cooldown_counter_;
    num_bad_epochs_ = 0;
  }
  if (num_bad_epochs_ > patience_) {
    reduce();
    cooldown_counter_ = cooldown_;
    num_bad_epochs_ = 0;
  }
  enter(last_epoch() + 1);
}

void ReduceLROnPlateau::reduce() {
  const std::vector<double> lowest = least();
  for (std::size_t g = 0; g < lowest.size(); ++g) {
    OptimizerOptions& options = groups()[g].options();
    const double lr = options.get_lr(), lower = std::max(lr * factor_, lowest[g]);
    if (!(lr - lower > eps_)) continue;
    options.set_lr(lower);
    if (verbose_) {
      std::cout << fmt::format("Epoch {}: reducing learning rate of group {} to {:.4e}\n", last_epoch() + 1, g, lower);
    }
  }
}

}  // namespace gradus::optim
