#include "sgd.h"

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

SGDOptions::~SGDOptions() = default;
SGD::~SGD() = default;

SGDOptions::SGDOptions(double lr) : lr_(lr) {}

void SGDOptions::check() const {
  detail::expect_not_negative("SGD", {{"lr", lr_}, {"momentum", momentum_}, {"weight_decay", weight_decay_}});
  if (nesterov_ && (momentum_ <= 0 || dampening_ != 0)) {
    core::fail<ValueError>("SGD: nesterov needs momentum and no dampening: momentum {}, dampening {}", momentum_,
                           dampening_);
  }
}
std::vector<Field> SGDOptions::named_fields() {
  return {{"lr", &lr_},
          {"momentum", &momentum_},
          {"dampening", &dampening_},
          {"weight_decay", &weight_decay_},
          {"nesterov", &nesterov_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> SGDParamState::named_fields() { return {{"momentum_buffer", &momentum_buffer_}}; }

void SGDRule::prepare(State& s, const Options& o, const Tensor& w) {
  if (o.momentum() == 0) return;
  s.first = !s.momentum_buffer().defined();
  detail::start_state(s.momentum_buffer(), w);
}

Tensor SGDRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& gradient) {
  const Tensor g = gradient + o.weight_decay() * w;
  if (o.momentum() == 0) return w - o.lr() * g;
  Tensor& v = s.momentum_buffer();
  v = s.first ? g : o.momentum() * v + (1 - o.dampening()) * g;
  return w - o.lr() * (o.nesterov() ? g + o.momentum() * v : v);
}

void SGDRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const core::SgdStep step{o.lr(), o.momentum(), o.dampening(), o.weight_decay(), o.nesterov(), s.first};
  core::optimizer_step(step, w.array(), g.array(), {o.momentum() == 0 ? nullptr : &s.momentum_buffer().array()});
}

template class OptimizerOf<SGDRule>;

}  // namespace gradus::optim
