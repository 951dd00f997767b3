// Blocks beyond 64 KiB: whole pages from the system, kept for reuse up to a cap.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::core {

/// Fresh, zeroed pages, never to be given back by the caller. From 2 MiB on aligned to 2 MiB, with huge pages asked
/// for. MemoryError when the system has none, not even after the cache is emptied.
void* map_pages(std::size_t bytes);

/// A block of at least that many bytes (more than 64 KiB), from the process-wide cache or the system. MemoryError.
void* large_allocate(std::size_t bytes);
/// Gives it back, with the size that it was asked for. Beyond the cap (1 GiB, or a quarter of the memory limit where
/// that is less) the blocks that lay unused for longest go to the system.
void large_free(void* block, std::size_t bytes) noexcept;
/// What the cache holds now.
std::int64_t large_cached_bytes() noexcept;

}  // namespace gradus::core
