// What all optimizers share: groups of parameters with options of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "../autograd/tensor/tensor.h"
#include "../core/base/arg.h"
#include "../core/base/export.h"

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

  bool has_options() const noexcept { return options_ != nullptr; }
  OptimizerOptions& options() { return *options_; }
  const OptimizerOptions& options() const { return *options_; }
  void set_options(std::unique_ptr<OptimizerOptions> options) { options_ = std::move(options); }
  std::vector<Tensor>& params() noexcept { return params_; }
  const std::vector<Tensor>& params() const noexcept { return params_; }

 private:
  std::vector<Tensor> params_;
  std::unique_ptr<OptimizerOptions> options_;
};

/// Changes parameters by their `.grad`. A parameter without gradient is left alone.
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
  OptimizerOptions& defaults() noexcept { return *defaults_; }
  /// All parameters, group by group.
  std::vector<Tensor> parameters() const;

 protected:
  Optimizer(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults);
  static std::vector<OptimizerParamGroup> one_group(std::vector<Tensor> params);
  /// Called for each parameter that has a gradient, before the first update() of a step: makes the state that update()
  /// will need for parameter number `index` (counted through all groups), see fit_state(). It may fail, and changes no
  /// parameter.
  virtual void prepare(const core::Array& parameter, const OptimizerOptions& options, std::size_t index) = 0;
  /// Changes parameter number `index` by its gradient; both are contiguous and of one shape and dtype.
  virtual void update(const core::Array& parameter, const core::Array& gradient, const OptimizerOptions& options,
                      std::size_t index) = 0;
  /// Makes an undefined `state` zeros of the parameter's shape and dtype, and converts one of another dtype, as after
  /// Module::to(). ShapeError for another shape.
  static void fit_state(core::Array& state, const core::Array& parameter);

 private:
  void check_options(const OptimizerParamGroup& group) const;

  std::vector<OptimizerParamGroup> groups_;
  std::unique_ptr<OptimizerOptions> defaults_;
  std::vector<const autograd::Body*> known_;  // the parameters, in the order by which update() counts them
};

}  // namespace gradus::optim
