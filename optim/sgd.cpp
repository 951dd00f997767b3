#include "sgd.h"

#include "../core/create.h"
#include "../core/fail.h"
#include "../core/optimizer_step.h"

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

void SGD::update(const Tensor& parameter, const OptimizerOptions& options, std::size_t index) {
  const auto& o = static_cast<const SGDOptions&>(options);
  core::SgdStep step{o.lr(), o.momentum(), o.dampening(), o.weight_decay(), o.nesterov(), false};
  core::Array velocity;
  if (o.momentum() != 0) {
    if (velocities_.size() <= index) velocities_.resize(index + 1);
    if (!velocities_[index].defined()) {
      velocities_[index] = core::zeros_like(parameter.array());
      step.first = true;
    }
    velocity = velocities_[index];
  }
  core::sgd_step(parameter.array(), parameter.grad().array(), velocity, step);
}

}  // namespace gradus::optim
