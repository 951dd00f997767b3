#include "optimizer.h"

#include <algorithm>
#include <cstdlib>
#include <typeinfo>

#include "../autograd/files/files.h"
#include "../autograd/graph/grad_mode.h"
#include "../autograd/graph/observer.h"
#include "../core/array/create.h"
#include "../core/base/fail.h"
#include "../layers/module/module.h"

namespace gradus::optim {

namespace {

[[noreturn]] void fail_absent(const char* what, const char* member) {
  core::fail<ValueError>("optimizer: {} must override {} for this", what, member);
}
constexpr const char *kOptions = "its options", *kStates = "the states of its parameters", *kOwn = "its class";

std::uintptr_t address_of(const std::string& key) { return std::strtoull(key.c_str(), nullptr, 0); }
const void* key_of(const Tensor& parameter) { return &parameter.body(); }

// Of a parameter that is to be added to those that are known.
void expect_new_leaf(const Tensor& p, const std::vector<Tensor>& known) {
  if (!p.defined()) core::fail<ValueError>("optimizer: a parameter is undefined");
  if (!p.is_leaf()) {
    core::fail<ValueError>("optimizer: parameters must be leaves: one of {} was made by {}", p.sizes(),
                           p.grad_fn()->name());
  }
  for (const Tensor& other : known) {
    if (other.is_same(p)) core::fail<ValueError>("optimizer: a parameter of {} is given twice", p.sizes());
  }
}

}  // namespace

OptimizerOptions::~OptimizerOptions() = default;
double OptimizerOptions::get_lr() const { fail_absent(kOptions, "get_lr()"); }
void OptimizerOptions::set_lr(double) { fail_absent(kOptions, "set_lr()"); }
void OptimizerOptions::check() const {}
std::vector<Field> OptimizerOptions::named_fields() { fail_absent(kOptions, "named_fields()"); }
bool OptimizerOptions::goes_uphill() const { return false; }
void OptimizerOptions::serialize(serialize::InputArchive&) { fail_absent(kOptions, "serialize()"); }
void OptimizerOptions::serialize(serialize::OutputArchive&) const { fail_absent(kOptions, "serialize()"); }

OptimizerParamState::~OptimizerParamState() = default;
std::unique_ptr<OptimizerParamState> OptimizerParamState::clone() const { fail_absent(kStates, "clone()"); }
std::vector<Field> OptimizerParamState::named_fields() { fail_absent(kStates, "named_fields()"); }
bool OptimizerParamState::take_over(OptimizerParamState&) { return false; }
void OptimizerParamState::serialize(serialize::InputArchive&) { fail_absent(kStates, "serialize()"); }
void OptimizerParamState::serialize(serialize::OutputArchive&) const { fail_absent(kStates, "serialize()"); }

ParamStates::const_iterator ParamStates::find(const void* key) const {
  return std::find_if(begin(), end(), [=](const Entry& e) { return e.first == key; });
}
ParamStates::iterator ParamStates::find(const void* key) {
  // Parameters are asked for in order: the one after the last is tried first.
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::size_t at = (next_ + i) % entries_.size();
    if (entries_[at].first != key) continue;
    next_ = at + 1;
    return begin() + static_cast<std::ptrdiff_t>(at);
  }
  return end();
}
std::unique_ptr<OptimizerParamState>& ParamStates::operator[](const void* key) {
  const iterator found = find(key);
  if (found != end()) return found->second;
  entries_.push_back({const_cast<void*>(key), nullptr});
  return entries_.back().second;
}
std::size_t ParamStates::erase(const void* key) {
  return std::erase_if(entries_, [=](const Entry& e) { return e.first == key; });
}
ParamStates::iterator ParamStates::find(const std::string& key) {
  return find(reinterpret_cast<const void*>(address_of(key)));
}
std::size_t ParamStates::count(const std::string& key) const {
  return count(reinterpret_cast<const void*>(address_of(key)));
}
std::unique_ptr<OptimizerParamState>& ParamStates::operator[](const std::string& key) {
  return (*this)[reinterpret_cast<const void*>(address_of(key))];
}
std::size_t ParamStates::erase(const std::string& key) { return erase(reinterpret_cast<const void*>(address_of(key))); }

