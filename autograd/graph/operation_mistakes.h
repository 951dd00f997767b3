// What an operation's struct may have wrong, looked for at compile time: the first thing that is. operation_check.h says it.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "formulas.h"

namespace gradus::autograd::detail {

/// One for each sentence of operation_check.h.
enum class Mistake {
  None,
  Incomplete,
  Name,
  Forward,
  ForwardMember,
  ForwardParameters,
  ForwardResult,
  NoInputs,
  Number,
  Flag,
  View,
  ByGeometry,
  Differentiable,
  ConstantOutputs,
  AttrsDefault,
  AttrsInitialised,
  AttrsText,
  NoGradients,
  NotFormulas,
  Generic,
  Mutable,
  FormulaCount,
  FormulaResult,
  FormulaParameters,
  FormulaArrays,
  FormulaReference,
  FormulaInput,
  List,
  Output,
  Gradient,
  RuleVariadic,
  BackwardMember,
  Reference,
  ReferenceParameters,
  ReferenceResult,
  BackwardParameters,
  BackwardResult,
  ShapeOnlyRead,
  BackwardInput,
  InputNames,
  IdempotentFormulas,
  IdempotentShape,
  IdempotentKeeps,
};

template <bool>
struct Constant;
// A flag that the compiler does not know the value of would be passed over.
template <class Op>
concept ConstantFlags = (
                            !requires { Op::broadcasts; } || requires { typename Constant<Op::broadcasts>; }) &&
                        (
                            !requires { Op::is_view; } || requires { typename Constant<Op::is_view>; }) &&
                        (
                            !requires { Op::by_geometry; } || requires { typename Constant<Op::by_geometry>; }) &&
                        (
                            !requires { Op::idempotent; } || requires { typename Constant<Op::idempotent>; }) &&
                        (
                            !requires { Op::moves; } || requires { typename Constant<Op::moves>; }) &&
                        (
                            !requires { Op::reads_stored; } || requires { typename Constant<Op::reads_stored>; }) &&
                        (
                            !requires { Op::history_kept; } || requires { typename Constant<Op::history_kept>; }) &&
                        (
                            !requires { Op::no_second_order; } || requires { typename Constant<Op::no_second_order>; });

template <class Op>
concept Named = requires {
  typename Constant<std::string_view(Op::name).empty()>;
  requires !std::string_view(Op::name).empty();
};

// Attributes: whether each that is listed has a text, and whether each number has a value from the start.
template <class T>
struct MemberType {
  using type = T;
};
template <class R, class... P>
struct MemberType<R(P...) const> {
  using type = std::remove_cvref_t<R>;
};
template <class R, class... P>
struct MemberType<R(P...) const noexcept> {
  using type = std::remove_cvref_t<R>;
};
constexpr bool printable(const core::Fields<>*) { return true; }
template <class Part, class S, class... Rest>
constexpr bool printable(const core::Fields<Part S::*, Rest...>*);
template <class Name, class T, class S, class... Rest>
requires(!std::is_member_pointer_v<Name>) constexpr bool printable(const core::Fields<Name, T S::*, Rest...>*) {
  if constexpr (Printable<typename MemberType<T>::type>)
    return printable(static_cast<const core::Fields<Rest...>*>(nullptr));
  else
    return false;
}
template <class Part, class S, class... Rest>
constexpr bool printable(const core::Fields<Part S::*, Rest...>*) {
  return printable(&Part::fields) && printable(static_cast<const core::Fields<Rest...>*>(nullptr));
}

template <class S>
constexpr bool read(const S&, const core::Fields<>&) {
  return true;
}
template <class S, class First, class... Rest>
constexpr bool read(const S& object, const core::Fields<First, Rest...>& fields) {
  if constexpr (requires { fields.part; }) {
    const auto& part = object.*fields.part;
    read(part, std::remove_cvref_t<decltype(part)>::fields);
  } else if constexpr (!std::is_member_function_pointer_v<decltype(fields.member)>) {
    using T = std::remove_cvref_t<decltype(object.*fields.member)>;
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      const T value = object.*fields.member;
      static_cast<void>(value);
    }
  }
  return read(object, fields.rest);
}
template <class Attrs>
constexpr bool read_fresh() {
  Attrs fresh;
  return read(fresh, Attrs::fields);
}
template <class Attrs>
constexpr bool read_zeroed() {
  Attrs zeroed{};
  return read(zeroed, Attrs::fields);
}
/// No constant can be made of a member without a value: where one can be of Attrs{}, that is what is missing.
template <class Attrs>
concept Initialised = requires {
  typename Constant<read_fresh<Attrs>()>;
}
|| !requires { typename Constant<read_zeroed<Attrs>()>; };

