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
    : params_(other.params_), options_(other.options_ ? other.options_->clone() : nullptr) {}
OptimizerParamGroup& OptimizerParamGroup::operator=(OptimizerParamGroup other) noexcept {
  std::swap(params_, other.params_);
  std::swap(options_, other.options_);
  return *this;
}
OptimizerParamGroup::~OptimizerParamGroup() = default;

Optimizer::~Optimizer() = default;

Optimizer::Optimizer(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults)
    : defaults_(std::move(defaults)) {
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
    core::fail<ValueError>(
        "optimizer: a group's options must be of the optimizer's own kind: SGDOptions for SGD, "
        "AdamOptions for Adam, AdamWOptions for AdamW");
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
  known_.clear();
  for (const Tensor& p : known) known_.push_back(&p.body());
  groups_.push_back(std::move(group));
}

std::vector<Tensor> Optimizer::parameters() const {
  std::vector<Tensor> all;
  for (const OptimizerParamGroup& group : groups_) all.insert(all.end(), group.params().begin(), group.params().end());
  return all;
}

void Optimizer::fit_state(core::Array& state, const core::Array& parameter) {
  if (!state.defined()) {
    state = core::zeros(parameter.shape(), parameter.dtype());
  } else if (state.shape() != parameter.shape()) {
    core::fail<ShapeError>(
        "optimizer: a parameter has another shape than when its state was made: {} for {}; make a "
        "new optimizer",
        parameter.shape(), state.shape());
  } else if (state.dtype() != parameter.dtype()) {
    state = state.to(parameter.dtype());
  }
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

Tensor Optimizer::step(LossClosure closure) {
  Tensor loss;
  if (closure) {
    const AutoGradMode recording(true);
    loss = closure();
  }
  const NoGradGuard no_grad;
  // What can fail comes before the first change: the checks here, state and copies of what is strided below.
  std::size_t index = 0;
  for (const OptimizerParamGroup& group : groups_) {
    check_options(group);
    for (const Tensor& p : group.params()) {
      if (index == known_.size() || known_[index++] != &p.body()) fail_other_parameters();
      const Tensor& g = p.grad();
      if (g.defined() && (g.sizes() != p.sizes() || g.dtype() != p.dtype())) {
        core::fail<ShapeError>("optimizer: a gradient must have its parameter's shape and dtype: {} {} for {} {}",
                               g.sizes(), g.dtype(), p.sizes(), p.dtype());
      }
      if (g.defined() && p.array().may_overlap_itself()) {
        core::fail<ValueError>(
            "optimizer: each element of a parameter must have its own memory: strides {} for {}; clone() gives it",
            p.strides(), p.sizes());
      }
    }
  }
  if (index != known_.size()) fail_other_parameters();
  struct Change {
    const core::Array& parameter;
    core::Array copy;  // of a strided parameter: made at its turn, another may share its memory
    core::Array gradient;
    const OptimizerOptions& options;
    std::size_t index;
  };
  std::vector<Change> changes;
  changes.reserve(index);
  index = 0;
  for (const OptimizerParamGroup& group : groups_) {
    for (const Tensor& p : group.params()) {
      if (p.grad().defined()) {
        prepare(p.array(), group.options(), index);
        const core::Array& a = p.array();
        const core::Array copy = a.is_contiguous() ? core::Array() : core::empty(a.shape(), a.dtype());
        changes.push_back({a, copy, p.grad().array().contiguous(), group.options(), index});
      }
      ++index;
    }
  }
  for (const Change& c : changes) {
    if (c.copy.defined()) {
      c.copy.copy_(c.parameter);
      update(c.copy, c.gradient, c.options, c.index);
      c.parameter.copy_(c.copy);
    } else {
      update(c.parameter, c.gradient, c.options, c.index);
    }
    c.parameter.mark_written("optimizer step", Location::unknown());
  }
  return loss;
}

}  // namespace gradus::optim