OptimizerParamGroup::OptimizerParamGroup(std::vector<Tensor> params) : params_(std::move(params)) {}
OptimizerParamGroup::OptimizerParamGroup(std::vector<Tensor> params, std::unique_ptr<OptimizerOptions> options)
    : params_(std::move(params)), options_(std::move(options)) {}
OptimizerParamGroup::OptimizerParamGroup(OptimizerParamGroup&&) noexcept = default;
OptimizerParamGroup::OptimizerParamGroup(const OptimizerParamGroup& other)
    : params_(other.params_),
      options_(other.options_ ? other.options_->clone() : nullptr),
      initial_lr_(other.initial_lr_) {}
OptimizerParamGroup& OptimizerParamGroup::operator=(OptimizerParamGroup other) noexcept {
  std::swap(params_, other.params_);
  std::swap(options_, other.options_);
  std::swap(initial_lr_, other.initial_lr_);
  return *this;
}
OptimizerParamGroup::~OptimizerParamGroup() = default;
bool OptimizerParamGroup::has_options() const noexcept { return options_ != nullptr; }
OptimizerOptions& OptimizerParamGroup::options() { return *options_; }
const OptimizerOptions& OptimizerParamGroup::options() const { return *options_; }
void OptimizerParamGroup::set_options(std::unique_ptr<OptimizerOptions> options) { options_ = std::move(options); }

Optimizer::~Optimizer() = default;
Optimizer::Optimizer(Optimizer&&) noexcept = default;
Optimizer& Optimizer::operator=(Optimizer&&) noexcept = default;

Optimizer::Optimizer(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults,
                     std::string_view name)
    : defaults_(std::move(defaults)), name_(name) {
  defaults_->check();
  for (OptimizerParamGroup& group : groups) add_param_group(std::move(group));
}
Optimizer::Optimizer(std::vector<Tensor> params, std::unique_ptr<OptimizerOptions> defaults, std::string_view name)
    : Optimizer(one_group(std::move(params)), std::move(defaults), name) {}

std::vector<OptimizerParamGroup> Optimizer::one_group(std::vector<Tensor> params) {
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::move(params));
  return groups;
}

std::unique_ptr<OptimizerParamState> Optimizer::make_state(const State* from) const {
  if (from != nullptr) return from->clone();
  core::fail<ValueError>(
      "optimizer: the states of {} must be of its own kind, {}ParamState, and made by its step(): an optimizer of "
      "one's own that loads them overrides make_state()",
      name_, name_);
}
void Optimizer::keep(std::unique_ptr<State>& kept, std::unique_ptr<State> now) {
  if (kept) {
    State &to = *kept, &from = *now;
    if (typeid(to) == typeid(from) && to.take_over(from)) return;
  }
  kept = std::move(now);
}
void Optimizer::prepare(State&, const OptimizerOptions&, const Tensor&) const {}
void Optimizer::update(State&, const OptimizerOptions&, const Tensor&, const Tensor&) const {
  fail_absent(kOwn, "step()");
}
Tensor Optimizer::reference(State&, const OptimizerOptions&, const Tensor&, const Tensor&) const {
  fail_absent(kOwn, "step()");
}
void Optimizer::check_parameter(const Tensor&) const {}

void Optimizer::check_options(const OptimizerParamGroup& group) const {
  const OptimizerOptions &options = group.options(), &own = *defaults_;
  if (typeid(options) != typeid(own)) {
    core::fail<ValueError>("optimizer: a group's options must be of the optimizer's own kind: {}Options for {}", name_,
                           name_);
  }
  options.check();
}

void Optimizer::add_param_group(OptimizerParamGroup group) {
  if (!group.has_options()) group.set_options(defaults_->clone());
  check_options(group);
  std::vector<Tensor> known = parameters();
  for (const Tensor& p : group.params()) {
    expect_new_leaf(p, known);
    check_parameter(p);
    known.push_back(p);
  }
  param_groups_.push_back(std::move(group));
  known_ = std::move(known);
}

