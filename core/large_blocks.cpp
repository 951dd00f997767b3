#include "large_blocks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "fail.h"
#include "memory_limit.h"
#include "size_class.h"

namespace gradus::core {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMaxCapacity = std::size_t{1} << 30;

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

class LargeCache {
 public:
  void* take(int size_class) noexcept {
    std::lock_guard lock(mutex_);
    FreeBlock* const block = top_[size_class];
    if (block != nullptr) unlink(block);
    return block;
  }

  void put(void* memory, int size_class) noexcept {
    FreeBlock* surplus = nullptr;
    {
      std::lock_guard lock(mutex_);
      link(::new (memory) FreeBlock{nullptr, top_[size_class], newest_, nullptr, size_class});
      while (bytes_ > capacity_) {
        FreeBlock* const oldest = oldest_;
        unlink(oldest);
        oldest->below = std::exchange(surplus, oldest);
      }
    }
    unmap_all(surplus);
  }

  void clear() noexcept {
    FreeBlock* all = nullptr;
    {
      std::lock_guard lock(mutex_);
      while (oldest_ != nullptr) {
        FreeBlock* const block = oldest_;
        unlink(block);
        block->below = std::exchange(all, block);
      }
    }
    unmap_all(all);
  }

  std::int64_t bytes() noexcept {
    std::lock_guard lock(mutex_);
    return static_cast<std::int64_t>(bytes_);
  }

 private:
  void link(FreeBlock* block) noexcept {
    if (block->below != nullptr) block->below->above = block;
    top_[block->size_class] = block;
    (newest_ != nullptr ? newest_->newer : oldest_) = block;
    newest_ = block;
    bytes_ += size_of_class(block->size_class);
  }

  void unlink(FreeBlock* block) noexcept {
    (block->above != nullptr ? block->above->below : top_[block->size_class]) = block->below;
    if (block->below != nullptr) block->below->above = block->above;
    (block->older != nullptr ? block->older->newer : oldest_) = block->newer;
    (block->newer != nullptr ? block->newer->older : newest_) = block->older;
    bytes_ -= size_of_class(block->size_class);
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
  std::size_t bytes_ = 0;
  const std::size_t capacity_ = std::min(kMaxCapacity, static_cast<std::size_t>(memory_limit().bytes) / 4);
};

// Never destroyed: threads and static objects give blocks back until the very end of the process.
LargeCache& cache() {
  static LargeCache* const leaked = new LargeCache;
  return *leaked;
}

}  // namespace

void* map_pages(std::size_t bytes) {
  void* memory = try_map(bytes);
  if (memory == nullptr) {
    cache().clear();
    memory = try_map(bytes);
  }
  if (memory == nullptr) {
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

std::int64_t large_cached_bytes() noexcept { return cache().bytes(); }

}  // namespace gradus::core
