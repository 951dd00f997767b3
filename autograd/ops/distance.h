// Distances between vectors, and what is made of differences.
#pragma once

#include <cstdint>
#include <optional>

#include "../../core/base/export.h"
#include "../../core/base/shape.h"
#include "../tensor/operand.h"

namespace gradus {

/// norm(a - b, p), of operands that broadcast.
GRADUS_API Tensor dist(Operand a, Operand b, const Scalar& p = 2);
/// a b / (max(|a|, eps) max(|b|, eps)) along a dimension.
GRADUS_API Tensor cosine_similarity(Operand a, Operand b, std::int64_t dim = 1, double eps = 1e-8);
/// norm(a - b + eps, p) along the last dimension.
GRADUS_API Tensor pairwise_distance(Operand a, Operand b, double p = 2, double eps = 1e-6, bool keepdim = false);
/// The p-norm of the difference of each row of [.., P, M] and each of [.., R, M]: [.., P, R]. ValueError unless p >= 0.
GRADUS_API Tensor cdist(Operand a, Operand b, double p = 2, std::optional<std::int64_t> compute_mode = {});
/// Of each two rows of [N, M], i < j, in the order (0, 1), (0, 2), ..: [N (N - 1) / 2].
GRADUS_API Tensor pdist(Operand x, double p = 2);
GRADUS_API Tensor frobenius_norm(Operand x, IntArrayRef dim, bool keepdim = false);  ///< norm(x, 2, dim)
/// x with each slice along a dimension scaled down so that its p-norm does not exceed maxnorm.
GRADUS_API Tensor renorm(Operand x, const Scalar& p, std::int64_t dim, const Scalar& maxnorm);
GRADUS_API Tensor& renorm_(Operand x, const Scalar& p, std::int64_t dim, const Scalar& maxnorm);
/// The n-th differences of neighbours, what is to be put before and behind x first.
GRADUS_API Tensor diff(Operand x, std::int64_t n = 1, std::int64_t dim = -1, autograd::OptionalOperand prepend = {},
                       autograd::OptionalOperand append = {});
/// The integral along a dimension by the trapezoidal rule, the points being x or dx apart.
GRADUS_API Tensor trapezoid(Operand y, Operand x, std::int64_t dim = -1);
GRADUS_API Tensor trapezoid(Operand y, const Scalar& dx = 1, std::int64_t dim = -1);
/// The same up to each point but the first.
GRADUS_API Tensor cumulative_trapezoid(Operand y, Operand x, std::int64_t dim = -1);
GRADUS_API Tensor cumulative_trapezoid(Operand y, const Scalar& dx = 1, std::int64_t dim = -1);
GRADUS_API Tensor trapz(Operand y, Operand x, std::int64_t dim = -1);
GRADUS_API Tensor trapz(Operand y, double dx = 1, std::int64_t dim = -1);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class DistanceMembers {
 public:
  Tensor dist(const Tensor& b, const Scalar& p = 2, Location at = Location::here()) const {
    return gradus::dist({self(), at}, b, p);
  }
  Tensor renorm(const Scalar& p, std::int64_t dim, const Scalar& maxnorm, Location at = Location::here()) const {
    return gradus::renorm({self(), at}, p, dim, maxnorm);
  }
  Tensor& renorm_(const Scalar& p, std::int64_t dim, const Scalar& maxnorm, Location at = Location::here()) const {
    return gradus::renorm_({self(), at}, p, dim, maxnorm);
  }
  Tensor diff(std::int64_t n = 1, std::int64_t dim = -1, OptionalOperand prepend = {}, OptionalOperand append = {},
              Location at = Location::here()) const {
    return gradus::diff({self(), at}, n, dim, prepend, append);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
