// AnyModule: a module of whatever type, with its forward.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "module.h"

namespace gradus::nn {

namespace detail {

/// M's forward takes a Tensor (or an Operand) and more Tensors, and returns a Tensor.
template <class M, class... Rest>
concept ForwardTakes = requires(M& m, Operand x, const Rest&... rest) {
  requires std::is_convertible_v<decltype(m.forward(x, rest...)), Tensor>;
}
|| requires(M& m, const Tensor& x, const Rest&... rest) {
  requires std::is_convertible_v<decltype(m.forward(x, rest...)), Tensor>;
};

/// Calls the forward of a module known to be an M with one to three tensors.
template <class M>
Tensor forward_of(Module& module, const Operand* x, std::size_t count);

[[noreturn]] GRADUS_API void fail_forward_count(const Module& module, std::size_t count);
[[noreturn]] GRADUS_API void fail_empty_any();
[[noreturn]] GRADUS_API void fail_other_type(const Module& module, const std::type_info& wanted);

}  // namespace detail

class SequentialImpl;

/// Holds a module and calls its forward, which takes one to three Tensors and returns one. Made, also without saying so,
/// from a holder, a shared_ptr or a module by value.
class GRADUS_API AnyModule {
 public:
  AnyModule() noexcept {}
  AnyModule(const AnyModule&);
  AnyModule(AnyModule&&) noexcept;
  AnyModule& operator=(const AnyModule&);
  AnyModule& operator=(AnyModule&&) noexcept;
  ~AnyModule();
  template <class M>
  AnyModule(std::shared_ptr<M> module)  // NOLINT(google-explicit-constructor)
      : AnyModule(std::shared_ptr<Module>(std::move(module)), &detail::forward_of<M>) {}
  template <class M>
  AnyModule(const ModuleHolder<M>& holder)  // NOLINT(google-explicit-constructor)
      : AnyModule(holder.base_ptr(), &detail::forward_of<M>) {}
  template <class M>
  requires std::is_base_of_v<Module, std::remove_cvref_t<M>> AnyModule(
      M&& module)  // NOLINT(google-explicit-constructor)
      : AnyModule(std::make_shared<std::remove_cvref_t<M>>(std::forward<M>(module))) {}

  bool is_empty() const noexcept { return module_ == nullptr; }
  /// ModuleError when there is none, or when its forward takes another number of tensors.
  Tensor forward(Operand x) const { return forward(&x, 1); }
  Tensor forward(Operand x, Operand y) const {
    const Operand all[] = {x, y};
    return forward(all, 2);
  }
  Tensor forward(Operand x, Operand y, Operand z) const {
    const Operand all[] = {x, y, z};
    return forward(all, 3);
  }
  Tensor forward(const Operand* x, std::size_t count) const {
    Module& module = *ptr();  // before the function is looked at: without a module there is none
    return forward_(module, x, count);
  }

  const std::shared_ptr<Module>& ptr() const {
    if (!module_) detail::fail_empty_any();
    return module_;
  }
  /// The module as an M (a module's type, or its holder's). ModuleError when it is none.
  template <class M>
  auto& get() const {
    auto* module = ptr()->as<M>();
    if (module == nullptr) detail::fail_other_type(*ptr(), typeid(M));
    return *module;
  }
  template <class M>
  auto ptr() const {
    return std::shared_ptr<std::remove_reference_t<decltype(get<M>())>>(ptr(), &get<M>());
  }
  AnyModule clone() const;

 private:
  friend class SequentialImpl;  // whose clone() keeps shared what is
  using Forward = Tensor (*)(Module&, const Operand*, std::size_t);
  AnyModule(std::shared_ptr<Module> module, Forward function);

  std::shared_ptr<Module> module_;
  Forward forward_ = nullptr;
};

/// A module and the name that a container gives it.
struct NamedAnyModule {
  NamedAnyModule(std::string name_, AnyModule module_) : name(std::move(name_)), module(std::move(module_)) {}
  std::string name;
  AnyModule module;
};

template <class M>
Tensor detail::forward_of(Module& module, const Operand* x, std::size_t count) {
  static_assert(std::is_base_of_v<Module, M>, "an AnyModule holds a module");
  static_assert(ForwardTakes<M> || ForwardTakes<M, Tensor> || ForwardTakes<M, Tensor, Tensor>,
                "the module's forward takes one to three Tensors and returns a Tensor");
  auto& m = static_cast<M&>(module);
  if constexpr (ForwardTakes<M>) {
    if (count == 1) return call_forward(m, x[0]);
  }
  if constexpr (ForwardTakes<M, Tensor>) {
    if (count == 2) return call_forward(m, x[0], x[1].tensor());
  }
  if constexpr (ForwardTakes<M, Tensor, Tensor>) {
    if (count == 3) return call_forward(m, x[0], x[1].tensor(), x[2].tensor());
  }
  fail_forward_count(module, count);
}

}  // namespace gradus::nn
