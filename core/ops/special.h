// Functions of one number, or of two, that the C library lacks or does not give safely to several threads.
#pragma once

#include "../array/array.h"

namespace gradus::core {

/// log |Gamma(x)|; infinite at 0 and the negative integers.
GRADUS_API float lgamma_of(float x) noexcept;
GRADUS_API double lgamma_of(double x) noexcept;
/// psi(x) = Gamma'(x) / Gamma(x); infinite, with the sign of -x, at 0, and NaN at the negative integers.
GRADUS_API float digamma_of(float x) noexcept;
GRADUS_API double digamma_of(double x) noexcept;
/// The n-th derivative of psi (n >= 1): (-1)^(n+1) n! zeta(n + 1, x), zeta being Hurwitz's, by the Euler-Maclaurin formula
/// (Abramowitz and Stegun, 6.4.10 and 23.2.9). Infinite at 0 and the negative integers; NaN below -1e5 for n > 1.
GRADUS_API double polygamma_of(int n, double x) noexcept;
/// log(exp(a) + exp(b)).
GRADUS_API float logaddexp_of(float a, float b) noexcept;
GRADUS_API double logaddexp_of(double a, double b) noexcept;
/// x log(y), 0 where x is 0 and y is not NaN.
GRADUS_API float xlogy_of(float x, float y) noexcept;
GRADUS_API double xlogy_of(double x, double y) noexcept;

/// polygamma_of each element; integers become float32.
GRADUS_API Array polygamma(int n, const Array& x);

}  // namespace gradus::core
