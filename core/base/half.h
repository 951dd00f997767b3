// Float16 and bfloat16: numbers of 16 bits that are stored, and computed on in float32.
#pragma once

#include <cstdint>
#include <type_traits>

#include "export.h"

namespace gradus {

/// IEEE 754's binary16: 11 bits of precision, 65504 the largest, 2^-24 the smallest above 0.
struct Half {
  std::uint16_t x;  ///< the bits

  Half() noexcept = default;
  /// The nearest one, of two the even one; infinite beyond 65520. A double is rounded to float32 first, as PyTorch's.
  template <class T>
  requires std::is_arithmetic_v<T> Half(T value) noexcept : x(bits_of(static_cast<float>(value))) {}  // NOLINT
  operator float() const noexcept { return value_of(x); }                                             // NOLINT
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
  requires std::is_arithmetic_v<T> BFloat16(T value) noexcept : x(bits_of(static_cast<float>(value))) {}  // NOLINT
  operator float() const noexcept { return value_of(x); }                                                 // NOLINT
  static constexpr BFloat16 from_bits(std::uint16_t bits) noexcept {
    BFloat16 number{};
    number.x = bits;
    return number;
  }

 private:
  GRADUS_API static std::uint16_t bits_of(float value) noexcept;
  GRADUS_API static float value_of(std::uint16_t bits) noexcept;
};

}  // namespace gradus
