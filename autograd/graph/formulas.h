// What an operation's struct says, read at compile time: the parameters of its gradient formulas (or of a rule's
// backward) as masks of what its node has to keep, and the forward's inputs and outputs. See operation.h.
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

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
/// Which of the listed inputs of a variadic operation the gradient is for, counted from 0.
struct Which {
  int input;
};
/// The values of a variadic operation's listed inputs, all of them.
struct InList : std::vector<Tensor> {};
/// The results of an operation that returns a list, and their gradients: undefined where none came.
struct OutList : std::vector<Tensor> {};
struct DyList : std::vector<Tensor> {};
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

// What each kind of parameter asks for, as bit masks over inputs and outputs. A number that is beyond all of them has the
// highest bit, which no input and no output has.
constexpr std::uint32_t bit_of(int number) { return number < 0 || number > 31 ? 1u << 31 : 1u << number; }
// A formula's parameters are made of Tensors, a rule's of Arrays; the others suit both.
enum class Suits { Both, Formulas, Rules };
template <class T>
inline constexpr Suits suits = std::is_same_v<T, Tensor> ? Suits::Formulas : Suits::Rules;
struct AsksNothing {
  static constexpr std::uint32_t in = 0, out = 0, dy = 0, shape = 0;
  static constexpr bool in_list = false, out_list = false, dy_list = false;
  static constexpr Suits by = Suits::Both;
};
template <class P>
struct Asks : AsksNothing {
  static constexpr bool known = false;
};
template <int I, class T>
struct Asks<In<I, T>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t in = bit_of(I);
  static constexpr Suits by = suits<T>;
};
template <int K, class T>
struct Asks<Out<K, T>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t out = bit_of(K);
  static constexpr Suits by = suits<T>;
};
template <int K, class T>
struct Asks<Dy<K, T>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t dy = bit_of(K);
  static constexpr Suits by = suits<T>;
};
template <int I>
struct Asks<ShapeOf<I>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t shape = bit_of(I);
};
template <>
struct Asks<Which> : AsksNothing {
  static constexpr bool known = true;
  static constexpr Suits by = Suits::Formulas;
};
template <>
struct Asks<Needs> : AsksNothing {
  static constexpr bool known = true;
};
template <>
struct Asks<InList> : AsksNothing {
  static constexpr bool known = true, in_list = true;
  static constexpr Suits by = Suits::Formulas;
};
template <>
struct Asks<OutList> : AsksNothing {
  static constexpr bool known = true, out_list = true;
  static constexpr Suits by = Suits::Formulas;
};
template <>
struct Asks<DyList> : AsksNothing {
  static constexpr bool known = true, dy_list = true;
  static constexpr Suits by = Suits::Formulas;
};

