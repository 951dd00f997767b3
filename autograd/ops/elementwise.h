// More pointwise operations: quotients and remainders with numbers, bounds that are tensors, mixtures; what numbers are made
// of. What pointwise.h says of names with _ at their end holds here, too.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "../../core/base/export.h"
#include "../tensor/operand.h"
#include "pointwise.h"

namespace gradus {

GRADUS_API Tensor frac(Operand x);  ///< x - trunc(x)
GRADUS_API Tensor& frac_(Operand x);
GRADUS_API Tensor deg2rad(Operand x);
GRADUS_API Tensor& deg2rad_(Operand x);
GRADUS_API Tensor rad2deg(Operand x);
GRADUS_API Tensor& rad2deg_(Operand x);
GRADUS_API Tensor isposinf(Operand x);
GRADUS_API Tensor isneginf(Operand x);
/// NaN, infinity and -infinity replaced; the infinities by the dtype's largest and least number where none is given.
GRADUS_API Tensor nan_to_num(Operand x, std::optional<double> nan = {}, std::optional<double> posinf = {},
                             std::optional<double> neginf = {});
GRADUS_API Tensor& nan_to_num_(Operand x, std::optional<double> nan = {}, std::optional<double> posinf = {},
                               std::optional<double> neginf = {});

/// a / b, cut off ("trunc") or rounded down ("floor"), then with gradient 0; integers stay integers. ValueError for any
/// other word.
GRADUS_API Tensor div(Operand a, Operand b, std::optional<std::string_view> rounding_mode);
GRADUS_API Tensor div(Operand a, const Scalar& b, std::optional<std::string_view> rounding_mode);
GRADUS_API Tensor& div_(Operand a, Operand b, std::optional<std::string_view> rounding_mode);
GRADUS_API Tensor& div_(Operand a, const Scalar& b, std::optional<std::string_view> rounding_mode);
GRADUS_API Tensor floor_divide(Operand a, Operand b);  ///< div(a, b, "floor")
GRADUS_API Tensor floor_divide(Operand a, const Scalar& b);
GRADUS_API Tensor& floor_divide_(Operand a, Operand b);
GRADUS_API Tensor& floor_divide_(Operand a, const Scalar& b);
GRADUS_API Tensor fmod(Operand a, const Scalar& b);  ///< sign of a
GRADUS_API Tensor& fmod_(Operand a, const Scalar& b);
GRADUS_API Tensor remainder(Operand a, const Scalar& b);  ///< sign of b
GRADUS_API Tensor remainder(const Scalar& a, Operand b);
GRADUS_API Tensor& remainder_(Operand a, const Scalar& b);
GRADUS_API Tensor xlogy(Operand a, const Scalar& b);
GRADUS_API Tensor xlogy(const Scalar& a, Operand b);
GRADUS_API Tensor copysign(Operand a, Operand b);  ///< |a| with the sign of b; the gradient at a = 0 is 0
GRADUS_API Tensor copysign(Operand a, const Scalar& b);
GRADUS_API Tensor& copysign_(Operand a, Operand b);
GRADUS_API Tensor& copysign_(Operand a, const Scalar& b);
GRADUS_API Tensor fmax(Operand a, Operand b);  ///< as maximum, but NaN loses; of equal ones a has the gradient
GRADUS_API Tensor fmin(Operand a, Operand b);
GRADUS_API Tensor max(Operand a, Operand b);         ///< maximum
GRADUS_API Tensor min(Operand a, Operand b);         ///< minimum
GRADUS_API Tensor logaddexp2(Operand a, Operand b);  ///< log2(2^a + 2^b)
/// a + weight (b - a)
GRADUS_API Tensor lerp(Operand a, Operand b, const Scalar& weight);
GRADUS_API Tensor lerp(Operand a, Operand b, Operand weight);
GRADUS_API Tensor& lerp_(Operand a, Operand b, const Scalar& weight);
GRADUS_API Tensor& lerp_(Operand a, Operand b, Operand weight);
GRADUS_API Tensor addcmul(Operand x, Operand a, Operand b, const Scalar& value = 1);  ///< x + value a b
GRADUS_API Tensor& addcmul_(Operand x, Operand a, Operand b, const Scalar& value = 1);
GRADUS_API Tensor addcdiv(Operand x, Operand a, Operand b,
                          const Scalar& value = 1);  ///< x + value a / b, of floating numbers
GRADUS_API Tensor& addcdiv_(Operand x, Operand a, Operand b, const Scalar& value = 1);

GRADUS_API Tensor signbit(Operand x);  ///< whether its sign is set: of -0, too
/// 0 below 0, the value at 0, 1 above; NaN gives 0. The gradient goes to values alone, where x is 0.
GRADUS_API Tensor heaviside(Operand x, Operand values);
GRADUS_API Tensor& heaviside_(Operand x, Operand values);
GRADUS_API Tensor ldexp(Operand x, Operand other);  ///< x 2^other
GRADUS_API Tensor& ldexp_(Operand x, Operand other);
/// pow in float64, whatever the operands are. In place of float64 alone: DTypeError.
GRADUS_API Tensor float_power(Operand x, Operand exponent);
GRADUS_API Tensor float_power(Operand x, const Scalar& exponent);
GRADUS_API Tensor float_power(const Scalar& x, Operand exponent);
GRADUS_API Tensor& float_power_(Operand x, Operand exponent);
GRADUS_API Tensor& float_power_(Operand x, const Scalar& exponent);
// None of these has a gradient.
GRADUS_API Tensor gcd(Operand a, Operand b);  ///< the greatest common divisor of integers; 0 of 0 and 0
GRADUS_API Tensor& gcd_(Operand a, Operand b);
GRADUS_API Tensor lcm(Operand a, Operand b);  ///< the least common multiple of integers; 0 where one is 0
GRADUS_API Tensor& lcm_(Operand a, Operand b);
GRADUS_API Tensor nextafter(Operand a, Operand b);  ///< the next floating-point number from a towards b
GRADUS_API Tensor& nextafter_(Operand a, Operand b);

/// x held within bounds that broadcast; where they cross the upper one holds. The gradient goes to x where it is not beyond
/// a bound, else to the bound.
GRADUS_API Tensor clamp(Operand x, autograd::OptionalOperand low, autograd::OptionalOperand high = {});
GRADUS_API Tensor& clamp_(Operand x, autograd::OptionalOperand low, autograd::OptionalOperand high = {});
GRADUS_API Tensor clamp_min(Operand x, Operand low);
GRADUS_API Tensor& clamp_min_(Operand x, Operand low);
GRADUS_API Tensor clamp_max(Operand x, Operand high);
GRADUS_API Tensor& clamp_max_(Operand x, Operand high);
GRADUS_API Tensor where(Operand condition, const Scalar& a, const Scalar& b);
/// Where it is not 0: an int64 vector of indices for each dimension.
GRADUS_API std::vector<Tensor> where(Operand condition);
/// |a - b| <= atol + rtol |b|, or equal.
GRADUS_API Tensor isclose(Operand a, Operand b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);

namespace autograd {

/// The members of Tensor that are functions of this header, beside those of pointwise.h.
template <class Tensor>
class ElementwiseMembers : public PointwiseMembers<Tensor> {
  using Base = PointwiseMembers<Tensor>;

