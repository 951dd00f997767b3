// AnyModule: a module of whatever type, with its forward.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "any_value.h"
#include "module.h"

namespace gradus::nn {

class AnyModule;
class SequentialImpl;

namespace detail {

/// M's forward takes a Tensor (or an Operand) and more Tensors, and returns a Tensor.
template <class M, class... Rest>
concept ForwardTakes = requires(M& m, Operand x, const Rest&... rest) {
  requires std::is_convertible_v<decltype(m.forward(x, rest...)), Tensor>;
}
|| requires(M& m, const Tensor& x, const Rest&... rest) {
  requires std::is_convertible_v<decltype(m.forward(x, rest...)), Tensor>;
};

/// How a module known to be an M is called: with one to three tensors for a tensor, or with values of any types. Either may
/// be null.
struct ForwardCalls {
  Tensor (*tensors)(Module&, const Operand*, std::size_t);
  AnyValue (*values)(Module&, std::vector<AnyValue>&, Location);
};
template <class M>
constexpr ForwardCalls calls_of();

// Adds defaults where there are; the arguments have to be of these types, and as many: ModuleError.
GRADUS_API void check_arguments(const Module& module, std::vector<AnyValue>& arguments,
                                const std::type_info* const* types, std::size_t count);
[[noreturn]] GRADUS_API void fail_forward_count(const Module& module, std::size_t count);
[[noreturn]] GRADUS_API void fail_empty_any();
[[noreturn]] GRADUS_API void fail_other_type(const Module& module, const std::type_info& wanted);
/// The module as an M, or as what an M holds. ModuleError when it is none.
template <class M>
auto& module_as(const std::shared_ptr<Module>& module) {
  auto* as = module->as<M>();
  if (as == nullptr) fail_other_type(*module, typeid(M));
  return *as;
}
/// ModuleError, naming both types, when the result is another.
[[noreturn]] GRADUS_API void fail_other_result(const std::type_info& given, const std::type_info& wanted);

template <class T>
inline constexpr bool is_tensor = std::is_convertible_v<T, const Tensor&> || std::is_same_v<std::decay_t<T>, Operand>;
/// What goes by the fast path, with the caller's line.
template <class... Args>
inline constexpr bool tensors_alone = sizeof...(Args) >= 1 && sizeof...(Args) <= 3 && (is_tensor<Args> && ...);

template <class T>
T result_of(AnyValue&& y) {
  if constexpr (std::is_same_v<T, AnyValue>) {
    return std::move(y);
  } else {
    T* const value = y.try_get<T>();
    if (value == nullptr) fail_other_result(y.type_info(), typeid(T));
    return std::move(*value);
  }
}

template <class T>
void add_value(std::vector<AnyValue>& values, T&& value) {
  if constexpr (std::is_convertible_v<T&&, const Tensor&>)
    values.emplace_back(Tensor(value));
  else if constexpr (std::is_same_v<std::decay_t<T>, Operand>)
    values.emplace_back(value.tensor());
  else
    values.emplace_back(std::forward<T>(value));
}

/// What an AnyModule and a Sequential have in common: forward with arguments and a result of any types, made of two
/// functions. Of values the types have to be the very ones that forward takes (but for const and &).
template <class Derived>
class ForwardsAny {
 public:
  /// The result has to be a Result. ModuleError when the arguments or the result are others: their types are named.
  template <class Result = Tensor>
  Result forward(Operand x) const {
    return tensors<Result>(&x, 1);
  }
  template <class Result = Tensor>
  Result forward(Operand x, Operand y) const {
    const Operand all[] = {x, y};
    return tensors<Result>(all, 2);
  }
  template <class Result = Tensor>
  Result forward(Operand x, Operand y, Operand z) const {
    const Operand all[] = {x, y, z};
    return tensors<Result>(all, 3);
  }
  template <class Result = Tensor, class... Args>
  requires(!tensors_alone<Args...>) Result forward(Args&&... arguments)
  const { return result_of<Result>(any_forward(std::forward<Args>(arguments)...)); }
  template <class... Args>
  AnyValue any_forward(Args&&... arguments) const {
    std::vector<AnyValue> values;
    values.reserve(sizeof...(Args));
    (add_value(values, std::forward<Args>(arguments)), ...);
    return self().run_values(std::move(values), Location::unknown());
  }

