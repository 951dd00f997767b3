// The conversions of float16 and bfloat16, without a branch that loops would mind. For the library's own sources.
#pragma once

#include <bit>
#include <cstdint>

namespace gradus::core {

/// To the nearest, of two to the even one; what is beyond the largest becomes infinite, NaN stays NaN.
inline std::uint16_t half_bits(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t size = bits & 0x7fffffffu, sign = (bits ^ size) >> 16;
  // Below 2^-14 the last place is 2^-24, which is that of float32 from 0.5 to 1: the addition rounds.
  const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) + 0.5f) - 0x3f000000u;
  const std::uint32_t normal = (size - 0x38000000u + 0xfffu + (size >> 13 & 1u)) >> 13;
  const std::uint32_t special = size > 0x7f800000u ? 0x7e00u : 0x7c00u;
  const std::uint32_t rounded = size < 0x38800000u ? small : size < 0x47800000u ? normal : special;
  return static_cast<std::uint16_t>(sign | rounded);
}
inline float half_value(std::uint16_t bits) noexcept {
  const std::uint32_t size = (bits & 0x7fffu) << 13, sign = (bits & 0x8000u) << 16u;
  const std::uint32_t exponent = size & 0x0f800000u;
  const std::uint32_t normal = size + 0x38000000u, special = size + 0x70000000u;
  const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size + 0x38800000u) - 0x1p-14f);
  const std::uint32_t wide = exponent == 0 ? small : exponent == 0x0f800000u ? special : normal;
  return std::bit_cast<float>(sign | wide);
}
inline std::uint16_t bfloat16_bits(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16, nan = (bits >> 16 & 0x8000u) | 0x7fc0u;
  return static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}
inline float bfloat16_value(std::uint16_t bits) noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace gradus::core
