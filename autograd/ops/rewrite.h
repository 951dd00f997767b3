// In-place forms of what is made of other operations: for the library's own sources.
#pragma once

#include "../../core/base/errors.h"
#include "../../core/ops/pointwise.h"
#include "../tensor/tensor.h"
#include "views.h"

namespace gradus::autograd {

/// x <- y, of x's shape, where a gradient flows to y: none to what x was.
GRADUS_API Tensor& replace(const Operand& x, const Tensor& y);

/// x, which other operations have written to in the name of `op`: messages about the write name that, and the user's line.
GRADUS_API Tensor& written_as(const char* op, const Operand& x);

/// x <- f(x), in the name of `op`. Where f records, it keeps a copy of x in the place of what is about to be overwritten.
template <class F>
Tensor& rewrite(const char* op, const Operand& x, F f) {
  return core::in_name_of(op, [&]() -> Tensor& {
    const Tensor& self = x.tensor();
    const auto of_copy = [&] {
      const Tensor before = clone(x);
      return f(Operand(before, x.at()));
    };
    Tensor y = self.requires_grad() ? of_copy() : f(x);
    if (!self.requires_grad() && y.requires_grad()) y = of_copy();
    core::check_castable(op, y.dtype(), self.dtype());
    y.requires_grad() ? replace(x, y) : self.copy_(y, x.at());
    return written_as(op, x);
  });
}

/// f(x), or x with that written over it in the name of `op`.
template <class F>
Tensor placed(const char* op, const Operand& x, bool inplace, F f) {
  return inplace ? rewrite(op, x, f) : f(x);
}

}  // namespace gradus::autograd
