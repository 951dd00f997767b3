#include "special.h"

#include <math.h>

#include <cmath>
#include <limits>

#include "../base/floating.h"
#include "pointwise_call.h"

namespace gradus::core {
namespace {

constexpr double kPi = 3.14159265358979323846, kInfinity = std::numeric_limits<double>::infinity(),
                 kNan = std::numeric_limits<double>::quiet_NaN();

/// Hurwitz's zeta(s, q), the sum of (q + k)^-s over k >= 0, for a whole s >= 2: terms until q + k >= 12 + s, the rest by
/// Euler and Maclaurin, whose terms are B_2j / (2j)! s (s + 1) ... (s + 2j - 2) (q + k)^(-s - 2j + 1).
double zeta(int s, double q) noexcept {
  const auto inverse_power = [](double x, int exponent) {
    double power = x;
    for (int k = 1; k < exponent; ++k) power *= x;
    return 1 / power;
  };
  if (std::isnan(q)) return kNan;
  if (q == kInfinity) return 0;
  if (q <= 0 && q == std::floor(q)) return kInfinity;
  if (q < -1e5) return kNan;  // a term each for what lies between q and 0
  double sum = 0;
  for (; q < 12 + s; q += 1) sum += inverse_power(q, s);
  constexpr double kBernoulli[] = {1.0 / 6,  -1.0 / 30,     1.0 / 42, -1.0 / 30,
                                   5.0 / 66, -691.0 / 2730, 7.0 / 6,  -3617.0 / 510};
  const double power = inverse_power(q, s);
  sum += inverse_power(q, s - 1) / (s - 1) + power / 2;
  double factor = s, rest = power / q;  // s ... (s + 2j - 2) / (2j)! and q^(-s - 2j + 1)
  factor /= 2;
  for (int j = 1; j <= 8; ++j) {
    sum += kBernoulli[j - 1] * factor * rest;
    factor *= (s + 2.0 * j - 1) * (s + 2.0 * j) / ((2.0 * j + 1) * (2.0 * j + 2));
    rest /= q * q;
  }
  return sum;
}

template <class T>
void polygamma_of_each(void* out, const void* const* in, std::size_t n, const void* order) {
  for (std::size_t i = 0; i < n; ++i) {
    const T x = static_cast<const T*>(in[0])[i];
    static_cast<T*>(out)[i] = static_cast<T>(polygamma_of(*static_cast<const int*>(order), static_cast<double>(x)));
  }
}

}  // namespace

float lgamma_of(float x) noexcept {
  int gamma_sign;
  return ::lgammaf_r(x, &gamma_sign);
}
double lgamma_of(double x) noexcept {
  int gamma_sign;
  return ::lgamma_r(x, &gamma_sign);
}

double digamma_of(double x) noexcept {
  if (x == 0) return std::copysign(kInfinity, -x);
  double result = 0;
  if (x < 0) {
    if (x == std::floor(x)) return kNan;
    // psi(x) = psi(1 - x) - pi cot(pi x), of the fraction, which the tangent takes exactly
    result = -kPi / std::tan(kPi * (x - std::round(x)));
    x = 1 - x;
  }
  for (; x < 10; x += 1) result -= 1 / x;
  if (x == kInfinity) return result + x;
  // log x - 1 / (2 x) - sum of B_2k / (2 k x^2k) (Abramowitz and Stegun, 6.3.18)
  const double y = 1 / (x * x);
  const double tail =
      y *
      (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 - y * (691.0 / 32760 - y / 12))))));
  return result + std::log(x) - 0.5 / x - tail;
}
float digamma_of(float x) noexcept { return static_cast<float>(digamma_of(static_cast<double>(x))); }

double polygamma_of(int n, double x) noexcept {
  if (n == 1 && x < 0 && x != std::floor(x)) {  // psi'(x) + psi'(1 - x) = (pi / sin(pi x))^2
    const double sine = std::sin(kPi * (x - std::round(x)));
    return kPi * kPi / (sine * sine) - zeta(2, 1 - x);
  }
  double factorial = 1;
  for (int k = 2; k <= n; ++k) factorial *= k;
  return (n % 2 == 1 ? 1 : -1) * factorial * zeta(n + 1, x);
}

double logaddexp_of(double a, double b) noexcept {
  if (a == b) return a + 0.693147180559945309417;  // infinite ones, too
  const double high = std::fmax(a, b), low = std::fmin(a, b);
  return std::isnan(a) || std::isnan(b) ? kNan : high + std::log1p(std::exp(low - high));
}
float logaddexp_of(float a, float b) noexcept {
  return static_cast<float>(logaddexp_of(static_cast<double>(a), static_cast<double>(b)));
}
double xlogy_of(double x, double y) noexcept { return x == 0 && !std::isnan(y) ? 0 : x * std::log(y); }
float xlogy_of(float x, float y) noexcept { return x == 0 && !std::isnan(y) ? 0 : x * std::log(y); }

Array polygamma(int n, const Array& x) {
  const Operand operand = x;
  PointwiseCall call("polygamma", {&operand});
  const DType dtype = floating(x.dtype()), compute = compute_dtype(dtype);
  call.set(compute == kFloat32 ? polygamma_of_each<float> : polygamma_of_each<double>, compute, dtype, &n, sizeof n);
  call.read(operand, compute);
  call.loop.block = 1024;  // an element takes some hundred nanoseconds
  return call.run();
}

}  // namespace gradus::core
