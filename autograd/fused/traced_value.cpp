#include "traced_value.h"

#include "../tensor/create.h"
#include "../tensor/operators.h"

namespace gradus::traced {

namespace {

using Value = const TracedValue&;

// A number as a tensor: of the other operand's dtype beside one, else of its own category.
Tensor tensor_of(Value x, DType dtype) { return x.is_number() ? full({}, x.number(), dtype) : x.tensor(); }
Tensor tensor_of(Value x) { return tensor_of(x, x.number().category()); }
DType floating_of(Value x) { return is_floating_point(x.tensor().dtype()) ? x.tensor().dtype() : get_default_dtype(); }
// What comes of numbers alone is a number again.
TracedValue number_of(const Tensor& x) { return TracedValue(x.item()); }

template <class F>
TracedValue of_one(Value x, F f) {
  return x.is_number() ? number_of(f(tensor_of(x))) : TracedValue(f(x.tensor()));
}
// f takes tensors, and a tensor and a number where the operation has a form for those.
template <class F>
TracedValue of_two(Value a, Value b, F f) {
  if (a.is_number() && b.is_number()) return number_of(f(tensor_of(a), tensor_of(b)));
  if (b.is_number()) {
    if constexpr (std::invocable<F, const Tensor&, const Scalar&>) {
      return TracedValue(f(a.tensor(), b.number()));
    } else {
      return TracedValue(f(a.tensor(), tensor_of(b, floating_of(a))));
    }
  }
  if (a.is_number()) {
    if constexpr (std::invocable<F, const Scalar&, const Tensor&>) {
      return TracedValue(f(a.number(), b.tensor()));
    } else {
      return TracedValue(f(tensor_of(a, floating_of(b)), b.tensor()));
    }
  }
  return TracedValue(f(a.tensor(), b.tensor()));
}

}  // namespace

TracedValue neg(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::neg(t); });
}
TracedValue abs(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::abs(t); });
}
TracedValue sign(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::sign(t); });
}
TracedValue square(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::square(t); });
}
TracedValue relu(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::relu(t); });
}
TracedValue floor(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::floor(t); });
}
TracedValue ceil(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::ceil(t); });
}
TracedValue round(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::round(t); });
}
TracedValue trunc(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::trunc(t); });
}
TracedValue frac(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::frac(t); });
}
TracedValue sqrt(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::sqrt(t); });
}
TracedValue rsqrt(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::rsqrt(t); });
}
TracedValue reciprocal(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::reciprocal(t); });
}
TracedValue exp(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::exp(t); });
}
TracedValue exp2(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::exp2(t); });
}
TracedValue expm1(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::expm1(t); });
}
TracedValue log(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::log(t); });
}
TracedValue log1p(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::log1p(t); });
}
TracedValue log2(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::log2(t); });
}
TracedValue log10(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::log10(t); });
}
TracedValue sin(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::sin(t); });
}
TracedValue cos(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::cos(t); });
}
TracedValue tan(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::tan(t); });
}
TracedValue asin(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::asin(t); });
}
TracedValue acos(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::acos(t); });
}
TracedValue atan(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::atan(t); });
}
TracedValue sinh(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::sinh(t); });
}
TracedValue cosh(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::cosh(t); });
}
TracedValue asinh(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::asinh(t); });
}
TracedValue acosh(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::acosh(t); });
}
TracedValue atanh(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::atanh(t); });
}
TracedValue tanh(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::tanh(t); });
}
TracedValue sigmoid(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::sigmoid(t); });
}
TracedValue erf(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::erf(t); });
}
TracedValue erfc(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::erfc(t); });
}
TracedValue erfinv(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::erfinv(t); });
}
TracedValue lgamma(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::lgamma(t); });
}
TracedValue digamma(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::digamma(t); });
}
TracedValue i0(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::i0(t); });
}
TracedValue sinc(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::sinc(t); });
}
TracedValue silu(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::silu(t); });
}
TracedValue selu(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::selu(t); });
}
TracedValue mish(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::mish(t); });
}
TracedValue log_sigmoid(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::log_sigmoid(t); });
}
TracedValue relu6(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::relu6(t); });
}
TracedValue hardsigmoid(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::hardsigmoid(t); });
}
TracedValue hardswish(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::hardswish(t); });
}
TracedValue logical_not(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::logical_not(t); });
}
TracedValue isnan(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::isnan(t); });
}
TracedValue isinf(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::isinf(t); });
}
TracedValue isfinite(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::isfinite(t); });
}
TracedValue gelu(Value x, std::string_view approximate) {
  return of_one(x, [&](const Tensor& t) { return gradus::gelu(t, approximate); });
}
TracedValue softplus(Value x, const Scalar& beta, const Scalar& threshold) {
  return of_one(x, [&](const Tensor& t) { return gradus::softplus(t, beta, threshold); });
}
TracedValue elu(Value x, const Scalar& alpha) {
  return of_one(x, [&](const Tensor& t) { return gradus::elu(t, alpha); });
}
TracedValue celu(Value x, const Scalar& alpha) {
  return of_one(x, [&](const Tensor& t) { return gradus::celu(t, alpha); });
}
TracedValue leaky_relu(Value x, const Scalar& negative_slope) {
  return of_one(x, [&](const Tensor& t) { return gradus::leaky_relu(t, negative_slope); });
}
TracedValue hardtanh(Value x, const Scalar& low, const Scalar& high) {
  return of_one(x, [&](const Tensor& t) { return gradus::hardtanh(t, low, high); });
}
TracedValue hardshrink(Value x, const Scalar& lambda) {
  return of_one(x, [&](const Tensor& t) { return gradus::hardshrink(t, lambda); });
}
TracedValue softshrink(Value x, const Scalar& lambda) {
  return of_one(x, [&](const Tensor& t) { return gradus::softshrink(t, lambda); });
}
TracedValue threshold(Value x, const Scalar& threshold, const Scalar& value) {
  return of_one(x, [&](const Tensor& t) { return gradus::threshold(t, threshold, value); });
}
TracedValue logit(Value x) {
  return of_one(x, [](const Tensor& t) { return gradus::logit(t); });
}
TracedValue add(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x + y) { return x + y; });
}
TracedValue sub(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x - y) { return x - y; });
}
TracedValue mul(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x * y) { return x * y; });
}
TracedValue div(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x / y) { return x / y; });
}
TracedValue maximum(Value a, Value b) {
  return of_two(a, b,
                [](const auto& x, const auto& y) -> decltype(gradus::maximum(x, y)) { return gradus::maximum(x, y); });
}
TracedValue minimum(Value a, Value b) {
  return of_two(a, b,
                [](const auto& x, const auto& y) -> decltype(gradus::minimum(x, y)) { return gradus::minimum(x, y); });
}
TracedValue max(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::max(x, y)) { return gradus::max(x, y); });
}
TracedValue min(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::min(x, y)) { return gradus::min(x, y); });
}
TracedValue fmax(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::fmax(x, y)) { return gradus::fmax(x, y); });
}
TracedValue fmin(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::fmin(x, y)) { return gradus::fmin(x, y); });
}
TracedValue pow(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::pow(x, y)) { return gradus::pow(x, y); });
}
TracedValue fmod(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::fmod(x, y)) { return gradus::fmod(x, y); });
}
TracedValue remainder(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x % y) { return x % y; });
}
TracedValue copysign(Value a, Value b) {
  return of_two(
      a, b, [](const auto& x, const auto& y) -> decltype(gradus::copysign(x, y)) { return gradus::copysign(x, y); });
}
TracedValue atan2(Value a, Value b) {
  return of_two(a, b,
                [](const auto& x, const auto& y) -> decltype(gradus::atan2(x, y)) { return gradus::atan2(x, y); });
}
TracedValue hypot(Value a, Value b) {
  return of_two(a, b,
                [](const auto& x, const auto& y) -> decltype(gradus::hypot(x, y)) { return gradus::hypot(x, y); });
}
TracedValue logaddexp(Value a, Value b) {
  return of_two(
      a, b, [](const auto& x, const auto& y) -> decltype(gradus::logaddexp(x, y)) { return gradus::logaddexp(x, y); });
}
TracedValue xlogy(Value a, Value b) {
  return of_two(a, b,
                [](const auto& x, const auto& y) -> decltype(gradus::xlogy(x, y)) { return gradus::xlogy(x, y); });
}
TracedValue eq(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x == y) { return x == y; });
}
TracedValue ne(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x != y) { return x != y; });
}
TracedValue lt(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x < y) { return x < y; });
}
TracedValue le(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x <= y) { return x <= y; });
}
TracedValue gt(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x > y) { return x > y; });
}
TracedValue ge(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(x >= y) { return x >= y; });
}
TracedValue logical_and(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::logical_and(x, y)) {
    return gradus::logical_and(x, y);
  });
}
TracedValue logical_or(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::logical_or(x, y)) {
    return gradus::logical_or(x, y);
  });
}
TracedValue logical_xor(Value a, Value b) {
  return of_two(a, b, [](const auto& x, const auto& y) -> decltype(gradus::logical_xor(x, y)) {
    return gradus::logical_xor(x, y);
  });
}

