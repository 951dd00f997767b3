// How the losses of single elements become one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradus {

/// Leave them as they are, take their mean (which each loss defines), or add them up.
enum class Reduction : std::uint8_t { None, Mean, Sum };
inline constexpr Reduction kNone = Reduction::None, kMean = Reduction::Mean, kSum = Reduction::Sum;

constexpr std::string_view to_string(Reduction reduction) {
  constexpr std::string_view names[] = {"none", "mean", "sum"};
  return names[static_cast<int>(reduction)];
}

inline std::string text_of(Reduction reduction) { return std::string(to_string(reduction)); }

}  // namespace gradus
