// A reference to something callable: two words, no allocation, valid as long as what it refers to.
#pragma once

#include <type_traits>
#include <utility>

namespace gradus::core {

template <class Signature>
class FunctionRef;

template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, Args...>)
      FunctionRef(F&& callable)  // NOLINT(google-explicit-constructor): made where a lambda is passed
      : object_(address_of(callable)), call_([](void* object, Args... args) -> R {
          using Callable = std::remove_reference_t<F>;
          if constexpr (std::is_function_v<Callable>) {
            return reinterpret_cast<Callable*>(object)(std::forward<Args>(args)...);
          } else {
            return (*static_cast<Callable*>(object))(std::forward<Args>(args)...);
          }
        }) {}

  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  template <class F>
  static void* address_of(F& callable) {
    if constexpr (std::is_function_v<F>) {
      return reinterpret_cast<void*>(&callable);
    } else {
      return const_cast<void*>(static_cast<const void*>(&callable));
    }
  }

  void* object_;
  R (*call_)(void*, Args...);
};

}  // namespace gradus::core