template <class Attrs>
constexpr Mistake mistake_in_attrs() {
  if constexpr (!std::is_default_constructible_v<Attrs>) {
    return Mistake::AttrsDefault;
  } else if constexpr (core::HasFields<Attrs>) {
    if constexpr (!printable(static_cast<const std::remove_cvref_t<decltype(Attrs::fields)>*>(nullptr)))
      return Mistake::AttrsText;
    else if constexpr (!Initialised<Attrs>)
      return Mistake::AttrsInitialised;
  }
  return Mistake::None;
}

template <class Op>
constexpr Mistake mistake_in_forward() {
  using Pointer = decltype(&Op::forward);
  if constexpr (std::is_member_pointer_v<Pointer>) {
    return Mistake::ForwardMember;
  } else {
    using Fwd = Forward<Pointer>;
    using Result = typename Fwd::Result;
    constexpr bool list = std::is_same_v<Result, ArrayVector>;
    if constexpr (!Fwd::template takes<core::Array, HasAttrs<Op>, typename AttrsOf<Op>::type>) {
      return Mistake::ForwardParameters;
    } else if constexpr (!list && !Outputs<core::Array, Result>::fit) {
      return Mistake::ForwardResult;
    } else if constexpr (Fwd::parameters == (HasAttrs<Op> ? 1 : 0)) {
      return Mistake::NoInputs;
    } else if constexpr (Fwd::parameters > 31 || Outputs<core::Array, Result>::count > 31) {
      return Mistake::Number;
    } else if constexpr (!ConstantFlags<Op>) {
      return Mistake::Flag;
    } else {
      using T = Traits<Op>;
      if (T::is_view && (!std::is_same_v<Result, core::Array> || T::variadic)) return Mistake::View;
      if (T::by_geometry && !T::is_view) return Mistake::ByGeometry;
      constexpr bool by_number = requires { Op::differentiable_outputs; };
      constexpr bool by_mask = requires { Op::differentiable_mask; };
      if (by_number && by_mask) return Mistake::Differentiable;
      if (list ? by_number || by_mask : T::mask == 0 || (T::mask >> T::outputs) != 0) return Mistake::Differentiable;
      if ((T::constant_outputs & T::mask) != 0 || (T::constant_outputs >> T::outputs) != 0)
        return Mistake::ConstantOutputs;
      return Mistake::None;
    }
  }
}

template <class F>
concept HasOneCall = std::is_same_v<F, NoGradient> || std::is_pointer_v<F> || requires {
  &F::operator();
};
template <class F>
struct CallOf {
  using type = F;
};
template <class F>
requires requires { &F::operator(); }
struct CallOf<F> {
  using type = decltype(&F::operator());
};
template <class F>
inline constexpr bool reads_alone = std::is_same_v<F, NoGradient>;
template <class R, class... P, bool N>
inline constexpr bool reads_alone<R (*)(P...) noexcept(N)> = true;
template <class R, class C, class... P, bool N>
inline constexpr bool reads_alone<R (C::*)(P...) const noexcept(N)> = true;
template <class T>
struct FormulaTypes {
  static constexpr Mistake mistake = Mistake::NotFormulas;
};
template <class... F>
struct FormulaTypes<const std::tuple<F...>> {
  static constexpr Mistake mistake = !(HasOneCall<F> && ...)                           ? Mistake::Generic
                                     : !(reads_alone<typename CallOf<F>::type> && ...) ? Mistake::Mutable
                                                                                       : Mistake::None;
};

template <class Op>
constexpr Mistake mistake_in_formulas() {
  if constexpr (!HasFormulas<Op>) {  // a rule need not have any
    return Mistake::None;
  } else if constexpr (FormulaTypes<decltype(Op::gradients)>::mistake != Mistake::None) {
    return FormulaTypes<decltype(Op::gradients)>::mistake;
  } else {
    using T = Traits<Op>;
    using F = typename GradientsOf<Op>::Formulas;
    if (F::count != T::fixed + (T::variadic ? 1 : 0)) return Mistake::FormulaCount;
    if (!F::tensors) return Mistake::FormulaResult;
    if (!F::template known<typename T::Attrs>) return Mistake::FormulaParameters;
    if (!F::all_by_formulas) return Mistake::FormulaArrays;
    if (!F::reads_only) return Mistake::FormulaReference;
    if ((F::all_in | F::all_shape) >= (1u << T::fixed)) return Mistake::FormulaInput;
    if ((F::in_list && !T::variadic) || ((F::out_list || F::dy_list) && !T::gives_list)) return Mistake::List;
    return Mistake::None;
  }
}

