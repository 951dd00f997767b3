// What an operation's struct says, read at compile time: the parameters of its gradient formulas (or of a rule's
// backward) as masks of what its node has to keep, and the forward's inputs and outputs. See operation.h.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "operation_support.h"
#include "tensor.h"

namespace gradus::autograd {

/// The value of input I.
template <int I, class T = Tensor>
struct In : T {
  In(T value) : T(std::move(value)) {}  // NOLINT(google-explicit-constructor): rules are called by hand with Arrays
};
/// The value of output K.
template <int K = 0, class T = Tensor>
struct Out : T {
  Out(T value) : T(std::move(value)) {}  // NOLINT(google-explicit-constructor)
};
/// The gradient of output K; undefined when none came.
template <int K = 0, class T = Tensor>
struct Dy : T {
  Dy(T value) : T(std::move(value)) {}  // NOLINT(google-explicit-constructor)
};
template <int I>
using InArray = In<I, core::Array>;
template <int K = 0>
using OutArray = Out<K, core::Array>;
template <int K = 0>
using DyArray = Dy<K, core::Array>;
/// The shape of input I.
template <int I>
struct ShapeOf : core::Shape {};
/// Which input of a variadic operation the gradient is for.
struct Which {
  int input;
};
/// Which inputs' gradients are wanted, for a rule that computes them all in one function. All of them by default.
class Needs {
 public:
  constexpr Needs() = default;
  constexpr explicit Needs(std::uint32_t mask) : mask_(mask) {}
  constexpr bool operator[](int input) const { return ((mask_ >> input) & 1u) != 0; }

 private:
  std::uint32_t mask_ = ~0u;
};
/// In place of a formula: the input has no gradient.
struct NoGradient {};
inline constexpr NoGradient no_gradient{};
/// Of an operation without attributes.
struct NoAttrs {};

template <class... F>
constexpr std::tuple<F...> formulas(F... f) {
  return {f...};
}

namespace detail {

// What each kind of parameter asks for, as bit masks over inputs and outputs.
struct AsksNothing {
  static constexpr std::uint32_t in = 0, out = 0, shape = 0;
};
template <class P>
struct Asks : AsksNothing {
  static constexpr bool known = false;
};
template <int I, class T>
struct Asks<In<I, T>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t in = 1u << I;
};
template <int K, class T>
struct Asks<Out<K, T>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t out = 1u << K;
};
template <int K, class T>
struct Asks<Dy<K, T>> : AsksNothing {
  static constexpr bool known = true;
};
template <int I>
struct Asks<ShapeOf<I>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t shape = 1u << I;
};
template <>
struct Asks<Which> : AsksNothing {
  static constexpr bool known = true;
};
template <>
struct Asks<Needs> : AsksNothing {
  static constexpr bool known = true;
};

template <class R, class... P>
struct Call {
  using Result = R;
  using Parameters = std::tuple<std::remove_cvref_t<P>...>;
  static constexpr std::uint32_t in = (0u | ... | Asks<std::remove_cvref_t<P>>::in);
  static constexpr std::uint32_t out = (0u | ... | Asks<std::remove_cvref_t<P>>::out);
  static constexpr std::uint32_t shape = (0u | ... | Asks<std::remove_cvref_t<P>>::shape);
  template <class Attrs>
  static constexpr bool known = ((Asks<std::remove_cvref_t<P>>::known ||
                                  std::is_same_v<std::remove_cvref_t<P>, Attrs>)&&...);
};
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... P>
struct Signature<R (*)(P...)> : Call<R, P...> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const> : Call<R, P...> {};
template <>
struct Signature<NoGradient> : Call<Tensor> {};

template <class Op>
concept HasAttrs = requires {
  typename Op::Attrs;
};
template <class Op>
struct AttrsOf {
  using type = NoAttrs;
};
template <HasAttrs Op>
struct AttrsOf<Op> {
  using type = typename Op::Attrs;
};
/// A hand-written gradient (a rule) rather than formulas.
template <class Op>
concept IsRule = requires {
  &Op::backward;
};