 private:
  const Derived& self() const { return static_cast<const Derived&>(*this); }
  template <class Result>
  Result tensors(const Operand* x, std::size_t count) const {
    if constexpr (std::is_same_v<Result, Tensor>) {
      return self().run(x, count);
    } else {
      std::vector<AnyValue> values;
      for (std::size_t i = 0; i < count; ++i) values.emplace_back(x[i].tensor());
      return result_of<Result>(self().run_values(std::move(values), x->at()));
    }
  }
};

}  // namespace detail

/// Holds a module and calls its forward. Made, also without saying so, from a holder, a shared_ptr or a module by value. A
/// forward of one to three Tensors that returns one may be overloaded, a template or have default arguments; of any other
/// there has to be one only, whose defaults FORWARD_HAS_DEFAULT_ARGS tells.
class GRADUS_API AnyModule : public detail::ForwardsAny<AnyModule> {
 public:
  AnyModule() noexcept {}
  AnyModule(const AnyModule&);
  AnyModule(AnyModule&&) noexcept;
  AnyModule& operator=(const AnyModule&);
  AnyModule& operator=(AnyModule&&) noexcept;
  ~AnyModule();
  template <class M>
  AnyModule(std::shared_ptr<M> module)  // NOLINT(google-explicit-constructor)
      : AnyModule(std::shared_ptr<Module>(std::move(module)), &calls<M>) {}
  template <class M>
  AnyModule(const ModuleHolder<M>& holder)  // NOLINT(google-explicit-constructor)
      : AnyModule(holder.base_ptr(), &calls<M>) {}
  template <class M>
  requires std::is_base_of_v<Module, std::remove_cvref_t<M>> AnyModule(
      M&& module)  // NOLINT(google-explicit-constructor)
      : AnyModule(std::make_shared<std::remove_cvref_t<M>>(std::forward<M>(module))) {}

  bool is_empty() const noexcept { return module_ == nullptr; }
  /// Whether its forward takes Tensors alone, and gives one.
  bool gives_tensor() const { return ptr() != nullptr && calls_->tensors != nullptr; }
  const std::shared_ptr<Module>& ptr() const {
    if (!module_) detail::fail_empty_any();
    return module_;
  }
  /// The module as an M: a reference to a module, or a holder of it. ModuleError when it is none.
  template <class M>
  decltype(auto) get() const {
    if constexpr (requires { typename M::ContainedType; })
      return M(ptr<typename M::ContainedType>());
    else
      return detail::module_as<M>(ptr());
  }
  template <class M>
  auto ptr() const {
    auto& module = detail::module_as<M>(ptr());
    return std::shared_ptr<std::remove_reference_t<decltype(module)>>(ptr(), &module);
  }
  /// The module's.
  const std::type_info& type_info() const;
  /// Empty when this is.
  AnyModule clone(const std::optional<Device>& device = {}) const;

 private:
  friend class SequentialImpl;  // whose clone() keeps shared what is
  friend class detail::ForwardsAny<AnyModule>;
  template <class M>
  static constexpr detail::ForwardCalls calls = detail::calls_of<M>();
  AnyModule(std::shared_ptr<Module> module, const detail::ForwardCalls* known);
  static std::size_t default_args(const Module& module, std::vector<AnyValue>& arguments);
  friend void detail::check_arguments(const Module&, std::vector<AnyValue>&, const std::type_info* const*, std::size_t);
  Tensor run(const Operand* x, std::size_t count) const;
  AnyValue run_values(std::vector<AnyValue>&& arguments, Location at) const;

  std::shared_ptr<Module> module_;
  const detail::ForwardCalls* calls_ = nullptr;
};

/// A module and the name that a container gives it.
class GRADUS_API NamedAnyModule {
 public:
  NamedAnyModule(std::string name, AnyModule module);
  const std::string& name() const noexcept { return name_; }
  AnyModule& module() noexcept { return module_; }
  const AnyModule& module() const noexcept { return module_; }

