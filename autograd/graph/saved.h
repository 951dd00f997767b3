// What a node keeps for its backward pass.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../../core/base/ref.h"

namespace gradus::autograd {

class Node;

/// How a value that is kept elsewhere (on disk, in half the bits, as a recipe) comes back.
class PackedValue {
 public:
  explicit PackedValue(std::function<core::Array()> unpack) : unpack_(std::move(unpack)) {}
  core::Array unpacked() const { return unpack_(); }
  void retain() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  std::function<core::Array()> unpack_;
  std::atomic<int> references_{1};
};

/// A value kept for the backward pass, with the count of writes to its storage at that time.
class GRADUS_API Saved {
 public:
  void set(const core::Array& value) {
    value_ = value;
    if (value.defined()) writes_ = value.storage()->write_count();
  }
  /// GradError, naming the operation and both places, when the storage has been written to since.
  const core::Array& get(const Node& node, const char* kind, int index) const {
    if (value_.defined() && value_.storage()->write_count() != writes_) fail_changed(node, kind, index);
    return value_;
  }
  /// What is kept; undefined when nothing is, or when it is packed.
  const core::Array& value() const noexcept { return value_; }
  std::uint64_t writes() const noexcept { return writes_; }

  /// Keeps `unpack` in place of the value, which comes back by it: as often as it is asked for, and with the shape and
  /// dtype that it had.
  void pack(std::function<core::Array()> unpack);
  /// Null when the value is kept as it is. What unpacks it is called without any lock.
  const core::Ref<PackedValue>& packed() const noexcept { return packed_; }

 private:
  [[noreturn]] void fail_changed(const Node& node, const char* kind, int index) const;
  core::Array value_;
  std::uint64_t writes_ = 0;
  core::Ref<PackedValue> packed_;
};

}  // namespace gradus::autograd
