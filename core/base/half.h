// Float16 and bfloat16: numbers of 16 bits that are stored, and computed on in float32.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "export.h"

namespace gradus {

/// IEEE 754's binary16: 11 bits of precision, 65504 the largest, 2^-24 the smallest above 0.
struct Half {
  std::uint16_t x;  ///< the bits

  Half() noexcept = default;
  /// The nearest one, of two the even one; infinite beyond 65520. A double is rounded to float32 first, as PyTorch's.
  template <class T>
  requires std::is_arithmetic_v<T> Half(T value)
  noexcept : x(bits_of(static_cast<float>(value))) {}      // NOLINT
  operator float() const noexcept { return value_of(x); }  // NOLINT
  // Computed in float32 and rounded once.
  Half& operator+=(float other) noexcept { return *this = Half(static_cast<float>(*this) + other); }
  Half& operator-=(float other) noexcept { return *this = Half(static_cast<float>(*this) - other); }
  Half& operator*=(float other) noexcept { return *this = Half(static_cast<float>(*this) * other); }
  Half& operator/=(float other) noexcept { return *this = Half(static_cast<float>(*this) / other); }
  static constexpr Half from_bits(std::uint16_t bits) noexcept {
    Half half{};
    half.x = bits;
    return half;
  }

 private:
  GRADUS_API static std::uint16_t bits_of(float value) noexcept;
  GRADUS_API static float value_of(std::uint16_t bits) noexcept;
};

/// The upper half of a float32: 8 bits of precision, float32's range.
struct BFloat16 {
  std::uint16_t x;  ///< the bits

  BFloat16() noexcept = default;
  /// As a Half's.
  template <class T>
  requires std::is_arithmetic_v<T> BFloat16(T value)
  noexcept : x(bits_of(static_cast<float>(value))) {}      // NOLINT
  operator float() const noexcept { return value_of(x); }  // NOLINT
  // Computed in float32 and rounded once.
  BFloat16& operator+=(float other) noexcept { return *this = BFloat16(static_cast<float>(*this) + other); }
  BFloat16& operator-=(float other) noexcept { return *this = BFloat16(static_cast<float>(*this) - other); }
  BFloat16& operator*=(float other) noexcept { return *this = BFloat16(static_cast<float>(*this) * other); }
  BFloat16& operator/=(float other) noexcept { return *this = BFloat16(static_cast<float>(*this) / other); }
  static constexpr BFloat16 from_bits(std::uint16_t bits) noexcept {
    BFloat16 number{};
    number.x = bits;
    return number;
  }

 private:
  GRADUS_API static std::uint16_t bits_of(float value) noexcept;
  GRADUS_API static float value_of(std::uint16_t bits) noexcept;
};

template <class T>
concept StoredNumber = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

// Printed as the float32 that it is. (To any stream: this header does not read the standard's.)
template <class Stream>
requires requires(Stream& stream) { stream.flush(); }
Stream& operator<<(Stream& stream, Half value) {
  stream << static_cast<float>(value);
  return stream;
}
template <class Stream>
requires requires(Stream& stream) { stream.flush(); }
Stream& operator<<(Stream& stream, BFloat16 value) {
  stream << static_cast<float>(value);
  return stream;
}

namespace core {

/// What float16 and bfloat16 have in common: `Digits` of two, exponents below `MaxExponent`.
template <class T, int Digits, int MaxExponent>
struct LimitsOf {
  static constexpr bool is_specialized = true, is_signed = true, is_integer = false, is_exact = false;
  static constexpr bool has_infinity = true, has_quiet_NaN = true, has_signaling_NaN = true, is_iec559 = true;
  static constexpr bool is_bounded = true, is_modulo = false, traps = false, tinyness_before = false;
  static constexpr std::float_denorm_style has_denorm = std::denorm_present;
  static constexpr bool has_denorm_loss = false;
  static constexpr std::float_round_style round_style = std::round_to_nearest;
  static constexpr int radix = 2, digits = Digits, digits10 = (Digits - 1) * 301 / 1000,
                       max_digits10 = Digits * 301 / 1000 + 2;
  static constexpr int max_exponent = MaxExponent, min_exponent = 3 - MaxExponent;
  static constexpr int max_exponent10 = max_exponent * 301 / 1000, min_exponent10 = (min_exponent - 1) * 301 / 1000;
  static constexpr T min() noexcept { return T::from_bits(std::uint16_t{1} << (Digits - 1)); }
  static constexpr T max() noexcept { return T::from_bits(static_cast<std::uint16_t>(infinity().x - 1)); }
  static constexpr T lowest() noexcept { return T::from_bits(static_cast<std::uint16_t>(max().x | 0x8000)); }
  static constexpr T epsilon() noexcept {
    return T::from_bits(static_cast<std::uint16_t>((MaxExponent - Digits) << (Digits - 1)));
  }
  static constexpr T round_error() noexcept {
    return T::from_bits(static_cast<std::uint16_t>((MaxExponent - 2) << (Digits - 1)));
  }
  static constexpr T infinity() noexcept {
    return T::from_bits(static_cast<std::uint16_t>((2 * MaxExponent - 1) << (Digits - 1)));
  }
  static constexpr T quiet_NaN() noexcept {
    return T::from_bits(static_cast<std::uint16_t>(infinity().x | (1 << (Digits - 2))));
  }
  static constexpr T signaling_NaN() noexcept {
    return T::from_bits(static_cast<std::uint16_t>(infinity().x | (1 << (Digits - 3))));
  }
  static constexpr T denorm_min() noexcept { return T::from_bits(1); }
};

}  // namespace core
}  // namespace gradus

namespace std {

template <>
class numeric_limits<gradus::Half> : public gradus::core::LimitsOf<gradus::Half, 11, 16> {};
template <>
class numeric_limits<gradus::BFloat16> : public gradus::core::LimitsOf<gradus::BFloat16, 8, 128> {};

}  // namespace std
