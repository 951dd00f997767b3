#include "sgd.h"

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

std::unique_ptr<OptimizerOptions> SGDOptions::clone() const { return std::make_unique<SGDOptions>(*this); }

SGD::SGD(std::vector<OptimizerParamGroup> groups, const SGDOptions& defaults)
    : Optimizer(std::move(groups), defaults.clone()) {}
SGD::SGD(std::vector<Tensor> params, const SGDOptions& defaults) : SGD(one_group(std::move(params)), defaults) {}
SGD::~SGD() = default;

void SGDOptions::check() const {
  if (!(lr_ >= 0)) core::fail<ValueError>("SGD: lr must not be negative: {}", lr_);
  if (!(momentum_ >= 0)) core::fail<ValueError>("SGD: momentum must not be negative: {}", momentum_);
  if (!(weight_decay_ >= 0)) core::fail<ValueError>("SGD: weight_decay must not be negative: {}", weight_decay_);
  if (nesterov_ && (momentum_ <= 0 || dampening_ != 0)) {
    core::fail<ValueError>("SGD: nesterov needs momentum and no dampening: momentum {}, dampening {}", momentum_,
                           dampening_);
  }
}

void SGD::prepare(const core::Array& parameter, const OptimizerOptions& options, std::size_t index) {
  if (states_.size() <= index) states_.resize(index + 1);
  if (static_cast<const SGDOptions&>(options).momentum() != 0) fit_state(states_[index].velocity, parameter);
}

void SGD::update(const core::Array& parameter, const core::Array& gradient, const OptimizerOptions& options,
                 std::size_t index) {
  const auto& o = static_cast<const SGDOptions&>(options);
  State& state = states_[index];
  core::SgdStep step{o.lr(), o.momentum(), o.dampening(), o.weight_decay(), o.nesterov(), !state.started};
  if (o.momentum() == 0) return core::sgd_step(parameter, gradient, core::Array(), step);
  core::sgd_step(parameter, gradient, state.velocity, step);
  state.started = true;
}

}  // namespace gradus::optim