 public:
  using Base::clamp;
  using Base::clamp_;
  using Base::clamp_max;
  using Base::clamp_max_;
  using Base::clamp_min;
  using Base::clamp_min_;
  using Base::div;
  using Base::div_;
  using Base::fmod;
  using Base::fmod_;
  using Base::remainder;
  using Base::remainder_;
  using Base::xlogy;
  Tensor frac(Location at = Location::here()) const { return gradus::frac({self(), at}); }
  Tensor& frac_(Location at = Location::here()) const { return gradus::frac_({self(), at}); }
  Tensor deg2rad(Location at = Location::here()) const { return gradus::deg2rad({self(), at}); }
  Tensor& deg2rad_(Location at = Location::here()) const { return gradus::deg2rad_({self(), at}); }
  Tensor rad2deg(Location at = Location::here()) const { return gradus::rad2deg({self(), at}); }
  Tensor& rad2deg_(Location at = Location::here()) const { return gradus::rad2deg_({self(), at}); }
  Tensor isposinf(Location at = Location::here()) const { return gradus::isposinf({self(), at}); }
  Tensor isneginf(Location at = Location::here()) const { return gradus::isneginf({self(), at}); }
  Tensor nan_to_num(std::optional<double> nan = {}, std::optional<double> posinf = {},
                    std::optional<double> neginf = {}, Location at = Location::here()) const {
    return gradus::nan_to_num({self(), at}, nan, posinf, neginf);
  }
  template <class B>  // a tensor or a number, here and where a B follows
  Tensor div(const B& b, std::optional<std::string_view> rounding_mode, Location at = Location::here()) const {
    return gradus::div({self(), at}, b, rounding_mode);
  }
  Tensor fmod(const Scalar& b, Location at = Location::here()) const { return gradus::fmod({self(), at}, b); }
  Tensor remainder(const Scalar& b, Location at = Location::here()) const { return gradus::remainder({self(), at}, b); }
  template <class B>
  Tensor floor_divide(const B& b, Location at = Location::here()) const {
    return gradus::floor_divide({self(), at}, b);
  }
  template <class B>
  Tensor copysign(const B& b, Location at = Location::here()) const {
    return gradus::copysign({self(), at}, b);
  }
  template <class W>
  Tensor lerp(const Tensor& end, const W& weight, Location at = Location::here()) const {
    return gradus::lerp({self(), at}, end, weight);
  }
  Tensor addcmul(const Tensor& a, const Tensor& b, const Scalar& value = 1, Location at = Location::here()) const {
    return gradus::addcmul({self(), at}, a, b, value);
  }
  Tensor addcdiv(const Tensor& a, const Tensor& b, const Scalar& value = 1, Location at = Location::here()) const {
    return gradus::addcdiv({self(), at}, a, b, value);
  }
  Tensor clamp(OptionalOperand low, OptionalOperand high = {}, Location at = Location::here()) const {
    return gradus::clamp({self(), at}, low, high);
  }
  Tensor clamp_min(const Tensor& low, Location at = Location::here()) const {
    return gradus::clamp_min({self(), at}, low);
  }
  Tensor clamp_max(const Tensor& high, Location at = Location::here()) const {
    return gradus::clamp_max({self(), at}, high);
  }
  Tensor& nan_to_num_(std::optional<double> nan = {}, std::optional<double> posinf = {},
                      std::optional<double> neginf = {}, Location at = Location::here()) const {
    return gradus::nan_to_num_({self(), at}, nan, posinf, neginf);
  }
  template <class B>  // a tensor or a number, here and where a B follows
  Tensor& div_(const B& b, std::optional<std::string_view> rounding_mode, Location at = Location::here()) const {
    return gradus::div_({self(), at}, b, rounding_mode);
  }
  Tensor& fmod_(const Scalar& b, Location at = Location::here()) const { return gradus::fmod_({self(), at}, b); }
  Tensor& remainder_(const Scalar& b, Location at = Location::here()) const {
    return gradus::remainder_({self(), at}, b);
  }
  template <class B>
  Tensor& floor_divide_(const B& b, Location at = Location::here()) const {
    return gradus::floor_divide_({self(), at}, b);
  }
  template <class B>
  Tensor& copysign_(const B& b, Location at = Location::here()) const {
    return gradus::copysign_({self(), at}, b);
  }
  template <class W>
  Tensor& lerp_(const Tensor& end, const W& weight, Location at = Location::here()) const {
    return gradus::lerp_({self(), at}, end, weight);
  }
  Tensor& addcmul_(const Tensor& a, const Tensor& b, const Scalar& value = 1, Location at = Location::here()) const {
    return gradus::addcmul_({self(), at}, a, b, value);
  }
  Tensor& addcdiv_(const Tensor& a, const Tensor& b, const Scalar& value = 1, Location at = Location::here()) const {
    return gradus::addcdiv_({self(), at}, a, b, value);
  }
  Tensor& clamp_(OptionalOperand low, OptionalOperand high = {}, Location at = Location::here()) const {
    return gradus::clamp_({self(), at}, low, high);
  }
  Tensor& clamp_min_(const Tensor& low, Location at = Location::here()) const {
    return gradus::clamp_min_({self(), at}, low);
  }
  Tensor& clamp_max_(const Tensor& high, Location at = Location::here()) const {
    return gradus::clamp_max_({self(), at}, high);
  }
  Tensor xlogy(const Scalar& b, Location at = Location::here()) const { return gradus::xlogy({self(), at}, b); }
  Tensor fmax(const Tensor& b, Location at = Location::here()) const { return gradus::fmax({self(), at}, b); }
  Tensor fmin(const Tensor& b, Location at = Location::here()) const { return gradus::fmin({self(), at}, b); }
  Tensor logaddexp2(const Tensor& b, Location at = Location::here()) const {
    return gradus::logaddexp2({self(), at}, b);
  }
  Tensor signbit(Location at = Location::here()) const { return gradus::signbit({self(), at}); }
  Tensor heaviside(const Tensor& values, Location at = Location::here()) const {
    return gradus::heaviside({self(), at}, values);
  }
  Tensor& heaviside_(const Tensor& values, Location at = Location::here()) const {
    return gradus::heaviside_({self(), at}, {values, at});
  }
  Tensor ldexp(const Tensor& other, Location at = Location::here()) const { return gradus::ldexp({self(), at}, other); }
  Tensor& ldexp_(const Tensor& other, Location at = Location::here()) const {
    return gradus::ldexp_({self(), at}, {other, at});
  }
  template <class B>
  Tensor float_power(const B& exponent, Location at = Location::here()) const {
    return gradus::float_power({self(), at}, exponent);
  }
  template <class B>
  Tensor& float_power_(const B& exponent, Location at = Location::here()) const {
    return gradus::float_power_({self(), at}, exponent);
  }
  Tensor gcd(const Tensor& b, Location at = Location::here()) const { return gradus::gcd({self(), at}, b); }
  Tensor& gcd_(const Tensor& b, Location at = Location::here()) const { return gradus::gcd_({self(), at}, {b, at}); }
  Tensor lcm(const Tensor& b, Location at = Location::here()) const { return gradus::lcm({self(), at}, b); }
  Tensor& lcm_(const Tensor& b, Location at = Location::here()) const { return gradus::lcm_({self(), at}, {b, at}); }
  Tensor nextafter(const Tensor& b, Location at = Location::here()) const { return gradus::nextafter({self(), at}, b); }
  Tensor& nextafter_(const Tensor& b, Location at = Location::here()) const {
    return gradus::nextafter_({self(), at}, {b, at});
  }
  Tensor isclose(const Tensor& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false,
                 Location at = Location::here()) const {
    return gradus::isclose({self(), at}, b, rtol, atol, equal_nan);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
