#include "cyclic_lr.h"

#include <cmath>

#include "../../core/base/fail.h"

namespace gradus::optim {

CyclicLROptions::CyclicLROptions(PerGroup base_lr, PerGroup max_lr)
    : base_lr_(std::move(base_lr)), max_lr_(std::move(max_lr)) {}

CyclicLR::CyclicLR(Optimizer& optimizer, const CyclicLROptions& options)
    : LRScheduler("CyclicLR", optimizer),
      options_(options),
      up_(static_cast<double>(options.step_size_up())),
      down_(static_cast<double>(options.step_size_down().value_or(options.step_size_up()))) {
  if (!(up_ >= 1 && down_ >= 1)) {
    core::fail<ValueError>("CyclicLR: step_size_up and step_size_down must be at least 1: {}, {}", up_, down_);
  }
  detail::expect_not_negative(name(), {{"gamma", options.gamma()}});
  const std::size_t count = groups().size();
  base_lr_ = options.base_lr().of(name(), "base_lr", count);
  max_lr_ = options.max_lr().of(name(), "max_lr", count);
  if (options.cycle_momentum()) {
    base_momentum_ = options.base_momentum().of(name(), "base_momentum", count);
    max_momentum_ = options.max_momentum().of(name(), "max_momentum", count);
    for (const auto& momenta : {base_momentum_, max_momentum_}) {
      for (const double m : momenta) {
        if (!(m < 1)) core::fail<ValueError>("CyclicLR: momenta must lie in [0, 1): {}", m);
      }
    }
    if (momentum_of(optimizer.defaults()) == nullptr) {
      core::fail<ValueError>("CyclicLR: {} has neither momentum nor betas: cycle_momentum(false)", optimizer.name());
    }
  }
  for (std::size_t g = 0; g < count; ++g) groups()[g].options().set_lr(base_lr_[g]);
  start();
}

double CyclicLR::height(std::int64_t step) const {
  const auto i = static_cast<double>(step);
  const double total = up_ + down_, ratio = up_ / total;
  const double cycle = std::floor(1 + i / total), x = 1 + i / total - cycle;
  const double line = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
  if (options_.scale_fn()) {
    return line * options_.scale_fn()(options_.scale_mode() == CyclicLROptions::cycle ? cycle : i);
  }
  switch (options_.mode()) {
    case CyclicLROptions::triangular2:
      return line / std::pow(2.0, cycle - 1);
    case CyclicLROptions::exp_range:
      return line * std::pow(options_.gamma(), i);
    case CyclicLROptions::triangular:
      break;
  }
  return line;
}

double CyclicLR::at(std::int64_t step, double) const {
  const std::size_t g = group();
  return base_lr_.at(g) + (max_lr_.at(g) - base_lr_[g]) * height(step);
}

void CyclicLR::entering(std::int64_t step) {
  if (!options_.cycle_momentum()) return;
  for (std::size_t g = 0; g < groups().size(); ++g) {
    *momentum_of(groups()[g].options()) = max_momentum_.at(g) - (max_momentum_[g] - base_momentum_[g]) * height(step);
  }
}

}  // namespace gradus::optim
