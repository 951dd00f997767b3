// How functions of tensors are called with a list of them, and what they return made a list: for the headers of this
// room.
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/function_ref.h"
#include "../tensor/tensor.h"

namespace gradus::func {

using Tensors = std::vector<Tensor>;

namespace detail {

/// Any function, as the sources see it.
using Function = core::FunctionRef<Tensors(const Tensors&)>;

template <std::size_t>
using TensorAt = const Tensor&;
template <class F, class Indices>
struct TakesEach;
template <class F, std::size_t... I>
struct TakesEach<F, std::index_sequence<I...>> : std::is_invocable<F&, TensorAt<I>...> {};

/// A function takes its tensors one by one, up to six of them, or as one list. Which, is asked in this order: a generic
/// lambda of one parameter takes a tensor.
inline constexpr std::size_t kMostTensors = 6;
template <class F, std::size_t N>
concept TakesN = TakesEach<F, std::make_index_sequence<N>>::value;
/// What a transform gives, which takes a list and hands it on as it comes: it says `using IsTransformed = void`.
template <class F>
concept Transformed = requires {
  typename std::remove_cvref_t<F>::IsTransformed;
};
template <class F>
inline constexpr bool takes_some = []<std::size_t... N>(std::index_sequence<N...>) {
  if constexpr (Transformed<F>)
    return false;
  else
    return (TakesN<F, N + 1> || ...);
}
(std::make_index_sequence<kMostTensors>{});
template <class F>
concept TakesList = !takes_some<F> && std::is_invocable_v<F&, const Tensors&>;
template <class F, std::size_t N>
concept Takes = TakesN<F, N> || TakesList<F>;

template <std::size_t N, class F>
decltype(auto) call_n(F& f, const Tensors& x) {
  return [&]<std::size_t... I>(std::index_sequence<I...>)->decltype(auto) { return f(x[I]...); }
  (std::make_index_sequence<N>{});
}
/// The least number of tensors that it takes, one by one.
template <class F, std::size_t N = 1>
constexpr std::size_t least_taken() {
  if constexpr (TakesN<F, N>)
    return N;
  else
    return least_taken<F, N + 1>();
}
[[noreturn]] GRADUS_API void fail_taken(const char* op, std::size_t given);

template <class Result, std::size_t N, class F>
Result call_of_size(const char* op, F& f, const Tensors& x) {
  if constexpr (N > kMostTensors) {
    fail_taken(op, x.size());
  } else {
    if constexpr (TakesN<F, N>) {
      if (x.size() == N) return call_n<N>(f, x);
    }
    return call_of_size<Result, N + 1>(op, f, x);
  }
}
/// f of a list of tensors, in the way that it takes them.
template <class F>
auto call(const char* op, F& f, const Tensors& x) {
  if constexpr (takes_some<F>) {
    return call_of_size<std::decay_t<decltype(call_n<least_taken<F>()>(f, x))>, 1>(op, f, x);
  } else {
    static_assert(TakesList<F>,
                  "a function that is transformed takes up to six Tensors, or one std::vector<Tensor>, and returns a "
                  "Tensor, a std::vector<Tensor>, or a std::tuple, std::pair or std::array of Tensors");
    return f(x);
  }
}
template <class F>
using ResultOf = decltype(call(nullptr, std::declval<F&>(), std::declval<const Tensors&>()));

inline Tensors listed(const Tensor& y) { return {y}; }
inline Tensors listed(const Tensors& y) { return y; }
template <class R>
requires requires { std::tuple_size<R>::value; }
Tensors listed(const R& y) {
  return std::apply([](const auto&... each) { return Tensors{each...}; }, y);
}
/// The list as an R again, as f returned it.
template <class R>
R unlisted(Tensors y) {
  if constexpr (std::is_same_v<R, Tensors>) {
    return y;
  } else if constexpr (std::is_convertible_v<R, Tensor>) {
    return std::move(y[0]);
  } else {
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return R{std::move(y[I])...}; }
    (std::make_index_sequence<std::tuple_size_v<R>>{});
  }
}
template <class R>
inline constexpr bool is_one = std::is_convertible_v<R, Tensor>;

// A transformed function's arguments: tensors, or one list of them.
inline Tensors arguments(const Tensors& x) { return x; }
template <class... X>
requires(std::is_convertible_v<const X&, Tensor>&&...) Tensors arguments(const X&... x) { return {x...}; }
template <class F, class... X>
concept CallableWith = (sizeof...(X) == 1 && (std::is_same_v<X, Tensors> && ...)) ||
                       ((std::is_convertible_v<const X&, Tensor> && ...) && Takes<F, sizeof...(X)>);

}  // namespace detail
}  // namespace gradus::func
