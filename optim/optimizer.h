// What all optimizers share: groups of parameters with options of their own, the state of each parameter, the step.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "../core/base/arg.h"
#include "../core/base/own.h"
#include "field.h"

namespace gradus::optim {

/// The settings of a group; each optimizer has its own kind.
class GRADUS_API OptimizerOptions {
 public:
  virtual ~OptimizerOptions();
  virtual std::unique_ptr<OptimizerOptions> clone() const = 0;
  virtual double get_lr() const = 0;
  virtual void set_lr(double lr) = 0;
  /// ValueError where a setting is out of its range.
  virtual void check() const = 0;
  /// All settings.
  virtual std::vector<Field> named_fields() = 0;
};

/// What options need not write themselves; one of them is `lr`.
template <class Derived>
class OptimizerCloneableOptions : public OptimizerOptions {
 public:
  std::unique_ptr<OptimizerOptions> clone() const override {
    return std::unique_ptr<OptimizerOptions>(new Derived(static_cast<const Derived&>(*this)));  // one type for all
  }
  double get_lr() const override { return static_cast<const Derived&>(*this).lr(); }
  void set_lr(double lr) override { static_cast<Derived&>(*this).lr(lr); }
};

/// Parameters and their settings; without settings the optimizer's defaults hold.
class GRADUS_API OptimizerParamGroup {
 public:
  OptimizerParamGroup(std::vector<Tensor> params);  // NOLINT(google-explicit-constructor)
  OptimizerParamGroup(std::vector<Tensor> params, std::unique_ptr<OptimizerOptions> options);
  OptimizerParamGroup(const OptimizerParamGroup& other);
  OptimizerParamGroup(OptimizerParamGroup&&) noexcept;
  OptimizerParamGroup& operator=(OptimizerParamGroup other) noexcept;
  ~OptimizerParamGroup();

  bool has_options() const noexcept;
  OptimizerOptions& options();
  const OptimizerOptions& options() const;
  void set_options(std::unique_ptr<OptimizerOptions> options);
  std::vector<Tensor>& params() noexcept { return params_; }
  const std::vector<Tensor>& params() const noexcept { return params_; }
  /// The rate from which schedules start, once there is one.
  std::optional<double>& initial_lr() noexcept { return initial_lr_; }
  std::optional<double> initial_lr() const noexcept { return initial_lr_; }

 private:
  std::vector<Tensor> params_;
  std::unique_ptr<OptimizerOptions> options_;
  std::optional<double> initial_lr_;
};

namespace detail {

class StateReader;

/// The state of one parameter, whatever its optimizer.
class GRADUS_API ParamState {
 public:
  virtual ~ParamState();
  virtual core::Own<ParamState> clone() const = 0;
  virtual std::vector<Field> named_fields() = 0;
};

/// Makes an undefined `state` a tensor of the parameter's shape and dtype.
GRADUS_API void start_state(Tensor& state, const Tensor& parameter, double value = 0);
/// ValueError, naming `op` and the setting, unless all of them are 0 or more.
GRADUS_API void expect_not_negative(std::string_view op,
                                    std::initializer_list<std::pair<const char*, double>> settings);

}  // namespace detail

/// Changes parameters by their `.grad`. A parameter without gradient is left alone. Optimizers are made by OptimizerOf.
class GRADUS_API Optimizer {
 public:
  using LossClosure = std::function<Tensor()>;

  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// One step. A closure computes the loss and its gradients first; its loss is returned. ValueError when a group's
  /// parameters or kind of options are no longer those that it was added with. All memory that the step needs is asked
  /// for before any parameter changes: an error leaves all of them as they were.
  virtual Tensor step(LossClosure closure = nullptr);
  /// Forgets the gradients; with set_to_none = false fills them with zeros instead.
  void zero_grad(bool set_to_none = true);
  /// ValueError for a parameter that is no leaf or stands in a group already, and for another optimizer's options.
  void add_param_group(OptimizerParamGroup group);
  std::vector<OptimizerParamGroup>& param_groups() noexcept { return groups_; }
  const std::vector<OptimizerParamGroup>& param_groups() const noexcept { return groups_; }
  OptimizerOptions& defaults() noexcept;
  /// All parameters, group by group.
  std::vector<Tensor> parameters() const;

  /// As in PyTorch's state_dict: `state.I.FIELD` for parameter number I (counted through all groups) that has been
  /// stepped, and `param_groups.G.FIELD` for the options of group G. Numbers are tensors without dimensions, pairs have
  /// one; `param_groups.G.params` are the parameters' numbers. The tensors are the optimizer's own: clone() keeps them.
  NamedState state_dict() const;
  /// Takes over copies of such a state. All is checked before anything changes: ValueError, listing the entries, when
  /// some are missing, unknown, or of another shape or dtype than the parameters', when groups differ in size, and for
  /// settings out of range.
  void load_state_dict(const NamedState& state);
  /// The class's name.
  std::string_view name() const noexcept { return name_; }

