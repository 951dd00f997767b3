// Functions without a gradient that are no operations of the graph, written as those are: a struct with a name, a forward and
// how it goes over a batch. For the library's own sources.
#pragma once

#include "operation.h"

namespace gradus::autograd {
namespace detail {

template <class Op>
auto run_without_gradient(const typename AttrsOf<Op>::type& attrs, const Operand* inputs, int count) {
  const auto on_numbers = [&] { return wrap<Op>(run_forward<Op>(attrs, inputs, count, InputIndices<Op>{}), {}); };
  using Result = decltype(on_numbers());
  if (any_batched(inputs, count)) [[unlikely]] {
    return over_batch<Op, Result>(attrs, inputs, count, [count](const auto& moved, const Operand* operands) -> Result {
      return run_without_gradient<Op>(moved, operands, count);
    });
  }
  return on_numbers();
}

}  // namespace detail

/// `without_gradient<Op>([attributes,] x, ...)`: what forward gives for the operands' numbers, and for those of each example.
template <class Op, class... X>
requires(!detail::HasAttrs<Op>) auto without_gradient(const Operand& first, const X&... others) {
  const Operand inputs[] = {first, Operand(others)...};
  return detail::run_without_gradient<Op>(NoAttrs{}, inputs, 1 + static_cast<int>(sizeof...(X)));
}
template <class Op, class... X>
requires(detail::HasAttrs<Op>) auto without_gradient(const typename Op::Attrs& attrs, const X&... x) {
  const Operand inputs[] = {Operand(x)...};
  return detail::run_without_gradient<Op>(attrs, inputs, static_cast<int>(sizeof...(X)));
}

}  // namespace gradus::autograd
