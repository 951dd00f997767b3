#include "rmsprop.h"

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

RMSpropOptions::~RMSpropOptions() = default;
RMSprop::~RMSprop() = default;

RMSpropOptions::RMSpropOptions(double lr) : lr_(lr) {}

void RMSpropOptions::check() const {
  detail::expect_not_negative("RMSprop",
                              {{"lr", lr_}, {"eps", eps_}, {"weight_decay", weight_decay_}, {"momentum", momentum_}});
  if (!(alpha_ >= 0 && alpha_ <= 1)) core::fail<ValueError>("RMSprop: alpha must lie in [0, 1]: {}", alpha_);
}
std::vector<Field> RMSpropOptions::named_fields() {
  return {{"lr", &lr_},
          {"alpha", &alpha_},
          {"eps", &eps_},
          {"weight_decay", &weight_decay_},
          {"momentum", &momentum_},
          {"centered", &centered_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> RMSpropParamState::named_fields() {
  return {
      {"step", &step_}, {"square_avg", &square_avg_}, {"momentum_buffer", &momentum_buffer_}, {"grad_avg", &grad_avg_}};
}

void RMSpropRule::prepare(State& s, const Options& o, const Tensor& w) {
  detail::start_state(s.square_avg(), w);
  if (o.momentum() > 0) detail::start_state(s.momentum_buffer(), w);
  if (o.centered()) detail::start_state(s.grad_avg(), w);
}

Tensor RMSpropRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& gradient) {
  const Tensor g = gradient + o.weight_decay() * w;
  Tensor &v = s.square_avg(), &m = s.grad_avg(), &b = s.momentum_buffer();
  ++s.step();
  v = o.alpha() * v + (1 - o.alpha()) * g * g;
  if (o.centered()) m = o.alpha() * m + (1 - o.alpha()) * g;
  const Tensor d = g / (sqrt(o.centered() ? clamp(v - m * m, 0) : v) + o.eps());
  if (o.momentum() == 0) return w - o.lr() * d;
  b = o.momentum() * b + d;
  return w - o.lr() * b;
}

void RMSpropRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  ++s.step();
  const core::RmspropStep step{o.lr(), o.alpha(), o.eps(), o.weight_decay(), o.momentum()};
  core::optimizer_step(step, w.array(), g.array(),
                       {&s.square_avg().array(), o.momentum() > 0 ? &s.momentum_buffer().array() : nullptr,
                        o.centered() ? &s.grad_avg().array() : nullptr});
}

template class OptimizerOf<RMSpropRule>;

}  // namespace gradus::optim
