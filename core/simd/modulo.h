// Remainders and whole quotients, number by number: internal to core.
#pragma once

#include <cmath>
#include <type_traits>

namespace gradus::core::kernels {

/// The remainder with the sign of the dividend. A divisor of 0 is refused before any kernel runs.
template <class T>
inline T fmod_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;  // the least integer divided by -1 traps
    }
    return b == 0 ? T{0} : static_cast<T>(a % b);
  }
}

/// The remainder with the sign of the divisor, as Python's.
template <class T>
inline T remainder_of(T a, T b) {
  const T r = fmod_of(a, b);
  return r != 0 && ((r < 0) != (b < 0)) ? static_cast<T>(r + b) : r;
}

/// The quotient cut off, and rounded down. Of floating-point numbers the latter is what the exact quotient gives, which a
/// rounded one may lie above.
template <class T>
inline T trunc_divide_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::trunc(a / b);
  } else {
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return static_cast<T>(-static_cast<std::make_unsigned_t<T>>(a));  // the least integer stays
    }
    return b == 0 ? T{0} : static_cast<T>(a / b);
  }
}
template <class T>
inline T floor_divide_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (b == 0) return a / b;
    const T rest = std::fmod(a, b), whole = (a - rest) / b,
            down = rest != 0 && ((b < 0) != (rest < 0)) ? whole - 1 : whole;
    if (down == 0) return std::copysign(T{0}, a / b);
    const T floor = std::floor(down);
    return down - floor > static_cast<T>(0.5) ? floor + 1 : floor;
  } else {
    const T quotient = trunc_divide_of(a, b), rest = fmod_of(a, b);
    return rest != 0 && ((rest < 0) != (b < 0)) ? static_cast<T>(quotient - 1) : quotient;
  }
}
/// The whole number q that `rest`, one of the remainders of floating-point numbers, is a - q b with: of infinite ones, too,
/// and where rest has been rounded to b. Never -0.
template <class T>
requires std::is_floating_point_v<T>
inline T quotient_of(T a, T b, T rest) {
  // Of float32 in float64, which has room for the digits of all but the largest.
  const auto u = static_cast<double>(a), v = static_cast<double>(b), r = static_cast<double>(rest);
  return static_cast<T>(std::rint(u / v - (r == v ? 1.0 : r / v)));
}
/// Of integers they are the quotients above.
template <class T>
inline T fmod_quotient_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return quotient_of(a, b, fmod_of(a, b));
  } else {
    return trunc_divide_of(a, b);
  }
}
template <class T>
inline T remainder_quotient_of(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return quotient_of(a, b, remainder_of(a, b));
  } else {
    return floor_divide_of(a, b);
  }
}

}  // namespace gradus::core::kernels
