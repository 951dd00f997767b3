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
#include "field.h"

namespace gradus::nn {
class Module;
}
namespace gradus::serialize {
class InputArchive;
class OutputArchive;
}  // namespace gradus::serialize

namespace gradus::optim {

/// The settings of a group; each optimizer has its own kind.
class GRADUS_API OptimizerOptions {
 public:
  virtual ~OptimizerOptions();
  virtual std::unique_ptr<OptimizerOptions> clone() const = 0;
  /// ValueError, of these two, for options without a rate of their own.
  virtual double get_lr() const;
  virtual void set_lr(double lr);
  /// ValueError where a setting is out of its range. By default nothing is.
  virtual void check() const;
  /// All settings: what state_dict() goes over. ValueError by default.
  virtual std::vector<Field> named_fields();
  /// Whether steps go uphill: against the gradient's negative.
  virtual bool goes_uphill() const;
  /// To and from an archive: what optimizers of one's own may override. ValueError by default.
  virtual void serialize(serialize::InputArchive& archive);
  virtual void serialize(serialize::OutputArchive& archive) const;
};

/// What options need not write themselves, where one of them is `lr`, and perhaps one `maximize`.
template <class Derived>
class OptimizerCloneableOptions : public OptimizerOptions {
 public:
  std::unique_ptr<OptimizerOptions> clone() const override {
    return std::unique_ptr<OptimizerOptions>(new Derived(static_cast<const Derived&>(*this)));  // one type for all
  }
  double get_lr() const override {
    if constexpr (requires(const Derived& o) { o.lr(); }) return static_cast<const Derived&>(*this).lr();
    return OptimizerOptions::get_lr();
  }
  void set_lr(double lr) override {
    if constexpr (requires(Derived & o) { o.lr(lr); }) {
      static_cast<Derived&>(*this).lr(lr);
    } else {
      OptimizerOptions::set_lr(lr);
    }
  }
  bool goes_uphill() const override {
    if constexpr (requires(const Derived& o) { o.maximize(); }) return static_cast<const Derived&>(*this).maximize();
    return false;
  }
};

/// What is kept of one parameter from step to step; each optimizer has its own kind.
class GRADUS_API OptimizerParamState {
 public:
  virtual ~OptimizerParamState();
  /// ValueError unless overridden: OptimizerCloneableParamState does.
  virtual std::unique_ptr<OptimizerParamState> clone() const;
  /// Moves the value of another of the same kind into this one, to which others may refer; false, and nothing is done,
  /// unless overridden: OptimizerCloneableParamState does.
  virtual bool take_over(OptimizerParamState& other);
  /// All numbers and tensors: what state_dict() goes over. ValueError by default.
  virtual std::vector<Field> named_fields();
  virtual void serialize(serialize::InputArchive& archive);
  virtual void serialize(serialize::OutputArchive& archive) const;
};

/// What states need not write themselves.
template <class Derived>
class OptimizerCloneableParamState : public OptimizerParamState {
 public:
  std::unique_ptr<OptimizerParamState> clone() const override {
    return std::unique_ptr<OptimizerParamState>(new Derived(static_cast<const Derived&>(*this)));
  }
  bool take_over(OptimizerParamState& other) override {
    if constexpr (std::is_move_assignable_v<Derived>) {
      static_cast<Derived&>(*this) = std::move(static_cast<Derived&>(other));
      return true;
    }
    return false;
  }
};

/// States by parameter: a map, in the order in which they came, whose keys are `parameter.unsafeGetTensorImpl()`, or those
/// as text, as PyTorch's older versions have them.
class GRADUS_API ParamStates {
 public:
  struct Entry {
    void* first;
    std::unique_ptr<OptimizerParamState> second;
  };
  using iterator = std::vector<Entry>::iterator;
  using const_iterator = std::vector<Entry>::const_iterator;

  iterator begin() noexcept { return entries_.begin(); }
  iterator end() noexcept { return entries_.end(); }
  const_iterator begin() const noexcept { return entries_.begin(); }
  const_iterator end() const noexcept { return entries_.end(); }
  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  void clear() noexcept { entries_.clear(); }

  iterator find(const void* key);
  const_iterator find(const void* key) const;
  iterator find(const std::string& key);
  std::size_t count(const void* key) const { return find(key) == end() ? 0 : 1; }
  std::size_t count(const std::string& key) const;
  /// Makes an entry, of no state, where there was none.
  std::unique_ptr<OptimizerParamState>& operator[](const void* key);
  std::unique_ptr<OptimizerParamState>& operator[](const std::string& key);
  /// How many were removed.
  std::size_t erase(const void* key);
  std::size_t erase(const std::string& key);

