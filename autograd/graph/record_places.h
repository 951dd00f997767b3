// Where a Record finds what it has met before (internal).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "record_data.h"

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
    List<Slot> old(2 * slots_.size());
    old.swap(slots_);
    count_ = 0;
    for (const Slot& slot : old) {
      if (slot.key != nullptr) set(slot.key, slot.place);
    }
  }
  List<Slot> slots_ = List<Slot>(256);
  std::size_t count_ = 0;
};

}  // namespace gradus::autograd::detail
