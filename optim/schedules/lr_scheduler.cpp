#include "lr_scheduler.h"

#include <tuple>

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
void Schedule::loaded() {}

std::vector<Field> Schedule::fields_of(Schedule& schedule) {
  std::vector<Field> all = schedule.named_fields();
  all.insert(all.begin(), {"last_epoch", &schedule.last_epoch_});
  return all;
}

double* Schedule::momentum_of(OptimizerOptions& options) {
  double* found = nullptr;
  for (const Field& field : options.named_fields()) {
    const std::string_view name = field.name;
    if (auto* betas = field.as_pair(); betas && name == "betas") {
      found = &std::get<0>(*betas);
    } else if (auto* number = field.as_number(); number && name == "momentum") {
      found = number;
    }
  }
  return found;
}

NamedState Schedule::state_dict() const {
  NamedState all;
  detail::append_fields(all, "", fields_of(*const_cast<Schedule*>(this)));
  return all;
}

void Schedule::load_state_dict(const NamedState& state) {
  // Once into nothing, to see whether all fits.
  for (const bool is_trial : {true, false}) {
    detail::StateReader reader(state);
    std::vector<Field> fields = fields_of(*this);
    std::vector<std::tuple<bool, std::int64_t, double, Field::Pair, Field::Triple, Field::Text, Tensor>> trial(
        fields.size());
    for (std::size_t i = 0; is_trial && i < fields.size(); ++i) {
      fields[i] = fields[i].visit([&]<class T>(const T* at) {
        std::get<T>(trial[i]) = *at;
        return Field(fields[i].name, &std::get<T>(trial[i]));
      });
    }
    reader.take_fields("", fields);
    reader.finish(name_);
  }
  enter(last_epoch_);
  loaded();
}

LRScheduler::LRScheduler(Optimizer& optimizer) : LRScheduler("LRScheduler", optimizer) {}

template <class Rate>
std::vector<double> LRScheduler::rates_by(Rate rate) {
  std::vector<double> rates;
  for (group_ = 0; group_ < groups().size(); ++group_) rates.push_back(rate(groups()[group_]));
  return rates;
}

// All of them are known before the first is set: a schedule may refuse the epoch.
void LRScheduler::set_rates(std::int64_t epoch, const std::vector<double>& rates) {
  if (rates.size() != groups().size()) {
    core::fail<ValueError>("{}: get_lrs() must return one rate for each group: {} for {}", name(), rates.size(),
                           groups().size());
  }
  entering(epoch);
  for (std::size_t i = 0; i < rates.size(); ++i) groups()[i].options().set_lr(rates[i]);
  enter(epoch);
}

void LRScheduler::start() {
  set_rates(0, rates_by([&](OptimizerParamGroup& g) { return next(0, g.options().get_lr(), base_lr(g)); }));
}
void LRScheduler::restart() {
  set_rates(0, rates_by([&](OptimizerParamGroup& g) { return first(g.options().get_lr(), base_lr(g)); }));
  step_count_ = 0;
}

std::vector<double> LRScheduler::get_lrs() {
  const std::int64_t epoch = last_epoch() + 1;
  return rates_by([&](OptimizerParamGroup& g) { return next(epoch, g.options().get_lr(), base_lr(g)); });
}

std::vector<double> LRScheduler::get_current_lrs() const {
  std::vector<double> rates;
  for (const OptimizerParamGroup& g : groups()) rates.push_back(g.options().get_lr());
  return rates;
}

void LRScheduler::step() {
  set_rates(last_epoch() + 1, get_lrs());
  ++step_count_;
}

void LRScheduler::step(std::int64_t epoch) {
  if (epoch < 0) core::fail<ValueError>("{}: the epoch must not be negative: {}", name(), epoch);
  set_rates(epoch, rates_by([&](OptimizerParamGroup& g) { return at(epoch, base_lr(g)); }));
  loaded();
}

void LRScheduler::loaded() { step_count_ = static_cast<unsigned>(last_epoch()); }

double LRScheduler::at(std::int64_t epoch, double) const {
  core::fail<ValueError>("{}: it has no closed form for epoch {}: it is stepped from one to the next", name(), epoch);
}
double LRScheduler::next(std::int64_t epoch, double, double base) const { return at(epoch, base); }
double LRScheduler::first(double, double base) const { return at(0, base); }

void LRScheduler::entering(std::int64_t) {}

PerGroup::PerGroup(double value) : values_{value}, is_list_(false) {}
PerGroup::PerGroup(std::vector<double> values) : values_(std::move(values)) {}
PerGroup::PerGroup(const std::vector<float>& values) : values_(values.begin(), values.end()) {}
PerGroup::PerGroup(std::initializer_list<double> values) : values_(values) {}
std::vector<double> PerGroup::of(std::string_view op, const char* name, std::size_t groups,
                                 std::optional<double> if_empty) const {
  if (values_.empty() && if_empty) return std::vector<double>(groups, *if_empty);
  if (is_list_ && values_.size() != groups) {
    core::fail<ValueError>("{}: {} must be one number, or one for each group: {} for {} groups", op, name,
                           values_.size(), groups);
  }
  for (const double value : values_) detail::expect_not_negative(op, {{name, value}});
  return is_list_ ? values_ : std::vector<double>(groups, values_[0]);
}

}  // namespace gradus::optim
