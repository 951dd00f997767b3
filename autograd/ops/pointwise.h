// Pointwise operations: of one operand, of two, and choices between them. A name with _ at its end changes its first operand in
// place, with correct history for that, its base and its views; GradError on a leaf that requires grad while recording, and
// on a tensor whose elements overlap.
#pragma once

#include <optional>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

GRADUS_API Tensor neg(Operand x);
GRADUS_API Tensor& neg_(Operand x);
GRADUS_API Tensor abs(Operand x);
GRADUS_API Tensor& abs_(Operand x);
GRADUS_API Tensor sign(Operand x);
GRADUS_API Tensor& sign_(Operand x);
GRADUS_API Tensor square(Operand x);
GRADUS_API Tensor& square_(Operand x);
GRADUS_API Tensor relu(Operand x);  ///< max(x, 0); NaN stays
GRADUS_API Tensor& relu_(Operand x);
GRADUS_API Tensor floor(Operand x);
GRADUS_API Tensor& floor_(Operand x);
GRADUS_API Tensor ceil(Operand x);
GRADUS_API Tensor& ceil_(Operand x);
GRADUS_API Tensor round(Operand x);  ///< half to even
GRADUS_API Tensor& round_(Operand x);
/// To so many digits after the point, or so many before it that become 0.
GRADUS_API Tensor round(Operand x, std::int64_t decimals);
GRADUS_API Tensor& round_(Operand x, std::int64_t decimals);
GRADUS_API Tensor trunc(Operand x);
GRADUS_API Tensor& trunc_(Operand x);
GRADUS_API Tensor sqrt(Operand x);
GRADUS_API Tensor& sqrt_(Operand x);
GRADUS_API Tensor rsqrt(Operand x);  ///< 1 / sqrt(x)
GRADUS_API Tensor& rsqrt_(Operand x);
GRADUS_API Tensor reciprocal(Operand x);
GRADUS_API Tensor& reciprocal_(Operand x);
GRADUS_API Tensor exp(Operand x);
GRADUS_API Tensor& exp_(Operand x);
GRADUS_API Tensor exp2(Operand x);
GRADUS_API Tensor& exp2_(Operand x);
GRADUS_API Tensor expm1(Operand x);
GRADUS_API Tensor& expm1_(Operand x);
GRADUS_API Tensor log(Operand x);
GRADUS_API Tensor& log_(Operand x);
GRADUS_API Tensor log1p(Operand x);
GRADUS_API Tensor& log1p_(Operand x);
GRADUS_API Tensor log2(Operand x);
GRADUS_API Tensor& log2_(Operand x);
GRADUS_API Tensor log10(Operand x);
GRADUS_API Tensor& log10_(Operand x);
GRADUS_API Tensor sin(Operand x);
GRADUS_API Tensor& sin_(Operand x);
GRADUS_API Tensor cos(Operand x);
GRADUS_API Tensor& cos_(Operand x);
GRADUS_API Tensor tan(Operand x);
GRADUS_API Tensor& tan_(Operand x);
GRADUS_API Tensor asin(Operand x);
GRADUS_API Tensor& asin_(Operand x);
GRADUS_API Tensor acos(Operand x);
GRADUS_API Tensor& acos_(Operand x);
GRADUS_API Tensor atan(Operand x);
GRADUS_API Tensor& atan_(Operand x);
GRADUS_API Tensor sinh(Operand x);
GRADUS_API Tensor& sinh_(Operand x);
GRADUS_API Tensor cosh(Operand x);
GRADUS_API Tensor& cosh_(Operand x);
GRADUS_API Tensor asinh(Operand x);
GRADUS_API Tensor& asinh_(Operand x);
GRADUS_API Tensor acosh(Operand x);
GRADUS_API Tensor& acosh_(Operand x);
GRADUS_API Tensor atanh(Operand x);
GRADUS_API Tensor& atanh_(Operand x);
GRADUS_API Tensor tanh(Operand x);
GRADUS_API Tensor& tanh_(Operand x);
GRADUS_API Tensor sigmoid(Operand x);  ///< 1 / (1 + exp(-x))
GRADUS_API Tensor& sigmoid_(Operand x);
GRADUS_API Tensor erf(Operand x);
GRADUS_API Tensor& erf_(Operand x);
GRADUS_API Tensor erfc(Operand x);  ///< 1 - erf(x), which keeps its digits
GRADUS_API Tensor& erfc_(Operand x);
GRADUS_API Tensor lgamma(Operand x);  ///< log |Gamma(x)|
GRADUS_API Tensor& lgamma_(Operand x);
GRADUS_API Tensor digamma(Operand x);  ///< the derivative of lgamma
GRADUS_API Tensor& digamma_(Operand x);
GRADUS_API Tensor polygamma(std::int64_t n, Operand x);  ///< the n-th derivative of digamma, n >= 1
GRADUS_API Tensor isnan(Operand x);
GRADUS_API Tensor isinf(Operand x);
GRADUS_API Tensor isfinite(Operand x);
GRADUS_API Tensor logical_not(Operand x);

