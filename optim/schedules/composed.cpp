#include "composed.h"

#include <algorithm>

#include "../../core/base/fail.h"

namespace gradus::optim {
namespace {

// The optimizer of all of them, which are given for one of this name.
Optimizer& optimizer_of(const char* op, const Schedulers& schedulers) {
  if (schedulers.empty()) core::fail<ValueError>("{}: there must be a schedule: none is given", op);
  for (const auto& s : schedulers) {
    if (s == nullptr) core::fail<ValueError>("{}: a schedule is null", op);
    if (&s->optimizer() != &schedulers[0]->optimizer()) {
      core::fail<ValueError>("{}: all schedules must be those of one optimizer: {} has another than {}", op, s->name(),
                             schedulers[0]->name());
    }
  }
  return schedulers[0]->optimizer();
}

// Each schedule's fields under its number. The names are made once: fields refer to them.
template <class FieldsOf>
std::vector<Field> numbered(const Schedulers& schedulers, std::vector<std::string>& names, FieldsOf fields_of) {
  std::vector<Field> all;
  std::vector<std::string> fresh;
  for (std::size_t i = 0; i < schedulers.size(); ++i) {
    for (const Field& field : fields_of(*schedulers[i])) {
      fresh.push_back(fmt::format("schedulers.{}.{}", i, field.name));
      all.push_back(field);
    }
  }
  if (names.size() != fresh.size()) names = std::move(fresh);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].name = names[i].c_str();
  return all;
}

}  // namespace

SequentialLR::SequentialLR(Optimizer& optimizer, Schedulers schedulers, std::vector<std::int64_t> milestones)
    : LRScheduler("SequentialLR", optimizer), schedulers_(std::move(schedulers)), milestones_(std::move(milestones)) {
  if (&optimizer_of("SequentialLR", schedulers_) != &optimizer) {
    core::fail<ValueError>("SequentialLR: the schedules must be those of the optimizer: they have another");
  }
  if (milestones_.size() + 1 != schedulers_.size()) {
    core::fail<ValueError>("SequentialLR: there must be a milestone less than schedules: {} and {}", milestones_.size(),
                           schedulers_.size());
  }
  if (!std::is_sorted(milestones_.begin(), milestones_.end(), std::less_equal<>()) ||
      (!milestones_.empty() && milestones_[0] < 0)) {
    core::fail<ValueError>("SequentialLR: milestones must rise from 0 or more: {}", fmt::join(milestones_, ", "));
  }
  SequentialLR::restart();
}

std::size_t SequentialLR::index_of(std::int64_t epoch) const {
  return static_cast<std::size_t>(std::upper_bound(milestones_.begin(), milestones_.end(), epoch) -
                                  milestones_.begin());
}

void SequentialLR::restart() {
  for (OptimizerParamGroup& group : groups()) group.options().set_lr(base_lr(group));
  schedulers_[index_of(0)]->restart();
  enter(0);
}

void SequentialLR::step() {
  const std::int64_t epoch = last_epoch() + 1;
  const std::size_t index = index_of(epoch);
  if (index > 0 && milestones_[index - 1] == epoch) {
    schedulers_[index]->restart();
  } else {
    schedulers_[index]->step();
  }
  enter(epoch);
}

void SequentialLR::step(std::int64_t epoch) {
  if (epoch < 0) core::fail<ValueError>("{}: the epoch must not be negative: {}", name(), epoch);
  const std::size_t index = index_of(epoch);
  schedulers_[index]->step(index == 0 ? epoch : epoch - milestones_[index - 1]);
  enter(epoch);
}

std::vector<Field> SequentialLR::named_fields() {
  return numbered(schedulers_, names_, [](Schedule& s) { return fields_of(s); });
}
void SequentialLR::loaded() {
  for (const auto& s : schedulers_) {
    s->enter(s->last_epoch());
    s->loaded();
  }
}

ChainedScheduler::ChainedScheduler(Schedulers schedulers)
    : LRScheduler("ChainedScheduler", optimizer_of("ChainedScheduler", schedulers)),
      schedulers_(std::move(schedulers)) {}

void ChainedScheduler::step() {
  for (const auto& s : schedulers_) s->step();
  enter(last_epoch() + 1);
}

void ChainedScheduler::restart() {
  for (OptimizerParamGroup& group : groups()) group.options().set_lr(base_lr(group));
  for (const auto& s : schedulers_) s->start();
  enter(0);
}

std::vector<Field> ChainedScheduler::named_fields() {
  return numbered(schedulers_, names_, [](Schedule& s) { return fields_of(s); });
}
void ChainedScheduler::loaded() {
  for (const auto& s : schedulers_) {
    s->enter(s->last_epoch());
    s->loaded();
  }
}

}  // namespace gradus::optim
