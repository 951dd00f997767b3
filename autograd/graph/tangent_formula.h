// Forward mode in an operation's struct: what it may say of its tangent, and what must hold of that.
//
//   static constexpr auto tangent =                            // of y = a b
//       [](Dx<0> da, Dx<1> db, In<0> a, In<1> b) { ... };      // da b + a db, without what is undefined
//   static constexpr bool symmetric = true;    // one input, one output, and J = J^T: the gradient is the tangent, too
//   static constexpr bool elementwise = true;  // y[i] is made of inputs' elements i (broadcast): the formulas' sum is
//
// In<i> and Out<k> are those that the gradients keep: what gradient i asks for is there where Dx<i> is defined.
#pragma once

#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include "formulas.h"

namespace gradus::autograd {

/// The tangent of input I; undefined where it has none.
template <int I>
struct Dx : Tensor {
  Dx(Tensor value) : Tensor(std::move(value)) {}  // NOLINT(google-explicit-constructor)
};

namespace detail {

template <class Op>
concept GivesTangent = requires {
  Op::tangent;
};
template <class Op>
concept Symmetric = requires {
  requires Op::symmetric;
};
template <class Op>
concept Elementwise = requires {
  requires Op::elementwise;
};
template <class Op>
using TangentOf = Signature<std::decay_t<decltype(Op::tangent)>>;

template <class P>
struct TangentAsks : Asks<P> {};
template <int I>
struct TangentAsks<Dx<I>> : AsksNothing {
  static constexpr bool known = true;
  static constexpr std::uint32_t dx = 1u << I;
};
template <class P>
constexpr std::uint32_t tangent_reads() {
  if constexpr (requires { TangentAsks<P>::dx; })
    return TangentAsks<P>::dx;
  else
    return 0;
}

template <class Op, std::uint32_t kept_in, std::uint32_t kept_out>
constexpr void check_tangent() {
  using T = Traits<Op>;
  using Signed = TangentOf<Op>;
  using Result = typename Signed::Result;
  static_assert(!T::variadic, "an operation over an ArrayList has no tangent of its own: it is derived");
  static_assert(std::is_convertible_v<Result, Tensor> || Outputs<Tensor, Result>::fit,
                "a tangent returns the differentiable outputs' tangents: a Tensor, or a std::tuple of Tensors");
  static_assert(Outputs<Tensor, Result>::count == T::differentiable,
                "a tangent returns one for each differentiable output");
  []<class... P>(std::tuple<P...>*) {
    static_assert(((TangentAsks<P>::known || std::is_same_v<P, typename T::Attrs>)&&...) &&
                      ((TangentAsks<P>::dy | TangentAsks<P>::shape) | ... | 0u) == 0,
                  "a tangent's parameters are Dx<i>, In<i>, Out<k> or const Attrs&");
    static_assert((tangent_reads<P>() | ... | 0u) < (1u << T::inputs),
                  "a tangent reads that of an input which the operation does not have: Dx<i> counts from 0");
    static_assert(
        ((TangentAsks<P>::in | ... | 0u) & ~kept_in) == 0 && ((TangentAsks<P>::out | ... | 0u) & ~kept_out) == 0,
        "a tangent reads values that the gradients keep: In<i> and Out<k> that one of them asks for");
  }(static_cast<typename Signed::Parameters*>(nullptr));
}

template <class Op>
constexpr void check_symmetric() {
  static_assert(Traits<Op>::inputs == 1 && Traits<Op>::differentiable == 1,
                "symmetric is said of operations with one input and one differentiable output");
}
template <class Op>
constexpr void check_elementwise() {
  static_assert(
      !IsRule<Op> && !Traits<Op>::variadic && Traits<Op>::differentiable == 1,
      "elementwise is said of operations with formulas, a fixed number of inputs and one differentiable output");
}

/// A tangent brought to the output's shape.
GRADUS_API Tensor spread(const Tensor& tangent, const TensorMeta& output);
/// sum <- sum + part, either of which may be undefined.
GRADUS_API void add_to(Tensor& sum, Tensor part);

}  // namespace detail
}  // namespace gradus::autograd
