// Blocks beyond 64 KiB: whole pages from the system, kept for reuse up to a cap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::core {

/// Fresh, zeroed pages, never to be given back by the caller. From 2 MiB on aligned to 2 MiB, with huge pages asked
/// for. MemoryError when the system has none or the limit that was set does not permit them, not even after the cache is
/// emptied.
void* map_pages(std::size_t bytes);

/// A block of at least that many bytes (more than 64 KiB), from the process-wide cache or the system. MemoryError.
void* large_allocate(std::size_t bytes);
/// Gives it back, with the size that it was asked for. Beyond the cap (1 GiB, or a quarter of the memory limit where
/// that is less) the blocks that lay unused for longest go to the system.
void large_free(void* block, std::size_t bytes) noexcept;

/// The account of what was taken from the system, where the limit is watched. MemoryError when it does not permit more.
void account_take(std::size_t bytes);
void account_give(std::size_t bytes) noexcept;
struct LargeStats {
  std::int64_t cached, held, peak;
};
LargeStats large_stats() noexcept;

}  // namespace gradus::core
