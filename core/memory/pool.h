// Pooled memory for everything that lives and dies with each operation, and what it counts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../base/export.h"
#include "memory.h"

namespace gradus::core {

/// A 64-byte aligned block of at least that many bytes, uninitialised. Small blocks (up to 64 KiB) come from free lists
/// of the calling thread, large ones from a capped cache; from 2 MiB on they are aligned to 2 MiB. MemoryError when the
/// system refuses or set_memory_limit's limit would be exceeded. Never call with more than check_request allows.
GRADUS_API void* pool_allocate(std::size_t bytes);
/// Gives a block back, on any thread, with the size that it was asked for.
GRADUS_API void pool_free(void* block, std::size_t bytes) noexcept;
/// MemoryError, naming the sizes, when a single request exceeds the machine's memory or the cgroup's limit.
GRADUS_API void check_request(std::int64_t bytes);

/// For Storage: the same, and memory_stats counts an array of so many bytes that is made, or gone.
void* pool_allocate_array(std::size_t block_bytes, std::int64_t counted);
void pool_free_array(void* block, std::size_t block_bytes, std::int64_t counted) noexcept;

}  // namespace gradus::core
