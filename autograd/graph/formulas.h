// What an operation's struct says, read at compile time: the parameters of its gradient formulas (or of a rule's
// backward) as masks of what its node has to keep, and the forward's inputs and outputs. See operation.h.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "operation_support.h"
#include "../tensor/tensor.h"

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
  static constexpr std::uint32_t in = 0, out = 0, dy = 0, shape = 0;
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
  static constexpr std::uint32_t dy = 1u << K;
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
  static constexpr std::uint32_t dy = (0u | ... | Asks<std::remove_cvref_t<P>>::dy);
  static constexpr std::uint32_t shape = (0u | ... | Asks<std::remove_cvref_t<P>>::shape);
  template <class Attrs>
  static constexpr bool known = ((Asks<std::remove_cvref_t<P>>::known ||
                                  std::is_same_v<std::remove_cvref_t<P>, Attrs>)&&...);
};
/// @cond Doxygen takes it for a class that is its own base.
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
/// @endcond
template <class R, class... P, bool N>
struct Signature<R (*)(P...) noexcept(N)> : Call<R, P...> {};
template <class R, class C, class... P, bool N>
struct Signature<R (C::*)(P...) const noexcept(N)> : Call<R, P...> {};
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
                                   all_dy = (0u | ... | Signature<F>::dy), all_shape = (0u | ... | Signature<F>::shape);
    static constexpr bool tensors = (std::is_convertible_v<typename Signature<F>::Result, Tensor> && ...);
    template <class A>
    static constexpr bool known = (Signature<F>::template known<A> && ...);
  };
  static_assert(
      requires { Op::gradients; },
      "an operation has `static constexpr auto gradients = formulas(...)`, or it is a rule: one backward, which is not "
      "overloaded, and a reference");
  using Formulas = Of<decltype(Op::gradients)>;
  static constexpr std::uint32_t all_in = Formulas::all_in, all_out = Formulas::all_out, all_dy = Formulas::all_dy,
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
  static constexpr std::uint32_t all_out = Backward::out, all_dy = Backward::dy,
                                 all_shape = Backward::shape | shape_only;
};

// The forward side: how many inputs and outputs.
template <class F>
struct Forward;
template <class R, class... P, bool N>
struct Forward<R (*)(P...) noexcept(N)> {
  using Result = std::remove_cvref_t<R>;
  static constexpr int parameters = sizeof...(P);
  static constexpr bool variadic = (std::is_same_v<std::remove_cvref_t<P>, core::ArrayList> || ...);
  /// Whether it takes the attributes first, if there are any, and then one T for each input (or a list of them).
  template <class T, bool HasAttrs, class Attrs>
  static constexpr bool takes = []<std::size_t... I>(std::index_sequence<I...>) {
    return (!HasAttrs || parameters > 0) &&
           ((HasAttrs && I == 0
                 ? std::is_convertible_v<const Attrs&, P>
                 : std::is_convertible_v<const T&, P> || std::is_same_v<std::remove_cvref_t<P>, core::ArrayList>)&&...);
  }
  (std::index_sequence_for<P...>{});
};
// What forward (of Arrays) or a reference (of Tensors) returns: one, or several as std::tuple, std::pair or std::array.
template <class T, class R>
struct Outputs {
  static constexpr int count = 1;
  static constexpr bool fit = std::is_same_v<R, T>;
};
template <class T, class R>
requires requires { std::tuple_size<R>::value; }
struct Outputs<T, R> {
  static constexpr int count = static_cast<int>(std::tuple_size_v<R>);
  static constexpr bool fit = []<std::size_t... K>(std::index_sequence<K...>) {
    return count > 0 && (std::is_same_v<std::tuple_element_t<K, R>, T> && ...);
  }
  (std::make_index_sequence<std::tuple_size_v<R>>{});
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
  static_assert(
      requires { sizeof(Op); },
      "apply<Op> needs all of Op: its own formulas call a function that is declared before Op and defined behind it, "
      "`Tensor f(Operand x);`");
  static_assert(
      requires { &Op::forward; },
      "an operation has one `static Array forward([const Attrs&,] const Array& x, ...)`, neither overloaded nor a "
      "template");
  using Attrs = typename AttrsOf<Op>::type;
  using Fwd = Forward<decltype(&Op::forward)>;
  using Result = typename Fwd::Result;
  static_assert(Fwd::template takes<core::Array, HasAttrs<Op>, Attrs>,
                "forward's parameters are const Attrs& when Op has Attrs, and then const Array& for each input (or one "
                "ArrayList for any number of them)");
  static_assert(Outputs<core::Array, Result>::fit,
                "forward returns an Array, or a std::tuple, std::pair or std::array of Arrays");
  static constexpr bool variadic = Fwd::variadic;
  static constexpr int inputs = variadic ? -1 : Fwd::parameters - (HasAttrs<Op> ? 1 : 0);
  static constexpr int outputs = Outputs<core::Array, Result>::count;
  static constexpr int differentiable = [] {
    if constexpr (requires { Op::differentiable_outputs; })
      return Op::differentiable_outputs;
    else
      return outputs;
  }();
  static constexpr bool broadcasts = requires { requires Op::broadcasts; };
  static constexpr bool is_view = requires { requires Op::is_view; };
  static constexpr bool by_geometry = requires { requires Op::by_geometry; };
  static_assert(
      differentiable >= 1 && differentiable <= outputs,
      "differentiable_outputs lies between 1 and the number of forward's results; what has no gradient at all "
      "is no operation but a function: Tensor(f(x.array()))");
  static_assert(inputs <= 31 && outputs <= 31,
                "an operation has at most 31 inputs (an ArrayList has any number) and 31 "
                "outputs");
  static_assert(!is_view || (std::is_same_v<Result, core::Array> && !variadic),
                "an operation with is_view returns one Array, a view of its first input");
  static_assert(is_view || !by_geometry, "by_geometry is said of views: is_view = true");
};

/// The name of the operation in place, as C wants it: with an _ at its end, unless it has one, and a NUL.
template <class Op>
inline constexpr auto inplace_name = [] {
  constexpr std::size_t length = Op::name.size() + (Op::name.ends_with('_') ? 0 : 1);
  std::array<char, length + 1> text{};
  for (std::size_t i = 0; i < length; ++i) text[i] = i < Op::name.size() ? Op::name[i] : '_';
  return text;
}();

}  // namespace detail
}  // namespace gradus::autograd
