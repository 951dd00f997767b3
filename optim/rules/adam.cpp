#include "adam.h"

#include <cmath>

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

std::unique_ptr<OptimizerOptions> AdamOptions::clone() const { return std::make_unique<AdamOptions>(*this); }
std::unique_ptr<OptimizerOptions> AdamWOptions::clone() const { return std::make_unique<AdamWOptions>(*this); }

Adam::Adam(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults, bool decoupled)
    : Optimizer(std::move(groups), std::move(defaults)), decoupled_decay_(decoupled) {}
Adam::Adam(std::vector<OptimizerParamGroup> groups, const AdamOptions& defaults)
    : Adam(std::move(groups), defaults.clone(), false) {}
Adam::Adam(std::vector<Tensor> params, const AdamOptions& defaults)
    : Adam(one_group(std::move(params)), defaults.clone(), false) {}
Adam::~Adam() = default;
AdamW::AdamW(std::vector<OptimizerParamGroup> groups, const AdamWOptions& defaults)
    : Adam(std::move(groups), defaults.clone(), true) {}
AdamW::AdamW(std::vector<Tensor> params, const AdamWOptions& defaults)
    : Adam(one_group(std::move(params)), defaults.clone(), true) {}

void AdamOptions::check() const {
  const auto& [beta1, beta2] = betas_;
  if (!(lr_ >= 0)) core::fail<ValueError>("Adam: lr must not be negative: {}", lr_);
  if (!(eps_ >= 0)) core::fail<ValueError>("Adam: eps must not be negative: {}", eps_);
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
    core::fail<ValueError>("Adam: betas must lie in [0, 1): {}, {}", beta1, beta2);
  }
  if (!(weight_decay_ >= 0)) core::fail<ValueError>("Adam: weight_decay must not be negative: {}", weight_decay_);
}

void Adam::prepare(const core::Array& parameter, const OptimizerOptions& options, std::size_t index) {
  if (states_.size() <= index) states_.resize(index + 1);
  State& state = states_[index];
  fit_state(state.exp_avg, parameter);
  fit_state(state.exp_avg_sq, parameter);
  if (static_cast<const AdamOptions&>(options).amsgrad()) fit_state(state.max_exp_avg_sq, parameter);
}

void Adam::update(const core::Array& parameter, const core::Array& gradient, const OptimizerOptions& options,
                  std::size_t index) {
  const auto& o = static_cast<const AdamOptions&>(options);
  State& state = states_[index];
  ++state.step;
  const auto [beta1, beta2] = o.betas();
  const auto t = static_cast<double>(state.step);
  core::AdamStep step;
  step.lr = o.lr();
  step.beta1 = beta1;
  step.beta2 = beta2;
  step.eps = o.eps();
  step.weight_decay = o.weight_decay();
  step.decoupled_decay = decoupled_decay_;
  step.correction1 = 1 - std::pow(beta1, t);
  step.correction2 = 1 - std::pow(beta2, t);
  core::adam_step(parameter, gradient, state.exp_avg, state.exp_avg_sq,
                  o.amsgrad() ? state.max_exp_avg_sq : core::Array(), step);
}

}  // namespace gradus::optim