// The gradient side of an operation as masks, whichever way it is written.
template <class Op>
struct GradientsOf;
template <class Op>
requires(!IsRule<Op>) struct GradientsOf<Op> {
  template <class T>
  struct Of;
  template <class... F>
  struct Of<const std::tuple<F...>> {
    static constexpr int count = sizeof...(F);
    // One more than there are, so that no input indexes past the end before check_operation has its say.
    static constexpr std::uint32_t in[count + 1] = {Signature<F>::in..., 0}, out[count + 1] = {Signature<F>::out..., 0};
    static constexpr std::uint32_t all_in = (0u | ... | Signature<F>::in), all_out = (0u | ... | Signature<F>::out),
                                   all_shape = (0u | ... | Signature<F>::shape);
    static constexpr bool tensors = (std::is_convertible_v<typename Signature<F>::Result, Tensor> && ...);
    template <class A>
    static constexpr bool known = (Signature<F>::template known<A> && ...);
  };
  using Formulas = Of<decltype(Op::gradients)>;
  static constexpr std::uint32_t all_in = Formulas::all_in, all_out = Formulas::all_out,
                                 all_shape = Formulas::all_shape;
};
template <IsRule Op>
struct GradientsOf<Op> {
  using Backward = Signature<decltype(&Op::backward)>;
  static constexpr std::uint32_t shape_only = [] {
    if constexpr (requires { Op::shape_only; })
      return Op::shape_only;
    else
      return 0u;
  }();
  static constexpr std::uint32_t all_out = Backward::out, all_shape = Backward::shape | shape_only;
};

// The forward side: how many inputs and outputs.
template <class F>
struct Forward;
template <class R, class... P>
struct Forward<R (*)(P...)> {
  using Result = R;
  static constexpr int parameters = sizeof...(P);
  static constexpr bool variadic = (std::is_same_v<std::remove_cvref_t<P>, core::ArrayList> || ...);
};
template <class R>
struct Outputs {
  static constexpr int count = 1;
};
template <class... T>
struct Outputs<std::tuple<T...>> {
  static constexpr int count = sizeof...(T);
};
template <class R>
const core::Array& output(const R& result, int k) {
  if constexpr (std::is_same_v<R, core::Array>) {
    return result;
  } else {
    return std::apply(
        [k](const auto&... each) -> const core::Array& {
          const core::Array* all[] = {&each...};
          return *all[k];
        },
        result);
  }
}

constexpr int rank_of(std::uint32_t mask, int bit) { return __builtin_popcount(mask & ((1u << bit) - 1)); }
template <class T, int N>
using Slots = std::array<T, static_cast<std::size_t>(N)>;

template <class Op>
struct Traits {
  using Attrs = typename AttrsOf<Op>::type;
  using Fwd = Forward<decltype(&Op::forward)>;
  using Result = typename Fwd::Result;
  static constexpr bool variadic = Fwd::variadic;
  static constexpr int inputs = variadic ? -1 : Fwd::parameters - (HasAttrs<Op> ? 1 : 0);
  static constexpr int outputs = Outputs<Result>::count;
  static constexpr int differentiable = [] {
    if constexpr (requires { Op::differentiable_outputs; })
      return Op::differentiable_outputs;
    else
      return outputs;
  }();
  static constexpr bool broadcasts = requires { requires Op::broadcasts; };
  static constexpr bool is_view = requires { requires Op::is_view; };
  static constexpr bool by_geometry = requires { requires Op::by_geometry; };
  static_assert(!is_view || (outputs == 1 && !variadic), "a view has one output, and shows its first input");
  static_assert(is_view || !by_geometry, "by_geometry is said of views: is_view = true");
};

}  // namespace detail
}  // namespace gradus::autograd
