// Counts of what lives, kept by each thread for itself: to count takes no locked instruction, and threads that work at
// once don't wait for each other.
#pragma once

#include <cstdint>

#include "../base/export.h"

namespace gradus::core {

/// memory_stats().live_bytes, at a tenth of the price.
GRADUS_API std::int64_t live_bytes() noexcept;

/// Objects of one kind that a higher floor counts: the graph's nodes.
GRADUS_API void count_object_made() noexcept;
GRADUS_API void count_object_gone() noexcept;
struct ObjectCounts {
  std::int64_t made, alive;
};
GRADUS_API ObjectCounts object_counts() noexcept;

}  // namespace gradus::core
