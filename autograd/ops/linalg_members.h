// The functions of linear algebra that are members of Tensor, too. All others, and what each of these computes in detail:
// linalg.h, which is no part of Tensor.
#pragma once

#include <cstdint>
#include <tuple>

#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor det(Operand A);                             ///< linalg_det
GRADUS_API Tensor logdet(Operand A);                          ///< log(det(A)): NaN where the determinant is below 0
GRADUS_API std::tuple<Tensor, Tensor> slogdet(Operand A);     ///< linalg_slogdet
GRADUS_API Tensor inverse(Operand A);                         ///< linalg_inv
GRADUS_API Tensor pinverse(Operand A, double rcond = 1e-15);  ///< linalg_pinv
GRADUS_API Tensor matrix_exp(Operand A);                      ///< linalg_matrix_exp
GRADUS_API Tensor matrix_power(Operand A, std::int64_t n);    ///< linalg_matrix_power
GRADUS_API Tensor cholesky(Operand A, bool upper = false);    ///< linalg_cholesky
GRADUS_API std::tuple<Tensor, Tensor> qr(Operand A, bool some = true);  ///< linalg_qr, "reduced" or "complete"
/// (U, S, V) with A = U diag(S) V^T: linalg_svd with V in place of its transpose; `some` for matrices of min(m, n)
/// columns; without `compute_uv` those of zeros.
GRADUS_API std::tuple<Tensor, Tensor, Tensor> svd(Operand A, bool some = true, bool compute_uv = true);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class LinalgMembers {
 public:
  Tensor det(Location at = Location::here()) const { return gradus::det({self(), at}); }
  Tensor logdet(Location at = Location::here()) const { return gradus::logdet({self(), at}); }
  std::tuple<Tensor, Tensor> slogdet(Location at = Location::here()) const { return gradus::slogdet({self(), at}); }
  Tensor inverse(Location at = Location::here()) const { return gradus::inverse({self(), at}); }
  Tensor pinverse(double rcond = 1e-15, Location at = Location::here()) const {
    return gradus::pinverse({self(), at}, rcond);
  }
  Tensor matrix_exp(Location at = Location::here()) const { return gradus::matrix_exp({self(), at}); }
  Tensor matrix_power(std::int64_t n, Location at = Location::here()) const {
    return gradus::matrix_power({self(), at}, n);
  }
  Tensor cholesky(bool upper = false, Location at = Location::here()) const {
    return gradus::cholesky({self(), at}, upper);
  }
  std::tuple<Tensor, Tensor> qr(bool some = true, Location at = Location::here()) const {
    return gradus::qr({self(), at}, some);
  }
  std::tuple<Tensor, Tensor, Tensor> svd(bool some = true, bool compute_uv = true,
                                         Location at = Location::here()) const {
    return gradus::svd({self(), at}, some, compute_uv);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