 private:
  friend class Optimizer;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;  // where the next one asked for is likely to stand
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

/// ValueError for a whole number of a state below 0: all of them count something.
GRADUS_API void expect_count(const Field& field);
/// Makes an undefined `state` a tensor of the parameter's shape and dtype.
GRADUS_API void start_state(Tensor& state, const Tensor& parameter, double value = 0);
/// ValueError, naming `op` and the setting, unless all of them are 0 or more.
GRADUS_API void expect_not_negative(std::string_view op,
                                    std::initializer_list<std::pair<const char*, double>> settings);

}  // namespace detail

/// Changes parameters by their `.grad`. A parameter without gradient is left alone. The library's own are made by
/// OptimizerOf; one of a user's own may also derive from this, override step(), and keep its states in `state_`.
class GRADUS_API Optimizer {
 public:
  using LossClosure = std::function<Tensor()>;

  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  Optimizer(Optimizer&&) noexcept;
  Optimizer& operator=(Optimizer&&) noexcept;

  /// One step. A closure computes the loss and its gradients first; its loss is returned. ValueError for parameters that
  /// are no leaves or given twice, and for a group's options of another kind than the optimizer's. All memory that the
  /// step needs is asked for before any parameter changes: an error leaves all of them as they were.
  virtual Tensor step(LossClosure closure = nullptr);
  /// Forgets the gradients; with set_to_none = false fills them with zeros instead.
  void zero_grad(bool set_to_none = true);
  /// Which parameters the last step() left alone because they had no gradient.
  const std::vector<Tensor>& without_gradient() const noexcept { return without_gradient_; }
  /// The same by their names in a module, "" for those that are not in it.
  std::vector<std::string> without_gradient(const nn::Module& module) const;

  /// ValueError for a parameter that is no leaf or stands in a group already, and for another optimizer's options.
  void add_param_group(OptimizerParamGroup group);
  /// To the first group.
  void add_parameters(const std::vector<Tensor>& parameters);
  std::vector<OptimizerParamGroup>& param_groups() noexcept { return param_groups_; }
  const std::vector<OptimizerParamGroup>& param_groups() const noexcept { return param_groups_; }
  OptimizerOptions& defaults() noexcept { return *defaults_; }
  const OptimizerOptions& defaults() const noexcept { return *defaults_; }
  /// All parameters, group by group.
  std::vector<Tensor> parameters() const;
  /// How many parameters there are.
  std::size_t size() const noexcept;
  /// The states of the parameters that have been stepped, by parameter. That of a parameter which is in no group any
  /// more is forgotten at the next step; that of the others stays where it is, so that references to it last.
  ParamStates& state() noexcept { return state_; }
  const ParamStates& state() const noexcept { return state_; }

  /// As in PyTorch's state_dict: `state.I.FIELD` for parameter number I (counted through all groups) that has been
  /// stepped, and `param_groups.G.FIELD` for the options of group G. Numbers are tensors without dimensions, pairs have
  /// one; `param_groups.G.params` are the parameters' numbers. The tensors are the optimizer's own: clone() keeps them.
  NamedState state_dict() const;
  /// Takes over copies of such a state. All is checked before anything changes: ValueError, listing the entries, when
  /// some are missing, unknown, or of another shape or dtype than the parameters', when groups differ in size, and for
  /// settings out of range.
  void load_state_dict(const NamedState& state);
  /// The state_dict() into an archive, and out of it; optimizers of one's own may override them. save() and load() call them.
  virtual void save(serialize::OutputArchive& archive) const;
  virtual void load(serialize::InputArchive& archive);
  /// The class's name; "Optimizer" for one of a user's own that gives none.
  std::string_view name() const noexcept { return name_; }

  /// From now on steps are taken by the composed reference, which can be read and stepped through, or again by the fused
  /// kernel. optim::check compares the two. (Steps of the reference ask for memory as they go.)
  void use_reference(bool use = true) noexcept { uses_reference_ = use; }

 protected:
  explicit Optimizer(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults,
                     std::string_view name = "Optimizer");
  explicit Optimizer(std::vector<Tensor> params, std::unique_ptr<OptimizerOptions> defaults,
                     std::string_view name = "Optimizer");
  static std::vector<OptimizerParamGroup> one_group(std::vector<Tensor> params);
  /// Null when it has none yet.
  OptimizerParamState* state_of(const Tensor& parameter) const;
  /// Checks groups that may have changed since the last step, and forgets the states of parameters that have gone.
  void refresh();

  /// A copy of a state, or a new one where there is none. ValueError for a state of another kind.
  virtual std::unique_ptr<OptimizerParamState> make_state(const OptimizerParamState* from) const;
  /// Makes `now` the value of the state that is kept, which stays where it is, or else that state itself.
  static void keep(std::unique_ptr<OptimizerParamState>& kept, std::unique_ptr<OptimizerParamState> now);

