// Memory for the tasks of a loop that write in place: taken before the first of them writes, so that none runs out of it when
// half of the result is there. Internal to core.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>

#include "../threads/parallel.h"

namespace gradus::core {

// Equal parts of a block of memory; a task holds one while it runs.
class Slots {
 public:
  static constexpr std::int64_t kMost = 64;  // as many as threads share a loop

  // How many a loop of so many tasks has use for.
  static std::int64_t wanted(std::int64_t tasks) { return std::min<std::int64_t>({tasks, get_num_threads(), kMost}); }
  // What one takes of the block: whole lines.
  static std::int64_t padded(std::int64_t bytes) { return (bytes + 63) / 64 * 64; }

  Slots(void* memory, std::int64_t bytes, std::int64_t count)
      : memory_(static_cast<char*>(memory)),
        bytes_(padded(bytes)),
        free_(count == kMost ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) {}

  class Held {
   public:
    explicit Held(Slots& slots) : slots_(slots), number_(slots.take()) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() { slots_.free_.fetch_or(std::uint64_t{1} << number_, std::memory_order_release); }
    char* data() const { return slots_.memory_ + number_ * slots_.bytes_; }

   private:
    Slots& slots_;
    const int number_;
  };

 private:
  // It waits only where set_num_threads has let in more threads since; who holds a slot never waits for another of them.
  int take() {
    for (std::uint64_t free = free_.load(std::memory_order_relaxed);;) {
      if (free == 0) {
        std::this_thread::yield();
        free = free_.load(std::memory_order_relaxed);
      } else if (free_.compare_exchange_weak(free, free & (free - 1), std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
        return __builtin_ctzll(free);
      }
    }
  }

  char* const memory_;
  const std::int64_t bytes_;
  std::atomic<std::uint64_t> free_;
};

}  // namespace gradus::core
