// How far vectorised functions are from the truth, in units of the last place: what the table in core/ops/pointwise.h says,
// what tests/core/test_math.cpp asserts and what tests/programs/ulp_table.cpp prints.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gradus/core/nn/activation.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/pointwise.h>

#include "instruction_set.h"
#include "sanitized.h"

namespace gradus::test {

using Real = long double;

struct MathFunction {
  std::string name;
  std::function<core::Array(const core::Array&)> call;
  Real (*exact)(Real);
  std::vector<double> landmarks;  ///< where the code branches, or the result over- or underflows
};

namespace exact {
// Numbers with more digits than long double has on x86; where there is no such type, long double has them itself.
#if defined(__SIZEOF_FLOAT128__)
__extension__ typedef __float128 Wide;
#else
using Wide = long double;
#endif
inline Real logistic(Real x) { return 1 / (1 + std::exp(-x)); }
inline Real reciprocal(Real x) { return 1 / x; }
inline Real reciprocal_root(Real x) { return 1 / std::sqrt(x); }
inline Real silu(Real x) { return std::isinf(x) ? (x > 0 ? x : -0.0L) : x / (1 + std::exp(-x)); }
inline Real softplus(Real x) { return std::max(x, 0.0L) + std::log1p(std::exp(-std::abs(x))) + (x - x); }
inline Real softplus_of(Real x) {
  if (std::isinf(x)) return x > 0 ? x : 0;
  return x > 20 ? x : softplus(x);  // 20: PyTorch's default threshold
}
inline Real gelu(Real x) {
  if (!(std::abs(x) < 60)) return x < 0 ? -0.0L : x;
  const Real z = -x * std::sqrt(0.5L);
  // erfc reads a rounded z: what that lost matters to exp(-z^2).
  const auto lost =
      static_cast<Real>(static_cast<Wide>(x) * static_cast<Wide>(x) / 2 - static_cast<Wide>(z) * static_cast<Wide>(z));
  return x * (z > 0 ? std::erfc(z) * std::exp(-lost) : std::erfc(z)) / 2;
}
inline Real gelu_tanh(Real x) {
  if (!(std::abs(x) < 60)) return x < 0 ? -0.0L : x;
  // 2 sqrt(2 / pi) in two parts.
  const Wide k =
      static_cast<Wide>(1.5957691216057307117597842397375274738L) +
      static_cast<Wide>(5.351177755720478e-20L) * (sizeof(Real) == 16 && std::numeric_limits<Real>::digits == 64);
  const Wide c = static_cast<Wide>(44715) / 1000000, w = static_cast<Wide>(x);
  const Wide v = k * w * (1 + c * w * w);
  const auto high = static_cast<Real>(v);
  const auto low = static_cast<Real>(v - static_cast<Wide>(high));
  return x / (1 + std::exp(-high) * (1 - low));
}
}  // namespace exact

inline const std::vector<MathFunction>& math_functions() {
  static const std::vector<MathFunction> all = {
      {"exp", core::exp, std::exp, {-104, -103.97, -87.3, 86, 88.72, 89, 0.3466, -745.13, -708.4, 709.78, 710}},
      {"exp2", core::exp2, std::exp2, {-150, -126, 127, 128, 0.5, -1075, -1022, 1024, 1025}},
      {"expm1", core::expm1, std::expm1, {-18, -17.4, 88.72, 88.9, 0.3466, 1.04, -38, 709.78}},
      {"log", core::log, std::log, {1, 0.70710678, 1.41421356, 1.17549435e-38, 2.2250738585072014e-308}},
      {"log1p", core::log1p, std::log1p, {-1, -0.29289, 0.41421356, 1, 16777216, 1e-16, 1.1e-16}},
      {"log2", core::log2, std::log2, {1, 0.70710678, 1.41421356, 2, 0.5, 1.17549435e-38}},
      {"log10", core::log10, std::log10, {1, 0.70710678, 1.41421356, 10, 0.1, 1.17549435e-38}},
      {"sin", core::sin, std::sin, {0.78539816, 1.57079633, 3.14159265, 6.2831853, 1048576}},
      {"cos", core::cos, std::cos, {0.78539816, 1.57079633, 3.14159265, 6.2831853, 1048576}},
      {"tanh",
       core::tanh,
       std::tanh,
       {9.02, 10, 0.125, 0.1733, 0.52, 1.25, 1.75, 2.5, 7, 12, 19.1, 22, 7.45e-9, 1.0842e-19}},
      {"sigmoid", core::sigmoid, exact::logistic, {-104, -87.3, -86, 16.6, 88.7, -745, -708, 36.7}},
      {"erf", core::erf, std::erf, {1, 3.9, 4, 5.9, 6}},
      {"sqrt", core::sqrt, std::sqrt, {}},
      {"rsqrt", core::rsqrt, exact::reciprocal_root, {}},
      {"reciprocal", core::reciprocal, exact::reciprocal, {}},
      {"gelu",
       [](const core::Array& x) { return core::gelu(x); },
       exact::gelu,
       {5.95703125, 13, 14, 14.6, 37, 38.5, 38.7, 4, 1}},
      {"gelu_tanh",
       [](const core::Array& x) { return core::gelu(x, true); },
       exact::gelu_tanh,
       {10, 10.5, 20.8, 21, 22, 4, 1}},
      {"silu", [](const core::Array& x) { return core::silu(x); }, exact::silu, {-104, -87.3, -108, -110, -708, -752}},
      {"softplus",
       [](const core::Array& x) { return core::softplus(x); },
       exact::softplus_of,
       {20, -104, -87.3, 1, -708, -745}},
  };
  return all;
}

/// The distance from the exact value, in units of the last place that T has there. `got` must be special where the exact
/// value is.
template <class T>
double ulps(T got, Real exact) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : HUGE_VAL;
  if (std::isnan(got)) return HUGE_VAL;
  using Limits = std::numeric_limits<T>;
  const T nearest = static_cast<T>(exact);
  if (got == nearest && std::signbit(got) == std::signbit(nearest) && (exact == 0 || std::isinf(exact))) return 0;
  if ((exact == 0 || got == 0) && std::signbit(got) != std::signbit(exact)) return HUGE_VAL;
  if (std::isinf(exact)) return HUGE_VAL;
  int exponent = 0;
  std::frexp(exact, &exponent);
  const Real unit = std::ldexp(1.0L, std::max(exponent - Limits::digits, Limits::min_exponent - Limits::digits));
  // Infinity stands for the number that would come next.
  const Real value = std::isinf(got) ? std::copysign(std::ldexp(1.0L, Limits::max_exponent), static_cast<Real>(got))
                                     : static_cast<Real>(got);
  const Real distance = std::abs(value - exact) / unit;
  if (std::isinf(got) && std::isinf(nearest)) return 0;
  return static_cast<double>(distance);
}

