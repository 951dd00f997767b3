#include "adam.h"

#include <cmath>

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

AdamOptions::~AdamOptions() = default;
AdamWOptions::~AdamWOptions() = default;
Adam::~Adam() = default;
AdamW::~AdamW() = default;
namespace {

template <class Options>
void check_options(const char* name, const Options& o) {
  detail::expect_not_negative(name, {{"lr", o.lr()}, {"eps", o.eps()}, {"weight_decay", o.weight_decay()}});
  const auto [beta1, beta2] = o.betas();
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
    core::fail<ValueError>("{}: betas must lie in [0, 1): {}, {}", name, beta1, beta2);
  }
}

/// 1 - beta^t. The last one is kept: parameters that have made as many steps share it, and a power costs more than the
/// step of a few elements, most of all where it vanishes.
class Correction {
 public:
  double operator()(double beta, double t) {
    if (beta != beta_ || t != t_) *this = Correction(beta, t);
    return value_;
  }
  Correction(double beta, double t) : beta_(beta), t_(t), value_(1 - std::pow(beta, t)) {}

 private:
  double beta_, t_, value_;
};
thread_local Correction correction1(0, 0), correction2(0, 0);

}  // namespace

AdamOptions::AdamOptions(double lr) : lr_(lr) {}

void AdamOptions::check() const { check_options("Adam", *this); }
AdamWOptions::AdamWOptions(double lr) : lr_(lr) {}

void AdamWOptions::check() const { check_options("AdamW", *this); }
std::vector<Field> AdamOptions::named_fields() {
  return {{"lr", &lr_},           {"betas", &betas_},
          {"eps", &eps_},         {"weight_decay", &weight_decay_},
          {"amsgrad", &amsgrad_}, Field::flag("maximize", &maximize_)};
}
std::vector<Field> AdamWOptions::named_fields() {
  return {{"lr", &lr_},           {"betas", &betas_},
          {"eps", &eps_},         {"weight_decay", &weight_decay_},
          {"amsgrad", &amsgrad_}, Field::flag("maximize", &maximize_)};
}
std::vector<Field> AdamParamState::named_fields() {
  return {{"step", &step_}, {"exp_avg", &exp_avg_}, {"exp_avg_sq", &exp_avg_sq_}, {"max_exp_avg_sq", &max_exp_avg_sq_}};
}
std::vector<Field> AdamWParamState::named_fields() {
  return {{"step", &step_}, {"exp_avg", &exp_avg_}, {"exp_avg_sq", &exp_avg_sq_}, {"max_exp_avg_sq", &max_exp_avg_sq_}};
}

template <class O, class S, bool decoupled_decay>
void AdamLikeRule<O, S, decoupled_decay>::prepare(S& s, const O& o, const Tensor& w) {
  detail::start_state(s.exp_avg(), w);
  detail::start_state(s.exp_avg_sq(), w);
  if (o.amsgrad()) detail::start_state(s.max_exp_avg_sq(), w);
}

template <class O, class S, bool decoupled_decay>
Tensor AdamLikeRule<O, S, decoupled_decay>::reference(S& s, const O& o, const Tensor& before, const Tensor& gradient) {
  const Tensor w = decoupled_decay ? before * (1 - o.lr() * o.weight_decay()) : before;
  const Tensor g = decoupled_decay ? gradient : gradient + o.weight_decay() * w;
  const auto [beta1, beta2] = o.betas();
  const auto t = static_cast<double>(++s.step());
  Tensor &m = s.exp_avg(), &v = s.exp_avg_sq(), &largest = s.max_exp_avg_sq();
  m = beta1 * m + (1 - beta1) * g;
  v = beta2 * v + (1 - beta2) * g * g;
  if (o.amsgrad()) largest = maximum(v, largest);
  const Tensor m_hat = m / (1 - std::pow(beta1, t));
  const Tensor v_hat = (o.amsgrad() ? largest : v) / (1 - std::pow(beta2, t));
  return w - o.lr() * m_hat / (sqrt(v_hat) + o.eps());
}

template <class O, class S, bool decoupled_decay>
void AdamLikeRule<O, S, decoupled_decay>::step(S& s, const O& o, const Tensor& w, const Tensor& g) {
  const auto [beta1, beta2] = o.betas();
  const auto t = static_cast<double>(++s.step());
  core::AdamStep step{o.lr(), beta1, beta2, o.eps(), o.weight_decay(), decoupled_decay};
  step.correction1 = correction1(beta1, t);
  step.correction2 = correction2(beta2, t);
  core::optimizer_step(
      step, w.array(), g.array(),
      {&s.exp_avg().array(), &s.exp_avg_sq().array(), o.amsgrad() ? &s.max_exp_avg_sq().array() : nullptr});
}

template class OptimizerOf<AdamRule>;
template class OptimizerOf<AdamWRule>;

}  // namespace gradus::optim
