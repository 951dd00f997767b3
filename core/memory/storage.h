// A block of elements that arrays share, with a counter of the writes to it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "../base/export.h"
#include "../base/location.h"
#include "../base/ref.h"

namespace gradus::core {

/// Who wrote to a storage last, and how many writes there were. Backward compares the count that it saw when it kept a
/// value with the count when it uses it; the rest is for the message.
///
/// Several threads may write to disjoint parts of one storage at once. None of their writes is missed by the count;
/// `by` and `at` are then those of any of them.
struct WriteMark {
  std::uint64_t count = 0;
  const char* by = nullptr;  ///< the operation's name: a string that lives forever
  Location at = Location::unknown();
};

class GRADUS_API Storage {
 public:
  /// Uninitialised, 64-byte aligned memory; header and data are one pooled block. MemoryError when it cannot be had.
  static Ref<Storage> allocate(std::int64_t bytes);
  /// Memory that someone else owns; `deleter` (may be empty) is called with it once: when the last array lets go, or
  /// before this throws. It must not throw.
  static Ref<Storage> borrow(void* data, std::int64_t bytes, std::function<void(void*)> deleter);

  void* data() const noexcept { return data_; }
  std::int64_t bytes() const noexcept { return bytes_; }
  /// How many arrays hold this storage.
  int use_count() const noexcept { return references_.load(std::memory_order_acquire); }

  std::uint64_t write_count() const noexcept { return writes_.load(std::memory_order_relaxed); }
  WriteMark writes() const noexcept {
    return {write_count(), by_.load(std::memory_order_relaxed),
            Location::here(file_.load(std::memory_order_relaxed), line_.load(std::memory_order_relaxed))};
  }
  void mark_written(const char* by, Location at) noexcept {
    writes_.fetch_add(1, std::memory_order_relaxed);
    by_.store(by, std::memory_order_relaxed);
    file_.store(at.file(), std::memory_order_relaxed);
    line_.store(at.line(), std::memory_order_relaxed);
  }

  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    // A sole owner sees 1, and nobody can share what only it holds: no locked instruction.
    if (references_.load(std::memory_order_acquire) == 1 || references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      destroy();
    }
  }

 private:
  struct Loan;  // whose the memory is, and what to call at the end

  Storage(void* data, std::int64_t bytes, Loan* loan) noexcept : data_(data), bytes_(bytes), loan_(loan) {}
  ~Storage() = default;
  void destroy() noexcept;

  std::atomic<int> references_{1};
  std::atomic<int> line_{0};
  void* data_;
  std::int64_t bytes_;
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<const char*> by_{nullptr};
  std::atomic<const char*> file_{nullptr};
  Loan* loan_;  // null: the data follow this header
};
static_assert(sizeof(Storage) <= 64, "the data follow at the next multiple of 64");

}  // namespace gradus::core