void Optimizer::add_parameters(const std::vector<Tensor>& added) {
  if (param_groups_.empty()) return add_param_group(added);
  std::vector<Tensor> known = parameters();
  for (const Tensor& p : added) {
    expect_new_leaf(p, known);
    check_parameter(p);
    known.push_back(p);
  }
  std::vector<Tensor>& first = param_groups_[0].params();
  first.insert(first.end(), added.begin(), added.end());
  known_ = parameters();
}

std::vector<Tensor> Optimizer::parameters() const {
  std::vector<Tensor> all;
  all.reserve(size());
  for (const OptimizerParamGroup& group : param_groups_) {
    all.insert(all.end(), group.params().begin(), group.params().end());
  }
  return all;
}

std::size_t Optimizer::size() const noexcept {
  std::size_t count = 0;
  for (const OptimizerParamGroup& group : param_groups_) count += group.params().size();
  return count;
}

std::vector<std::string> Optimizer::without_gradient(const nn::Module& module) const {
  module.check_members();
  std::vector<std::string> names;
  const nn::NamedTensors named = module.named_parameters();
  for (const Tensor& p : without_gradient_) {
    names.emplace_back();
    for (const auto& entry : named) {
      if (entry.value().is_same(p)) names.back() = entry.key();
    }
  }
  return names;
}

void Optimizer::zero_grad(bool set_to_none) {
  for (const OptimizerParamGroup& group : param_groups_) {
    for (const Tensor& p : group.params()) {
      if (!p.grad().defined()) continue;
      if (set_to_none) {
        p.zero_grad();
      } else {
        p.mutable_grad() = Tensor(core::zeros_like(p.grad().array()));
      }
    }
  }
}

bool Optimizer::knows_all() const {
  std::size_t index = 0;
  for (const OptimizerParamGroup& group : param_groups_) {
    for (const Tensor& p : group.params()) {
      if (index == known_.size() || !known_[index++].is_same(p)) return false;
    }
  }
  return index == known_.size();
}

void Optimizer::check_groups() const {
  for (const OptimizerParamGroup& group : param_groups_) check_options(group);
  if (knows_all()) return;
  std::vector<Tensor> checked;
  for (const Tensor& p : parameters()) {
    expect_new_leaf(p, checked);
    check_parameter(p);
    checked.push_back(p);
  }
}

void Optimizer::refresh() {
  check_groups();
  if (knows_all()) return;
  std::vector<Tensor> now = parameters();
  std::erase_if(state_.entries_, [&](const ParamStates::Entry& e) {
    return std::none_of(now.begin(), now.end(), [&](const Tensor& p) { return key_of(p) == e.first; });
  });
  known_ = std::move(now);
}

void Optimizer::check_gradient(const Tensor& p) const {
  const Tensor& g = p.grad();
  if (!g.defined()) return;
  if (g.sizes() != p.sizes() || g.dtype() != p.dtype()) {
    core::fail<ShapeError>("optimizer: a gradient must have its parameter's shape and dtype: {} {} for {} {}",
                           g.sizes(), g.dtype(), p.sizes(), p.dtype());
  }
  if (p.array().may_overlap_itself()) {
    core::fail<ValueError>(
        "optimizer: each element of a parameter must have its own memory: strides {} for {}; clone() gives it",
        p.strides(), p.sizes());
  }
}

std::unique_ptr<OptimizerParamState> Optimizer::prepared(const State* kept, const OptimizerOptions& options,
                                                         const Tensor& w) const {
  std::unique_ptr<State> state = make_state(kept);
  for (const Field& field : state->named_fields()) {
    detail::expect_count(field);
    if (field.as_tensor() == nullptr || !field.as_tensor()->defined()) continue;
    Tensor& tensor = *field.as_tensor();
    if (tensor.sizes() != w.sizes()) {
      core::fail<ShapeError>(
          "optimizer: a parameter has another shape than when its state was made: {} for {}; make a "
          "new optimizer",
          w.sizes(), tensor.sizes());
    }
    if (tensor.dtype() != w.dtype()) tensor = Tensor(tensor.array().to(w.dtype()));  // as after Module::to()
  }
  prepare(*state, options, w);
  return state;
}

