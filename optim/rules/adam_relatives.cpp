#include "adam_relatives.h"

#include <cmath>

#include "../../core/base/fail.h"
#include "../../core/nn/optimizer_step.h"

namespace gradus::optim {

NAdamOptions::~NAdamOptions() = default;
RAdamOptions::~RAdamOptions() = default;
AdamaxOptions::~AdamaxOptions() = default;
NAdam::~NAdam() = default;
RAdam::~RAdam() = default;
Adamax::~Adamax() = default;
namespace {

template <class Options>
void check_options(const char* name, const Options& o) {
  detail::expect_not_negative(name, {{"lr", o.lr()}, {"eps", o.eps()}, {"weight_decay", o.weight_decay()}});
  const auto [beta1, beta2] = o.betas();
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
    core::fail<ValueError>("{}: betas must lie in [0, 1): {}, {}", name, beta1, beta2);
  }
}

// What decay makes of the parameter, and of the gradient.
template <class Options>
std::pair<Tensor, Tensor> decayed(const Options& o, const Tensor& w, const Tensor& g) {
  if (o.decoupled_weight_decay()) return {w * (1 - o.lr() * o.weight_decay()), g};
  return {w, g + o.weight_decay() * w};
}

}  // namespace

NAdamOptions::NAdamOptions(double lr) : lr_(lr) {}
void NAdamOptions::check() const {
  check_options("NAdam", *this);
  detail::expect_not_negative("NAdam", {{"momentum_decay", momentum_decay_}});
}
std::vector<Field> NAdamOptions::named_fields() {
  return {{"lr", &lr_},
          {"betas", &betas_},
          {"eps", &eps_},
          {"weight_decay", &weight_decay_},
          {"momentum_decay", &momentum_decay_},
          {"decoupled_weight_decay", &decoupled_weight_decay_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> NAdamParamState::named_fields() {
  return {{"step", &step_}, {"mu_product", &mu_product_}, {"exp_avg", &exp_avg_}, {"exp_avg_sq", &exp_avg_sq_}};
}

void NAdamRule::prepare(State& s, const Options&, const Tensor& w) {
  detail::start_state(s.exp_avg(), w);
  detail::start_state(s.exp_avg_sq(), w);
}

namespace {

// The rates of the gradient and of its average in a step of NAdam, which it counts.
std::pair<double, double> nadam_parts(NAdamParamState& s, const NAdamOptions& o) {
  const auto t = static_cast<double>(++s.step());
  const double beta1 = std::get<0>(o.betas());
  const double mu = beta1 * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay()));
  const double next = beta1 * (1 - 0.5 * std::pow(0.96, (t + 1) * o.momentum_decay()));
  s.mu_product() *= mu;
  return {o.lr() * (1 - mu) / (1 - s.mu_product()), o.lr() * next / (1 - s.mu_product() * next)};
}

}  // namespace

Tensor NAdamRule::reference(State& s, const Options& o, const Tensor& before, const Tensor& gradient) {
  const auto [w, g] = decayed(o, before, gradient);
  const auto [beta1, beta2] = o.betas();
  const auto [fresh, average] = nadam_parts(s, o);
  Tensor &m = s.exp_avg(), &v = s.exp_avg_sq();
  m = beta1 * m + (1 - beta1) * g;
  v = beta2 * v + (1 - beta2) * g * g;
  const Tensor v_hat = v / (1 - std::pow(beta2, static_cast<double>(s.step())));
  return w - (fresh * g + average * m) / (sqrt(v_hat) + o.eps());
}

void NAdamRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const auto [beta1, beta2] = o.betas();
  const auto [fresh, average] = nadam_parts(s, o);
  core::NadamStep step{o.lr(), beta1, beta2, o.eps(), o.weight_decay(), o.decoupled_weight_decay(), fresh, average};
  step.correction2 = 1 - std::pow(beta2, static_cast<double>(s.step()));
  core::optimizer_step(step, w.array(), g.array(), {&s.exp_avg().array(), &s.exp_avg_sq().array()});
}

