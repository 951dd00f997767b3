#include "lr_scheduler.h"

#include "../../core/base/fail.h"

namespace gradus::optim {

LRScheduler::LRScheduler(Optimizer& optimizer) : optimizer_(&optimizer) {}
LRScheduler::~LRScheduler() = default;

void LRScheduler::step() {
  const double by = factor(++epoch_);
  for (OptimizerParamGroup& group : optimizer_->param_groups()) {
    group.options().set_lr(group.options().get_lr() * by);
  }
}

StepLR::StepLR(Optimizer& optimizer, unsigned step_size, double gamma)
    : LRScheduler(optimizer), step_size_(step_size), gamma_(gamma) {
  if (step_size == 0) core::fail<ValueError>("StepLR: step_size must be at least 1: {}", step_size);
}

double StepLR::factor(std::int64_t epoch) const { return epoch % step_size_ == 0 ? gamma_ : 1; }

}  // namespace gradus::optim
