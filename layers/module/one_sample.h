// One sample without a batch's dimension: the one of a batch of one, and back. For the sources of layers.
#pragma once

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/tensor.h"

namespace gradus::nn::detail {

/// x with a dimension of 1 at `dim`; an undefined one stays so.
Tensor as_batch(const Tensor& x, std::int64_t dim = 0);
/// A result for that without it, as a result of its own, no view.
Tensor as_sample(const Tensor& y, std::int64_t dim = 0);

/// `call` of x, or where x is `alone` of the batch of it.
template <class Call>
Tensor of_batch(Operand x, bool alone, const Call& call) {
  if (!alone) return call(x);
  const autograd::Scope scope(x.at());
  return as_sample(call(as_batch(x.tensor())));
}

}  // namespace gradus::nn::detail