  std::vector<OptimizerParamGroup> param_groups_;
  ParamStates state_;
  std::unique_ptr<OptimizerOptions> defaults_;
  std::vector<Tensor> without_gradient_;

 private:
  using State = OptimizerParamState;
  // See OptimizerOf, which hands them to the rule. prepare() may fail, and changes no parameter.
  virtual void prepare(State& state, const OptimizerOptions& options, const Tensor& w) const;
  virtual void update(State& state, const OptimizerOptions& options, const Tensor& w, const Tensor& g) const;
  virtual Tensor reference(State& state, const OptimizerOptions& options, const Tensor& w, const Tensor& g) const;
  // What kinds of parameter it takes.
  virtual void check_parameter(const Tensor& parameter) const;
  // A parameter's state to and from a state_dict, for states that are not lists of fields alone.
  virtual void append_state(NamedState& to, const std::string& prefix, const State& state,
                            const OptimizerOptions& options, const Tensor& w) const;
  virtual std::unique_ptr<State> load_state(detail::StateReader& reader, const std::string& prefix,
                                            const OptimizerOptions& options, const Tensor& w) const;

  void check_options(const OptimizerParamGroup& group) const;
  bool knows_all() const;
  void check_groups() const;
  void check_gradient(const Tensor& parameter) const;
  // A copy of a parameter's state, or of none, with all that a step needs; they share their tensors.
  std::unique_ptr<State> prepared(const State* kept, const OptimizerOptions& options, const Tensor& w) const;

  std::string_view name_;
  std::vector<Tensor> known_;  // the parameters that were checked, held: none else gets the address of one that went
  bool uses_reference_ = false;
};

/// An optimizer out of a rule, which is a struct like SGDRule (optim/rules/sgd.h), all static:
///
///   name        the class's name
///   Options     an OptimizerCloneableOptions
///   State       an OptimizerCloneableParamState: numbers and tensors, which its named_fields() lists
///   prepare     makes the tensors of the state that a step will need, by detail::start_state; before any parameter changes
///   step        w, and the state, after one step, in place: the kernel; w and g are contiguous, of one shape and dtype
///   reference   the same as the paper's formula, in operations on Tensors: returns the new w, and changes the state
///   expect      optional: ValueError for a parameter that the rule does not take
template <class Rule>
class OptimizerOf : public Optimizer {
 public:
  using Options = typename Rule::Options;
  using State = typename Rule::State;

  // Defined below: what stands in the class is compiled by every file that uses it.
  explicit OptimizerOf(std::vector<OptimizerParamGroup> groups, const Options& defaults = {});
  explicit OptimizerOf(std::vector<Tensor> params, const Options& defaults = {});

  using Optimizer::state;
  /// Null for a parameter that has not been stepped.
  const State* state(const Tensor& parameter) const { return static_cast<const State*>(state_of(parameter)); }

 private:
  static State& own(OptimizerParamState& state) { return static_cast<State&>(state); }
  static const Options& own(const OptimizerOptions& options) { return static_cast<const Options&>(options); }

  std::unique_ptr<OptimizerParamState> make_state(const OptimizerParamState* from) const final {
    if (from == nullptr) return std::unique_ptr<OptimizerParamState>(new State());
    return dynamic_cast<const State*>(from) == nullptr ? Optimizer::make_state(nullptr) : from->clone();
  }
  void prepare(OptimizerParamState& state, const OptimizerOptions& options, const Tensor& w) const final {
    Rule::prepare(own(state), own(options), w);
  }
  void update(OptimizerParamState& state, const OptimizerOptions& options, const Tensor& w,
              const Tensor& g) const final {
    Rule::step(own(state), own(options), w, g);
  }
  Tensor reference(OptimizerParamState& state, const OptimizerOptions& options, const Tensor& w,
                   const Tensor& g) const final {
    return Rule::reference(own(state), own(options), w, g);
  }
  void check_parameter(const Tensor& parameter) const final {
    if constexpr (requires { Rule::expect(parameter); }) Rule::expect(parameter);
  }
};

template <class Rule>
OptimizerOf<Rule>::OptimizerOf(std::vector<OptimizerParamGroup> groups, const Options& defaults)
    : Optimizer(std::move(groups), defaults.clone(), Rule::name) {
  for (const Tensor& p : parameters()) check_parameter(p);
}
template <class Rule>
OptimizerOf<Rule>::OptimizerOf(std::vector<Tensor> params, const Options& defaults)
    : OptimizerOf(one_group(std::move(params)), defaults) {}

}  // namespace gradus::optim