template <class R, class... P>
struct Call {
  using Result = R;
  using Parameters = std::tuple<std::remove_cvref_t<P>...>;
  static constexpr std::uint32_t in = (0u | ... | Asks<std::remove_cvref_t<P>>::in);
  static constexpr std::uint32_t out = (0u | ... | Asks<std::remove_cvref_t<P>>::out);
  static constexpr std::uint32_t dy = (0u | ... | Asks<std::remove_cvref_t<P>>::dy);
  static constexpr std::uint32_t shape = (0u | ... | Asks<std::remove_cvref_t<P>>::shape);
  static constexpr bool in_list = (Asks<std::remove_cvref_t<P>>::in_list || ...),
                        out_list = (Asks<std::remove_cvref_t<P>>::out_list || ...),
                        dy_list = (Asks<std::remove_cvref_t<P>>::dy_list || ...);
  static constexpr bool all_by([[maybe_unused]] Suits by) {
    return ((Asks<std::remove_cvref_t<P>>::by == by || Asks<std::remove_cvref_t<P>>::by == Suits::Both) && ...);
  }
  /// None is taken by a reference through which it could be changed.
  static constexpr bool reads_only =
      (!(std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>)&&...);
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

/// Formulas, which a rule may have beside.
template <class Op>
concept HasFormulas = requires {
  Op::gradients;
};

// Formulas' side of an operation as masks.
template <class T>
struct FormulasOf;
template <class... F>
struct FormulasOf<const std::tuple<F...>> {
  static constexpr int count = sizeof...(F);
  // One more than there are, so that no input indexes past the end before check_operation has its say.
  static constexpr std::uint32_t in[count + 1] = {Signature<F>::in..., 0}, out[count + 1] = {Signature<F>::out..., 0};
  static constexpr std::uint32_t all_in = (0u | ... | Signature<F>::in), all_out = (0u | ... | Signature<F>::out),
                                 all_dy = (0u | ... | Signature<F>::dy), all_shape = (0u | ... | Signature<F>::shape);
  static constexpr bool in_list = (Signature<F>::in_list || ...), out_list = (Signature<F>::out_list || ...),
                        dy_list = (Signature<F>::dy_list || ...);
  static constexpr bool tensors = (std::is_convertible_v<typename Signature<F>::Result, Tensor> && ...);
  static constexpr bool all_by_formulas = (Signature<F>::all_by(Suits::Formulas) && ...);
  static constexpr bool reads_only = (Signature<F>::reads_only && ...);
  template <class A>
  static constexpr bool known = (Signature<F>::template known<A> && ...);
};

// The gradient side of an operation as masks, whichever way it is written.
template <class Op>
struct GradientsOf;
template <class Op>
requires(!IsRule<Op>) struct GradientsOf<Op> {
  using Formulas = FormulasOf<decltype(Op::gradients)>;
  static constexpr std::uint32_t all_in = Formulas::all_in, all_out = Formulas::all_out, all_dy = Formulas::all_dy,
                                 all_shape = Formulas::all_shape;
  static constexpr bool in_list = Formulas::in_list, out_list = Formulas::out_list, dy_list = Formulas::dy_list;
};
template <class Op>
struct FormulasBeside {
  using type = FormulasOf<const std::tuple<>>;
};
template <HasFormulas Op>
struct FormulasBeside<Op> {
  using type = FormulasOf<decltype(Op::gradients)>;
};
template <IsRule Op>
struct GradientsOf<Op> {
  using Backward = Signature<decltype(&Op::backward)>;
  using Formulas = typename FormulasBeside<Op>::type;
  static constexpr std::uint32_t shape_only = [] {
    if constexpr (requires { Op::shape_only; })
      return Op::shape_only;
    else
      return 0u;
  }();
  static constexpr std::uint32_t all_out = Backward::out | Formulas::all_out, all_dy = Backward::dy | Formulas::all_dy,
                                 all_shape = Backward::shape | shape_only | Formulas::all_shape;
  static constexpr bool in_list = false, out_list = false, dy_list = false;
};

// The forward side: how many inputs and outputs.
template <class F>
struct Forward;
template <class R, class... P, bool N>
struct Forward<R (*)(P...) noexcept(N)> {
  using Result = std::remove_cvref_t<R>;
  static constexpr int parameters = sizeof...(P);
  static constexpr bool variadic = (std::is_same_v<std::remove_cvref_t<P>, core::ArrayList> || ...);
  /// Whether it takes the attributes first, if there are any, then one T for each input, and last a list, if any.
  template <class T, bool HasAttrs, class Attrs>
  static constexpr bool takes = []<std::size_t... I>(std::index_sequence<I...>) {
    return (!HasAttrs || parameters > 0) &&
           ((HasAttrs && I == 0
                 ? std::is_convertible_v<const Attrs&, P>
                 : std::is_convertible_v<const T&, P> ||
                       (I + 1 == parameters && std::is_same_v<std::remove_cvref_t<P>, core::ArrayList>)) &&
            ...);
  }
  (std::index_sequence_for<P...>{});
};
// What forward (of Arrays) or a reference (of Tensors) returns: one; several as std::tuple, std::pair or std::array; or,
// of a forward alone, a std::vector of as many as there turn out to be, which counts 0 here.
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
using ArrayVector = std::vector<core::Array>;
template <class R>
const core::Array& output(const R& result, int k) {
  if constexpr (std::is_same_v<R, core::Array>) {
    return result;
  } else if constexpr (std::is_same_v<R, ArrayVector>) {
    return result[static_cast<std::size_t>(k)];
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

/// The numbers of forward's results that a gradient flows to, by whichever of the two members says them.
template <class Op>
constexpr std::uint32_t differentiable_mask_of(int outputs) {
  const std::uint32_t all = outputs > 31 ? ~0u : (1u << outputs) - 1;
  if constexpr (requires { Op::differentiable_mask; })
    return Op::differentiable_mask;
  else if constexpr (requires { Op::differentiable_outputs; })
    return Op::differentiable_outputs < 0 || Op::differentiable_outputs > 31 ? ~0u
                                                                             : (1u << Op::differentiable_outputs) - 1;
  else
    return all;
}

/// Of an operation that is what it has to be (operation_check.h).
template <class Op>
struct Traits {
  using Attrs = typename AttrsOf<Op>::type;
  using Fwd = Forward<decltype(&Op::forward)>;
  using Result = typename Fwd::Result;
  static constexpr bool variadic = Fwd::variadic;
  /// Inputs before the list; all of them where there is none.
  static constexpr int fixed = Fwd::parameters - (HasAttrs<Op> ? 1 : 0) - (variadic ? 1 : 0);
  static constexpr int inputs = variadic ? -1 : fixed;
  static constexpr bool gives_list = std::is_same_v<Result, ArrayVector>;
  static constexpr int outputs = gives_list ? 0 : Outputs<core::Array, Result>::count;  ///< 0: of a list
  /// The outputs that a gradient flows to: of a list all that are floating.
  static constexpr std::uint32_t mask = differentiable_mask_of<Op>(outputs);
  static constexpr int differentiable = gives_list ? -1 : __builtin_popcount(mask);
  /// Outputs up to the last that a gradient flows to: what the engine keeps places for.
  static constexpr int span = 32 - __builtin_clz(mask | 1u);
  static constexpr bool broadcasts = requires { requires Op::broadcasts; };
  static constexpr bool is_view = requires { requires Op::is_view; };
  static constexpr bool by_geometry = requires { requires Op::by_geometry; };
  static constexpr bool no_second_order = requires { requires Op::no_second_order; };
  static constexpr bool history_kept = requires { requires Op::history_kept; };
  /// Results that no gradient flows to, and that the inputs' numbers do not change: formulas may use them freely.
  static constexpr std::uint32_t constant_outputs = [] {
    if constexpr (requires { Op::constant_outputs; })
      return static_cast<std::uint32_t>(Op::constant_outputs);
    else
      return 0u;
  }();
};
/// How many results a call gave.
template <class Op>
int output_count([[maybe_unused]] const typename Traits<Op>::Result& y) {
  if constexpr (Traits<Op>::gives_list)
    return static_cast<int>(y.size());
  else
    return Traits<Op>::outputs;
}

/// The name of the operation in place, as C wants it: with an _ at its end, unless it has one, and a NUL.
template <class Op>
inline constexpr auto inplace_name = [] {
  constexpr std::string_view name = Op::name;
  constexpr std::size_t length = name.size() + (name.ends_with('_') ? 0 : 1);
  std::array<char, length + 1> text{};
  for (std::size_t i = 0; i < length; ++i) text[i] = i < name.size() ? name[i] : '_';
  return text;
}();

}  // namespace detail
}  // namespace gradus::autograd
