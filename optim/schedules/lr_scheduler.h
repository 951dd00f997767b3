// What schedules share. One gives a rate for an epoch (LRScheduler), or for what has been measured after it
// (reduce_lr_on_plateau.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "../optimizer.h"

namespace gradus::optim {

/// Changes the learning rates of an optimizer, which must outlive it.
class GRADUS_API Schedule {
 public:
  virtual ~Schedule();
  std::string_view name() const noexcept { return name_; }
  /// 0 at first, and one more after each step.
  std::int64_t last_epoch() const noexcept { return last_epoch_; }
  /// Each group's rate, as the last step left it.
  const std::vector<double>& get_last_lr() const noexcept { return last_lr_; }

  /// What steps change, by name. A training goes on where it was, in an optimizer and a schedule made as before, when
  /// first the optimizer's state is loaded, which has the rates, then this.
  NamedState state_dict() const;
  /// ValueError, and nothing is changed, when entries are missing, unknown, or of another shape or dtype.
  void load_state_dict(const NamedState& state);
  Optimizer& optimizer() const noexcept { return *optimizer_; }

 protected:
  Schedule(std::string_view name, Optimizer& optimizer);
  Schedule(const Schedule&) = default;
  Schedule& operator=(const Schedule&) = default;
  std::vector<OptimizerParamGroup>& groups() const noexcept { return optimizer_->param_groups(); }
  /// What PyTorch calls initial_lr.
  double base_lr(OptimizerParamGroup& group) const;
  /// Ends a step.
  void enter(std::int64_t epoch);
  /// Momentum, or beta1: what of some options has that meaning. Null for none.
  static double* momentum_of(OptimizerOptions& options);
  /// All of a schedule's state: last_epoch and its named_fields().
  static std::vector<Field> fields_of(Schedule& schedule);
  /// The state's fields beside last_epoch.
  virtual std::vector<Field> named_fields();
  /// Called when a state has been loaded.
  virtual void loaded();

 private:
  std::string_view name_;
  Optimizer* optimizer_;
  std::int64_t last_epoch_ = 0;
  std::vector<double> last_lr_;
};

/// A rate for an epoch. step() is called once an epoch (or batch: whatever the schedule counts), after the optimizer's
/// steps.
///
/// A schedule of one's own overrides at(); next(), too, if it shall combine with others on the same optimizer; and its
/// constructor, once it has checked its arguments, ends with start(). Or, as in PyTorch's C++ frontend, it overrides
/// get_lrs() alone, out of step_count_ and get_current_lrs(), and its rates hold from the first step() on.
class GRADUS_API LRScheduler : public Schedule {
 public:
  /// To the next epoch.
  virtual void step();
  /// To any epoch, by the closed form, whatever has been done to the rates before. ValueError for a negative one.
  virtual void step(std::int64_t epoch);
  /// To epoch 0 once more, as when a sequence of schedules comes to this one.
  virtual void restart();

 protected:
  using Schedule::Schedule;
  explicit LRScheduler(Optimizer& optimizer);
  /// Sets the rates of epoch 0. Each group that no schedule had before is given its rate as the one to start from.
  void start();
  /// Each group's rate of the next epoch: by next().
  virtual std::vector<double> get_lrs();
  /// Each group's rate, as it is now.
  std::vector<double> get_current_lrs() const;
  /// Which group at() and next() are asked about, where it matters.
  std::size_t group() const noexcept { return group_; }
  void loaded() override;

  unsigned step_count_ = 0;  ///< how often step() has been called

 private:
  friend class SequentialLR;
  friend class ChainedScheduler;
  /// The closed form: the rate of epoch number `epoch` (0, 1, ...) for a group that starts from `base`.
  virtual double at(std::int64_t epoch, double base) const;
  /// The chainable form: the same number out of `rate`, the one of the epoch before (of epoch 0: the optimizer's own), so
  /// that what others do to it lasts.
  virtual double next(std::int64_t epoch, double rate, double base) const;
  /// Called when the rates are known, before they are set: for what else changes with the epoch.
  virtual void entering(std::int64_t epoch);
  /// What restart() makes of a rate.
  virtual double first(double rate, double base) const;
  template <class Rate>
  std::vector<double> rates_by(Rate rate);
  void set_rates(std::int64_t epoch, const std::vector<double>& rates);

  std::size_t group_ = 0;
};

/// A number for all groups, or one for each.
class GRADUS_API PerGroup {
 public:
  PerGroup(double value);                      // NOLINT(google-explicit-constructor)
  PerGroup(std::vector<double> values);        // NOLINT(google-explicit-constructor)
  PerGroup(const std::vector<float>& values);  // NOLINT(google-explicit-constructor)
  PerGroup(std::initializer_list<double> values);
  /// One for each of `groups`; of an empty list `if_empty`, where it is given. ValueError, naming `op` and `name`, when a
  /// list has another length, or a number is negative.
  std::vector<double> of(std::string_view op, const char* name, std::size_t groups,
                         std::optional<double> if_empty = {}) const;

 private:
  std::vector<double> values_;
  bool is_list_ = true;
};

}  // namespace gradus::optim
