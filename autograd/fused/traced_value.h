// What a pointwise lambda computes with (lambda.h): the operations that it may be made of.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "../../core/base/export.h"
#include "../tensor/tensor.h"

namespace gradus {

// Functions on traced values are found by their arguments: `relu` by itself names the one on Tensors.
namespace traced {

class TracedValue;

// As the functions of the same names on Tensors.
GRADUS_API TracedValue neg(const TracedValue& x);
GRADUS_API TracedValue abs(const TracedValue& x);
GRADUS_API TracedValue sign(const TracedValue& x);
GRADUS_API TracedValue square(const TracedValue& x);
GRADUS_API TracedValue relu(const TracedValue& x);
GRADUS_API TracedValue floor(const TracedValue& x);
GRADUS_API TracedValue ceil(const TracedValue& x);
GRADUS_API TracedValue round(const TracedValue& x);
GRADUS_API TracedValue trunc(const TracedValue& x);
GRADUS_API TracedValue frac(const TracedValue& x);
GRADUS_API TracedValue sqrt(const TracedValue& x);
GRADUS_API TracedValue rsqrt(const TracedValue& x);
GRADUS_API TracedValue reciprocal(const TracedValue& x);
GRADUS_API TracedValue exp(const TracedValue& x);
GRADUS_API TracedValue exp2(const TracedValue& x);
GRADUS_API TracedValue expm1(const TracedValue& x);
GRADUS_API TracedValue log(const TracedValue& x);
GRADUS_API TracedValue log1p(const TracedValue& x);
GRADUS_API TracedValue log2(const TracedValue& x);
GRADUS_API TracedValue log10(const TracedValue& x);
GRADUS_API TracedValue sin(const TracedValue& x);
GRADUS_API TracedValue cos(const TracedValue& x);
GRADUS_API TracedValue tan(const TracedValue& x);
GRADUS_API TracedValue asin(const TracedValue& x);
GRADUS_API TracedValue acos(const TracedValue& x);
GRADUS_API TracedValue atan(const TracedValue& x);
GRADUS_API TracedValue sinh(const TracedValue& x);
GRADUS_API TracedValue cosh(const TracedValue& x);
GRADUS_API TracedValue asinh(const TracedValue& x);
GRADUS_API TracedValue acosh(const TracedValue& x);
GRADUS_API TracedValue atanh(const TracedValue& x);
GRADUS_API TracedValue tanh(const TracedValue& x);
GRADUS_API TracedValue sigmoid(const TracedValue& x);
GRADUS_API TracedValue erf(const TracedValue& x);
GRADUS_API TracedValue erfc(const TracedValue& x);
GRADUS_API TracedValue erfinv(const TracedValue& x);
GRADUS_API TracedValue lgamma(const TracedValue& x);
GRADUS_API TracedValue digamma(const TracedValue& x);
GRADUS_API TracedValue i0(const TracedValue& x);
GRADUS_API TracedValue sinc(const TracedValue& x);
GRADUS_API TracedValue silu(const TracedValue& x);
GRADUS_API TracedValue selu(const TracedValue& x);
GRADUS_API TracedValue mish(const TracedValue& x);
GRADUS_API TracedValue log_sigmoid(const TracedValue& x);
GRADUS_API TracedValue relu6(const TracedValue& x);
GRADUS_API TracedValue hardsigmoid(const TracedValue& x);
GRADUS_API TracedValue hardswish(const TracedValue& x);
GRADUS_API TracedValue logical_not(const TracedValue& x);
GRADUS_API TracedValue isnan(const TracedValue& x);
GRADUS_API TracedValue isinf(const TracedValue& x);
GRADUS_API TracedValue isfinite(const TracedValue& x);
GRADUS_API TracedValue gelu(const TracedValue& x, std::string_view approximate = "none");
GRADUS_API TracedValue softplus(const TracedValue& x, const Scalar& beta = 1, const Scalar& threshold = 20);
GRADUS_API TracedValue elu(const TracedValue& x, const Scalar& alpha = 1);
GRADUS_API TracedValue celu(const TracedValue& x, const Scalar& alpha = 1);
GRADUS_API TracedValue leaky_relu(const TracedValue& x, const Scalar& negative_slope = 0.01);
GRADUS_API TracedValue hardtanh(const TracedValue& x, const Scalar& low = -1, const Scalar& high = 1);
GRADUS_API TracedValue hardshrink(const TracedValue& x, const Scalar& lambda = 0.5);
GRADUS_API TracedValue softshrink(const TracedValue& x, const Scalar& lambda = 0.5);
GRADUS_API TracedValue threshold(const TracedValue& x, const Scalar& threshold, const Scalar& value);
GRADUS_API TracedValue logit(const TracedValue& x);
GRADUS_API TracedValue add(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue sub(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue mul(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue div(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue maximum(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue minimum(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue max(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue min(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue fmax(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue fmin(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue pow(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue fmod(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue remainder(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue copysign(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue atan2(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue hypot(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue logaddexp(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue xlogy(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue eq(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue ne(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue lt(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue le(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue gt(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue ge(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue logical_and(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue logical_or(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue logical_xor(const TracedValue& a, const TracedValue& b);
GRADUS_API TracedValue clamp(const TracedValue& x, const TracedValue& low, const TracedValue& high);
GRADUS_API TracedValue clamp_min(const TracedValue& x, const TracedValue& low);
GRADUS_API TracedValue clamp_max(const TracedValue& x, const TracedValue& high);
GRADUS_API TracedValue lerp(const TracedValue& a, const TracedValue& b, const TracedValue& weight);
/// condition ? a : b, element by element; the gradient of what was not chosen is 0.
GRADUS_API TracedValue where(const TracedValue& condition, const TracedValue& a, const TracedValue& b);

/// The parameter of a pointwise lambda: every element of a tensor at once, or a number. It has no value that could be asked
/// for: the lambda runs once, to be written down. Beside tensors numbers are what they are in the operations of Tensor.
class GRADUS_API TracedValue {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> TracedValue(T number) : number_(number) {}  // NOLINT(google-explicit-constructor)
  explicit TracedValue(const Scalar& number) : number_(number) {}
  explicit TracedValue(Tensor tensor) : tensor_(std::move(tensor)) {}

  /// No branch: `if`, `?:`, `&&`, `||` and std::max come to this.
  template <class T>
  requires std::same_as<T, bool>
  explicit operator T() const {
    static_assert(!std::same_as<T, bool>,
                  "a pointwise lambda runs once for all elements and cannot branch on a value: write "
                  "where(condition, a, b), with logical_and, logical_or and logical_not for conditions");
    return false;
  }

  friend TracedValue operator-(const TracedValue& x) { return neg(x); }
  friend TracedValue operator!(const TracedValue& x) { return logical_not(x); }
  friend TracedValue operator+(const TracedValue& a, const TracedValue& b) { return add(a, b); }
  friend TracedValue operator-(const TracedValue& a, const TracedValue& b) { return sub(a, b); }
  friend TracedValue operator*(const TracedValue& a, const TracedValue& b) { return mul(a, b); }
  friend TracedValue operator/(const TracedValue& a, const TracedValue& b) { return div(a, b); }
  friend TracedValue operator%(const TracedValue& a, const TracedValue& b) { return remainder(a, b); }
  friend TracedValue operator<(const TracedValue& a, const TracedValue& b) { return lt(a, b); }
  friend TracedValue operator<=(const TracedValue& a, const TracedValue& b) { return le(a, b); }
  friend TracedValue operator>(const TracedValue& a, const TracedValue& b) { return gt(a, b); }
  friend TracedValue operator>=(const TracedValue& a, const TracedValue& b) { return ge(a, b); }
  friend TracedValue operator==(const TracedValue& a, const TracedValue& b) { return eq(a, b); }
  friend TracedValue operator!=(const TracedValue& a, const TracedValue& b) { return ne(a, b); }

  bool is_number() const noexcept { return !tensor_.defined(); }
  const Tensor& tensor() const noexcept { return tensor_; }
  const Scalar& number() const noexcept { return number_; }

 private:
  Tensor tensor_;
  Scalar number_;
};

}  // namespace traced

using traced::TracedValue;

}  // namespace gradus