/// Bit patterns over all of T, of both signs, and the neighbourhoods of landmarks. `density`: more of everything.
template <class T>
std::vector<T> math_samples(const MathFunction& f, int density = 1) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr int mantissa_bits = std::numeric_limits<T>::digits - 1, exponents = sizeof(T) == 4 ? 256 : 2048;
  constexpr T infinity = std::numeric_limits<T>::infinity();
  std::vector<T> all;
  std::uint64_t state = 88172645463325252u;  // Marsaglia's xorshift
  const auto random = [&] {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
  };
  for (int i = 0; i < 200000 * density; ++i) all.push_back(std::bit_cast<T>(static_cast<Bits>(random())));
  for (int exponent = 0; exponent < exponents; ++exponent) {
    constexpr Bits one = 1, top = one << (mantissa_bits - 1), full = (one << mantissa_bits) - 1;
    for (Bits mantissa : {Bits{0}, one, top - 1, top, full - 1, full}) {
      const Bits bits = static_cast<Bits>(exponent) << mantissa_bits | mantissa;
      all.push_back(std::bit_cast<T>(bits));
      all.push_back(-std::bit_cast<T>(bits));
    }
  }
  for (T x : {T{0}, -T{0}, T{1}, T{-1}, infinity, -infinity, std::numeric_limits<T>::quiet_NaN()}) all.push_back(x);
  std::vector<double> around = f.landmarks;
  around.push_back(0);
  for (double landmark : around) {
    for (T sign : {T{1}, T{-1}}) {
      T up = sign * static_cast<T>(landmark), down = up;
      for (int i = 0; i < 500 * density; ++i) {
        all.push_back(up);
        all.push_back(down);
        up = std::nextafter(up, infinity);
        down = std::nextafter(down, -infinity);
      }
    }
  }
  // The range where most of the world's numbers are, densely; and where exponentials are neither 0 nor infinite.
  const int n = 100000 * density;
  const T wide = sizeof(T) == 4 ? T{110} : T{760};
  for (int i = -n; i <= n; ++i) {
    all.push_back(static_cast<T>(i) * 20 / static_cast<T>(n));
    all.push_back(static_cast<T>(i) * wide / static_cast<T>(n));
  }
  std::vector<T> kept;
  for (std::size_t i = 0; i < all.size(); i += kStride) kept.push_back(all[i]);
  return kept;
}

template <class T>
core::Array math_array(const std::vector<T>& values) {
  return core::from_data(values.data(), {static_cast<std::int64_t>(values.size())}, dtype_of<T>);
}

struct WorstError {
  double ulp = 0, at = 0, got = 0, exact = 0;
};
template <class T>
WorstError worst_error(const MathFunction& f, const std::vector<T>& x, const std::vector<Real>& exact) {
  const core::Array y = f.call(math_array(x));
  const T* got = y.data_ptr<T>();
  WorstError worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = ulps(got[i], exact[i]);
    if (error > worst.ulp) {
      worst = {error, static_cast<double>(x[i]), static_cast<double>(got[i]), static_cast<double>(exact[i])};
    }
  }
  return worst;
}

/// The bounds that a source file documents: name -> (float32, float64), from the lines "//   name  1.0  1.0" below the
/// one that says "float32  float64".
inline std::map<std::string, std::pair<double, double>> documented_bounds(const std::string& file) {
  std::map<std::string, std::pair<double, double>> bounds;
  std::ifstream in(file);
  std::string line, slashes, name;
  bool inside = false;
  while (std::getline(in, line)) {
    if (line.find("float32") != std::string::npos && line.find("float64 ULP") != std::string::npos) {
      inside = true;
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line);
    double single = 0, twice = 0;
    if (!(words >> slashes >> name >> single >> twice)) break;
    bounds[name] = {single, twice};
  }
  return bounds;
}

}  // namespace gradus::test
