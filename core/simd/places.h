// Index arrays: what their entries are, and sums at the places that they name. Internal to core.
#pragma once

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

/// wide[i] = x[i], and back, rounded, for i < n: what tile_copy does, in the vectors of this machine.
void widen(double* wide, const float* x, std::int64_t n);
void narrow(float* x, const double* wide, std::int64_t n);

}  // namespace gradus::core::kernels
