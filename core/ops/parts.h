// The values of a column that go to one part of its places: internal to core.
//
// To write all over an array waits for memory, and two threads would write to one place at once. So each of a few tasks has
// a part of the places for itself, and looks through the whole index for the values that go there: that reads the index once
// for each part, in the order of memory, which costs far less than the writes, and takes no more memory. For many threads, or more
// places than a cache holds, the values are dealt into buckets instead (buckets.h).
#pragma once

#include <bit>
#include <numeric>

#include "../simd/places.h"
#include "columns.h"

namespace gradus::core {

// How the rows of a column are cut: into whole lines, whatever an element's size.
struct Parts {
  Parts(std::int64_t rows, std::int64_t wanted)
      : width((rows - 1) / wanted / 64 * 64 + 64), count((rows - 1) / width + 1) {}
  std::int64_t width, count;
};

// Calls f(place, value) for the values that go to rows [first, first + rows), in order; places count from the first of them. For
// one column, with entries side by side.
template <class T, class F>
void for_part(const Columns<T>& c, std::int64_t first, std::int64_t rows, const F& f) {
  // So many that where the loop over those found ends, which is not foreseen, is rare, and few enough to stay in the first cache.
  constexpr std::int64_t block = 2048;
  std::uint32_t places[block], payloads[block], numbers[block];
  // A place's payload is its value if that has the size of a number, and otherwise where it is.
  constexpr bool fits = sizeof(T) == sizeof(std::uint32_t);
  const bool values = fits && c.from_row == 1;
  if (!values) std::iota(numbers, numbers + block, std::uint32_t{0});
  for (std::int64_t at = 0; at < c.n; at += block) {
    const T* const from = c.from + at * c.from_row;
    const void* const all = values ? static_cast<const void*>(from) : numbers;
    const std::int64_t found =
        kernels::places_within(places, payloads, c.index + at, all, std::min(block, c.n - at), first, rows);
    if constexpr (fits) {
      if (values) {
        for (std::int64_t i = 0; i < found; ++i) f(places[i], std::bit_cast<T>(payloads[i]));
        continue;
      }
    }
    for (std::int64_t i = 0; i < found; ++i) f(places[i], from[payloads[i] * c.from_row]);
  }
}

}  // namespace gradus::core