TracedValue clamp(Value x, Value low, Value high) { return clamp_max(clamp_min(x, low), high); }
TracedValue clamp_min(Value x, Value low) {
  return of_two(x, low, [](const auto& a, const auto& b) -> decltype(gradus::clamp_min(a, b)) {
    return gradus::clamp_min(a, b);
  });
}
TracedValue clamp_max(Value x, Value high) {
  return of_two(x, high, [](const auto& a, const auto& b) -> decltype(gradus::clamp_max(a, b)) {
    return gradus::clamp_max(a, b);
  });
}
TracedValue lerp(Value a, Value b, Value weight) {
  if (a.is_number() && b.is_number() && weight.is_number()) {
    return number_of(gradus::lerp(tensor_of(a, kFloat64), tensor_of(b, kFloat64), weight.number()));
  }
  const DType dtype = floating_of(!a.is_number() ? a : !b.is_number() ? b : weight);
  const Tensor from = tensor_of(a, dtype), to = tensor_of(b, dtype);
  return TracedValue(weight.is_number() ? gradus::lerp(from, to, weight.number())
                                        : gradus::lerp(from, to, weight.tensor()));
}
TracedValue where(Value condition, Value a, Value b) {
  if (condition.is_number()) return condition.number().toBool() ? a : b;
  const Tensor& c = condition.tensor();
  if (a.is_number() && b.is_number()) return TracedValue(gradus::where(c, a.number(), b.number()));
  if (a.is_number()) return TracedValue(gradus::where(c, a.number(), b.tensor()));
  if (b.is_number()) return TracedValue(gradus::where(c, a.tensor(), b.number()));
  return TracedValue(gradus::where(c, a.tensor(), b.tensor()));
}

}  // namespace gradus::traced
