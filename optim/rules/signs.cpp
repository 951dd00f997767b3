#include "signs.h"

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

RpropOptions::~RpropOptions() = default;
LionOptions::~LionOptions() = default;
Rprop::~Rprop() = default;
Lion::~Lion() = default;

RpropOptions::RpropOptions(double lr) : lr_(lr) {}
void RpropOptions::check() const {
  const auto [minus, plus] = etas_;
  const auto [smallest, largest] = step_sizes_;
  detail::expect_not_negative("Rprop", {{"lr", lr_}});
  if (!(minus > 0 && minus < 1 && plus > 1)) {
    core::fail<ValueError>("Rprop: etas must hold 0 < etas[0] < 1 < etas[1]: {}, {}", minus, plus);
  }
  if (!(smallest >= 0 && largest >= smallest)) {
    core::fail<ValueError>("Rprop: step_sizes must hold 0 <= step_sizes[0] <= step_sizes[1]: {}, {}", smallest,
                           largest);
  }
}
std::vector<Field> RpropOptions::named_fields() {
  return {{"lr", &lr_}, {"etas", &etas_}, {"step_sizes", &step_sizes_}, Field::flag("maximize", &maximize_)};
}
std::vector<Field> RpropParamState::named_fields() {
  return {{"step", &step_}, {"prev", &prev_}, {"step_size", &step_size_}};
}

void RpropRule::prepare(State& s, const Options& o, const Tensor& w) {
  detail::start_state(s.prev(), w);
  detail::start_state(s.step_size(), w, o.lr());
}

Tensor RpropRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& gradient) {
  const auto [minus, plus] = o.etas();
  const auto [smallest, largest] = o.step_sizes();
  const Tensor turn = gradient * s.prev();
  Tensor& e = s.step_size();
  ++s.step();
  e = clamp(where(turn > 0, e * plus, where(turn < 0, e * minus, e)), smallest, largest);
  const Tensor g = where(turn < 0, 0, gradient);
  s.prev() = g;
  return w - e * sign(g);
}

void RpropRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const auto [minus, plus] = o.etas();
  const auto [smallest, largest] = o.step_sizes();
  ++s.step();
  core::optimizer_step(core::RpropStep{minus, plus, smallest, largest}, w.array(), g.array(),
                       {&s.prev().array(), &s.step_size().array()});
}

LionOptions::LionOptions(double lr) : lr_(lr) {}
void LionOptions::check() const {
  detail::expect_not_negative("Lion", {{"lr", lr_}, {"weight_decay", weight_decay_}});
  const auto [beta1, beta2] = betas_;
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
    core::fail<ValueError>("Lion: betas must lie in [0, 1): {}, {}", beta1, beta2);
  }
}
std::vector<Field> LionOptions::named_fields() {
  return {{"lr", &lr_}, {"betas", &betas_}, {"weight_decay", &weight_decay_}, Field::flag("maximize", &maximize_)};
}
std::vector<Field> LionParamState::named_fields() { return {{"exp_avg", &exp_avg_}}; }

void LionRule::prepare(State& s, const Options&, const Tensor& w) { detail::start_state(s.exp_avg(), w); }

Tensor LionRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const auto [beta1, beta2] = o.betas();
  const Tensor m = s.exp_avg();
  s.exp_avg() = beta2 * m + (1 - beta2) * g;
  return w * (1 - o.lr() * o.weight_decay()) - o.lr() * sign(beta1 * m + (1 - beta1) * g);
}

void LionRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const auto [beta1, beta2] = o.betas();
  core::optimizer_step(core::LionStep{o.lr(), beta1, beta2, o.weight_decay()}, w.array(), g.array(),
                       {&s.exp_avg().array()});
}

template class OptimizerOf<RpropRule>;
template class OptimizerOf<LionRule>;

}  // namespace gradus::optim
