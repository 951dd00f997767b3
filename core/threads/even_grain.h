// How finely a parallel loop is cut: internal to core.
#pragma once

#include <cstdint>

namespace gradus::core {

/// The least whole number of blocks of b that holds a.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The grain for n > 0 indices of equal work, at most `most` but for rounding up to a multiple of `unit`: a loop of
/// several blocks has a multiple of four of them, about equally long, so that neither two threads nor four wait for one
/// that has a block more. It follows from n alone, as what a block computes must.
constexpr std::int64_t even_grain(std::int64_t n, std::int64_t most, std::int64_t unit = 1) {
  if (n <= most) return n;
  const std::int64_t blocks = ((n - 1) / most / 4 + 1) * 4;
  return ((n - 1) / blocks / unit + 1) * unit;
}

}  // namespace gradus::core
