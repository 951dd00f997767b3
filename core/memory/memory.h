// What the library holds in memory, how much it may, and a debug mode that finds reads of memory nobody wrote.
#pragma once

#include <cstdint>

#include "../base/export.h"

namespace gradus {

/// What the library holds, in the whole process. Exact whenever no other thread is making or dropping arrays.
struct MemoryStats {
  std::int64_t live_arrays;   ///< storages alive (views share one)
  std::int64_t live_bytes;    ///< bytes asked for by the storages alive; borrowed memory counts 0
  std::int64_t allocations;   ///< storages ever made
  std::int64_t cached_bytes;  ///< bytes kept for reuse: large blocks up to a cap, and small ones, which never go back
  /// Bytes taken from the system: large blocks, in use or kept, and the pages that small ones (to 64 KiB) are cut from.
  std::int64_t held_bytes;
  /// The most that held_bytes without the large blocks kept has been since the start, or since it was reset.
  std::int64_t peak_bytes;
};
GRADUS_API MemoryStats memory_stats();
/// From now on peak_bytes counts from what is in use now.
GRADUS_API void reset_peak_memory_stats() noexcept;

/// The most that held_bytes may reach; nothing but the system's own limits by default. What would exceed it first makes
/// the library let go of large blocks that it kept, and is then refused: MemoryError, before anything is allocated or
/// changed, so that everything stays usable and a smaller request may succeed. A limit below what is in use refuses only
/// what comes. ValueError when negative. Memory that the library borrows, and the C++ library's own (containers,
/// strings), does not count.
GRADUS_API void set_memory_limit(std::int64_t bytes);
/// The limit that was set; the largest std::int64_t when there is none.
GRADUS_API std::int64_t get_memory_limit() noexcept;
/// Gives the large blocks that are kept for reuse back to the system.
GRADUS_API void empty_cache() noexcept;

/// With `fill`, all bytes of fresh memory are set to 0xFF: NaN in every floating-point dtype, -1 or 255 in integers. What
/// reads an element that was never written then shows. Off, unless the environment variable GRADUS_FILL_NAN is 1 when
/// the program starts; it costs a pass over each result.
GRADUS_API void set_fill_nan(bool fill) noexcept;
GRADUS_API bool get_fill_nan() noexcept;

}  // namespace gradus
