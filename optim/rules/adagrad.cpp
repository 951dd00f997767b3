#include "adagrad.h"

#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

AdagradOptions::~AdagradOptions() = default;
Adagrad::~Adagrad() = default;

AdagradOptions::AdagradOptions(double lr) : lr_(lr) {}

void AdagradOptions::check() const {
  detail::expect_not_negative("Adagrad", {{"lr", lr_},
                                          {"lr_decay", lr_decay_},
                                          {"weight_decay", weight_decay_},
                                          {"initial_accumulator_value", initial_accumulator_value_},
                                          {"eps", eps_}});
}
std::vector<Field> AdagradOptions::named_fields() {
  return {{"lr", &lr_},
          {"lr_decay", &lr_decay_},
          {"weight_decay", &weight_decay_},
          {"initial_accumulator_value", &initial_accumulator_value_},
          {"eps", &eps_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> AdagradParamState::named_fields() { return {{"step", &step_}, {"sum", &sum_}}; }

void AdagradRule::prepare(State& s, const Options& o, const Tensor& w) {
  detail::start_state(s.sum(), w, o.initial_accumulator_value());
}

Tensor AdagradRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& gradient) {
  const Tensor g = gradient + o.weight_decay() * w;
  const auto t = static_cast<double>(++s.step());
  s.sum() = s.sum() + g * g;
  return w - o.lr() / (1 + (t - 1) * o.lr_decay()) * g / (sqrt(s.sum()) + o.eps());
}

void AdagradRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const auto t = static_cast<double>(++s.step());
  const core::AdagradStep step{o.lr() / (1 + (t - 1) * o.lr_decay()), o.eps(), o.weight_decay()};
  core::optimizer_step(step, w.array(), g.array(), {&s.sum().array()});
}

template class OptimizerOf<AdagradRule>;

}  // namespace gradus::optim