  /// From now on steps are taken by the composed reference, which can be read and stepped through, or again by the fused
  /// kernel. optim::check compares the two. (Steps of the reference ask for memory as they go.)
  void use_reference(bool use = true) noexcept { uses_reference_ = use; }

 protected:
  Optimizer(std::string_view name, std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults);
  static std::vector<OptimizerParamGroup> one_group(std::vector<Tensor> params);
  /// Null when it has none yet.
  detail::ParamState* state_of(const Tensor& parameter) const;

 private:
  using State = detail::ParamState;
  // See OptimizerOf, which hands them to the rule. prepare() may fail, and changes no parameter.
  virtual core::Own<State> make_state() const = 0;
  virtual void prepare(State& state, const OptimizerOptions& options, const Tensor& w) const = 0;
  virtual void update(State& state, const OptimizerOptions& options, const Tensor& w, const Tensor& g) const = 0;
  virtual Tensor reference(State& state, const OptimizerOptions& options, const Tensor& w, const Tensor& g) const = 0;

  void check_options(const OptimizerParamGroup& group) const;
  void check_groups() const;
  void check_gradient(const Tensor& parameter) const;
  core::Own<State> load_state(detail::StateReader& reader, const std::string& prefix, const OptimizerOptions& options,
                              const Tensor& w) const;
  // A copy of a parameter's state with all that a step needs; they share their tensors.
  core::Own<State> prepared(std::size_t index, const OptimizerOptions& options, const Tensor& w) const;

  std::string_view name_;
  std::vector<OptimizerParamGroup> groups_;
  std::unique_ptr<OptimizerOptions> defaults_;
  std::vector<const autograd::Body*> known_;  // the parameters, in the order by which their states are counted
  std::vector<core::Own<State>> states_;
  bool uses_reference_ = false;
};

/// An optimizer out of a rule, which is a struct like SGDRule (optim/rules/sgd.h), all static:
///
///   name        the class's name
///   Options     an OptimizerCloneableOptions
///   State       what is kept of one parameter: numbers and tensors, which its named_fields() lists
///   prepare     makes the tensors of the state that a step will need, by detail::start_state; before any parameter changes
///   step        w, and the state, after one step, in place: the kernel; w and g are contiguous, of one shape and dtype
///   reference   the same as the paper's formula, in operations on Tensors: returns the new w, and changes the state
template <class Rule>
class OptimizerOf : public Optimizer {
 public:
  using Options = typename Rule::Options;
  using State = typename Rule::State;

  // Defined below: what stands in the class is compiled by every file that uses it.
  explicit OptimizerOf(std::vector<OptimizerParamGroup> groups, const Options& defaults = {});
  explicit OptimizerOf(std::vector<Tensor> params, const Options& defaults = {});

  /// Null for a parameter that has not been stepped.
  const State* state(const Tensor& parameter) const {
    const detail::ParamState* state = state_of(parameter);
    return state == nullptr ? nullptr : &static_cast<const Held*>(state)->value;
  }

 private:
  struct Held final : detail::ParamState {
    State value;
    core::Own<detail::ParamState> clone() const override { return core::Own<detail::ParamState>(new Held(*this)); }
    std::vector<Field> named_fields() override { return value.named_fields(); }
  };
  static State& value(detail::ParamState& state) { return static_cast<Held&>(state).value; }
  static const Options& own(const OptimizerOptions& options) { return static_cast<const Options&>(options); }

  core::Own<detail::ParamState> make_state() const final { return core::Own<detail::ParamState>(new Held()); }
  void prepare(detail::ParamState& state, const OptimizerOptions& options, const Tensor& w) const final {
    Rule::prepare(value(state), own(options), w);
  }
  void update(detail::ParamState& state, const OptimizerOptions& options, const Tensor& w,
              const Tensor& g) const final {
    Rule::step(value(state), own(options), w, g);
  }
  Tensor reference(detail::ParamState& state, const OptimizerOptions& options, const Tensor& w,
                   const Tensor& g) const final {
    return Rule::reference(value(state), own(options), w, g);
  }
};

template <class Rule>
OptimizerOf<Rule>::OptimizerOf(std::vector<OptimizerParamGroup> groups, const Options& defaults)
    : Optimizer(Rule::name, std::move(groups), defaults.clone()) {}
template <class Rule>
OptimizerOf<Rule>::OptimizerOf(std::vector<Tensor> params, const Options& defaults)
    : OptimizerOf(one_group(std::move(params)), defaults) {}

}  // namespace gradus::optim
