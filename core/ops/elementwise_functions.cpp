// Functions of elementwise.h, number by number.
#include <cmath>
#include <limits>

#include "elementwise.h"

namespace gradus::core {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

/// 1 / (k (k + order)).
template <int order>
struct Steps {
  constexpr Steps() {
    for (int k = 1; k < 128; ++k) of[k] = 1.0 / (static_cast<double>(k) * (k + order));
  }
  double of[128] = {};
};
/// The sum of t^k / (k! (k + order)!) over k, t = x^2 / 4: what the series of I_order is made of.
template <int order>
double bessel_series(double x) noexcept {
  static constexpr Steps<order> steps;
  const double t = x * x / 4;
  double term = 1, sum = 1;
  for (int k = 1; k < 128 && term > sum * 1e-17; ++k) {
    term *= t * steps.of[k];
    sum += term;
  }
  return sum;
}
/// I_order(x) sqrt(2 pi x) exp(-x) for large x (Abramowitz and Stegun, 9.7.1), as long as the terms shrink.
double bessel_far(double x, int order) noexcept {
  const double mu = 4.0 * order * order;
  double term = 1, sum = 1;
  for (int k = 1; k < 60; ++k) {
    const double odd = 2.0 * k - 1, next = -term * (mu - odd * odd) / (k * 8 * x);
    if (std::fabs(next) >= std::fabs(term)) break;
    term = next;
    sum += term;
    if (std::fabs(term) < 1e-17 * sum) break;
  }
  return sum;
}
double bessel_i(double x, int order) noexcept {
  const double size = std::fabs(x);
  if (std::isnan(x)) return x;
  if (size <= 30) return order == 0 ? bessel_series<0>(x) : x / 2 * bessel_series<1>(x);
  if (size == kInfinity) return order == 0 ? kInfinity : x;
  const double half = std::exp(size / 2);  // whole, it overflows before the result does
  const double value = half * (bessel_far(size, order) / std::sqrt(2 * 3.14159265358979323846 * size)) * half;
  return order == 1 && x < 0 ? -value : value;
}

}  // namespace

double i0_of(double x) noexcept { return bessel_i(x, 0); }
float i0_of(float x) noexcept { return static_cast<float>(bessel_i(static_cast<double>(x), 0)); }
double i1_of(double x) noexcept { return bessel_i(x, 1); }
float i1_of(float x) noexcept { return static_cast<float>(bessel_i(static_cast<double>(x), 1)); }

namespace {

/// Giles' approximation (2010), to the digits of float32.
double erfinv_near(double size) noexcept {
  double w = -std::log((1 - size) * (1 + size)), p = 0;
  if (w < 5) {
    w -= 2.5;
    for (const double c : {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                           -0.00125372503, -0.00417768164, 0.246640727, 1.50140941})
      p = p * w + c;
  } else {
    w = std::sqrt(w) - 3;
    for (const double c : {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
                           0.00943887047, 1.00167406, 2.83297682})
      p = p * w + c;
  }
  return p * size;
}

}  // namespace

float erfinv_of(float x) noexcept {
  const float size = std::fabs(x);
  if (!(size <= 1)) return std::numeric_limits<float>::quiet_NaN();
  if (size == 1) return std::copysign(std::numeric_limits<float>::infinity(), x);
  return std::copysign(static_cast<float>(erfinv_near(static_cast<double>(size))), x);
}
/// Two steps of Newton's method more, on erf, or on erfc near the ends.
double erfinv_of(double x) noexcept {
  const double size = std::fabs(x);
  if (!(size <= 1)) return kNan;
  if (size == 1) return std::copysign(kInfinity, x);
  double y = erfinv_near(size);
  for (int step = 0; step < 2; ++step) {
    const double error = size < 0.5 ? std::erf(y) - size : (1 - size) - std::erfc(y);
    y -= error / (1.128379167095512573896 * std::exp(-y * y));
  }
  return std::copysign(y, x);
}

double entr_of(double x) noexcept { return x > 0 ? -x * std::log(x) : x == 0 ? 0 : x < 0 ? -kInfinity : x; }
float entr_of(float x) noexcept {
  return x > 0 ? -x * std::log(x) : x == 0 ? 0 : x < 0 ? -std::numeric_limits<float>::infinity() : x;
}

double xlog1py_of(double x, double y) noexcept {
  if (std::isnan(y)) return y;
  return x == 0 ? 0 : x * std::log1p(y);
}
float xlog1py_of(float x, float y) noexcept {
  if (std::isnan(y)) return y;
  return x == 0 ? 0 : x * std::log1p(y);
}

double logaddexp2_of(double a, double b) noexcept {
  if (a == b) return a + 1;  // infinite ones, too
  if (std::isnan(a) || std::isnan(b)) return kNan;
  return std::fmax(a, b) + std::log1p(std::exp2(-std::fabs(a - b))) * 1.44269504088896340736;
}
float logaddexp2_of(float a, float b) noexcept {
  return static_cast<float>(logaddexp2_of(static_cast<double>(a), static_cast<double>(b)));
}

}  // namespace gradus::core