RAdamOptions::RAdamOptions(double lr) : lr_(lr) {}
void RAdamOptions::check() const { check_options("RAdam", *this); }
std::vector<Field> RAdamOptions::named_fields() {
  return {{"lr", &lr_},
          {"betas", &betas_},
          {"eps", &eps_},
          {"weight_decay", &weight_decay_},
          {"decoupled_weight_decay", &decoupled_weight_decay_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> RAdamParamState::named_fields() {
  return {{"step", &step_}, {"exp_avg", &exp_avg_}, {"exp_avg_sq", &exp_avg_sq_}};
}

void RAdamRule::prepare(State& s, const Options&, const Tensor& w) {
  detail::start_state(s.exp_avg(), w);
  detail::start_state(s.exp_avg_sq(), w);
}

namespace {

// r of the formula; 0 where the average is not divided.
double rectification(double beta2, double t) {
  const double power = std::pow(beta2, t);
  const double longest = 2 / (1 - beta2) - 1, length = longest - 2 * t * power / (1 - power);
  if (!(length > 5)) return 0;
  return std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
}

}  // namespace

Tensor RAdamRule::reference(State& s, const Options& o, const Tensor& before, const Tensor& gradient) {
  const auto [w, g] = decayed(o, before, gradient);
  const auto [beta1, beta2] = o.betas();
  const auto t = static_cast<double>(++s.step());
  Tensor &m = s.exp_avg(), &v = s.exp_avg_sq();
  m = beta1 * m + (1 - beta1) * g;
  v = beta2 * v + (1 - beta2) * g * g;
  const Tensor m_hat = m / (1 - std::pow(beta1, t));
  const double r = rectification(beta2, t);
  if (r == 0) return w - o.lr() * m_hat;
  return w - o.lr() * r * m_hat * std::sqrt(1 - std::pow(beta2, t)) / (sqrt(v) + o.eps());
}

void RAdamRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const auto [beta1, beta2] = o.betas();
  const auto t = static_cast<double>(++s.step());
  const double r = rectification(beta2, t);
  core::RadamStep step{o.lr(), beta1, beta2, o.eps(), o.weight_decay(), o.decoupled_weight_decay(), r != 0};
  step.size = o.lr() / (1 - std::pow(beta1, t)) * (r == 0 ? 1 : r * std::sqrt(1 - std::pow(beta2, t)));
  core::optimizer_step(step, w.array(), g.array(), {&s.exp_avg().array(), &s.exp_avg_sq().array()});
}

AdamaxOptions::AdamaxOptions(double lr) : lr_(lr) {}
void AdamaxOptions::check() const { check_options("Adamax", *this); }
std::vector<Field> AdamaxOptions::named_fields() {
  return {{"lr", &lr_},
          {"betas", &betas_},
          {"eps", &eps_},
          {"weight_decay", &weight_decay_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> AdamaxParamState::named_fields() {
  return {{"step", &step_}, {"exp_avg", &exp_avg_}, {"exp_inf", &exp_inf_}};
}

void AdamaxRule::prepare(State& s, const Options&, const Tensor& w) {
  detail::start_state(s.exp_avg(), w);
  detail::start_state(s.exp_inf(), w);
}

Tensor AdamaxRule::reference(State& s, const Options& o, const Tensor& w, const Tensor& gradient) {
  const Tensor g = gradient + o.weight_decay() * w;
  const auto [beta1, beta2] = o.betas();
  const auto t = static_cast<double>(++s.step());
  Tensor &m = s.exp_avg(), &u = s.exp_inf();
  m = beta1 * m + (1 - beta1) * g;
  u = maximum(beta2 * u, abs(g) + o.eps());
  return w - o.lr() / (1 - std::pow(beta1, t)) * m / u;
}

void AdamaxRule::step(State& s, const Options& o, const Tensor& w, const Tensor& g) {
  const auto [beta1, beta2] = o.betas();
  const double lr = o.lr() / (1 - std::pow(beta1, static_cast<double>(++s.step())));
  core::optimizer_step(core::AdamaxStep{lr, beta1, beta2, o.eps(), o.weight_decay()}, w.array(), g.array(),
                       {&s.exp_avg().array(), &s.exp_inf().array()});
}

template class OptimizerOf<NAdamRule>;
template class OptimizerOf<RAdamRule>;
template class OptimizerOf<AdamaxRule>;

}  // namespace gradus::optim
