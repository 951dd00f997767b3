#include "lbfgs.h"

#include <algorithm>
#include <cmath>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/graph/observer.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "../../core/base/message.h"
#include "../state_dict.h"
#include "line_search.h"

namespace gradus::optim {

LBFGSOptions::~LBFGSOptions() = default;
namespace {

// Of half precision, products and sums are of float: those of a gradient with itself soon are more than 65504.
Tensor wide(const Tensor& x) { return x.to(compute_dtype(x.dtype())); }
double dot(const Tensor& a, const Tensor& b) { return gradus::dot(wide(a), wide(b)).item<double>(); }
double largest(const Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().item<double>(); }

}  // namespace

LBFGSOptions::LBFGSOptions(double lr) : lr_(lr) {}
void LBFGSOptions::check() const {
  detail::expect_not_negative("LBFGS", {{"lr", lr_},
                                        {"max_iter", static_cast<double>(max_iter_)},
                                        {"max_eval", static_cast<double>(max_eval_.value_or(0))},
                                        {"tolerance_grad", tolerance_grad_},
                                        {"tolerance_change", tolerance_change_}});
  if (history_size_ < 1) core::fail<ValueError>("LBFGS: history_size must be at least 1: {}", history_size_);
  if (line_search_fn_ && *line_search_fn_ != "strong_wolfe") {
    core::fail<ValueError>("LBFGS: line_search_fn must be strong_wolfe, or not be given: {}",
                           core::in_quotes(*line_search_fn_));
  }
}
std::vector<Field> LBFGSOptions::named_fields() {
  if (!max_eval_) max_eval_ = max_iter_ * 5 / 4;
  return {{"lr", &lr_},
          {"max_iter", &max_iter_},
          {"max_eval", &*max_eval_},
          {"tolerance_grad", &tolerance_grad_},
          {"tolerance_change", &tolerance_change_},
          {"history_size", &history_size_},
          {"line_search_fn", &line_search_fn_},
          Field::flag("maximize", &maximize_)};
}
std::vector<Field> LBFGSParamState::named_fields() {
  return {{"func_evals", &func_evals_},        {"n_iter", &n_iter_}, {"t", &t_},
          {"prev_loss", &prev_loss_},          {"H_diag", &H_diag_}, {"d", &d_},
          {"prev_flat_grad", &prev_flat_grad_}};
}

LBFGS::LBFGS(std::vector<OptimizerParamGroup> groups, const LBFGSOptions& defaults)
    : Optimizer(std::move(groups), defaults.clone(), "LBFGS") {
  if (param_groups_.size() != 1) {
    core::fail<ValueError>("LBFGS: all parameters must be in one group: {} groups", param_groups_.size());
  }
  for (OptimizerOptions* options : {&param_groups_[0].options(), defaults_.get()}) {
    static_cast<void>(options->named_fields());  // fills in max_eval
  }
  for (const Tensor& p : parameters()) check_parameter(p);
}
LBFGS::LBFGS(std::vector<Tensor> params, const LBFGSOptions& defaults)
    : LBFGS(one_group(std::move(params)), defaults) {}

std::unique_ptr<OptimizerParamState> LBFGS::make_state(const OptimizerParamState* from) const {
  if (from == nullptr) return std::make_unique<State>();
  return dynamic_cast<const State*>(from) == nullptr ? Optimizer::make_state(nullptr) : from->clone();
}

void LBFGS::check_parameter(const Tensor& parameter) const {
  if (param_groups_.empty() || param_groups_[0].params().empty()) return;
  const DType first = param_groups_[0].params()[0].dtype();
  if (parameter.dtype() != first) {
    core::fail<ValueError>("LBFGS: all parameters must have one dtype: {} and {}", first, parameter.dtype());
  }
}

const LBFGSParamState* LBFGS::state(const Tensor& parameter) const {
  static_cast<void>(state_of(parameter));
  return static_cast<const State*>(state_of(param_groups_[0].params()[0]));
}

std::int64_t LBFGS::elements() const {
  std::int64_t count = 0;
  for (const Tensor& p : param_groups_[0].params()) count += p.numel();
  return count;
}

// One step().
class LBFGS::Run {
 public:
  Run(const LossClosure& closure, const std::vector<Tensor>& parameters, const LBFGSOptions& o, State& s)
      : closure_(closure), parameters_(parameters), o_(o), s_(s), sign_(o.maximize() ? -1 : 1) {}

