// Where a random number comes from.
#pragma once

#include <cstdint>

#include "export.h"

namespace gradus::core {

/// A place in a stream of random words. Word w (w = 0, 1, ...) of the stream of (seed, offset) is output word w % 4 of
/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) with key (seed low, seed high)
/// and the 128-bit counter offset + w / 4 (the upper 64 bits 0). The mapping never changes.
struct RandomPosition {
  std::uint64_t seed = 0;
  std::uint64_t offset = 0;
  bool operator==(const RandomPosition&) const = default;
};

/// One block of the generator: ten rounds on the counter (x[0..3], least significant first) under the key.
struct PhiloxBlock {
  std::uint32_t word[4];
};
GRADUS_API PhiloxBlock philox(std::uint64_t seed, std::uint64_t counter);

}  // namespace gradus::core
