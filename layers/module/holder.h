// ModuleHolder: what users call a module by. `Linear` is the holder of a shared LinearImpl.
#pragma once

#include <cstddef>
#include <memory>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/tensor.h"
#include "../../core/base/arg.h"
#include "../../core/base/export.h"

namespace gradus::nn {

class Module;

namespace detail {
[[noreturn]] GRADUS_API void fail_empty_holder(const std::type_info& impl);
/// Owns a fresh module. (std::make_shared would be compiled for each module's type in each file that makes one.)
GRADUS_API std::shared_ptr<Module> share(Module* fresh);
/// In a handler: throws the exception again, with a note of the module that it left, unless one within it has noted itself.
[[noreturn, gnu::cold]] GRADUS_API void rethrow_from(const Module& module, Location called_at);

/// One call of a module that has hooks.
class GRADUS_API HookedCall {
 public:
  explicit HookedCall(Module& module);
  ~HookedCall();
  HookedCall(const HookedCall&) = delete;
  HookedCall& operator=(const HookedCall&) = delete;

  // The arguments; those that are no tensors stay as they are.
  template <class X>
  void see(X&& x) {
    if constexpr (std::is_convertible_v<X&&, const Tensor&>) add(x);
  }
  void before();
  template <class X>
  decltype(auto) replaced(X&& x) const {
    if constexpr (!std::is_convertible_v<X&&, const Tensor&>)
      return static_cast<X&&>(x);
    else if constexpr (std::is_lvalue_reference_v<X>)
      return find(x);
    else
      return std::move(find(x));
  }
  // The results, as many tensors as there are; `changed` gives them back, in the same order.
  void result(const Tensor& y);
  void after();
  const Tensor& changed();

 private:
  struct State;
  void add(const Tensor& x);
  Tensor& find(const Tensor& x) const;
  State* state_;
};

/// Visits the tensors in a result: itself, in a tuple, a pair, a list, an optional.
template <class T, class Visit>
void visit_tensors(T& value, const Visit& visit) {
  if constexpr (std::is_base_of_v<Tensor, T>) {
    visit(value);
  } else if constexpr (std::is_const_v<T>) {
  } else if constexpr (requires { std::tuple_size<T>::value; }) {
    std::apply([&](auto&... each) { (visit_tensors(each, visit), ...); }, value);
  } else if constexpr (requires { value.has_value(); }) {
    if (value.has_value()) visit_tensors(*value, visit);
  } else if constexpr (requires { requires std::is_class_v<std::remove_cvref_t<decltype(*value.begin())>>; }) {
    for (auto& each : value) visit_tensors(each, visit);
  }
}

/// A first Tensor is passed with the caller's line where forward takes an Operand.
template <class M>
decltype(auto) plain_forward(M& module, Location) {
  return module.forward();
}
template <class M, class X, class... Rest>
decltype(auto) plain_forward(M& module, Location at, X&& x, Rest&&... rest) {
  if constexpr (requires { module.forward(Operand(x, at), std::forward<Rest>(rest)...); }) {
    return module.forward(Operand(x, at), std::forward<Rest>(rest)...);
  } else {
    return module.forward(std::forward<X>(x), std::forward<Rest>(rest)...);
  }
}

template <class M, class... X>
auto hooked_forward(M& module, Location at, X&&... x) -> decltype(plain_forward(module, at, std::forward<X>(x)...)) {
  using Result = decltype(plain_forward(module, at, std::forward<X>(x)...));
  HookedCall call(module);
  (call.see(x), ...);
  call.before();
  if constexpr (std::is_void_v<Result>) {
    plain_forward(module, at, call.replaced(std::forward<X>(x))...);
    call.after();
  } else {
    auto y = plain_forward(module, at, call.replaced(std::forward<X>(x))...);
    visit_tensors(y, [&](Tensor& tensor) { call.result(tensor); });
    call.after();
    visit_tensors(y, [&](Tensor& tensor) { tensor = call.changed(); });
    return y;
  }
}

/// Calls forward: a module that takes Operands is told the caller's line, and what others record bears their own lines
/// and the module's path.
template <class M, class... X>
decltype(auto) call_forward(M& module, Location at, X&&... x) try {
  const autograd::Scope scope(Location::unknown(), module.path());
  // A Layer runs its hooks itself; a reference that forward returns would not outlive a hook's.
  if constexpr (!requires { typename M::RunsHooks; } &&
                !std::is_reference_v<decltype(plain_forward(module, at, std::forward<X>(x)...))>) {
    if (module.has_hooks()) [[unlikely]]
      return hooked_forward(module, at, std::forward<X>(x)...);
  }
  return plain_forward(module, at, std::forward<X>(x)...);
} catch (...) {
  rethrow_from(module, at);
}
}  // namespace detail

/// A shared_ptr to a module with value syntax: `Linear fc(4, 3)` makes the module, copies of `fc` are the same module,
/// `fc->weight` and `fc(x)` use it. `Linear fc{nullptr}` holds none until one is assigned; using it before is a
/// ModuleError.
template <class Contained>
class ModuleHolder {
 public:
  using ContainedType = Contained;

