// What an operation's struct has to be, said by the compiler: each message tells the cure. What concerns forward alone
// stands in Traits, which everything else builds on.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "formulas.h"

namespace gradus::autograd::detail {

template <class Op>
constexpr void check_rule() {
  using T = Traits<Op>;
  using G = GradientsOf<Op>;
  using Attrs = typename T::Attrs;
  static_assert(!T::variadic, "a rule has a fixed number of inputs: an operation over an ArrayList has formulas");
  static_assert(
      requires { &Op::reference; },
      "a rule has a reference that the graph can differentiate: `static Tensor reference([const Attrs&,] const Tensor& "
      "x, ...)`, neither overloaded nor a template");
  using Reference = Forward<decltype(&Op::reference)>;
  using Composed = Outputs<Tensor, typename Reference::Result>;
  static_assert(Reference::template takes<Tensor, HasAttrs<Op>, Attrs> && Reference::parameters == T::Fwd::parameters,
                "a reference takes what forward takes, with a const Tensor& for each const Array&");
  static_assert(Composed::fit && Composed::count == T::differentiable,
                "a reference returns forward's differentiable outputs, all of them and no others: a Tensor, or a "
                "std::tuple of Tensors; `differentiable_outputs` says how many of forward's results have a gradient");
  static_assert(G::Backward::template known<Attrs>,
                "backward's parameters are DyArray<k>, InArray<i>, OutArray<k>, ShapeOf<i>, Needs or const Attrs&");
  static_assert(
      std::is_convertible_v<typename G::Backward::Result, std::array<core::Array, static_cast<std::size_t>(T::inputs)>>,
      "backward returns std::array<Array, number of inputs>");
  static_assert((G::Backward::in & G::shape_only) == 0, "backward reads an input that is kept as a shape only");
  static_assert((G::Backward::in | G::all_shape) < (1u << T::inputs),
                "backward reads, or shape_only names, an input that there is not: inputs count from 0");
  if constexpr (requires { Op::input_names; }) {
    static_assert(std::size(Op::input_names) == static_cast<std::size_t>(T::inputs),
                  "input_names has one name per input");
  }
}

template <class Op>
constexpr void check_formulas() {
  using T = Traits<Op>;
  using G = GradientsOf<Op>;
  using F = typename G::Formulas;
  static_assert(F::count == (T::variadic ? 1 : T::inputs),
                "an operation has one gradient formula per input (one in all when it is variadic)");
  static_assert(F::tensors, "a gradient formula returns a Tensor");
  static_assert(F::template known<typename T::Attrs>,
                "a formula's parameters are Dy<k>, In<i>, Out<k>, ShapeOf<i>, Which or const Attrs&");
  static_assert((G::all_in | G::all_shape) < (1u << (T::variadic ? 0 : T::inputs)),
                "a formula reads an input that the operation does not have: In<i> and ShapeOf<i> count from 0, and an "
                "ArrayList's are not kept");
}

/// In place the result stands for the input: for the only value that is kept.
template <class Op>
constexpr void check_idempotent() {
  using T = Traits<Op>;
  static_assert(IsRule<Op>, "idempotent is a property of rules: an operation's formulas say what they keep");
  static_assert(T::inputs == 1 && T::outputs == 1,
                "an idempotent rule has one input and one output: applied to its result it gives that again");
  static_assert(GradientsOf<Op>::shape_only == 0,
                "an idempotent rule keeps its input: where only the shape is kept, nothing has to stand for it");
}

template <class Op>
constexpr void check_operation() {
  using T = Traits<Op>;
  using G = GradientsOf<Op>;
  static_assert(std::is_convertible_v<decltype(Op::name), std::string_view>,
                "an operation has a `static constexpr std::string_view name`");
  if constexpr (requires { requires Op::idempotent; }) check_idempotent<Op>();
  if constexpr (IsRule<Op>) {
    check_rule<Op>();
  } else {
    check_formulas<Op>();
  }
  static_assert(G::all_out < (1u << T::outputs),
                "an output is read that the operation does not have: Out<k> counts forward's results from 0");
  static_assert(G::all_dy < (1u << T::differentiable),
                "a gradient is read that the operation does not have: Dy<k> counts the differentiable outputs from 0");
}

}  // namespace gradus::autograd::detail
