// What a module keeps beside its tensors and submodules, when there is any: hooks, and parameters that are computed.
#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hooks.h"

namespace gradus::nn::detail {

/// A parameter that is computed of others before each forward (utils.h).
class Reparametrisation {
 public:
  Reparametrisation(std::string name_, int dim_) : name(std::move(name_)), dim(dim_) {}
  virtual ~Reparametrisation() = default;
  /// "weight_norm".
  virtual const char* kind() const = 0;
  /// Takes the parameter `name` out of the module and registers what it is computed of, with values that give it again.
  /// What throws is thrown before the module changes.
  virtual void begin(Module& module) = 0;
  /// The parameter's value; before a forward what moves from one to the next is moved on.
  virtual Tensor compute(const Module& module, bool before_forward) = 0;
  /// Takes what it is computed of out of the module.
  virtual void end(Module& module) = 0;
  /// The same of another module, before begin().
  virtual std::shared_ptr<Reparametrisation> fresh() const = 0;

  const std::string name;
  const int dim;
  Tensor member;  // what the module's member holds: the parameter, once
};

struct ModuleHooks {
  template <class Hook>
  using List = std::vector<std::pair<unsigned, Hook>>;
  List<ForwardPreHook> before;
  List<ForwardHook> after;
  List<BackwardHook> backward;
  std::vector<std::shared_ptr<Reparametrisation>> computed;
  unsigned next_id = 1;

  /// The module's; made when there are none.
  static ModuleHooks& of(Module& module);
  static ModuleHooks* find(const Module& module) noexcept;
  // What is registered, for those who change it.
  static NamedTensors& parameters(Module& module) noexcept;
  static NamedTensors& buffers(Module& module) noexcept;
  /// ModuleError, in the name of op, where one of the names cannot be registered. Before anything changes.
  static void expect_free(const Module& module, const char* op, std::initializer_list<std::string> names);
  /// A clone, after its reset(), is given the original's hooks, and has the same of its parameters computed.
  static void copy(const Module& from, Module& to);
  /// Has a parameter computed from now on, and gives it its value.
  static void begin(Module& module, std::shared_ptr<Reparametrisation> computed);
  /// Gives the member its value, with the history of what it is computed of.
  static void refresh(Module& module, Reparametrisation& computed, bool before_forward);
  static void refresh(Module& module);  ///< all that are computed, once their parts have been given other values
  /// For a forward that the library wrote and that programs call by itself: all that are computed, unless the call is one
  /// by a holder, a Sequential or an AnyModule, which has done it.
  static void before_forward(const Module& module);
  /// Makes the member a parameter again, of the value that it has.
  static void make_parameter(Module& module, Reparametrisation& computed);

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  std::atomic<int> references_{1};
};

}  // namespace gradus::nn::detail
