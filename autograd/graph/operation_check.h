// What an operation's struct has to be, said by the compiler: the first thing that is wrong, in one sentence with the cure.
// This comes before anything else is made of Op, and of what is wrong nothing is made, so that the sentence is all.
#pragma once

#include "operation_mistakes.h"

namespace gradus::autograd::detail {

/// Whether it is right, silently.
template <class Op>
inline constexpr bool is_right = mistake_in<Op>() == Mistake::None;

/// Says what is wrong. Nothing else is a part of it: to Clang a class of which an assertion fails is no class.
template <class Op>
struct Checked {
  using M = Mistake;
  static constexpr Mistake mistake = mistake_in<Op>();

  static_assert(mistake != M::Incomplete,
                "apply<Op> needs all of Op: its own formulas call a function that is declared before Op and defined "
                "behind it, `Tensor f(Operand x);`");
  static_assert(mistake != M::Name, "an operation has a `static constexpr std::string_view name`, which is not empty");
  static_assert(mistake != M::Forward,
                "an operation has one `static Array forward([const Attrs&,] const Array& x, ...)`, neither overloaded "
                "nor a template");
  static_assert(mistake != M::ForwardMember,
                "forward is static: an operation has no state; what it is to remember is an attribute or an output");
  static_assert(mistake != M::ForwardParameters,
                "forward's parameters are const Attrs& when Op has Attrs, and then const Array& for each input, and "
                "last one ArrayList for any number more");
  static_assert(mistake != M::ForwardResult,
                "forward returns an Array; a std::tuple, std::pair or std::array of Arrays; or a std::vector of them, "
                "a list of as many as there turn out to be");
  static_assert(mistake != M::NoInputs,
                "an operation has at least one input: what has none has no gradient and is a function");
  static_assert(mistake != M::Number,
                "an operation has at most 31 inputs (an ArrayList has any number) and 31 outputs");
  static_assert(
      mistake != M::Flag,
      "broadcasts, is_view, by_geometry, idempotent, moves, reads_stored, history_kept and no_second_order are `static "
      "constexpr bool`: the compiler reads them");
  static_assert(mistake != M::View, "an operation with is_view returns one Array, a view of its first input");
  static_assert(mistake != M::ByGeometry, "by_geometry is said of views: is_view = true");
  static_assert(mistake != M::Differentiable,
                "differentiable_outputs lies between 1 and the number of forward's results, and differentiable_mask "
                "has a bit for one of them at least and for no other; one of the two is given, and neither of a list; "
                "what has no gradient at all is no operation but a function: Tensor(f(x.array()))");
  static_assert(
      mistake != M::ConstantOutputs,
      "constant_outputs has a bit for each result that no gradient flows to and that formulas may read all the "
      "same, and for no other");
  static_assert(mistake != M::AttrsDefault, "Attrs can be made of nothing: give each member an initialiser");
  static_assert(mistake != M::AttrsInitialised,
                "each attribute has a default: `double p = 0.5`, for one without a value is any number");
  static_assert(mistake != M::AttrsText,
                "a field that is listed has a text: declare `std::string text_of(const T&)` in the namespace of its "
                "type T, or leave it out of fields");
  static_assert(mistake != M::NoGradients,
                "an operation has `static constexpr auto gradients = formulas(...)`, or it is a rule: one backward, "
                "which is not overloaded, and a reference");
  static_assert(mistake != M::NotFormulas,
                "gradients is what formulas(...) returns, a constant: `static constexpr auto gradients = "
                "formulas(...)`");
  static_assert(
      mistake != M::Generic,
      "a formula says what it reads in its parameters' types, Dy<> dy, In<0> x: a parameter of type auto does "
      "not");
  static_assert(mistake != M::Mutable, "a formula has no state: it is a lambda without mutable");
  static_assert(mistake != M::FormulaCount,
                "an operation has one gradient formula per input, no_gradient where there is none, and one for all of "
                "an ArrayList");
  static_assert(mistake != M::FormulaResult, "a gradient formula returns a Tensor");
  static_assert(mistake != M::FormulaParameters,
                "a formula's parameters are Dy<k>, In<i>, Out<k>, ShapeOf<i>, InList, OutList, DyList, Which or const "
                "Attrs&");
  static_assert(mistake != M::FormulaArrays,
                "a formula computes on Tensors, Dy<k>, In<i>, Out<k>, so that it can be differentiated again: what "
                "computes on Arrays is a rule, with backward and reference");
  static_assert(mistake != M::FormulaReference,
                "a formula takes what it reads by value or by const reference: it must not change it");
  static_assert(mistake != M::FormulaInput,
                "a formula reads an input that the operation does not have: In<i> and ShapeOf<i> count from 0, and an "
                "ArrayList's inputs come as InList");
  static_assert(mistake != M::List,
                "InList is there where forward takes an ArrayList, OutList and DyList where it returns a std::vector");
  static_assert(mistake != M::Output,
                "an output is read that the operation does not have: Out<k> counts forward's results from 0");
  static_assert(mistake != M::Gradient,
                "a gradient is read that the operation does not have: Dy<k> is that of forward's result k, counted "
                "from 0, which must be a differentiable one");
  static_assert(mistake != M::RuleVariadic,
                "a rule has a fixed number of inputs and outputs: an operation over an ArrayList, or one that returns "
                "a list, has formulas");
  static_assert(mistake != M::BackwardMember, "backward is static: a rule has no state");
  static_assert(mistake != M::Reference,
                "a rule has a reference that the graph can differentiate: `static Tensor reference([const Attrs&,] "
                "const Tensor& x, ...)`, neither overloaded nor a template");
  static_assert(mistake != M::ReferenceParameters,
                "a reference takes what forward takes, with a const Tensor& for each const Array&");
  static_assert(mistake != M::ReferenceResult,
                "a reference returns forward's differentiable outputs, all of them and no others: a Tensor, or a "
                "std::tuple of Tensors; `differentiable_outputs` says how many of forward's results have a gradient");
  static_assert(mistake != M::BackwardParameters,
                "backward's parameters are DyArray<k>, InArray<i>, OutArray<k>, ShapeOf<i>, Needs or const Attrs&");
  static_assert(mistake != M::BackwardResult, "backward returns std::array<Array, number of inputs>");
  static_assert(mistake != M::ShapeOnlyRead, "backward, or a formula, reads an input that is kept as a shape only");
  static_assert(mistake != M::BackwardInput,
                "backward reads, or shape_only names, an input that there is not: inputs count from 0");
  static_assert(mistake != M::InputNames, "input_names has one name per input");
  static_assert(mistake != M::IdempotentFormulas,
                "idempotent is a property of rules: an operation's formulas say what they keep");
  static_assert(mistake != M::IdempotentShape,
                "an idempotent rule has one input and one output: applied to its result it gives that again");
  static_assert(mistake != M::IdempotentKeeps,
                "an idempotent rule keeps its input: where only the shape is kept, nothing has to stand for it");
};

}  // namespace gradus::autograd::detail
