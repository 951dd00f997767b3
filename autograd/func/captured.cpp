#include "captured.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "../../core/base/fail.h"
#include "../graph/error_notes.h"
#include "../tensor/tensor.h"

namespace gradus::func::detail {

using core::Array;

namespace {

// How often lists of operands that are looked at hold a storage: those of checkpoints inside one another do.
thread_local std::unordered_map<const core::Storage*, int> holds;

std::uint64_t checksum_of(const Array& x) {
  const Array dense = x.contiguous();
  const auto* data = static_cast<const unsigned char*>(dense.data());
  const auto bytes = static_cast<std::size_t>(dense.numel() * dense.element_size());
  std::uint64_t sum = 0xcbf29ce484222325u;
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, std::min<std::size_t>(8, bytes - i));
    sum = (sum ^ word) * 0x9e3779b97f4a7c15u;
    sum ^= sum >> 32;
  }
  return sum;
}

bool same_numbers(const Array& a, const Array& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && checksum_of(a) == checksum_of(b);
}

}  // namespace

Captured::First::First(Captured& all, const std::vector<Tensor>& inputs) : all_(all) {
  for (const Tensor& x : inputs) {
    if (x.defined()) of_inputs_.insert(x.body().array.storage().get());
  }
}

Captured::First::~First() {
  let_go(true);
  for (Use& use : pending_) {
    const core::Storage* const storage = use.value.storage().get();
    if (--holds[storage] == 0) holds.erase(storage);
    // What the function has written to itself is its own state, as running statistics are: it moves once.
    if (storage->write_count() == use.writes) all_.uses_.push_back(std::move(use));
  }
  std::sort(all_.uses_.begin(), all_.uses_.end(), [](const Use& a, const Use& b) { return a.place < b.place; });
}

void Captured::First::recorded(autograd::Node& node, const Operand* inputs, int count) {
  let_go(false);
  for (int i = 0; i < count; ++i, ++next_) {
    const Tensor& x = inputs[i].tensor();
    if (!x.defined() || !x.body().array.defined()) continue;
    const Array& value = x.body().array;
    const autograd::Node* const from = i < node.num_inputs() ? node.edges()[i].node.get() : nullptr;
    if (of_inputs_.count(value.storage().get()) != 0 || nodes_.count(from) != 0) continue;
    pending_.push_back({next_, value, value.storage()->write_count(), value.shape(), value.dtype(),
                        std::string(node.name()), x.requires_grad() && x.is_leaf()});
    ++holds[value.storage().get()];
  }
  nodes_.insert(&node);
}

// What nobody but these lists holds any more was made by the function.
void Captured::First::let_go(bool at_end) {
  std::erase_if(pending_, [&](Use& use) {
    if (use.parameter && !at_end) return false;  // somebody's for as long as the function runs
    const core::Storage* const storage = use.value.storage().get();
    const auto own = holds.find(storage);
    if (storage->use_count() != own->second) return false;
    use.made_inside = true;
    use.known = storage->write_count() == use.writes;
    if (use.known) use.checksum = checksum_of(use.value);
    if (--own->second == 0) holds.erase(own);
    use.value = Array();
    all_.uses_.push_back(std::move(use));
    return true;
  });
}

void Captured::Again::recorded(autograd::Node& node, const Operand* inputs, int count) {
  for (int i = 0; i < count; ++i, ++next_) {
    if (seen_ == all_.uses_.size() || all_.uses_[seen_].place != next_) continue;
    const Use& use = all_.uses_[seen_++];
    const Array* const now = inputs[i].tensor().defined() ? &inputs[i].tensor().body().array : nullptr;
    if (node.name() != use.operation) other_operations_ = true;  // it is not deterministic, which Segment tells of
    if (other_operations_ || !other_.empty() || now == nullptr || !now->defined()) continue;
    std::string what;
    if (use.made_inside) {
      const bool same = !use.known || !exact_ ||
                        (now->shape() == use.shape && now->dtype() == use.dtype && checksum_of(*now) == use.checksum);
      if (!same) what = "it is computed from what was not recorded, and has other numbers now";
    } else if (use.value.storage()->write_count() != use.writes) {
      what = autograd::written(use.value.storage()->writes());
    } else if (use.value.storage() != now->storage() && (exact_ || use.parameter) && !same_numbers(use.value, *now)) {
      what = "it is another tensor now, with other numbers";
    }
    if (!what.empty())
      other_ = fmt::format("operand {} of {} ({}, {}) is not: {}", i, node.name(), use.shape, use.dtype, what);
  }
}

void Captured::Again::check() const {
  if (other_.empty()) return;
  core::fail<GradError>(
      "checkpoint: what its function captured must be at backward as it was: {}; run backward() before it changes, "
      "pass it as an input, or capture a clone() of it; a functional_call belongs outside the function",
      other_);
}

}  // namespace gradus::func::detail
