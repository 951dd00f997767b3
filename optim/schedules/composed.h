// Schedules of schedules: one after the other, or all at once.
#pragma once

#include <memory>
#include <string>

#include "lr_scheduler.h"

namespace gradus::optim {

using Schedulers = std::vector<std::shared_ptr<LRScheduler>>;

/// The first schedule until the first milestone, the second from there on, and so forth, each from its own epoch 0 on; what
/// starts from the optimizer's rate starts from the one that it had before any schedule. A state holds theirs, as
/// `schedulers.I.FIELD`.
class GRADUS_API SequentialLR final : public LRScheduler {
 public:
  /// ValueError unless there is one milestone less than schedules, milestones rise, and all schedules are the optimizer's.
  SequentialLR(Optimizer& optimizer, Schedulers schedulers, std::vector<std::int64_t> milestones);
  void step() override;
  void step(std::int64_t epoch) override;
  void restart() override;

 private:
  std::size_t index_of(std::int64_t epoch) const;
  std::vector<Field> named_fields() override;
  void loaded() override;
  Schedulers schedulers_;
  std::vector<std::int64_t> milestones_;
  std::vector<std::string> names_;  // of the fields
};

/// All schedules at each step, one after the other, each on what the one before makes of the rate: the chainable form.
class GRADUS_API ChainedScheduler final : public LRScheduler {
 public:
  /// ValueError for no schedule at all, and for those of several optimizers.
  explicit ChainedScheduler(Schedulers schedulers);
  using LRScheduler::step;  // ValueError for a given epoch
  void step() override;
  void restart() override;

 private:
  std::vector<Field> named_fields() override;
  void loaded() override;
  Schedulers schedulers_;
  std::vector<std::string> names_;
};

}  // namespace gradus::optim
