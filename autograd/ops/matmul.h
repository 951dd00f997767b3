// Matrix products.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

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
GRADUS_API Tensor& addmm_(Operand input, Operand a, Operand b, const Scalar& beta = 1, const Scalar& alpha = 1);

// Each made of the products above. With beta = 0 the input is not read.

GRADUS_API Tensor addmv(Operand input, Operand a, Operand x, const Scalar& beta = 1, const Scalar& alpha = 1);
GRADUS_API Tensor& addmv_(Operand input, Operand a, Operand x, const Scalar& beta = 1, const Scalar& alpha = 1);
/// beta input + alpha u v^T.
GRADUS_API Tensor addr(Operand input, Operand u, Operand v, const Scalar& beta = 1, const Scalar& alpha = 1);
GRADUS_API Tensor& addr_(Operand input, Operand u, Operand v, const Scalar& beta = 1, const Scalar& alpha = 1);
/// beta input + alpha a b, batch by batch.
GRADUS_API Tensor baddbmm(Operand input, Operand a, Operand b, const Scalar& beta = 1, const Scalar& alpha = 1);
GRADUS_API Tensor& baddbmm_(Operand input, Operand a, Operand b, const Scalar& beta = 1, const Scalar& alpha = 1);
/// beta input + alpha times the sum of a b over the batch.
GRADUS_API Tensor addbmm(Operand input, Operand a, Operand b, const Scalar& beta = 1, const Scalar& alpha = 1);
GRADUS_API Tensor& addbmm_(Operand input, Operand a, Operand b, const Scalar& beta = 1, const Scalar& alpha = 1);
GRADUS_API Tensor ger(Operand a, Operand b);   ///< outer
GRADUS_API Tensor vdot(Operand a, Operand b);  ///< dot: numbers are real
/// Summed over the last dimension of both: [.., n] x [:, n] -> [.., :]; with a 0-d operand the product.
GRADUS_API Tensor inner(Operand a, Operand b);
/// Summed over pairs of dimensions, dims_a[i] of a with dims_b[i] of b; those that are left follow each other.
GRADUS_API Tensor tensordot(Operand a, Operand b, IntArrayRef dims_a, IntArrayRef dims_b);
/// Every element of a times all of b: sizes are multiplied.
GRADUS_API Tensor kron(Operand a, Operand b);
/// a x b of vectors of 3 along a dimension, the first of size 3 when none is given; others broadcast.
GRADUS_API Tensor cross(Operand a, Operand b, std::optional<std::int64_t> dim = std::nullopt);
/// Einstein's sum: "ij,jk->ik". A letter is a dimension, equal ones are equal in size (or 1); those that are not behind the
/// arrow are summed over, without an arrow those that come more than once, the rest in alphabetical order. A letter twice
/// in one operand takes its diagonal; "..." are dimensions that broadcast. Operands are multiplied from left to right.
GRADUS_API Tensor einsum(std::string_view equation, OperandList tensors);
/// Powers of x [n]: [n, N] (N: n), x^(N-1) to 1, or increasing.
GRADUS_API Tensor vander(Operand x, std::optional<std::int64_t> N = std::nullopt, bool increasing = false);
/// Writes a b into `out` ([m, n], same dtype) without history; GradError when something requires grad, ValueError when
/// `out` overlaps an operand.
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
  Tensor addmv(const Tensor& a, const Tensor& x, const Scalar& beta = 1, const Scalar& alpha = 1,
               Location at = Location::here()) const {
    return gradus::addmv({self(), at}, a, x, beta, alpha);
  }
  Tensor& addmv_(const Tensor& a, const Tensor& x, const Scalar& beta = 1, const Scalar& alpha = 1,
                 Location at = Location::here()) const {
    return gradus::addmv_({self(), at}, a, x, beta, alpha);
  }
  Tensor addr(const Tensor& u, const Tensor& v, const Scalar& beta = 1, const Scalar& alpha = 1,
              Location at = Location::here()) const {
    return gradus::addr({self(), at}, u, v, beta, alpha);
  }
  Tensor& addr_(const Tensor& u, const Tensor& v, const Scalar& beta = 1, const Scalar& alpha = 1,
                Location at = Location::here()) const {
    return gradus::addr_({self(), at}, u, v, beta, alpha);
  }
  Tensor baddbmm(const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1,
                 Location at = Location::here()) const {
    return gradus::baddbmm({self(), at}, a, b, beta, alpha);
  }
  Tensor& baddbmm_(const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1,
                   Location at = Location::here()) const {
    return gradus::baddbmm_({self(), at}, a, b, beta, alpha);
  }
  Tensor addbmm(const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1,
                Location at = Location::here()) const {
    return gradus::addbmm({self(), at}, a, b, beta, alpha);
  }
  Tensor& addbmm_(const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1,
                  Location at = Location::here()) const {
    return gradus::addbmm_({self(), at}, a, b, beta, alpha);
  }
  Tensor& addmm_(const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1,
                 Location at = Location::here()) const {
    return gradus::addmm_({self(), at}, a, b, beta, alpha);
  }
  Tensor ger(const Tensor& b, Location at = Location::here()) const { return gradus::ger({self(), at}, b); }
  Tensor outer(const Tensor& b, Location at = Location::here()) const { return gradus::outer({self(), at}, b); }
  Tensor vdot(const Tensor& b, Location at = Location::here()) const { return gradus::vdot({self(), at}, b); }
  Tensor inner(const Tensor& b, Location at = Location::here()) const { return gradus::inner({self(), at}, b); }
  Tensor kron(const Tensor& b, Location at = Location::here()) const { return gradus::kron({self(), at}, b); }
  Tensor cross(const Tensor& b, std::optional<std::int64_t> dim = ::std::nullopt,
               Location at = Location::here()) const {
    return gradus::cross({self(), at}, b, dim);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
