// Reductions: over some dimensions, or over all where none are given.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <tuple>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor sum(Operand x, IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {});
GRADUS_API Tensor mean(Operand x, IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {});
/// The sum of what is not NaN.
GRADUS_API Tensor nansum(Operand x, IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {});
/// Variance with divisor count - correction: 1 unless it is said. A bool asks for the unbiased one (1) or not (0).
GRADUS_API Tensor var(Operand x);
GRADUS_API Tensor var(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction = {}, bool keepdim = false);
GRADUS_API Tensor std(Operand x);  ///< its gradients at 0 are 0
GRADUS_API Tensor std(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction = {}, bool keepdim = false);
GRADUS_API Tensor max(Operand x);  ///< of equal ones each takes the same share of the gradient
GRADUS_API Tensor min(Operand x);
GRADUS_API std::tuple<Tensor, Tensor> max(Operand x, std::int64_t dim,
                                          bool keepdim = false);  ///< of equal ones the first
GRADUS_API std::tuple<Tensor, Tensor> min(Operand x, std::int64_t dim, bool keepdim = false);
GRADUS_API Tensor amax(Operand x, IntArrayRef dim = {}, bool keepdim = false);
GRADUS_API Tensor amin(Operand x, IntArrayRef dim = {}, bool keepdim = false);
GRADUS_API Tensor argmax(Operand x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
GRADUS_API Tensor argmin(Operand x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
GRADUS_API Tensor all(Operand x);
GRADUS_API Tensor any(Operand x);
GRADUS_API Tensor all(Operand x, std::int64_t dim, bool keepdim = false);
GRADUS_API Tensor any(Operand x, std::int64_t dim, bool keepdim = false);
/// (sum |x|^p)^(1/p); the gradient at 0 is 0, as is the second derivative there where p > 2; else that is NaN.
GRADUS_API Tensor norm(Operand x, const Scalar& p = 2);
GRADUS_API Tensor norm(Operand x, const Scalar& p, IntArrayRef dim, bool keepdim = false);
GRADUS_API Tensor logsumexp(Operand x, IntArrayRef dim, bool keepdim = false);
GRADUS_API Tensor softmax(Operand x, std::int64_t dim, std::optional<DType> dtype = {});
GRADUS_API Tensor log_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype = {});

/// x summed down to a shape that broadcasts to x's: what undoes a broadcast.
GRADUS_API Tensor sum_to_size(Operand x, IntArrayRef shape);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class ReductionMembers {
 public:
  Tensor sum(Location at = Location::here()) const { return gradus::sum({self(), at}); }
  Tensor sum(DType dtype, Location at = Location::here()) const { return gradus::sum({self(), at}, {}, false, dtype); }
  Tensor sum(IntArrayRef dim, bool keepdim = false, std::optional<DType> dtype = {},
             Location at = Location::here()) const {
    return gradus::sum({self(), at}, dim, keepdim, dtype);
  }
  Tensor mean(Location at = Location::here()) const { return gradus::mean({self(), at}); }
  Tensor mean(DType dtype, Location at = Location::here()) const {
    return gradus::mean({self(), at}, {}, false, dtype);
  }
  Tensor mean(IntArrayRef dim, bool keepdim = false, std::optional<DType> dtype = {},
              Location at = Location::here()) const {
    return gradus::mean({self(), at}, dim, keepdim, dtype);
  }
  Tensor nansum(IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {},
                Location at = Location::here()) const {
    return gradus::nansum({self(), at}, dim, keepdim, dtype);
  }
  Tensor var(Location at = Location::here()) const { return gradus::var({self(), at}); }
  /// Of exactly a bool: `x.var(0)` is over dimension 0.
  Tensor var(::std::same_as<bool> auto unbiased, Location at = Location::here()) const {
    return gradus::var({self(), at}, IntArrayRef(), unbiased);
  }
  Tensor var(IntArrayRef dim, const std::optional<Scalar>& correction = {}, bool keepdim = false,
             Location at = Location::here()) const {
    return gradus::var({self(), at}, dim, correction, keepdim);
  }
  Tensor std(Location at = Location::here()) const { return gradus::std({self(), at}); }
  /// Of exactly a bool: `x.std(0)` is over dimension 0.
  Tensor std(::std::same_as<bool> auto unbiased, Location at = Location::here()) const {
    return gradus::std({self(), at}, IntArrayRef(), unbiased);
  }
  Tensor std(IntArrayRef dim, const std::optional<Scalar>& correction = {}, bool keepdim = false,
             Location at = Location::here()) const {
    return gradus::std({self(), at}, dim, correction, keepdim);
  }
  Tensor max(Location at = Location::here()) const { return gradus::max({self(), at}); }
  std::tuple<Tensor, Tensor> max(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::max({self(), at}, dim, keepdim);
  }
  Tensor max(const Tensor& b, Location at = Location::here()) const { return self().maximum(b, at); }
  Tensor min(const Tensor& b, Location at = Location::here()) const { return self().minimum(b, at); }
  Tensor min(Location at = Location::here()) const { return gradus::min({self(), at}); }
  std::tuple<Tensor, Tensor> min(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::min({self(), at}, dim, keepdim);
  }
  Tensor amax(IntArrayRef dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::amax({self(), at}, dim, keepdim);
  }
  Tensor amin(IntArrayRef dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::amin({self(), at}, dim, keepdim);
  }
  Tensor argmax(std::optional<std::int64_t> dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::argmax({self(), at}, dim, keepdim);
  }
  Tensor argmin(std::optional<std::int64_t> dim = {}, bool keepdim = false, Location at = Location::here()) const {
    return gradus::argmin({self(), at}, dim, keepdim);
  }
  Tensor all(Location at = Location::here()) const { return gradus::all({self(), at}); }
  Tensor all(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::all({self(), at}, dim, keepdim);
  }
  Tensor any(Location at = Location::here()) const { return gradus::any({self(), at}); }
  Tensor any(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::any({self(), at}, dim, keepdim);
  }
  Tensor norm(const Scalar& p = 2, Location at = Location::here()) const { return gradus::norm({self(), at}, p); }
  Tensor norm(const Scalar& p, IntArrayRef dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::norm({self(), at}, p, dim, keepdim);
  }
  Tensor logsumexp(IntArrayRef dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::logsumexp({self(), at}, dim, keepdim);
  }
  Tensor softmax(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::softmax({self(), at}, dim, dtype);
  }
  Tensor log_softmax(std::int64_t dim, std::optional<DType> dtype = {}, Location at = Location::here()) const {
    return gradus::log_softmax({self(), at}, dim, dtype);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
