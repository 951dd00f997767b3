// Three levels. Each thread has two magazines (short lists of free blocks) for each size, and works on them without a
// lock or an atomic operation. Full magazines go to, and come from, one process-wide store; that one carves new blocks
// from pages which it never returns. Blocks beyond 64 KiB have a cache of their own (large_blocks.cpp).
//
// With two magazines a thread that hovers around a full or an empty one does not run to the store each time
// (J. Bonwick, J. Adams, "Magazines and Vmem", USENIX 2001).
#include "pool.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

#include "../base/fail.h"
#include "large_blocks.h"
#include "live_bytes.h"
#include "magazines.h"
#include "memory_limit.h"
#include "size_class.h"

#if defined(__SANITIZE_ADDRESS__)
#define GRADUS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRADUS_ADDRESS_SANITIZER 1
#endif
#endif

namespace gradus::core {
namespace {

// Under AddressSanitizer every block is malloc's own, so that a use after the end is found.
#ifdef GRADUS_ADDRESS_SANITIZER
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

// Never destroyed: threads and static objects give blocks back until the very end of the process.
Store& store() {
  static Store* const leaked = new Store;
  return *leaked;
}

// One word in the thread's static block, so that a shared library reaches it without a call.
[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadCache* thread_cache = nullptr;
[[gnu::tls_model("initial-exec")]] constinit thread_local bool thread_ended = false;

struct ThreadEnd {
  ~ThreadEnd() {
    thread_ended = true;
    store().close_cache(std::exchange(thread_cache, nullptr));
  }
};

// The last objects of a thread die after its cache is gone, and those of the program after the main thread's.
struct SharedCache {
  std::mutex mutex;
  ThreadCache* cache = store().open_cache();
};
SharedCache& cache_of_ended_threads() {
  static SharedCache* const leaked = new SharedCache;
  return *leaked;
}

template <class Body>
[[gnu::noinline]] auto without_cache(Body body) {
  if (!thread_ended) {
    thread_cache = store().open_cache();
    static thread_local ThreadEnd at_end;
    static_cast<void>(&at_end);
    return body(*thread_cache);
  }
  SharedCache& shared = cache_of_ended_threads();
  std::lock_guard lock(shared.mutex);
  return body(*shared.cache);
}

// Runs body(cache) with a cache that is this thread's alone for that time.
template <class Body>
inline auto with_cache(Body body) {
  ThreadCache* const cache = thread_cache;
  if (cache != nullptr) [[likely]]
    return body(*cache);
  return without_cache(body);
}

void* take_from_next_magazine(Bin& bin, int size_class) {
  if (bin.spare != nullptr) {
    bin.head = std::exchange(bin.spare, nullptr);
    bin.count.set(bin.spare_count.get());
    bin.spare_count.set(0);
  } else {
    bin.head = store().take(size_class);
    bin.count.set(bin.head->count);
  }
  bin.count.add(-1);
  return std::exchange(bin.head, bin.head->next);
}

void start_magazine(Bin& bin, int size_class) noexcept {
  if (bin.spare != nullptr) store().put(bin.spare, bin.spare_count.get(), size_class);
  bin.spare = std::exchange(bin.head, nullptr);
  bin.spare_count.set(bin.count.get());
  bin.count.set(0);
}

void* take(ThreadCache& cache, int size_class) {
  Bin& bin = cache.bins[size_class];
  if (bin.head == nullptr) return take_from_next_magazine(bin, size_class);
  bin.count.add(-1);
  return std::exchange(bin.head, bin.head->next);
}

inline void put(Bin& bin, void* memory) noexcept {
  Block* const block = ::new (memory) Block;
  block->next = std::exchange(bin.head, block);
  bin.count.add(1);
}

void give(ThreadCache& cache, void* memory, int size_class) noexcept {
  Bin& bin = cache.bins[size_class];
  if (bin.count.get() == magazine_size(size_class)) start_magazine(bin, size_class);
  put(bin, memory);
}

[[maybe_unused]] void* unpooled(std::size_t bytes) {
  account_take(bytes);
  void* block = nullptr;
  if (::posix_memalign(&block, kGranule, bytes) != 0) {
    account_give(bytes);
    fail<MemoryError>("allocate: the system must have memory left: {} bytes asked for were refused", bytes);
  }
  return block;
}

// Whether fresh memory is filled.
std::atomic<bool> fill_nan = [] {
  const char* const wish = std::getenv("GRADUS_FILL_NAN");
  return wish != nullptr && std::string_view(wish) == "1";
}();

[[gnu::noinline]] void* filled(void* block, std::size_t bytes) noexcept { return std::memset(block, 0xFF, bytes); }

// Counts nothing.
constexpr auto kUncounted = [](ThreadCache&) {};

template <class Counting>
[[gnu::noinline]] void* allocate_otherwise(std::size_t bytes, int size, Counting counting) {
  void* block;
  if (kPooled && bytes <= kMaxSmallBytes) {
    block = with_cache([=](ThreadCache& cache) { return take(cache, size); });
  } else {
    block = kPooled ? large_allocate(bytes) : unpooled(bytes);
  }
  with_cache(counting);
  return fill_nan.load(std::memory_order_relaxed) ? filled(block, bytes) : block;
}

// A small block out of the magazine in use, and what it means to the cache's counts: calls nothing, so that it saves no
// register. Everything else is left to allocate_otherwise.
template <class Counting>
inline void* allocate(std::size_t bytes, int size, Counting counting) {
  ThreadCache* const cache = thread_cache;
  if (kPooled && bytes <= kMaxSmallBytes && cache != nullptr) [[likely]] {
    Bin& bin = cache->bins[size];
    if (Block* const block = bin.head) [[likely]] {
      bin.head = block->next;
      bin.count.add(-1);
      counting(*cache);
      if (fill_nan.load(std::memory_order_relaxed)) [[unlikely]]
        return filled(block, bytes);
      return block;
    }
  }
  return allocate_otherwise(bytes, size, counting);
}

template <class Counting>
[[gnu::noinline]] void release_otherwise(void* block, std::size_t bytes, int size, Counting counting) noexcept {
  if (!kPooled) {
    std::free(block);
    account_give(bytes);
  } else if (bytes <= kMaxSmallBytes) {
    with_cache([=](ThreadCache& cache) { give(cache, block, size); });
  } else {
    large_free(block, bytes);
  }
  with_cache(counting);
}

template <class Counting>
inline void release(void* block, std::size_t bytes, int size, Counting counting) noexcept {
  ThreadCache* const cache = thread_cache;
  if (kPooled && bytes <= kMaxSmallBytes && cache != nullptr) [[likely]] {
    if (cache->bins[size].count.get() < magazine_size(size)) [[likely]] {
      counting(*cache);
      put(cache->bins[size], block);
      return;
    }
  }
  release_otherwise(block, bytes, size, counting);
}

}  // namespace

void* pool_take(std::size_t bytes, int size) { return allocate(bytes, size, kUncounted); }
void pool_give(void* block, std::size_t bytes, int size) noexcept { release(block, bytes, size, kUncounted); }

void* pool_take_object(std::size_t bytes, int size) {
  return allocate(bytes, size, [](ThreadCache& cache) {
    cache.objects_made.add(1);
    cache.live_objects.add(1);
  });
}
void pool_give_object(void* block, std::size_t bytes, int size) noexcept {
  release(block, bytes, size, [](ThreadCache& cache) { cache.live_objects.add(-1); });
}

void* pool_allocate_array(std::size_t block_bytes, std::int64_t counted) {
  return allocate(block_bytes, size_class(block_bytes), [=](ThreadCache& cache) {
    cache.allocations.add(1);
    cache.live_arrays.add(1);
    cache.live_bytes.add(counted);
  });
}

void pool_free_array(void* block, std::size_t block_bytes, std::int64_t counted) noexcept {
  release(block, block_bytes, size_class(block_bytes), [=](ThreadCache& cache) {
    cache.live_arrays.add(-1);
    cache.live_bytes.add(-counted);
  });
}

std::int64_t live_bytes() noexcept { return store().live_bytes(); }

ObjectCounts object_counts() noexcept { return store().object_counts(); }

void check_request(std::int64_t bytes) {
  const MemoryLimit& limit = memory_limit();
  if (bytes < 0 || bytes > limit.bytes) {
    throw MemoryError(fmt::format("allocate: a request must fit into {}: {} bytes asked for, {} there", limit.what,
                                  bytes, limit.bytes),
                      -1, bytes, limit.bytes);
  }
}

}  // namespace gradus::core

namespace gradus {

MemoryStats memory_stats() {
  MemoryStats stats = core::store().stats();
  const core::LargeStats large = core::large_stats();
  stats.cached_bytes += large.cached;
  stats.held_bytes = large.held;
  stats.peak_bytes = large.peak;
  return stats;
}

void set_fill_nan(bool fill) noexcept { core::fill_nan.store(fill, std::memory_order_relaxed); }
bool get_fill_nan() noexcept { return core::fill_nan.load(std::memory_order_relaxed); }

}  // namespace gradus
