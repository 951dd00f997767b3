// Checking pointwise operations that are made from a lambda.
//
//   std::cout << autograd::check(softsign, x);
//
// differentiates it three ways, as check<Rule> does a rule: as the one operation that it is; by the graph of the operations
// that it is made of; and by central differences.
#pragma once

#include "../fused/lambda.h"
#include "check_engine.h"

namespace gradus::autograd {

namespace detail {
GRADUS_API CheckReport check_lambda(LambdaSlot& slot, const LambdaArgument* x);
}

/// Of the arguments that it would be called with: tensors, which are converted to float64, and numbers.
template <class F, std::size_t... I>
CheckReport check(const Pointwise<F, std::index_sequence<I...>>& lambda, detail::ArgumentAt<I>... x) {
  const detail::LambdaArgument arguments[] = {x...};
  return detail::check_lambda(lambda.slot(), arguments);
}

}  // namespace gradus::autograd