  ModuleHolder() : module_(detail::share(new Contained())) {}
  ModuleHolder(std::nullptr_t) noexcept {}                                                  // NOLINT
  ModuleHolder(std::shared_ptr<Contained> module) noexcept : module_(std::move(module)) {}  // NOLINT
  /// Makes the module from its constructor's arguments.
  template <class Head, class... Tail>
  requires(
      !(sizeof...(Tail) == 0 && std::is_base_of_v<ModuleHolder, std::remove_cvref_t<Head>>)&&std::is_constructible_v<
          Contained, Head, Tail...>) explicit ModuleHolder(Head&& head, Tail&&... tail)
      : module_(detail::share(new Contained(std::forward<Head>(head), std::forward<Tail>(tail)...))) {}

  explicit operator bool() const noexcept { return !is_empty(); }
  bool is_empty() const noexcept { return module_ == nullptr; }
  Contained* operator->() const { return get(); }
  Contained& operator*() const { return *get(); }
  Contained* get() const {
    if (!module_) [[unlikely]]
      detail::fail_empty_holder(typeid(Contained));
    return static_cast<Contained*>(module_.get());
  }
  std::shared_ptr<Contained> ptr() const { return std::shared_ptr<Contained>(module_, get()); }
  /// The same as the base that all modules share.
  const std::shared_ptr<Module>& base_ptr() const {
    get();
    return module_;
  }

  /// forward, told of the caller's line: which is why there is one for each number of arguments.
  template <class X>
  decltype(auto) operator()(X&& x, Location at = Location::here()) const {
    return detail::call_forward(*get(), at, std::forward<X>(x));
  }
  template <class X, class Y>
  decltype(auto) operator()(X&& x, Y&& y, Location at = Location::here()) const {
    return detail::call_forward(*get(), at, std::forward<X>(x), std::forward<Y>(y));
  }
  template <class X, class Y, class Z>
  decltype(auto) operator()(X&& x, Y&& y, Z&& z, Location at = Location::here()) const {
    return detail::call_forward(*get(), at, std::forward<X>(x), std::forward<Y>(y), std::forward<Z>(z));
  }
  template <class... X>
  requires(sizeof...(X) == 0 || sizeof...(X) > 3) decltype(auto) operator()(X&&... x) const {
    return detail::call_forward(*get(), Location::unknown(), std::forward<X>(x)...);
  }
  template <class Index>
  decltype(auto) operator[](Index&& index) const {
    return (*get())[std::forward<Index>(index)];
  }

 private:
  // As the base that all share: a shared_ptr for each layer would be compiled in every file that includes it.
  std::shared_ptr<Module> module_;
};

}  // namespace gradus::nn

/// Defines the class Name, the holder of an ImplType.
#define GRADUS_MODULE_IMPL(Name, ImplType)                    \
  class Name : public ::gradus::nn::ModuleHolder<ImplType> {  \
   public:                                                    \
    using ::gradus::nn::ModuleHolder<ImplType>::ModuleHolder; \
    using Impl [[maybe_unused]] = ImplType;                   \
  }

/// Defines `Name`, the holder of a `NameImpl`: what users call the module.
#define GRADUS_MODULE(Name) GRADUS_MODULE_IMPL(Name, Name##Impl)
