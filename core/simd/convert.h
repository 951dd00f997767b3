// Conversions of contiguous numbers in whole vectors: internal to core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "../base/half.h"

namespace gradus::core::kernels {

// Float16 and bfloat16 by the rules of core/base/half_bits.h, to the bit, whatever the instruction set.
void convert(float* to, const Half* from, std::size_t n);
void convert(Half* to, const float* from, std::size_t n);
void convert(float* to, const BFloat16* from, std::size_t n);
void convert(BFloat16* to, const float* from, std::size_t n);
/// By `truncated`.
void convert(std::int32_t* to, const float* from, std::size_t n);
void convert(std::int64_t* to, const float* from, std::size_t n);
void convert(std::int32_t* to, const double* from, std::size_t n);
void convert(std::int64_t* to, const double* from, std::size_t n);
/// Anything but 0 is true, NaN too.
void convert(bool* to, const std::int32_t* from, std::size_t n);
void convert(bool* to, const std::int64_t* from, std::size_t n);
void convert(bool* to, const float* from, std::size_t n);
void convert(bool* to, const double* from, std::size_t n);

template <class To, class From>
concept HasConversionKernel = requires(To* to, const From* from) {
  convert(to, from, std::size_t{});
};

/// A floating number towards zero, wrapped around where To is narrower than 64 bits. What int64 cannot hold becomes its least
/// value: the language leaves that open; here it is the same on every machine, in every loop.
template <class To, class From>
To truncated(From value) {
  constexpr From limit = static_cast<From>(std::int64_t{1} << 62) * 2;
  const bool fits = value >= -limit && value < limit;
  return static_cast<To>(fits ? static_cast<std::int64_t>(value) : std::numeric_limits<std::int64_t>::min());
}

}  // namespace gradus::core::kernels
