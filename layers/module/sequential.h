// Sequential: modules one after the other.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "any_module.h"
#include "cloneable.h"
#include "containers.h"

namespace gradus::nn {

/// Each module's result is the next one's input: `Sequential(Linear(4, 8), ReLU(), Linear(8, 3))`. The first module's
/// forward may take any arguments, of any types, the others take one: `seq->forward<Result>(a, b)` where the last gives a
/// Result that is no Tensor. ModuleError when it is empty, and where a module takes something else. An error's text says in
/// which module it came up.
class GRADUS_API SequentialImpl : public Cloneable<SequentialImpl>, public detail::ForwardsAny<SequentialImpl> {
 public:
  SequentialImpl();
  SequentialImpl(const SequentialImpl&);
  SequentialImpl& operator=(const SequentialImpl&);
  ~SequentialImpl() override;
  /// From holders, shared_ptrs or modules by value.
  template <class... M>
  requires(!(sizeof...(M) == 1 && (std::is_base_of_v<SequentialImpl, std::remove_cvref_t<M>> && ...)) &&
           (std::is_convertible_v<M, AnyModule> && ...)) explicit SequentialImpl(M&&... modules) {
    (push_back(std::forward<M>(modules)), ...);
  }
  SequentialImpl(std::initializer_list<NamedAnyModule> modules);

  /// Named by its position: "0", "1", ...
  void push_back(AnyModule module);
  void push_back(std::string name, AnyModule module);
  void push_back(const NamedAnyModule& module) { push_back(module.name(), module.module()); }
  /// Appends another's modules (the same ones), or those of a list of AnyModules or shared_ptrs, named by their new positions.
  void extend(const SequentialImpl& other);
  template <class Container>
  void extend(const Container& container) {
    for (const auto& module : container) push_back(module);
  }

  std::size_t size() const noexcept { return modules_.size(); }
  bool is_empty() const noexcept { return modules_.empty(); }
  auto begin() const noexcept { return modules_.begin(); }
  auto end() const noexcept { return modules_.end(); }
  // IndexError when out of range; ModuleError when the module is no M.
  std::shared_ptr<Module> operator[](std::size_t index) const { return any(index).ptr(); }
  std::shared_ptr<Module> ptr(std::size_t index) const { return any(index).ptr(); }
  template <class M>
  auto ptr(std::size_t index) const {
    return any(index).ptr<M>();
  }
  template <class M>
  auto& at(std::size_t index) const {
    return detail::module_as<M>(ptr(index));
  }

  /// What is inside is pushed back, not made by reset().
  void reset() override {}
  std::shared_ptr<Module> clone(const std::optional<Device>& device = {}) const override;

 private:
  // The row would not know.
  using Module::register_module;
  using Module::replace_module;
  using Module::unregister_module;

  friend class detail::ForwardsAny<SequentialImpl>;
  const AnyModule& any(std::size_t index) const;
  /// Calls `call(module)` of each; an error is told which.
  template <class Call>
  void each(const Call& call) const;
  Tensor run(const Operand* x, std::size_t count) const;
  AnyValue run_values(std::vector<AnyValue>&& arguments, Location at) const;

  std::vector<AnyModule> modules_;
};

class Sequential : public ModuleHolder<SequentialImpl> {
 public:
  using Impl = SequentialImpl;
  using ModuleHolder<SequentialImpl>::ModuleHolder;
  Sequential() = default;
  /// `Sequential({{"hidden", Linear(4, 8)}, {"out", Linear(8, 3)}})`.
  GRADUS_API Sequential(std::initializer_list<NamedAnyModule> modules);
};

}  // namespace gradus::nn
