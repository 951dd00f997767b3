// What losses of pairs of elements share: for the sources of losses.
#pragma once

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/tensor.h"
#include "../../core/base/expect.h"
#include "../module/enumerations.h"

namespace gradus::nn::detail {

inline void check_target(const char* op, const Tensor& x, const Tensor& target) {
  core::expect_floating(op, "input", x);
  core::expect_same_shape(op, "target", target, "input", x, "expand() the one that is meant to repeat");
}

/// ValueError unless the margin is above 0.
void check_margin(const char* op, double margin);

/// The losses as they are, their mean, or their sum.
GRADUS_API Tensor reduced(const Tensor& losses, Reduction reduction);

/// What a module keeps of the weights that its options name: a copy, without history.
inline Tensor constant(const Tensor& weight) { return weight.defined() ? weight.detach().clone() : Tensor(); }

/// A loss of each pair of elements, reduced.
template <class Loss>
Tensor of_pairs(const char* op, Operand x, const Tensor& target, Reduction reduction, Loss loss) {
  const autograd::Scope scope(x.at());
  check_target(op, x.tensor(), target);
  return reduced(loss(x.tensor(), target), reduction);
}

}  // namespace gradus::nn::detail
