// Sizes of pooled blocks: multiples of 64 bytes up to 1 KiB, then eight sizes to each doubling, so that a block is at
// most an eighth larger than what was asked for.
#pragma once

#include <bit>
#include <cstddef>

namespace gradus::core {

inline constexpr std::size_t kGranule = 64;
inline constexpr std::size_t kMaxSmallBytes = std::size_t{64} << 10;

/// The class of the smallest size that holds `bytes`.
constexpr int size_class(std::size_t bytes) noexcept {
  const std::size_t last = (bytes - (bytes != 0)) / kGranule;  // index of the last granule
  const int shift = static_cast<int>(std::bit_width(last | 8)) - 4;
  return static_cast<int>((static_cast<std::size_t>(shift) << 3) + (last >> shift));
}
/// How many bytes a block of a class has.
constexpr std::size_t size_of_class(int size_class) noexcept {
  const int shift = size_class < 16 ? 0 : (size_class >> 3) - 1;
  const auto mantissa = static_cast<std::size_t>(size_class - (shift << 3));
  return ((mantissa + 1) << shift) * kGranule;
}

inline constexpr int kSmallClasses = size_class(kMaxSmallBytes) + 1;
inline constexpr int kSizeClasses = size_class(~std::size_t{0} >> 1) + 1;

static_assert(size_of_class(size_class(1)) == 64 && size_of_class(size_class(65)) == 128);
static_assert(size_of_class(size_class(1025)) == 1152 && size_of_class(kSmallClasses - 1) == kMaxSmallBytes);

}  // namespace gradus::core
