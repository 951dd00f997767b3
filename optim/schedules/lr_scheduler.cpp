#include "lr_scheduler.h"

#include "../../core/base/fail.h"
#include "../state_dict.h"

namespace gradus::optim {

Schedule::Schedule(std::string_view name, Optimizer& optimizer) : name_(name), optimizer_(&optimizer) { enter(0); }

Schedule::~Schedule() = default;

double Schedule::base_lr(OptimizerParamGroup& group) const {
  if (!group.initial_lr()) group.initial_lr() = group.options().get_lr();
  return *group.initial_lr();
}

void Schedule::enter(std::int64_t epoch) {
  std::vector<double> rates;
  for (const OptimizerParamGroup& group : groups()) rates.push_back(group.options().get_lr());
  last_lr_ = std::move(rates);
  last_epoch_ = epoch;
}

std::vector<Field> Schedule::named_fields() { return {}; }

NamedState Schedule::state_dict() const {
  NamedState all;
  std::int64_t epoch = last_epoch_;
  detail::append_fields(all, "", {{"last_epoch", &epoch}});
  detail::append_fields(all, "", const_cast<Schedule*>(this)->named_fields());
  return all;
}

void Schedule::load_state_dict(const NamedState& state) {
  // Once into nothing, to see whether all fits.
  std::int64_t epoch = 0;
  for (const bool is_trial : {true, false}) {
    detail::StateReader reader(state);
    std::vector<Field> fields = named_fields();
    std::vector<std::tuple<bool, std::int64_t, double, Field::Pair, Tensor>> trial(fields.size());
    for (std::size_t i = 0; is_trial && i < fields.size(); ++i) {
      fields[i] = fields[i].visit([&]<class T>(const T* at) {
        std::get<T>(trial[i]) = *at;
        return Field(fields[i].name, &std::get<T>(trial[i]));
      });
    }
    reader.take_fields("", {{"last_epoch", &epoch}});
    reader.take_fields("", fields);
    reader.finish(name_);
  }
  enter(epoch);
}

template <class Rate>
void LRScheduler::set_rates(std::int64_t epoch, Rate rate) {
  // All of them before the first is set: a schedule may refuse the epoch.
  std::vector<double> rates;
  for (OptimizerParamGroup& group : groups()) rates.push_back(rate(group));
  entering(epoch);
  for (std::size_t i = 0; i < rates.size(); ++i) groups()[i].options().set_lr(rates[i]);
  enter(epoch);
}

void LRScheduler::start() {
  set_rates(0, [&](OptimizerParamGroup& g) { return next(0, g.options().get_lr(), base_lr(g)); });
}

void LRScheduler::step() {
  const std::int64_t epoch = last_epoch() + 1;
  set_rates(epoch, [&](OptimizerParamGroup& g) { return next(epoch, g.options().get_lr(), base_lr(g)); });
}

void LRScheduler::step(std::int64_t epoch) {
  if (epoch < 0) core::fail<ValueError>("{}: the epoch must not be negative: {}", name(), epoch);
  set_rates(epoch, [&](OptimizerParamGroup& g) { return at(epoch, base_lr(g)); });
}

double LRScheduler::next(std::int64_t epoch, double, double base) const { return at(epoch, base); }

void LRScheduler::entering(std::int64_t) {}

PerGroup::PerGroup(double value) : values_{value}, is_list_(false) {}
PerGroup::PerGroup(std::vector<double> values) : values_(std::move(values)) {}
PerGroup::PerGroup(const std::vector<float>& values) : values_(values.begin(), values.end()) {}
PerGroup::PerGroup(std::initializer_list<double> values) : values_(values) {}
std::vector<double> PerGroup::of(std::string_view op, const char* name, std::size_t groups) const {
  if (is_list_ && values_.size() != groups) {
    core::fail<ValueError>("{}: {} must be one number, or one for each group: {} for {} groups", op, name,
                           values_.size(), groups);
  }
  for (const double value : values_) detail::expect_not_negative(op, {{name, value}});
  return is_list_ ? values_ : std::vector<double>(groups, values_[0]);
}

}  // namespace gradus::optim
