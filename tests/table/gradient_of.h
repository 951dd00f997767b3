// Gradients of linear operations as rows of their own.
#pragma once

#include <gradus/autograd/graph/engine.h>
#include <gradus/core/array/create.h>

#include "vocabulary.h"

namespace gradus::test {

/// x -> dL/dw of w -> f(w) with x = dL/df.
template <class F>
Call gradient_of(F f, std::vector<std::int64_t> shape) {
  return [f, shape = std::move(shape)](const Operands& x) {
    const Tensor w = Tensor(core::ones(shape, kFloat64)).requires_grad_();
    return autograd::grad({f(w, x)}, {w}, {x[0]}, true, true)[0];
  };
}

}  // namespace gradus::test
