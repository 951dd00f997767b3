// Matrix products.
#pragma once

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor matmul(Operand a,
                         Operand b);          ///< as NumPy's: 1-d operands join as rows and columns, batches broadcast
GRADUS_API Tensor mm(Operand a, Operand b);   ///< 2-d
GRADUS_API Tensor bmm(Operand a, Operand b);  ///< 3-d, batch by batch
GRADUS_API Tensor mv(Operand a, Operand x);
GRADUS_API Tensor dot(Operand a, Operand b);
GRADUS_API Tensor outer(Operand a, Operand b);  ///< a[i] b[j]
/// beta input + alpha a b.
GRADUS_API Tensor addmm(Operand input, Operand a, Operand b, const Scalar& beta = 1, const Scalar& alpha = 1);
/// Writes a b into `out` ([m, n], same dtype) without history; GradError when something requires grad.
GRADUS_API Tensor& mm_out(Tensor& out, Operand a, Operand b);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class ProductMembers {
 public:
  Tensor matmul(const Tensor& b, Location at = Location::here()) const { return gradus::matmul({self(), at}, b); }
  Tensor mm(const Tensor& b, Location at = Location::here()) const { return gradus::mm({self(), at}, b); }
  Tensor bmm(const Tensor& b, Location at = Location::here()) const { return gradus::bmm({self(), at}, b); }
  Tensor mv(const Tensor& b, Location at = Location::here()) const { return gradus::mv({self(), at}, b); }
  Tensor dot(const Tensor& b, Location at = Location::here()) const { return gradus::dot({self(), at}, b); }
  Tensor addmm(const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1,
               Location at = Location::here()) const {
    return gradus::addmm({self(), at}, a, b, beta, alpha);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
