// Joining tensors and picking from them; comparisons of whole tensors.
#pragma once

#include <cstdint>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor cat(OperandList tensors, std::int64_t dim = 0);
GRADUS_API Tensor stack(OperandList tensors, std::int64_t dim = 0);
GRADUS_API Tensor index_select(Operand x, std::int64_t dim, Operand index);
GRADUS_API Tensor gather(Operand x, std::int64_t dim, Operand index);
/// zeros(shape) with x[i][j].. added at [index[i][j]..][j].. (along dim): the gradient of gather.
GRADUS_API Tensor scatter_add(IntArrayRef shape, std::int64_t dim, Operand index, Operand x);
/// x with `value` around it, two counts for each dimension, the last one first; negative counts cut off.
GRADUS_API Tensor constant_pad_nd(Operand x, IntArrayRef pad, const Scalar& value = 0);
GRADUS_API Tensor tril(Operand x, std::int64_t diagonal = 0);
GRADUS_API Tensor triu(Operand x, std::int64_t diagonal = 0);

GRADUS_API bool equal(const Tensor& a, const Tensor& b);
GRADUS_API bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8,
                         bool equal_nan = false);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class JoiningMembers {
 public:
  Tensor index_select(std::int64_t dim, const Tensor& index, Location at = Location::here()) const {
    return gradus::index_select({self(), at}, dim, index);
  }
  Tensor gather(std::int64_t dim, const Tensor& index, Location at = Location::here()) const {
    return gradus::gather({self(), at}, dim, index);
  }
  Tensor tril(std::int64_t diagonal = 0, Location at = Location::here()) const {
    return gradus::tril({self(), at}, diagonal);
  }
  Tensor triu(std::int64_t diagonal = 0, Location at = Location::here()) const {
    return gradus::triu({self(), at}, diagonal);
  }
  bool equal(const Tensor& other) const { return gradus::equal(self(), other); }
  bool allclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const {
    return gradus::allclose(self(), other, rtol, atol, equal_nan);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
