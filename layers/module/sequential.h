// Sequential: modules one after the other. ModuleList: modules in a row, called by hand.
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

namespace gradus::nn {

/// Each module's result is the next one's input: `Sequential(Linear(4, 8), ReLU(), Linear(8, 3))`. The first module's
/// forward may take up to three tensors, the others take one.
class GRADUS_API SequentialImpl : public Cloneable<SequentialImpl> {
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

  /// ModuleError when empty, and when a module takes another number of tensors. An error's text says in which module it
  /// came up.
  Tensor forward(Operand x) { return run(&x, 1); }
  Tensor forward(Operand x, Operand y) {
    const Operand all[] = {x, y};
    return run(all, 2);
  }
  Tensor forward(Operand x, Operand y, Operand z) {
    const Operand all[] = {x, y, z};
    return run(all, 3);
  }

  /// Named by its position: "0", "1", ...
  void push_back(AnyModule module);
  void push_back(std::string name, AnyModule module);
  void push_back(const NamedAnyModule& module) { push_back(module.name, module.module); }
  /// Appends another's modules (the same ones), named by their new positions.
  void extend(const SequentialImpl& other);

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
    return any(index).get<M>();
  }

  /// What is inside is pushed back, not made by reset().
  void reset() override {}
  std::shared_ptr<Module> clone() const override;

 private:
  // The row would not know.
  using Module::register_module;
  using Module::replace_module;
  using Module::unregister_module;

  const AnyModule& any(std::size_t index) const;
  Tensor run(const Operand* x, std::size_t count);

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

/// Modules that are registered under their positions and have no forward together.
class GRADUS_API ModuleListImpl : public Cloneable<ModuleListImpl> {
 public:
  ModuleListImpl() = default;

  void push_back(std::shared_ptr<Module> module);
  template <class M>
  void push_back(const ModuleHolder<M>& holder) {
    push_back(holder.base_ptr());
  }
  std::size_t size() const noexcept { return modules_.size(); }
  bool is_empty() const noexcept { return modules_.empty(); }
  auto begin() const noexcept { return modules_.begin(); }
  auto end() const noexcept { return modules_.end(); }
  /// IndexError when out of range.
  std::shared_ptr<Module> operator[](std::size_t index) const { return ptr(index); }
  std::shared_ptr<Module> ptr(std::size_t index) const;
  /// ModuleError when the module is no M.
  template <class M>
  auto& at(std::size_t index) const {
    auto* module = ptr(index)->as<M>();
    if (module == nullptr) detail::fail_other_type(*ptr(index), typeid(M));
    return *module;
  }

  /// What is inside is pushed back, not made by reset().
  void reset() override {}
  std::shared_ptr<Module> clone() const override;

 private:
  // The row would not know.
  using Module::register_module;
  using Module::replace_module;
  using Module::unregister_module;

  std::vector<std::shared_ptr<Module>> modules_;
};
GRADUS_MODULE(ModuleList);

}  // namespace gradus::nn
