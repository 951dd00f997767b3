// Index arrays: what their entries are, and sums at the places that they name. Internal to core.
#pragma once

#include <bit>
#include <cstdint>

namespace gradus::core::kernels {

/// What an index along a dimension of a size may hold that takes more than reading it.
struct OddPlaces {
  bool negative;  ///< an entry counts from the end
  bool outside;   ///< an entry is outside [-size, size)
};
OddPlaces odd_places(const std::int64_t* index, std::int64_t n, std::int64_t size);

/// sums[index[i]] += values[i] for i < n, in this order.
void add_at(double* sums, const std::int64_t* index, const float* values, std::int64_t n);

/// Of n entries of an index those that name places [first, first + size), in order: their places, counted from the first, and
/// their payloads, four bytes each of whatever type, n of which begin at `all`. How many; both have room for n, where what lies
/// behind those found may be overwritten. No place is beyond the last uint32.
std::int64_t places_within(std::uint32_t* places, std::uint32_t* payloads, const std::int64_t* index, const void* all,
                           std::int64_t n, std::int64_t first, std::int64_t size);

/// wide[i] = x[i] for i < n. False when some may come back with other bits though they are the same number: NaN, which is quiet
/// then, and subnormal numbers, which a processor can be told to take for 0.
bool widen(double* wide, const float* x, std::int64_t n);
inline bool changes_when_widened(float x) {
  const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(x) & 0x7fffffffu;
  return magnitude > 0x7f800000u || magnitude - 1 < 0x007fffffu;
}
/// x[i] = wide[i], rounded, for i < n.
void narrow(float* x, const double* wide, std::int64_t n);
/// The same for one, which keeps its bits where it is what was widened.
inline float narrowed_if_changed(float x, double wide) {
  const bool same = std::bit_cast<std::uint64_t>(static_cast<double>(x)) == std::bit_cast<std::uint64_t>(wide);
  return same ? x : static_cast<float>(wide);
}

}  // namespace gradus::core::kernels
