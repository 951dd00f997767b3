#include "adadelta.h"

#include <algorithm>
#include <cmath>

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

AdadeltaOptions::~AdadeltaOptions() = default;
ASGDOptions::~ASGDOptions() = default;
Adadelta::~Adadelta() = default;
ASGD::~ASGD() = default;

AdadeltaOptions::AdadeltaOptions(double lr) : lr_(lr) {}
void AdadeltaOptions::check() const {
  detail::expect_not_negative("Adadelta", {{"lr", lr_}, {"eps", eps_}, {"weight_decay", weight_decay_}});
  if (!(rho_ >= 0 && rho_ <= 1)) core::fail<ValueError>("Adadelta: rho must lie in [0, 1]: {}", rho_);
}
std::vector<Field> AdadeltaOptions::named_fields() {
  return {{"lr", &lr_},
          {"rho", &rho_},
          {"eps", &eps_},
          {"weight_decay", &weight_decay_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> AdadeltaParamState::named_fields() {
  return {{"step", &step_}, {"square_avg", &square_avg_}, {"acc_delta", &acc_delta_}};
}

void AdadeltaRule::prepare(State& s, const Options&, const Tensor& w) {
  detail::start_state(s.square_avg(), w);
  detail::start_state(s.acc_delta(), w);
}

Tensor AdadeltaRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& gradient) {
  const Tensor g = gradient + o.weight_decay() * w;
  Tensor &v = s.square_avg(), &u = s.acc_delta();
  ++s.step();
  v = o.rho() * v + (1 - o.rho()) * g * g;
  const Tensor d = sqrt(u + o.eps()) / sqrt(v + o.eps()) * g;
  u = o.rho() * u + (1 - o.rho()) * d * d;
  return w - o.lr() * d;
}

void AdadeltaRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  ++s.step();
  core::optimizer_step(core::AdadeltaStep{o.lr(), o.rho(), o.eps(), o.weight_decay()}, w.array(), g.array(),
                       {&s.square_avg().array(), &s.acc_delta().array()});
}

ASGDOptions::ASGDOptions(double lr) : lr_(lr) {}
void ASGDOptions::check() const {
  detail::expect_not_negative(
      "ASGD", {{"lr", lr_}, {"lambd", lambd_}, {"alpha", alpha_}, {"t0", t0_}, {"weight_decay", weight_decay_}});
}
std::vector<Field> ASGDOptions::named_fields() {
  return {{"lr", &lr_},
          {"lambd", &lambd_},
          {"alpha", &alpha_},
          {"t0", &t0_},
          {"weight_decay", &weight_decay_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> ASGDParamState::named_fields() {
  return {{"step", &step_}, {"eta", &eta_}, {"mu", &mu_}, {"ax", &ax_}};
}

void ASGDRule::prepare(State& s, const Options& o, const Tensor& w) {
  if (s.step() == 0) s.eta() = o.lr();
  detail::start_state(s.ax(), w);
}

namespace {

// eta and mu of the step after this one, which it counts.
void asgd_next(ASGDParamState& s, const ASGDOptions& o) {
  const auto t = static_cast<double>(++s.step());
  s.eta() = o.lr() / std::pow(1 + o.lambd() * o.lr() * t, o.alpha());
  s.mu() = 1 / std::max(1.0, t - o.t0());
}

}  // namespace

Tensor ASGDRule::reference(State& s, const Options& o, const Tensor& before, const Tensor& gradient) {
  const Tensor g = gradient + o.weight_decay() * before;
  const Tensor w = before * (1 - o.lambd() * s.eta()) - s.eta() * g;
  s.ax() = s.mu() == 1 ? w : s.ax() + s.mu() * (w - s.ax());
  asgd_next(s, o);
  return w;
}

void ASGDRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  core::optimizer_step(core::AsgdStep{s.eta(), s.mu(), o.lambd(), o.weight_decay()}, w.array(), g.array(),
                       {&s.ax().array()});
  asgd_next(s, o);
}

template class OptimizerOf<AdadeltaRule>;
template class OptimizerOf<ASGDRule>;

}  // namespace gradus::optim
