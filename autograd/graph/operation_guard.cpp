#include "operation_guard.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>

#include "../../core/array/create.h"
#include "../../core/base/fail.h"
#include "../../core/ops/random.h"
#include "error_notes.h"
#include "grad_mode.h"
#include "lost_history.h"
#include "observer.h"
#include "operation_support.h"

namespace gradus::autograd::detail {

using core::Array;

namespace {

constexpr std::int64_t kCompared = 4096;  // elements of an array whose numbers are compared, not its writes alone

bool same_bytes(const Array& a, const Array& b) {
  const Array p = a.contiguous(), q = b.contiguous();
  const auto bytes = static_cast<std::size_t>(p.numel()) * static_cast<std::size_t>(size_of(p.dtype()));
  return bytes == 0 || std::memcmp(p.data(), q.data(), bytes) == 0;
}

}  // namespace

ReadOnly::ReadOnly(const Operand* inputs, int count) {
  for (int i = 0; i < count; ++i) add(input_array(inputs[i]), "input", i);
}

void ReadOnly::add(const Array& x, const char* kind, int index) {
  if (!x.defined()) return;
  const bool few = x.numel() <= kCompared;
  given_.push_back({x, few ? x.clone() : Array(), x.storage()->write_count(), kind, index});
}

void ReadOnly::expect_unchanged(std::string_view op, const char* by) const {
  for (const Given& g : given_) {
    const core::WriteMark mark = g.array.storage()->writes();
    const bool counted = mark.count != g.writes;
    if (!counted && (!g.before.defined() || same_bytes(g.array, g.before))) continue;
    // A write to memory that they share may have left these numbers alone. The engine sees that of a gradient by itself.
    if (counted && g.before.defined() && same_bytes(g.array, g.before)) continue;
    if (counted && std::string_view(g.kind) == "gradient") continue;
    core::fail<GradError>("{}: {} must not change what it is given: {} {} ({}, {}): {}; let it change a clone()", op,
                          by, g.kind, g.index, g.array.shape(), g.array.dtype(),
                          counted ? written(mark) : std::string("its numbers are others than before"));
  }
}

OperationGuard::WatchForward::WatchForward(OperationGuard& guard) noexcept : guard_(guard) {
  guard_.watches_forward_.store(false, std::memory_order_relaxed);
}
OperationGuard::WatchForward::~WatchForward() {
  const std::uint8_t left = guard_.forwards_.load(std::memory_order_relaxed);
  if (left <= 1) return;
  guard_.forwards_.store(static_cast<std::uint8_t>(left - 1), std::memory_order_relaxed);
  guard_.watches_forward_.store(true, std::memory_order_relaxed);
}

namespace {

thread_local Trial* current = nullptr;

// Takes down what is read, and gives it.
class Reads final : public Trial {
 public:
  explicit Reads(std::atomic<bool>& substituted) : Trial(substituted) {}
  Tensor given(Tensor x, int, const char* kind, int index) override {
    const std::string_view name(kind);
    const bool known = std::any_of(seen_.begin(), seen_.end(),
                                   [&](const auto& each) { return each.first == name && each.second == index; });
    if (!known) {
      seen_.emplace_back(name, index);
      all.add(x.body().array, kind, index);
    }
    return x;
  }
  ReadOnly all;

 private:
  std::vector<std::pair<std::string_view, int>> seen_;
};

}  // namespace

Trial::Trial(std::atomic<bool>& substituted) : substituted_(substituted), outer_(current) {
  current = this;
  substituted_.store(true, std::memory_order_relaxed);
}
Trial::~Trial() {
  current = outer_;
  if (outer_ == nullptr) substituted_.store(false, std::memory_order_relaxed);
}

Tensor substitute(Tensor x, int of_input, const char* kind, int index) {
  if (current == nullptr || !x.defined()) return x;
  return current->given(std::move(x), of_input, kind, index);
}

void OperationGuard::add(const std::vector<LostHistory>& found) {
  // What has been published is read without a lock, and so stays as it is.
  static std::mutex busy;
  static auto* const all = new std::deque<std::vector<LostHistory>>;
  const std::lock_guard lock(busy);
  const std::vector<LostHistory>* known = lost_.load(std::memory_order_acquire);
  std::vector<LostHistory>& lost = all->emplace_back(known == nullptr ? std::vector<LostHistory>() : *known);
  for (const LostHistory& each : found) {
    const bool again = std::any_of(lost.begin(), lost.end(), [&](const LostHistory& l) {
      return l.of_input == each.of_input && std::string_view(l.kind) == each.kind && l.index == each.index;
    });
    if (!again) lost.push_back(each);
  }
  lost_.store(&lost, std::memory_order_release);
  state_.fetch_or(kFenced, std::memory_order_relaxed);
}

void OperationGuard::run(Node& node, const Gradients& of_outputs, Gradients& of_inputs, bool create_graph,
                         const GradientTraits& traits) {
  const std::uint8_t state = state_.load(std::memory_order_relaxed);
  const auto done = [&](std::uint8_t bit) {
    state_.fetch_and(static_cast<std::uint8_t>(~bit), std::memory_order_relaxed);
  };
  const bool by_hand = traits.is_rule && traits.no_second_order;
  const AutoGradMode mode(GradMode::is_enabled() && !by_hand);
  if ((state & kBackward) != 0) {
    Reads reads(traits.substituted);
    traits.compute(of_outputs, of_inputs, create_graph && !by_hand);
    reads.all.expect_unchanged(node.name(), traits.is_rule ? "backward" : "a gradient formula");
    if (backwards_.fetch_sub(1, std::memory_order_relaxed) <= 1) done(kBackward);
  } else {
    traits.compute(of_outputs, of_inputs, create_graph && !by_hand);
  }
  if (!create_graph) return;
  if ((state & kRecorded) != 0 && traits.has_formulas) {
    const Unobserved unobserved;  // the tries are no part of what happened
    std::vector<LostHistory> found;
    bool conclusive = false;
    try {
      conclusive = find_lost_history(node, of_outputs, traits, found);
    } catch (const std::exception&) {  // what cannot be tried out is nothing against it
    }
    if (!found.empty()) add(found);
    const bool enough = conclusive && recorded_.fetch_sub(1, std::memory_order_relaxed) <= 1;
    if (enough | (tries_.fetch_sub(1, std::memory_order_relaxed) <= 1)) done(kRecorded);
  }
  static const std::vector<LostHistory> none;
  const std::vector<LostHistory>* lost = lost_.load(std::memory_order_acquire);
  if (lost != nullptr || traits.no_second_order)
    fence(node, of_outputs, of_inputs, traits, lost == nullptr ? none : *lost);
}

}  // namespace gradus::autograd::detail