 private:
  std::string name_;
  AnyModule module_;
};

namespace detail {

template <class M>
Tensor forward_of(Module& module, const Operand* x, std::size_t count) {
  auto& m = static_cast<M&>(module);
  if constexpr (ForwardTakes<M>) {
    if (count == 1) return call_forward(m, x->at(), x[0].tensor());
  }
  if constexpr (ForwardTakes<M, Tensor>) {
    if (count == 2) return call_forward(m, x->at(), x[0].tensor(), x[1].tensor());
  }
  if constexpr (ForwardTakes<M, Tensor, Tensor>) {
    if (count == 3) return call_forward(m, x->at(), x[0].tensor(), x[1].tensor(), x[2].tensor());
  }
  fail_forward_count(module, count);
}

/// The one forward of M with its types: by them the arguments are taken out.
template <class M, class Forward>
struct ForwardOf;
template <class M, class R, class C, class... A>
struct ForwardOf<M, R (C::*)(A...)> {
  static_assert(!std::is_void_v<R>, "the forward of a module in an AnyModule returns something");
  // An Operand is made of a Tensor.
  template <class Parameter>
  using Taken = std::conditional_t<std::is_same_v<std::decay_t<Parameter>, Operand>, Tensor, std::decay_t<Parameter>>;
  static AnyValue call(Module& module, std::vector<AnyValue>& arguments, Location at) {
    const std::type_info* const types[] = {&typeid(Taken<A>)..., nullptr};
    check_arguments(module, arguments, types, sizeof...(A));
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return AnyValue(call_forward(static_cast<M&>(module), at, pass<A>(arguments[I])...));
    }
    (std::index_sequence_for<A...>{});
  }
  template <class Parameter>
  static auto&& pass(AnyValue& argument) {
    auto& value = *argument.try_get<Taken<Parameter>>();
    if constexpr (std::is_lvalue_reference_v<Parameter> || std::is_same_v<std::decay_t<Parameter>, Operand>)
      return (value);
    else
      return std::move(value);
  }
};
template <class M, class R, class C, class... A>
struct ForwardOf<M, R (C::*)(A...) const> : ForwardOf<M, R (C::*)(A...)> {};

template <class M>
constexpr ForwardCalls calls_of() {
  static_assert(std::is_base_of_v<Module, M>, "an AnyModule holds a module");
  constexpr bool tensors = ForwardTakes<M> || ForwardTakes<M, Tensor> || ForwardTakes<M, Tensor, Tensor>;
  constexpr bool one = requires { &M::forward; };
  static_assert(tensors || one,
                "the module's forward takes one to three Tensors and returns a Tensor, or is neither overloaded nor a "
                "template");
  ForwardCalls calls{nullptr, nullptr};
  if constexpr (tensors) calls.tensors = &forward_of<M>;
  if constexpr (one) calls.values = &ForwardOf<M, decltype(&M::forward)>::call;
  return calls;
}

/// The first of FORWARD_HAS_DEFAULT_ARGS says how many arguments have none.
struct ForwardDefault {
  unsigned position;
  AnyValue value;
};
GRADUS_API std::size_t append_defaults(std::vector<AnyValue>& arguments, std::vector<ForwardDefault> defaults);

}  // namespace detail
}  // namespace gradus::nn

/// In a class of a module: the default arguments of its forward, by position, for AnyModule and Sequential, which cannot see
/// them: `FORWARD_HAS_DEFAULT_ARGS({1, nn::AnyValue(2)}, {2, nn::AnyValue(3.0)})`.
#define GRADUS_FORWARD_HAS_DEFAULT_ARGS(...)                                                         \
  std::size_t _forward_default_args(std::vector<::gradus::nn::AnyValue>& arguments) const override { \
    return ::gradus::nn::detail::append_defaults(arguments, {__VA_ARGS__});                          \
  }
