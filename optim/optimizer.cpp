#include "optimizer.h"

#include <typeinfo>

#include "../autograd/graph/grad_mode.h"
#include "../core/array/create.h"
#include "../core/base/fail.h"

namespace gradus::optim {

namespace {

[[noreturn]] void fail_other_parameters() {
  core::fail<ValueError>(
      "optimizer: the parameters of a group must stay those that it was added with, for the state of each is kept by "
      "its place: add others with add_param_group(), or make a new optimizer");
}

}  // namespace

OptimizerOptions::~OptimizerOptions() = default;

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
OptimizerOptions& Optimizer::defaults() noexcept { return *defaults_; }

Optimizer::Optimizer(std::string_view name, std::vector<OptimizerParamGroup> groups,
                     std::unique_ptr<OptimizerOptions> defaults)
    : name_(name), defaults_(std::move(defaults)) {
  defaults_->check();
  for (OptimizerParamGroup& group : groups) add_param_group(std::move(group));
}

std::vector<OptimizerParamGroup> Optimizer::one_group(std::vector<Tensor> params) {
  std::vector<OptimizerParamGroup> groups;
  groups.emplace_back(std::move(params));
  return groups;
}

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
    if (!p.defined()) core::fail<ValueError>("optimizer: a parameter is undefined");
    if (!p.is_leaf()) {
      core::fail<ValueError>("optimizer: parameters must be leaves: one of {} was made by {}", p.sizes(),
                             p.grad_fn()->name());
    }
    for (const Tensor& other : known) {
      if (other.is_same(p)) core::fail<ValueError>("optimizer: a parameter of {} is given twice", p.sizes());
    }
    known.push_back(p);
  }
  states_.resize(known.size());
  known_.clear();
  for (const Tensor& p : known) known_.push_back(&p.body());
  groups_.push_back(std::move(group));
}

std::vector<Tensor> Optimizer::parameters() const {
  std::vector<Tensor> all;
  for (const OptimizerParamGroup& group : groups_) all.insert(all.end(), group.params().begin(), group.params().end());
  return all;
}

void Optimizer::zero_grad(bool set_to_none) {
  for (const OptimizerParamGroup& group : groups_) {
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

void Optimizer::check_groups() const {
  std::size_t index = 0;
  for (const OptimizerParamGroup& group : groups_) {
    check_options(group);
    for (const Tensor& p : group.params()) {
      if (index == known_.size() || known_[index++] != &p.body()) fail_other_parameters();
    }
  }
  if (index != known_.size()) fail_other_parameters();
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

core::Own<detail::ParamState> Optimizer::prepared(std::size_t index, const OptimizerOptions& options,
                                                  const Tensor& w) const {
  core::Own<State> state = states_[index] ? states_[index]->clone() : make_state();
  for (const Field& field : state->named_fields()) {
    if (field.as_tensor() == nullptr || !field.as_tensor()->defined()) continue;
    Tensor& kept = *field.as_tensor();
    if (kept.sizes() != w.sizes()) {
      core::fail<ShapeError>(
          "optimizer: a parameter has another shape than when its state was made: {} for {}; make a "
          "new optimizer",
          w.sizes(), kept.sizes());
    }
    if (kept.dtype() != w.dtype()) kept = Tensor(kept.array().to(w.dtype()));  // as after Module::to()
  }
  prepare(*state, options, w);
  return state;
}

detail::ParamState* Optimizer::state_of(const Tensor& parameter) const {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (parameter.defined() && known_[i] == &parameter.body()) return states_[i].get();
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
  check_groups();
  for (const OptimizerParamGroup& group : groups_) {
    for (const Tensor& p : group.params()) check_gradient(p);
  }
  struct Change {
    const Tensor& parameter;
    Tensor copy;  // of a strided parameter: made at its turn, another may share its memory
    Tensor gradient;
    const OptimizerOptions& options;
    core::Own<State> state;
    std::size_t index;
  };
  std::vector<Change> changes;
  changes.reserve(known_.size());
  std::size_t index = 0;
  for (const OptimizerParamGroup& group : groups_) {
    for (const Tensor& p : group.params()) {
      if (p.grad().defined()) {
        core::Own<State> state = prepared(index, group.options(), p);
        const core::Array &a = p.array(), &g = p.grad().array();
        const Tensor copy = a.is_contiguous() ? Tensor() : Tensor(core::empty(a.shape(), a.dtype()));
        const Tensor gradient = g.is_contiguous() ? p.grad() : Tensor(g.contiguous());
        changes.push_back({p, copy, gradient, group.options(), std::move(state), index});
      }
      ++index;
    }
  }
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
    states_[c.index] = std::move(c.state);
    parameter.mark_written("optimizer step", Location::unknown());
  }
  return loss;
}

namespace detail {

ParamState::~ParamState() = default;

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