OptimizerParamState* Optimizer::state_of(const Tensor& parameter) const {
  for (const OptimizerParamGroup& group : param_groups_) {
    for (const Tensor& p : group.params()) {
      if (!parameter.defined() || !p.is_same(parameter)) continue;
      const auto found = state_.find(key_of(p));
      return found == state_.end() ? nullptr : found->second.get();
    }
  }
  core::fail<ValueError>("optimizer: state() is asked for one of its parameters");
}

Tensor Optimizer::step(LossClosure closure) {
  Tensor loss;
  if (closure) {
    const AutoGradMode recording(true);
    loss = closure();
  }
  const NoGradGuard no_grad;
  // What can fail comes before the first change: the checks here, state and copies of what is strided below.
  refresh();
  for (const OptimizerParamGroup& group : param_groups_) {
    for (const Tensor& p : group.params()) check_gradient(p);
  }
  struct Change {
    const Tensor& parameter;
    Tensor copy;  // of a strided parameter: made at its turn, another may share its memory
    Tensor gradient;
    const OptimizerOptions& options;
    std::unique_ptr<State> state;
  };
  std::vector<Change> changes;
  changes.reserve(known_.size());
  std::vector<Tensor> alone;
  for (const OptimizerParamGroup& group : param_groups_) {
    const bool is_uphill = group.options().goes_uphill();
    for (const Tensor& p : group.params()) {
      if (!p.grad().defined()) {
        alone.push_back(p);
        continue;
      }
      const auto kept = state_.find(key_of(p));
      std::unique_ptr<State> state = prepared(kept == state_.end() ? nullptr : kept->second.get(), group.options(), p);
      const core::Array &a = p.array(), &g = p.grad().array();
      Tensor copy = a.is_contiguous() ? Tensor() : Tensor(core::empty(a.shape(), a.dtype()));
      Tensor gradient = is_uphill ? neg(p.grad()).contiguous() : g.is_contiguous() ? p.grad() : Tensor(g.contiguous());
      changes.push_back({p, std::move(copy), std::move(gradient), group.options(), std::move(state)});
    }
  }
  if (!changes.empty()) {
    for (const Tensor& p : alone) nn::detail::check_member(p);
  }
  state_.entries_.reserve(state_.size() + changes.size());
  const bool observed = autograd::Observer::active();
  if (observed) {
    for (const Change& c : changes) autograd::Observer::tell_updating(name_, c.parameter, c.parameter.grad());
  }
  without_gradient_ = std::move(alone);
  for (Change& c : changes) {
    const core::Array& parameter = c.parameter.array();
    if (uses_reference_) {
      parameter.copy_(reference(*c.state, c.options, c.parameter, c.gradient).array());
    } else if (c.copy.defined()) {
      c.copy.array().copy_(parameter);
      update(*c.state, c.options, c.copy, c.gradient);
      parameter.copy_(c.copy.array());
    } else {
      update(*c.state, c.options, c.parameter, c.gradient);
    }
    keep(state_[key_of(c.parameter)], std::move(c.state));
    parameter.mark_written("optimizer step", Location::unknown());
  }
  // What an observer throws finds the step done, of all parameters.
  if (observed) {
    for (const Change& c : changes) autograd::Observer::tell_updated(name_, c.parameter);
  }
  return loss;
}

namespace detail {

void expect_count(const Field& field) {
  field.visit([&]<class T>(const T* at) {
    if constexpr (std::is_same_v<T, std::int64_t>) {
      if (*at >= 0) return;
      core::fail<ValueError>("optimizer: {} of a state must not be negative: {}; it begins at 0", field.name, *at);
    }
  });
}

void start_state(Tensor& state, const Tensor& parameter, double value) {
  if (!state.defined()) state = Tensor(core::full(parameter.array().shape(), value, parameter.dtype()));
}

void expect_not_negative(std::string_view op, std::initializer_list<std::pair<const char*, double>> settings) {
  for (const auto& [name, value] : settings) {
    if (!(value >= 0)) core::fail<ValueError>("{}: {} must not be negative: {}", op, name, value);
  }
}

}  // namespace detail
}  // namespace gradus::optim