template <class Op>
constexpr Mistake mistake_in_reference() {
  if constexpr (!requires { &Op::reference; }) {
    return Mistake::Reference;
  } else if constexpr (std::is_member_pointer_v<decltype(&Op::reference)>) {
    return Mistake::Reference;
  } else {
    using T = Traits<Op>;
    using Reference = Forward<decltype(&Op::reference)>;
    using Composed = Outputs<Tensor, typename Reference::Result>;
    if (!Reference::template takes<Tensor, HasAttrs<Op>, typename T::Attrs> ||
        Reference::parameters != T::Fwd::parameters)
      return Mistake::ReferenceParameters;
    if (!Composed::fit || Composed::count != T::differentiable) return Mistake::ReferenceResult;
    return Mistake::None;
  }
}

/// In place the result stands for the input: for the only value that is kept.
template <class Op>
constexpr Mistake mistake_in_idempotent() {
  using T = Traits<Op>;
  if constexpr (!requires { requires Op::idempotent; }) {
    return Mistake::None;
  } else {
    if (T::inputs != 1 || T::outputs != 1) return Mistake::IdempotentShape;
    if (GradientsOf<Op>::shape_only != 0) return Mistake::IdempotentKeeps;
    return Mistake::None;
  }
}

template <class Op>
constexpr Mistake mistake_in_rule() {
  using T = Traits<Op>;
  if constexpr (T::variadic || T::gives_list) {
    return Mistake::RuleVariadic;
  } else if constexpr (std::is_member_pointer_v<decltype(&Op::backward)>) {
    return Mistake::BackwardMember;
  } else if constexpr (mistake_in_reference<Op>() != Mistake::None) {
    return mistake_in_reference<Op>();
  } else if constexpr (mistake_in_formulas<Op>() != Mistake::None) {
    return mistake_in_formulas<Op>();
  } else {
    using G = GradientsOf<Op>;
    using B = typename G::Backward;
    using Result = std::array<core::Array, static_cast<std::size_t>(T::inputs)>;
    if (!B::template known<typename T::Attrs> || !B::all_by(Suits::Rules)) return Mistake::BackwardParameters;
    if (!std::is_convertible_v<typename B::Result, Result>) return Mistake::BackwardResult;
    if (((B::in | G::Formulas::all_in) & G::shape_only) != 0) return Mistake::ShapeOnlyRead;
    if ((B::in | G::all_shape) >= (1u << T::inputs)) return Mistake::BackwardInput;
    if constexpr (requires { Op::input_names; }) {
      if (std::size(Op::input_names) != static_cast<std::size_t>(T::inputs)) return Mistake::InputNames;
    }
    return mistake_in_idempotent<Op>();
  }
}

template <class Op>
constexpr Mistake mistake_in_gradients() {
  if constexpr (IsRule<Op>) {
    return mistake_in_rule<Op>();
  } else if constexpr (requires { requires Op::idempotent; }) {
    return Mistake::IdempotentFormulas;
  } else {
    return mistake_in_formulas<Op>();
  }
}

/// The first thing that is wrong.
template <class Op>
constexpr Mistake mistake_in() {
  if constexpr (!requires { sizeof(Op); }) {
    return Mistake::Incomplete;
  } else if constexpr (!Named<Op>) {
    return Mistake::Name;
  } else if constexpr (!requires { &Op::forward; }) {
    return Mistake::Forward;
  } else if constexpr (mistake_in_forward<Op>() != Mistake::None) {
    return mistake_in_forward<Op>();
  } else if constexpr (mistake_in_attrs<typename AttrsOf<Op>::type>() != Mistake::None) {
    return mistake_in_attrs<typename AttrsOf<Op>::type>();
  } else if constexpr (!requires { Op::gradients; } && !IsRule<Op>) {
    return Mistake::NoGradients;
  } else if constexpr (mistake_in_gradients<Op>() != Mistake::None) {
    return mistake_in_gradients<Op>();
  } else {
    using T = Traits<Op>;
    using G = GradientsOf<Op>;
    if (G::all_out != 0 && G::all_out >> T::outputs != 0) return Mistake::Output;
    if ((G::all_dy & ~T::mask) != 0) return Mistake::Gradient;
    return Mistake::None;
  }
}

}  // namespace gradus::autograd::detail
