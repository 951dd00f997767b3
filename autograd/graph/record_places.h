// Where a Record finds what it has met before (internal).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "batched.h"
#include "record_data.h"
#include "../../core/memory/storage_serials.h"
#include "../tensor/tensor.h"

namespace gradus::autograd::detail {

/// From addresses to places in lists: one array, the last entry for an address counts.
class Places {
 public:
  int find(const void* key) const {
    for (std::size_t i = start(key);; i = (i + 1) & mask()) {
      if (slots_[i].key == key) return slots_[i].place;
      if (slots_[i].key == nullptr) return -1;
    }
  }
  void set(const void* key, int place) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    for (std::size_t i = start(key);; i = (i + 1) & mask()) {
      if (slots_[i].key == key || slots_[i].key == nullptr) {
        count_ += slots_[i].key == nullptr ? 1 : 0;
        slots_[i] = {key, place};
        return;
      }
    }
  }

 private:
  struct Slot {
    const void* key = nullptr;
    int place = -1;
  };
  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t start(const void* key) const {
    return (reinterpret_cast<std::uintptr_t>(key) / 64 * 0x9E3779B97F4A7C15u >> 20) & mask();
  }
  void grow() {
    core::PooledList<Slot> old(2 * slots_.size());
    old.swap(slots_);
    count_ = 0;
    for (const Slot& slot : old) {
      if (slot.key != nullptr) set(slot.key, slot.place);
    }
  }
  core::PooledList<Slot> slots_ = core::PooledList<Slot>(256);
  std::size_t count_ = 0;
};

/// A name that a tensor was given, before its use. Another may lie at its address by then: a leaf is known by its node, which
/// is kept, any other by its memory's serial number, which no other memory has, and by what it shows of that.
class Named {
 public:
  Named() = default;
  Named(const Tensor& x, int of_name, core::StorageSerials& serials) : name(of_name) {
    if (x.edge() && x.edge().node->as_leaf() != nullptr) {
      leaf_ = x.edge();
      return;
    }
    const core::Array& array = numbers_of_all(x);
    number_ = number_of(x);
    serial_ = serials.give(*array.storage());
    shape_ = array.shape();
    strides_ = array.strides();
    offset_ = array.storage_offset();
  }
  bool is(const Tensor& x, const core::StorageSerials& serials) const {
    if (leaf_) return x.edge().node.get() == leaf_.node.get();
    const core::Array& array = numbers_of_all(x);
    return serials.find(array.storage().get()) == serial_ && number_of(x) == number_ && array.shape() == shape_ &&
           array.strides() == strides_ && array.storage_offset() == offset_;
  }

  int name = -1;

 private:
  // Of a result; a leaf's node comes into being with its first use, and none is 0.
  static std::uint64_t number_of(const Tensor& x) {
    return x.edge() && x.edge().node->as_leaf() == nullptr ? x.edge().node->number() : 0;
  }

  Edge leaf_;  // kept: no tensor hangs by it
  std::uint64_t number_ = 0, serial_ = 0;
  core::Shape shape_;
  core::Strides strides_;
  std::int64_t offset_ = 0;
};

}  // namespace gradus::autograd::detail