  // What it throws, the closure's exceptions too, leaves the parameters as they were.
  Tensor operator()() {
    try {
      return iterate();
    } catch (...) {
      put_back(start_);
      try {
        tell_done();
      } catch (...) {  // NOLINT(bugprone-empty-catch): what ended the step is on its way
      }
      throw;
    }
  }

  // What an observer throws finds the step done.
  void tell_done() const {
    for (std::size_t i = 0; i < told_; ++i) autograd::Observer::tell_updated("LBFGS", parameters_[i]);
  }

 private:
  // Observers are told of the gradients that the closure gives at the start.
  void begin_updates() {
    if (!autograd::Observer::active()) return;
    for (const Tensor& p : parameters_) {
      autograd::Observer::tell_updating("LBFGS", p, p.grad());
      ++told_;
    }
  }

  Tensor iterate() {
    const Tensor first = evaluate();
    begin_updates();
    std::int64_t evaluations = 1;
    ++s_.func_evals();
    if (largest(gradient_) <= o_.tolerance_grad()) return first;
    const std::int64_t most = o_.max_eval().value_or(o_.max_iter() * 5 / 4);
    for (std::int64_t iteration = 1; iteration <= o_.max_iter(); ++iteration) {
      const bool is_first = ++s_.n_iter() == 1;
      choose_direction(is_first);
      s_.prev_flat_grad() = gradient_;
      s_.prev_loss() = loss_;
      s_.t() = is_first ? std::min(1.0, 1 / wide(gradient_).abs().sum().item<double>()) * o_.lr() : o_.lr();
      const double slope = dot(gradient_, s_.d());
      if (slope > -o_.tolerance_change()) break;
      std::int64_t used = 0;
      if (o_.line_search_fn()) {
        used = search(slope, most - evaluations);
        move(s_.t());
      } else {
        move(s_.t());
        if (iteration != o_.max_iter()) {  // or nobody would look at it
          evaluate();
          used = 1;
        }
      }
      evaluations += used;
      s_.func_evals() += used;
      if (iteration == o_.max_iter() || evaluations >= most || largest(gradient_) <= o_.tolerance_grad() ||
          largest(s_.d()) * std::abs(s_.t()) <= o_.tolerance_change() ||
          std::abs(loss_ - s_.prev_loss()) < o_.tolerance_change()) {
        break;
      }
    }
    return first;
  }

  // Loss and gradient where the parameters are.
  Tensor evaluate() {
    Tensor loss;
    {
      const AutoGradMode recording(true);
      loss = closure_();
    }
    if (!loss.defined()) core::fail<ValueError>("LBFGS: the closure must return the loss: it returned nothing");
    loss_ = sign_ * loss.item<double>();
    std::vector<Tensor> parts;
    for (const Tensor& p : parameters_) {
      const Tensor& g = p.grad();
      if (g.defined() && (g.sizes() != p.sizes() || g.dtype() != p.dtype())) {
        core::fail<ShapeError>("optimizer: a gradient must have its parameter's shape and dtype: {} {} for {} {}",
                               g.sizes(), g.dtype(), p.sizes(), p.dtype());
      }
      parts.push_back(g.defined() ? g.reshape({-1}) : zeros({p.numel()}, p.dtype()));
    }
    gradient_ = cat(parts) * sign_;
    return loss;
  }