GRADUS_API Tensor add(Operand a, Operand b, const Scalar& alpha = 1);  ///< a + alpha b
GRADUS_API Tensor add(Operand a, const Scalar& b, const Scalar& alpha = 1);
GRADUS_API Tensor& add_(Operand a, Operand b, const Scalar& alpha = 1);
GRADUS_API Tensor& add_(Operand a, const Scalar& b, const Scalar& alpha = 1);
GRADUS_API Tensor sub(Operand a, Operand b, const Scalar& alpha = 1);  ///< a - alpha b
GRADUS_API Tensor sub(Operand a, const Scalar& b, const Scalar& alpha = 1);
GRADUS_API Tensor& sub_(Operand a, Operand b, const Scalar& alpha = 1);
GRADUS_API Tensor& sub_(Operand a, const Scalar& b, const Scalar& alpha = 1);
GRADUS_API Tensor rsub(Operand a, const Scalar& b);  ///< b - a
GRADUS_API Tensor mul(Operand a, Operand b);
GRADUS_API Tensor mul(Operand a, const Scalar& b);
GRADUS_API Tensor& mul_(Operand a, Operand b);
GRADUS_API Tensor& mul_(Operand a, const Scalar& b);
GRADUS_API Tensor div(Operand a, Operand b);
GRADUS_API Tensor div(Operand a, const Scalar& b);
GRADUS_API Tensor& div_(Operand a, Operand b);
GRADUS_API Tensor& div_(Operand a, const Scalar& b);
GRADUS_API Tensor pow(Operand a, Operand b);
GRADUS_API Tensor pow(Operand a, const Scalar& b);
GRADUS_API Tensor& pow_(Operand a, Operand b);
GRADUS_API Tensor& pow_(Operand a, const Scalar& b);
GRADUS_API Tensor pow(const Scalar& a, Operand b);
GRADUS_API Tensor maximum(Operand a, Operand b);  ///< NaN wins; a tie gives each half of the gradient
GRADUS_API Tensor minimum(Operand a, Operand b);
GRADUS_API Tensor fmod(Operand a, Operand b);  ///< sign of a
GRADUS_API Tensor& fmod_(Operand a, Operand b);
GRADUS_API Tensor remainder(Operand a, Operand b);  ///< sign of b
GRADUS_API Tensor& remainder_(Operand a, Operand b);
GRADUS_API Tensor atan2(Operand a, Operand b);
GRADUS_API Tensor& atan2_(Operand a, Operand b);
GRADUS_API Tensor xlogy(Operand a, Operand b);  ///< a log(b), 0 where a is 0 and b is not NaN
GRADUS_API Tensor& xlogy_(Operand a, Operand b);
GRADUS_API Tensor logaddexp(Operand a, Operand b);  ///< log(exp(a) + exp(b))
GRADUS_API Tensor hypot(Operand a, Operand b);      ///< sqrt(a^2 + b^2); the gradient at the origin is 0
GRADUS_API Tensor& hypot_(Operand a, Operand b);
GRADUS_API Tensor eq(Operand a, Operand b);
GRADUS_API Tensor ne(Operand a, Operand b);
GRADUS_API Tensor lt(Operand a, Operand b);
GRADUS_API Tensor le(Operand a, Operand b);
GRADUS_API Tensor gt(Operand a, Operand b);
GRADUS_API Tensor ge(Operand a, Operand b);
GRADUS_API Tensor eq(Operand a, const Scalar& b);
GRADUS_API Tensor ne(Operand a, const Scalar& b);
GRADUS_API Tensor lt(Operand a, const Scalar& b);
GRADUS_API Tensor le(Operand a, const Scalar& b);
GRADUS_API Tensor gt(Operand a, const Scalar& b);
GRADUS_API Tensor ge(Operand a, const Scalar& b);
GRADUS_API Tensor logical_and(Operand a, Operand b);
GRADUS_API Tensor logical_or(Operand a, Operand b);
GRADUS_API Tensor logical_xor(Operand a, Operand b);
GRADUS_API Tensor where(Operand condition, Operand a, Operand b);  ///< condition (Bool) ? a : b
GRADUS_API Tensor where(Operand condition, Operand a, const Scalar& b);
GRADUS_API Tensor where(Operand condition, const Scalar& a, Operand b);
/// x held within [low, high]; the gradient passes where low <= x <= high.
GRADUS_API Tensor clamp(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high = {});
GRADUS_API Tensor& clamp_(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high = {});
GRADUS_API Tensor clamp_min(Operand x, const Scalar& low);
GRADUS_API Tensor& clamp_min_(Operand x, const Scalar& low);
GRADUS_API Tensor clamp_max(Operand x, const Scalar& high);
GRADUS_API Tensor& clamp_max_(Operand x, const Scalar& high);
/// value where the mask (Bool, broadcast) is true, else x.
GRADUS_API Tensor masked_fill(Operand x, Operand mask, const Scalar& value);
GRADUS_API Tensor& masked_fill_(Operand x, Operand mask, const Scalar& value);
/// With a 0-d tensor's number, and a gradient for it.
GRADUS_API Tensor masked_fill(Operand x, Operand mask, Operand value);
GRADUS_API Tensor& masked_fill_(Operand x, Operand mask, Operand value);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class PointwiseMembers {
 public:
  Tensor neg(Location at = Location::here()) const { return gradus::neg({self(), at}); }
  Tensor& neg_(Location at = Location::here()) const { return gradus::neg_({self(), at}); }
  Tensor abs(Location at = Location::here()) const { return gradus::abs({self(), at}); }
  Tensor& abs_(Location at = Location::here()) const { return gradus::abs_({self(), at}); }
  Tensor sign(Location at = Location::here()) const { return gradus::sign({self(), at}); }
  Tensor& sign_(Location at = Location::here()) const { return gradus::sign_({self(), at}); }
  Tensor square(Location at = Location::here()) const { return gradus::square({self(), at}); }
  Tensor& square_(Location at = Location::here()) const { return gradus::square_({self(), at}); }
  Tensor relu(Location at = Location::here()) const { return gradus::relu({self(), at}); }
  Tensor& relu_(Location at = Location::here()) const { return gradus::relu_({self(), at}); }
  Tensor floor(Location at = Location::here()) const { return gradus::floor({self(), at}); }
  Tensor& floor_(Location at = Location::here()) const { return gradus::floor_({self(), at}); }
  Tensor ceil(Location at = Location::here()) const { return gradus::ceil({self(), at}); }
  Tensor& ceil_(Location at = Location::here()) const { return gradus::ceil_({self(), at}); }
  Tensor round(Location at = Location::here()) const { return gradus::round({self(), at}); }
  Tensor& round_(Location at = Location::here()) const { return gradus::round_({self(), at}); }
  Tensor round(std::int64_t decimals, Location at = Location::here()) const {
    return gradus::round({self(), at}, decimals);
  }
  Tensor& round_(std::int64_t decimals, Location at = Location::here()) const {
    return gradus::round_({self(), at}, decimals);
  }
  Tensor trunc(Location at = Location::here()) const { return gradus::trunc({self(), at}); }
  Tensor& trunc_(Location at = Location::here()) const { return gradus::trunc_({self(), at}); }
  Tensor sqrt(Location at = Location::here()) const { return gradus::sqrt({self(), at}); }
  Tensor& sqrt_(Location at = Location::here()) const { return gradus::sqrt_({self(), at}); }
  Tensor rsqrt(Location at = Location::here()) const { return gradus::rsqrt({self(), at}); }
  Tensor& rsqrt_(Location at = Location::here()) const { return gradus::rsqrt_({self(), at}); }
  Tensor reciprocal(Location at = Location::here()) const { return gradus::reciprocal({self(), at}); }
  Tensor& reciprocal_(Location at = Location::here()) const { return gradus::reciprocal_({self(), at}); }
  Tensor exp(Location at = Location::here()) const { return gradus::exp({self(), at}); }
  Tensor& exp_(Location at = Location::here()) const { return gradus::exp_({self(), at}); }
  Tensor exp2(Location at = Location::here()) const { return gradus::exp2({self(), at}); }
  Tensor& exp2_(Location at = Location::here()) const { return gradus::exp2_({self(), at}); }
  Tensor expm1(Location at = Location::here()) const { return gradus::expm1({self(), at}); }
  Tensor& expm1_(Location at = Location::here()) const { return gradus::expm1_({self(), at}); }
  Tensor log(Location at = Location::here()) const { return gradus::log({self(), at}); }
  Tensor& log_(Location at = Location::here()) const { return gradus::log_({self(), at}); }
  Tensor log1p(Location at = Location::here()) const { return gradus::log1p({self(), at}); }
  Tensor& log1p_(Location at = Location::here()) const { return gradus::log1p_({self(), at}); }
  Tensor log2(Location at = Location::here()) const { return gradus::log2({self(), at}); }
  Tensor& log2_(Location at = Location::here()) const { return gradus::log2_({self(), at}); }
  Tensor log10(Location at = Location::here()) const { return gradus::log10({self(), at}); }
  Tensor& log10_(Location at = Location::here()) const { return gradus::log10_({self(), at}); }
  Tensor sin(Location at = Location::here()) const { return gradus::sin({self(), at}); }
  Tensor& sin_(Location at = Location::here()) const { return gradus::sin_({self(), at}); }
  Tensor cos(Location at = Location::here()) const { return gradus::cos({self(), at}); }
  Tensor& cos_(Location at = Location::here()) const { return gradus::cos_({self(), at}); }
  Tensor tan(Location at = Location::here()) const { return gradus::tan({self(), at}); }
  Tensor& tan_(Location at = Location::here()) const { return gradus::tan_({self(), at}); }
  Tensor asin(Location at = Location::here()) const { return gradus::asin({self(), at}); }
  Tensor& asin_(Location at = Location::here()) const { return gradus::asin_({self(), at}); }
  Tensor acos(Location at = Location::here()) const { return gradus::acos({self(), at}); }
  Tensor& acos_(Location at = Location::here()) const { return gradus::acos_({self(), at}); }
  Tensor atan(Location at = Location::here()) const { return gradus::atan({self(), at}); }
  Tensor& atan_(Location at = Location::here()) const { return gradus::atan_({self(), at}); }
  Tensor sinh(Location at = Location::here()) const { return gradus::sinh({self(), at}); }
  Tensor& sinh_(Location at = Location::here()) const { return gradus::sinh_({self(), at}); }
  Tensor cosh(Location at = Location::here()) const { return gradus::cosh({self(), at}); }
  Tensor& cosh_(Location at = Location::here()) const { return gradus::cosh_({self(), at}); }
  Tensor asinh(Location at = Location::here()) const { return gradus::asinh({self(), at}); }
  Tensor& asinh_(Location at = Location::here()) const { return gradus::asinh_({self(), at}); }
  Tensor acosh(Location at = Location::here()) const { return gradus::acosh({self(), at}); }
  Tensor& acosh_(Location at = Location::here()) const { return gradus::acosh_({self(), at}); }
  Tensor atanh(Location at = Location::here()) const { return gradus::atanh({self(), at}); }
  Tensor& atanh_(Location at = Location::here()) const { return gradus::atanh_({self(), at}); }
  Tensor tanh(Location at = Location::here()) const { return gradus::tanh({self(), at}); }
  Tensor& tanh_(Location at = Location::here()) const { return gradus::tanh_({self(), at}); }
  Tensor sigmoid(Location at = Location::here()) const { return gradus::sigmoid({self(), at}); }
  Tensor& sigmoid_(Location at = Location::here()) const { return gradus::sigmoid_({self(), at}); }
  Tensor erf(Location at = Location::here()) const { return gradus::erf({self(), at}); }
  Tensor& erf_(Location at = Location::here()) const { return gradus::erf_({self(), at}); }
  Tensor erfc(Location at = Location::here()) const { return gradus::erfc({self(), at}); }
  Tensor& erfc_(Location at = Location::here()) const { return gradus::erfc_({self(), at}); }
  Tensor lgamma(Location at = Location::here()) const { return gradus::lgamma({self(), at}); }
  Tensor& lgamma_(Location at = Location::here()) const { return gradus::lgamma_({self(), at}); }
  Tensor digamma(Location at = Location::here()) const { return gradus::digamma({self(), at}); }
  Tensor& digamma_(Location at = Location::here()) const { return gradus::digamma_({self(), at}); }
  Tensor isnan(Location at = Location::here()) const { return gradus::isnan({self(), at}); }
  Tensor isinf(Location at = Location::here()) const { return gradus::isinf({self(), at}); }
  Tensor isfinite(Location at = Location::here()) const { return gradus::isfinite({self(), at}); }
  Tensor logical_not(Location at = Location::here()) const { return gradus::logical_not({self(), at}); }
  Tensor add(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::add({self(), at}, b, alpha);
  }
  Tensor add(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::add({self(), at}, b, alpha);
  }
  Tensor& add_(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::add_({self(), at}, {b, at}, alpha);
  }
  Tensor& add_(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::add_({self(), at}, b, alpha);
  }
  Tensor sub(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::sub({self(), at}, b, alpha);
  }
  Tensor sub(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::sub({self(), at}, b, alpha);
  }
  Tensor& sub_(const Tensor& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::sub_({self(), at}, {b, at}, alpha);
  }
  Tensor& sub_(const Scalar& b, const Scalar& alpha = 1, Location at = Location::here()) const {
    return gradus::sub_({self(), at}, b, alpha);
  }
  Tensor mul(const Tensor& b, Location at = Location::here()) const { return gradus::mul({self(), at}, b); }
  Tensor mul(const Scalar& b, Location at = Location::here()) const { return gradus::mul({self(), at}, b); }
  Tensor& mul_(const Tensor& b, Location at = Location::here()) const { return gradus::mul_({self(), at}, {b, at}); }
  Tensor& mul_(const Scalar& b, Location at = Location::here()) const { return gradus::mul_({self(), at}, b); }
  Tensor div(const Tensor& b, Location at = Location::here()) const { return gradus::div({self(), at}, b); }
  Tensor div(const Scalar& b, Location at = Location::here()) const { return gradus::div({self(), at}, b); }
  Tensor& div_(const Tensor& b, Location at = Location::here()) const { return gradus::div_({self(), at}, {b, at}); }
  Tensor& div_(const Scalar& b, Location at = Location::here()) const { return gradus::div_({self(), at}, b); }
  Tensor pow(const Tensor& b, Location at = Location::here()) const { return gradus::pow({self(), at}, b); }
  Tensor pow(const Scalar& b, Location at = Location::here()) const { return gradus::pow({self(), at}, b); }
  Tensor& pow_(const Tensor& b, Location at = Location::here()) const { return gradus::pow_({self(), at}, {b, at}); }
  Tensor& pow_(const Scalar& b, Location at = Location::here()) const { return gradus::pow_({self(), at}, b); }
  Tensor eq(const Tensor& b, Location at = Location::here()) const { return gradus::eq({self(), at}, b); }
  Tensor eq(const Scalar& b, Location at = Location::here()) const { return gradus::eq({self(), at}, b); }
  Tensor ne(const Tensor& b, Location at = Location::here()) const { return gradus::ne({self(), at}, b); }
  Tensor ne(const Scalar& b, Location at = Location::here()) const { return gradus::ne({self(), at}, b); }
  Tensor lt(const Tensor& b, Location at = Location::here()) const { return gradus::lt({self(), at}, b); }
  Tensor lt(const Scalar& b, Location at = Location::here()) const { return gradus::lt({self(), at}, b); }
  Tensor le(const Tensor& b, Location at = Location::here()) const { return gradus::le({self(), at}, b); }
  Tensor le(const Scalar& b, Location at = Location::here()) const { return gradus::le({self(), at}, b); }
  Tensor gt(const Tensor& b, Location at = Location::here()) const { return gradus::gt({self(), at}, b); }
  Tensor gt(const Scalar& b, Location at = Location::here()) const { return gradus::gt({self(), at}, b); }
  Tensor ge(const Tensor& b, Location at = Location::here()) const { return gradus::ge({self(), at}, b); }
  Tensor ge(const Scalar& b, Location at = Location::here()) const { return gradus::ge({self(), at}, b); }
  Tensor maximum(const Tensor& b, Location at = Location::here()) const { return gradus::maximum({self(), at}, b); }
  Tensor minimum(const Tensor& b, Location at = Location::here()) const { return gradus::minimum({self(), at}, b); }
  Tensor fmod(const Tensor& b, Location at = Location::here()) const { return gradus::fmod({self(), at}, b); }
  Tensor& fmod_(const Tensor& b, Location at = Location::here()) const { return gradus::fmod_({self(), at}, {b, at}); }
  Tensor remainder(const Tensor& b, Location at = Location::here()) const { return gradus::remainder({self(), at}, b); }
  Tensor& remainder_(const Tensor& b, Location at = Location::here()) const {
    return gradus::remainder_({self(), at}, {b, at});
  }
  Tensor atan2(const Tensor& b, Location at = Location::here()) const { return gradus::atan2({self(), at}, b); }
  Tensor& atan2_(const Tensor& b, Location at = Location::here()) const {
    return gradus::atan2_({self(), at}, {b, at});
  }
  Tensor xlogy(const Tensor& b, Location at = Location::here()) const { return gradus::xlogy({self(), at}, b); }
  Tensor& xlogy_(const Tensor& b, Location at = Location::here()) const {
    return gradus::xlogy_({self(), at}, {b, at});
  }
  Tensor logaddexp(const Tensor& b, Location at = Location::here()) const { return gradus::logaddexp({self(), at}, b); }
  Tensor hypot(const Tensor& b, Location at = Location::here()) const { return gradus::hypot({self(), at}, b); }
  Tensor& hypot_(const Tensor& b, Location at = Location::here()) const {
    return gradus::hypot_({self(), at}, {b, at});
  }
  Tensor logical_and(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_and({self(), at}, b);
  }
  Tensor logical_or(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_or({self(), at}, b);
  }
  Tensor logical_xor(const Tensor& b, Location at = Location::here()) const {
    return gradus::logical_xor({self(), at}, b);
  }
  Tensor where(const Tensor& condition, const Tensor& other, Location at = Location::here()) const {
    return gradus::where({condition, at}, self(), other);
  }
  Tensor clamp(const std::optional<Scalar>& low, const std::optional<Scalar>& high = {},
               Location at = Location::here()) const {
    return gradus::clamp({self(), at}, low, high);
  }
  Tensor clamp_min(const Scalar& low, Location at = Location::here()) const {
    return gradus::clamp_min({self(), at}, low);
  }
  Tensor clamp_max(const Scalar& high, Location at = Location::here()) const {
    return gradus::clamp_max({self(), at}, high);
  }
  Tensor masked_fill(const Tensor& mask, const Scalar& value, Location at = Location::here()) const {
    return gradus::masked_fill({self(), at}, mask, value);
  }
  Tensor masked_fill(const Tensor& mask, const Tensor& value, Location at = Location::here()) const {
    return gradus::masked_fill({self(), at}, mask, value);
  }
  Tensor& clamp_(const std::optional<Scalar>& low, const std::optional<Scalar>& high = {},
                 Location at = Location::here()) const {
    return gradus::clamp_({self(), at}, low, high);
  }
  Tensor& clamp_min_(const Scalar& low, Location at = Location::here()) const {
    return gradus::clamp_min_({self(), at}, low);
  }
  Tensor& clamp_max_(const Scalar& high, Location at = Location::here()) const {
    return gradus::clamp_max_({self(), at}, high);
  }
  Tensor& masked_fill_(const Tensor& mask, const Scalar& value, Location at = Location::here()) const {
    return gradus::masked_fill_({self(), at}, {mask, at}, value);
  }
  Tensor& masked_fill_(const Tensor& mask, const Tensor& value, Location at = Location::here()) const {
    return gradus::masked_fill_({self(), at}, {mask, at}, {value, at});
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
