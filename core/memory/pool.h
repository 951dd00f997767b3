// Pooled memory for everything that lives and dies with each operation, and what it counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../base/export.h"
#include "memory.h"
#include "size_class.h"

namespace gradus::core {

/// Behind the functions below: with the size's class, which the compiler knows where it knows the size.
GRADUS_API void* pool_take(std::size_t bytes, int size_class);
GRADUS_API void pool_give(void* block, std::size_t bytes, int size_class) noexcept;
GRADUS_API void* pool_take_object(std::size_t bytes, int size_class);
GRADUS_API void pool_give_object(void* block, std::size_t bytes, int size_class) noexcept;

/// A 64-byte aligned block of at least that many bytes, uninitialised. Small blocks (up to 64 KiB) come from free lists
/// of the calling thread, large ones from a capped cache; from 2 MiB on they are aligned to 2 MiB. MemoryError when the
/// system refuses or set_memory_limit's limit would be exceeded. Never call with more than check_request allows.
inline void* pool_allocate(std::size_t bytes) { return pool_take(bytes, size_class(bytes)); }
/// Gives a block back, on any thread, with the size that it was asked for.
inline void pool_free(void* block, std::size_t bytes) noexcept { pool_give(block, bytes, size_class(bytes)); }
/// The same for objects of one kind that a higher floor has counted (object_counts): the graph's nodes.
inline void* pool_allocate_object(std::size_t bytes) { return pool_take_object(bytes, size_class(bytes)); }
inline void pool_free_object(void* block, std::size_t bytes) noexcept {
  pool_give_object(block, bytes, size_class(bytes));
}
/// Containers in pooled memory: what was let go of is the next one's, touched already.
template <class T>
struct Pooled {
  using value_type = T;
  Pooled() = default;
  template <class U>
  Pooled(const Pooled<U>&) {}  // NOLINT(google-explicit-constructor): as allocators are
  static T* allocate(std::size_t n) { return static_cast<T*>(pool_allocate(n * sizeof(T))); }
  static void deallocate(T* block, std::size_t n) noexcept { pool_free(block, n * sizeof(T)); }
  bool operator==(const Pooled&) const = default;
};
template <class T>
using PooledList = std::vector<T, Pooled<T>>;

/// MemoryError, naming the sizes, when a single request exceeds the machine's memory or the cgroup's limit.
GRADUS_API void check_request(std::int64_t bytes);

/// For Storage: the same, and memory_stats counts an array of so many bytes that is made, or gone.
void* pool_allocate_array(std::size_t block_bytes, std::int64_t counted);
void pool_free_array(void* block, std::size_t block_bytes, std::int64_t counted) noexcept;

}  // namespace gradus::core