  std::vector<Tensor> copies() const {
    std::vector<Tensor> all;
    for (const Tensor& p : parameters_) all.push_back(p.detach().clone());
    return all;
  }
  void put_back(const std::vector<Tensor>& copies) {
    for (std::size_t i = 0; i < copies.size(); ++i) {
      parameters_[i].array().copy_(copies[i].array());
      parameters_[i].array().mark_written("optimizer step", Location::unknown());
    }
  }

  void move(double t) {
    if (start_.empty()) start_ = copies();
    std::int64_t at = 0;
    for (const Tensor& p : parameters_) {
      const Tensor change = s_.d().slice(0, at, at + p.numel()).view(p.sizes().vec());
      p.array().copy_((wide(p) + t * wide(change)).array());
      p.array().mark_written("optimizer step", Location::unknown());
      at += p.numel();
    }
  }

  void choose_direction(bool is_first) {
    if (is_first) {
      s_.d() = -gradient_;
      s_.old_dirs().clear(), s_.old_stps().clear(), s_.ro().clear();
      s_.H_diag() = 1;
      return;
    }
    std::vector<Tensor>&y = s_.old_dirs(), &s = s_.old_stps();
    std::vector<double>& ro = s_.ro();
    const Tensor dy = gradient_ - s_.prev_flat_grad(), ds = s_.d() * s_.t();
    const double ys = dot(dy, ds);
    if (ys > 1e-10) {
      if (static_cast<std::int64_t>(y.size()) >= o_.history_size()) {
        y.erase(y.begin()), s.erase(s.begin()), ro.erase(ro.begin());
      }
      y.push_back(dy), s.push_back(ds), ro.push_back(1 / ys);
      s_.H_diag() = ys / dot(dy, dy);
    }
    std::vector<double> part(y.size());
    const Tensor d = -wide(gradient_);
    for (std::size_t i = y.size(); i-- > 0;) {
      part[i] = dot(s[i], d) * ro[i];
      d.sub_(wide(y[i]), part[i]);
    }
    d.mul_(s_.H_diag());
    for (std::size_t i = 0; i < y.size(); ++i) d.add_(wide(s[i]), part[i] - dot(y[i], d) * ro[i]);
    s_.d() = d.to(gradient_.dtype());
  }

  // What the closure says at t; the parameters are back where they were after it.
  detail::LinePoint look(double t) {
    const std::vector<Tensor> before = copies();
    move(t);
    evaluate();
    put_back(before);
    return {t, loss_, gradient_, dot(gradient_, s_.d())};
  }

  // Sets t, and loss and gradient there; how many evaluations it took.
  std::int64_t search(double slope, std::int64_t most) {
    const detail::WolfeSearch found = detail::strong_wolfe({0, loss_, gradient_, slope}, s_.t(), largest(s_.d()), most,
                                                           [this](double t) { return look(t); });
    s_.t() = found.point.t;
    loss_ = found.point.loss;
    gradient_ = found.point.gradient;
    return found.evaluations;
  }

