#include "magazines.h"

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#include "../base/errors.h"
#include "large_blocks.h"

namespace gradus::core {
namespace {

constexpr std::size_t kChunk = std::size_t{512} << 10;

}  // namespace

Block* Store::take(int size_class) {
  std::lock_guard lock(mutex_);
  if (Block* const magazine = magazines_[size_class]) {
    magazines_[size_class] = magazine->next_magazine;
    free_bytes_ -= magazine->count * static_cast<std::int64_t>(size_of_class(size_class));
    return magazine;
  }
  return carve(size_class);
}

void Store::put(Block* magazine, std::int64_t count, int size_class) noexcept {
  std::lock_guard lock(mutex_);
  push(magazine, count, size_class);
}

ThreadCache* Store::open_cache() {
  std::lock_guard lock(mutex_);
  if (idle_ != nullptr) return std::exchange(idle_, idle_->next_idle);
  ThreadCache* const cache = new ThreadCache;
  cache->next_made = std::exchange(made_, cache);
  return cache;
}

void Store::close_cache(ThreadCache* cache) noexcept {
  for (int size_class = 0; size_class < kSmallClasses; ++size_class) {
    Bin& bin = cache->bins[size_class];
    if (bin.head != nullptr) put(bin.head, bin.count.get(), size_class);
    if (bin.spare != nullptr) put(bin.spare, bin.spare_count.get(), size_class);
    bin.head = bin.spare = nullptr;
    bin.count.set(0);
    bin.spare_count.set(0);
  }
  std::lock_guard lock(mutex_);
  cache->next_idle = std::exchange(idle_, cache);
}

MemoryStats Store::stats() noexcept {
  MemoryStats stats{};
  std::lock_guard lock(mutex_);
  stats.cached_bytes = free_bytes_ + (page_end_ - page_);
  for (const ThreadCache* cache = made_; cache != nullptr; cache = cache->next_made) {
    stats.live_arrays += cache->live_arrays.get();
    stats.live_bytes += cache->live_bytes.get();
    stats.allocations += cache->allocations.get();
    for (int size_class = 0; size_class < kSmallClasses; ++size_class) {
      const Bin& bin = cache->bins[size_class];
      stats.cached_bytes +=
          (bin.count.get() + bin.spare_count.get()) * static_cast<std::int64_t>(size_of_class(size_class));
    }
  }
  return stats;
}

std::int64_t Store::live_bytes() noexcept {
  std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const ThreadCache* cache = made_; cache != nullptr; cache = cache->next_made) sum += cache->live_bytes.get();
  return sum;
}

ObjectCounts Store::object_counts() noexcept {
  std::lock_guard lock(mutex_);
  ObjectCounts sum{};
  for (const ThreadCache* cache = made_; cache != nullptr; cache = cache->next_made) {
    sum.made += cache->objects_made.get();
    sum.alive += cache->live_objects.get();
  }
  return sum;
}

void Store::push(Block* magazine, std::int64_t count, int size_class) noexcept {
  magazine->count = count;
  magazine->next_magazine = std::exchange(magazines_[size_class], magazine);
  free_bytes_ += count * static_cast<std::int64_t>(size_of_class(size_class));
}

// A page's worth of new blocks: more would touch memory that may never be used.
Block* Store::carve(int size_class) {
  constexpr std::int64_t kBatchBytes = 4096;
  const auto size = static_cast<std::int64_t>(size_of_class(size_class));
  if (page_end_ - page_ < size) open_pages();
  const std::int64_t count =
      std::min({magazine_size(size_class), (page_end_ - page_) / size, std::max<std::int64_t>(kBatchBytes / size, 1)});
  Block* head = nullptr;
  for (std::int64_t i = count; i-- > 0;) head = ::new (page_ + i * size) Block{head, nullptr, 0};
  page_ += count * size;
  head->count = count;
  return head;
}

// Grows with what is in use, so that a small program stays small and a large one gets huge pages. Where so much cannot
// be had, the least that will do.
void Store::open_pages() {
  std::size_t bytes = std::clamp<std::size_t>(mapped_ / 8 / kChunk * kChunk, kChunk, 64 * kChunk);
  char* pages = nullptr;
  try {
    pages = static_cast<char*>(map_pages(bytes));
  } catch (const MemoryError&) {
    if (bytes == kChunk) throw;
    bytes = kChunk;
    pages = static_cast<char*>(map_pages(bytes));
  }
  mapped_ += bytes;
  // What is left of the old pages serves smaller sizes.
  for (int size_class = kSmallClasses - 1; size_class >= 0; --size_class) {
    const auto size = static_cast<std::int64_t>(size_of_class(size_class));
    if (page_end_ - page_ < size) continue;
    push(::new (page_) Block{nullptr, nullptr, 0}, 1, size_class);
    page_ += size;
  }
  page_ = pages;
  page_end_ = pages + bytes;
}

}  // namespace gradus::core
