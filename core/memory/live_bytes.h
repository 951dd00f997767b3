// Counts of what lives, kept by each thread for itself: to count takes no locked instruction, and threads that work at
// once don't wait for each other.
#pragma once

#include <cstdint>

#include "../base/export.h"

namespace gradus::core {

/// memory_stats().live_bytes, at a tenth of the price.
GRADUS_API std::int64_t live_bytes() noexcept;

/// Of pool_allocate_object: those ever made, and those alive.
struct ObjectCounts {
  std::int64_t made, alive;
};
GRADUS_API ObjectCounts object_counts() noexcept;

}  // namespace gradus::core