  const LossClosure& closure_;
  const std::vector<Tensor>& parameters_;
  const LBFGSOptions& o_;
  State& s_;
  double sign_, loss_ = 0;
  Tensor gradient_;
  std::size_t told_ = 0;       // of how many parameters observers know that they are about to change
  std::vector<Tensor> start_;  // the parameters, as they were before they first moved
};

Tensor LBFGS::step(LossClosure closure) {
  if (!closure) core::fail<ValueError>("LBFGS: step() needs a closure that computes the loss and its gradients");
  const NoGradGuard no_grad;
  refresh();
  if (param_groups_.size() != 1) {
    core::fail<ValueError>("LBFGS: all parameters must be in one group: {} groups", param_groups_.size());
  }
  const std::vector<Tensor>& params = param_groups_[0].params();
  if (params.empty()) {
    const AutoGradMode recording(true);
    return closure();
  }
  const void* const key = &params[0].body();
  const auto kept = state_.find(key);
  std::unique_ptr<OptimizerParamState> state = make_state(kept == state_.end() ? nullptr : kept->second.get());
  for (const Field& field : state->named_fields()) detail::expect_count(field);
  auto& own = static_cast<State&>(*state);
  if (own.d().defined() && (own.d().numel() != elements() || own.d().dtype() != params[0].dtype())) {
    core::fail<ShapeError>("LBFGS: parameters must have {} elements of {}, as when the state was made: {} of {}",
                           own.d().numel(), own.d().dtype(), elements(), params[0].dtype());
  }
  Run run(closure, params, static_cast<const LBFGSOptions&>(param_groups_[0].options()), own);
  const Tensor loss = run();
  without_gradient_.clear();
  for (const Tensor& p : params) {
    if (!p.grad().defined()) without_gradient_.push_back(p);
  }
  keep(state_[key], std::move(state));
  run.tell_done();
  return loss;
}

void LBFGS::append_state(NamedState& to, const std::string& prefix, const OptimizerParamState& state,
                         const OptimizerOptions&, const Tensor&) const {
  State s = static_cast<const State&>(state);
  detail::append_fields(to, prefix, s.named_fields());
  if (s.ro().empty()) return;
  to.emplace_back(prefix + "old_dirs", stack(s.old_dirs()));
  to.emplace_back(prefix + "old_stps", stack(s.old_stps()));
  const Tensor ro = empty({static_cast<std::int64_t>(s.ro().size())}, kFloat64);
  std::copy(s.ro().begin(), s.ro().end(), ro.data_ptr<double>());
  to.emplace_back(prefix + "ro", ro);
}

std::unique_ptr<OptimizerParamState> LBFGS::load_state(detail::StateReader& reader, const std::string& prefix,
                                                       const OptimizerOptions& options, const Tensor& w) const {
  if (!reader.has_any(prefix)) return {};
  auto state = std::make_unique<State>();
  const std::int64_t n = elements();
  reader.take_fields(prefix, state->named_fields(), empty({n}, w.dtype()));
  if (state->n_iter() > 0 && !(state->d().defined() && state->prev_flat_grad().defined())) {
    reader.missing(prefix + (state->d().defined() ? "prev_flat_grad" : "d"));
  }
  const Tensor *dirs = reader.take(prefix + "old_dirs"), *steps = reader.take(prefix + "old_stps"),
               *ro = reader.take(prefix + "ro");
  if (dirs == nullptr && steps == nullptr && ro == nullptr) return state;
  if (dirs == nullptr || steps == nullptr || ro == nullptr) {
    reader.missing(prefix + (dirs == nullptr ? "old_dirs" : steps == nullptr ? "old_stps" : "ro"));
    return state;
  }
  const std::int64_t k = ro->numel(), most = static_cast<const LBFGSOptions&>(options).history_size();
  const core::Shape expected{k, n};
  if (ro->dim() != 1 || ro->dtype() != kFloat64 || k > most) {
    reader.misfit(
        fmt::format("{}ro is {} {} and must be float64 [at most {}]", prefix, ro->dtype(), ro->sizes(), most));
    return state;
  }
  for (const auto& [name, tensor] : {std::pair("old_dirs", dirs), std::pair("old_stps", steps)}) {
    if (tensor->array().shape() != expected || tensor->dtype() != w.dtype()) {
      reader.misfit(fmt::format("{}{} is {} {} and must be {} {}", prefix, name, tensor->dtype(), tensor->sizes(),
                                w.dtype(), expected));
      return state;
    }
  }
  for (std::int64_t i = 0; i < k; ++i) {
    state->old_dirs().push_back((*dirs)[i].clone());
    state->old_stps().push_back((*steps)[i].clone());
    state->ro().push_back((*ro)[i].item<double>());
  }
  return state;
}

}  // namespace gradus::optim
