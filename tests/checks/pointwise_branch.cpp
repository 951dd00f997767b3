// Pointwise lambdas, each CASE but 0 with a mistake; what the compiler says then stands behind the number.
#include <algorithm>
#include <cmath>

#include <gradus/autograd/fused/lambda.h>

using namespace gradus;

#ifndef CASE
#define CASE 0
#endif

inline constexpr auto ramp = pointwise("ramp", [](auto x) {
#if CASE == 1
  // CASE 1: cannot branch on a value: write where(condition, a, b)
  if (x > 0) return x;
  return x * 0;
#elif CASE == 2
  // CASE 2: cannot branch on a value: write where(condition, a, b)
  return x > 0 ? x : x * 0;
#elif CASE == 3
  // CASE 3: cannot branch on a value: write where(condition, a, b)
  return where(x > 0 && x < 1, x, 0);
#elif CASE == 4
  // CASE 4: cannot branch on a value: write where(condition, a, b)
  return std::max(x, x * 2);
#else
  return where(x > 0, x, 0);
#endif
});

#if CASE == 5
// CASE 5: a pointwise lambda captures nothing: give it numbers as arguments
Tensor scaled(const Tensor& x, double by) {
  return pointwise("scaled", [by](auto t) { return t * by; })(x);
}
#elif CASE == 6
// CASE 6: a pointwise lambda has one to eight parameters
inline constexpr auto none = pointwise("none", [] { return 1; });
#elif CASE == 7
// CASE 7: a pointwise lambda takes each parameter as `auto`
inline constexpr auto half = pointwise("half", [](double x) { return x / 2; });
#elif CASE == 8
// CASE 8: calls functions by their names alone: exp(x), not std::exp(x)
inline constexpr auto e = pointwise("e", [](auto x) { return std::exp(x); });
#endif

Tensor use(const Tensor& x) { return ramp(x); }
