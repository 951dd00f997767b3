#include "large_blocks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

#include "../base/fail.h"
#include "memory.h"
#include "memory_limit.h"
#include "size_class.h"

namespace gradus::core {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::int64_t kMaxCapacity = std::int64_t{1} << 30;

std::size_t page_size() {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Null when the system refuses.
void* try_map(std::size_t bytes) noexcept {
  const bool huge = bytes >= kHugePage;
  bytes = round_up(bytes, page_size());
  const std::size_t span = huge ? bytes + kHugePage : bytes;
  void* const mapped = ::mmap(nullptr, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  if (!huge) return mapped;
  // What lies before the first boundary of a huge page and behind the block goes back.
  char* const begin = static_cast<char*>(mapped);
  const std::size_t lead =
      round_up(reinterpret_cast<std::uintptr_t>(begin), kHugePage) - reinterpret_cast<std::uintptr_t>(begin);
  if (lead != 0) ::munmap(begin, lead);
  if (lead != kHugePage) ::munmap(begin + lead + bytes, kHugePage - lead);
#ifdef MADV_HUGEPAGE
  ::madvise(begin + lead, bytes, MADV_HUGEPAGE);
#endif
  return begin + lead;
}

// A free block, linked to those of its size and to all others in the order in which they were freed.
struct FreeBlock {
  FreeBlock *above, *below;  // of the same class: a stack, so that the block last used, and warm, is taken first
  FreeBlock *older, *newer;
  int size_class;
};

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

// The cache, and the account of all that was taken from the system.
class LargeCache {
 public:
  void* take(int size_class) noexcept {
    std::lock_guard lock(mutex_);
    FreeBlock* const block = top_[size_class];
    if (block == nullptr) return nullptr;
    unlink(block);
    note_peak();
    return block;
  }

  void put(void* memory, int size_class) noexcept {
    FreeBlock* surplus = nullptr;
    {
      std::lock_guard lock(mutex_);
      link(::new (memory) FreeBlock{nullptr, top_[size_class], newest_, nullptr, size_class});
      while (cached_ > capacity_ || (held_ > limit_ && oldest_ != nullptr)) drop_oldest(&surplus);
    }
    unmap_all(surplus);
  }

  void clear() noexcept {
    FreeBlock* all = nullptr;
    {
      std::lock_guard lock(mutex_);
      while (oldest_ != nullptr) drop_oldest(&all);
    }
    unmap_all(all);
  }

  // Room for that much more. False when the limit does not leave it.
  bool reserve(std::int64_t bytes, std::int64_t* in_use, std::int64_t* limit) noexcept {
    FreeBlock* surplus = nullptr;
    {
      std::lock_guard lock(mutex_);
      *in_use = held_ - cached_;
      *limit = limit_;
      if (bytes > limit_ - *in_use) return false;
      while (held_ > limit_ - bytes) drop_oldest(&surplus);
      held_ += bytes;
      note_peak();
    }
    unmap_all(surplus);
    return true;
  }
  void release(std::int64_t bytes) noexcept {
    std::lock_guard lock(mutex_);
    held_ -= bytes;
  }

  void set_limit(std::int64_t bytes) noexcept {
    FreeBlock* surplus = nullptr;
    {
      std::lock_guard lock(mutex_);
      limit_ = bytes;
      while (held_ > limit_ && oldest_ != nullptr) drop_oldest(&surplus);
    }
    unmap_all(surplus);
  }
  std::int64_t limit() noexcept {
    std::lock_guard lock(mutex_);
    return limit_;
  }

  LargeStats stats() noexcept {
    std::lock_guard lock(mutex_);
    return {cached_, held_, peak_};
  }
  void reset_peak() noexcept {
    std::lock_guard lock(mutex_);
    peak_ = held_ - cached_;
  }

 private:
  void link(FreeBlock* block) noexcept {
    if (block->below != nullptr) block->below->above = block;
    top_[block->size_class] = block;
    (newest_ != nullptr ? newest_->newer : oldest_) = block;
    newest_ = block;
    cached_ += size_of(block);
  }

  void unlink(FreeBlock* block) noexcept {
    (block->above != nullptr ? block->above->below : top_[block->size_class]) = block->below;
    if (block->below != nullptr) block->below->above = block->above;
    (block->older != nullptr ? block->older->newer : oldest_) = block->newer;
    (block->newer != nullptr ? block->newer->older : newest_) = block->older;
    cached_ -= size_of(block);
  }

  void drop_oldest(FreeBlock** surplus) noexcept {
    FreeBlock* const block = oldest_;
    unlink(block);
    held_ -= size_of(block);
    block->below = std::exchange(*surplus, block);
  }

  void note_peak() noexcept { peak_ = std::max(peak_, held_ - cached_); }

  static std::int64_t size_of(const FreeBlock* block) noexcept {
    return static_cast<std::int64_t>(size_of_class(block->size_class));
  }

  // Outside the lock: the system takes its time over large blocks.
  static void unmap_all(FreeBlock* block) noexcept {
    while (block != nullptr) {
      FreeBlock* const next = block->below;
      ::munmap(block, round_up(size_of_class(block->size_class), page_size()));
      block = next;
    }
  }

  std::mutex mutex_;
  FreeBlock* top_[kSizeClasses] = {};
  FreeBlock* oldest_ = nullptr;
  FreeBlock* newest_ = nullptr;
  std::int64_t cached_ = 0;  // bytes of the blocks above
  std::int64_t held_ = 0;    // taken from the system: those, the large blocks in use, and the pages of small ones
  std::int64_t peak_ = 0;    // of held_ - cached_
  std::int64_t limit_ = kNoLimit;
  const std::int64_t capacity_ = std::min(kMaxCapacity, memory_limit().bytes / 4);
};

// Never destroyed: threads and static objects give blocks back until the very end of the process.
LargeCache& cache() {
  static LargeCache* const leaked = new LargeCache;
  return *leaked;
}

}  // namespace

void account_take(std::size_t bytes) {
  const auto asked = static_cast<std::int64_t>(bytes);
  std::int64_t in_use = 0, limit = 0;
  if (cache().reserve(asked, &in_use, &limit)) return;
  throw MemoryError(
      fmt::format("allocate: what is in use and what is asked for must fit into the limit set by set_memory_limit: {} "
                  "bytes in use, {} asked for, {} allowed",
                  in_use, asked, limit),
      in_use, asked, limit);
}

void account_give(std::size_t bytes) noexcept { cache().release(static_cast<std::int64_t>(bytes)); }

void* map_pages(std::size_t bytes) {
  account_take(bytes);
  void* memory = try_map(bytes);
  if (memory == nullptr) {
    cache().clear();
    memory = try_map(bytes);
  }
  if (memory == nullptr) {
    account_give(bytes);
    fail<MemoryError>("allocate: the system must have memory left: {} bytes asked for were refused", bytes);
  }
  return memory;
}

void* large_allocate(std::size_t bytes) {
  const int size_class = core::size_class(bytes);
  void* const kept = cache().take(size_class);
  return kept != nullptr ? kept : map_pages(size_of_class(size_class));
}

void large_free(void* block, std::size_t bytes) noexcept { cache().put(block, size_class(bytes)); }

LargeStats large_stats() noexcept { return cache().stats(); }

}  // namespace gradus::core

namespace gradus {

void reset_peak_memory_stats() noexcept { core::cache().reset_peak(); }
void set_memory_limit(std::int64_t bytes) {
  if (bytes < 0) core::fail<ValueError>("set_memory_limit: the number of bytes must not be negative: {}", bytes);
  core::cache().set_limit(bytes);
}
std::int64_t get_memory_limit() noexcept { return core::cache().limit(); }
void empty_cache() noexcept { core::cache().clear(); }

}  // namespace gradus
