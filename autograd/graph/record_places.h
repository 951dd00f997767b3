// Where a Record finds what it has met before (internal).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "batched.h"
#include "record_data.h"
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

/// A name that a tensor was given, before its use. Another may lie at its address by then: that it is the same is known by
/// its node, and of what has no history by where it lies and by its numbers.
struct Named {
  Named() = default;
  Named(const Tensor& x, int of_name, const RecordedNumbers& of_x)
      : name(of_name), edge(x.edge() && x.edge().node->as_leaf() != nullptr ? x.edge() : Edge()), numbers(of_x) {
    if (x.edge()) {
      node = x.edge().node.get();
      number = node->number();
      output = x.edge().index;
    } else {
      storage = numbers_of_all(x).storage().get();
    }
  }
  bool is(const Tensor& x, const RecordedValue& value, const Recording& all) const {
    const Node* const now = x.edge().node.get();
    if (node != nullptr) return now == node && now->number() == number && x.edge().index == output;
    return (now == nullptr || now->num_inputs() == 0) && numbers_of_all(x).storage().get() == storage &&
           all.same(numbers, value.numbers);
  }

  int name = -1;

 private:
  Edge edge;  // a leaf's, kept: no tensor hangs by it
  const Node* node = nullptr;
  std::uint64_t number = 0;  // the node's: no other of its thread has the same
  int output = 0;
  const void* storage = nullptr;
  RecordedNumbers numbers;
};

}  // namespace gradus::autograd::detail
