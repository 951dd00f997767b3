#include "one_cycle_lr.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../../core/base/fail.h"

namespace gradus::optim {
namespace {

std::int64_t steps_of(const OneCycleLROptions& o) {
  const auto given = [](const char* name, std::optional<std::int64_t> count) {
    if (!count) core::fail<ValueError>("OneCycleLR: give total_steps, or epochs and steps_per_epoch: no {}", name);
    if (*count < 1) core::fail<ValueError>("OneCycleLR: {} must be at least 1: {}", name, *count);
    return *count;
  };
  if (o.total_steps()) return given("total_steps", o.total_steps());
  std::int64_t steps = 0;
  if (__builtin_mul_overflow(given("epochs", o.epochs()), given("steps_per_epoch", o.steps_per_epoch()), &steps)) {
    core::fail<ValueError>("OneCycleLR: epochs times steps_per_epoch must fit an int64: {} x {}", *o.epochs(),
                           *o.steps_per_epoch());
  }
  return steps;
}

}  // namespace

OneCycleLR::OneCycleLR(Optimizer& optimizer, const OneCycleLROptions& options)
    : LRScheduler("OneCycleLR", optimizer), options_(options), total_steps_(steps_of(options)) {
  const double start = options.pct_start();
  if (!(start >= 0 && start <= 1)) core::fail<ValueError>("OneCycleLR: pct_start must lie in [0, 1]: {}", start);
  if (!(options.div_factor() > 0 && options.final_div_factor() > 0)) {
    core::fail<ValueError>("OneCycleLR: div_factor and final_div_factor must be positive: {}, {}", options.div_factor(),
                           options.final_div_factor());
  }
  const std::size_t count = groups().size();
  const std::vector<double> max_lr = options.max_lr().of(name(), "max_lr", count);
  if (options.cycle_momentum()) {
    for (const auto& momenta : {options.base_momentum().of(name(), "base_momentum", count),
                                options.max_momentum().of(name(), "max_momentum", count)}) {
      for (const double m : momenta) {
        if (!(m < 1)) core::fail<ValueError>("OneCycleLR: momenta must lie in [0, 1): {}", m);
      }
    }
    if (momentum_of(optimizer.defaults()) == nullptr) {
      core::fail<ValueError>("OneCycleLR: {} has neither momentum nor betas: cycle_momentum(false)", optimizer.name());
    }
  }
  // As multiples of the first rate.
  const double first = 1, highest = options.div_factor(), last = 1 / options.final_div_factor();
  const auto steps = static_cast<double>(total_steps_);
  phases_.push_back({start * steps - 1, first, highest, true, false});
  if (options.three_phase()) {
    phases_.push_back({2 * start * steps - 2, highest, first, false, true});
    phases_.push_back({steps - 1, first, last, true, true});
  } else {
    phases_.push_back({steps - 1, highest, last, false, true});
  }
  for (std::size_t g = 0; g < count; ++g) groups()[g].initial_lr() = max_lr[g] / options.div_factor();
  LRScheduler::start();
}

OneCycleLR::Place OneCycleLR::place(std::int64_t step) const {
  double begin = 0;
  for (const Phase& phase : phases_) {
    if (static_cast<double>(step) <= phase.end || &phase == &phases_.back()) {
      // A phase without steps is at its end, as is what comes after the last step.
      const double length = phase.end - begin;
      return {&phase, length == 0 ? 1 : std::min(1.0, (static_cast<double>(step) - begin) / length)};
    }
    begin = phase.end;
  }
  return {&phases_.back(), 1};
}

double OneCycleLR::between(double start, double end, double part) const {
  if (options_.anneal_strategy() == OneCycleLROptions::linear) return (end - start) * part + start;
  return end + (start - end) / 2 * (std::cos(std::numbers::pi * part) + 1);
}

double OneCycleLR::at(std::int64_t step, double base) const {
  if (step > total_steps_) {
    core::fail<ValueError>("OneCycleLR: total_steps is {}: step number {} must not be taken", total_steps_, step);
  }
  const auto [phase, part] = place(step);
  return base * between(phase->start_rate, phase->end_rate, part);
}

void OneCycleLR::entering(std::int64_t step) {
  if (!options_.cycle_momentum()) return;
  const std::size_t count = groups().size();
  const std::vector<double> base = options_.base_momentum().of(name(), "base_momentum", count);
  const std::vector<double> max = options_.max_momentum().of(name(), "max_momentum", count);
  const auto [phase, part] = place(step);
  for (std::size_t g = 0; g < count; ++g) {
    *momentum_of(groups()[g].options()) =
        between(phase->starts_at_max ? max[g] : base[g], phase->ends_at_max ? max[g] : base[g], part);
  }
}

}  // namespace gradus::optim
