// The middle level of the pool: short lists of free blocks, one thread's share of them, and the process-wide store that
// they come from and go to (internal to core/memory; pool.cpp says how the levels work together).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "live_bytes.h"
#include "memory.h"
#include "size_class.h"

namespace gradus::core {

/// Written by one thread at a time, read by any.
class Count {
 public:
  std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) noexcept { set(get() + n); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// What a free block holds.
struct Block {
  Block* next;           // of the same magazine
  Block* next_magazine;  // in the store; of a magazine's first block
  std::int64_t count;    // likewise: how many blocks it has
};

/// Enough blocks that going to the store costs little for each, few enough that little lies idle in each thread.
inline constexpr auto kMagazineSizes = [] {
  constexpr std::int64_t kBytes = 32 << 10;
  std::array<std::int64_t, kSmallClasses> sizes{};
  for (int size_class = 0; size_class < kSmallClasses; ++size_class) {
    const std::int64_t fit = kBytes / static_cast<std::int64_t>(size_of_class(size_class));
    sizes[static_cast<std::size_t>(size_class)] = fit < 2 ? 2 : fit > 64 ? 64 : fit;
  }
  return sizes;
}();
constexpr std::int64_t magazine_size(int size_class) noexcept {
  return kMagazineSizes[static_cast<std::size_t>(size_class)];
}

struct Bin {
  Block* head = nullptr;   // the magazine in use
  Count count;             // of its blocks
  Block* spare = nullptr;  // another one, full
  Count spare_count;       // magazine_size or 0
};

/// Everything that belongs to one thread. Never destroyed: a later thread takes it over, counts and all.
struct alignas(64) ThreadCache {
  Bin bins[kSmallClasses];
  // Live ones may be negative: only the sum means something.
  Count allocations, live_arrays, live_bytes, objects_made, live_objects;
  ThreadCache* next_made = nullptr;
  ThreadCache* next_idle = nullptr;
};

/// Where threads get magazines and give them back. It carves new blocks from pages which it never returns.
class Store {
 public:
  /// A magazine with at least one block.
  Block* take(int size_class);
  void put(Block* magazine, std::int64_t count, int size_class) noexcept;
  ThreadCache* open_cache();
  void close_cache(ThreadCache* cache) noexcept;
  MemoryStats stats() noexcept;
  std::int64_t live_bytes() noexcept;
  ObjectCounts object_counts() noexcept;

 private:
  void push(Block* magazine, std::int64_t count, int size_class) noexcept;
  Block* carve(int size_class);
  void open_pages();

  std::mutex mutex_;
  Block* magazines_[kSmallClasses] = {};
  std::int64_t free_bytes_ = 0;  // in magazines_
  char* page_ = nullptr;         // the part of the last pages that no block was made of yet
  char* page_end_ = nullptr;
  std::size_t mapped_ = 0;
  ThreadCache* made_ = nullptr;  // all caches
  ThreadCache* idle_ = nullptr;  // those without a thread
};

}  // namespace gradus::core
