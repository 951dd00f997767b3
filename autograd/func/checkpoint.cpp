#include "checkpoint.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "../../core/base/fail.h"
#include "../../core/ops/generator_scope.h"
#include "../graph/grad_mode.h"
#include "captured.h"
#include "saved_hooks.h"

namespace gradus::func {

using autograd::Saved;
using core::Array;

namespace {

thread_local int running_again = 0;  // one inside another

// The state that f runs again in: that of its first run. Its random numbers come from a generator at the same place.
class Again {
 public:
  explicit Again(core::RandomPosition start) {
    generator_.set_position(start);
    ++running_again;
  }
  ~Again() { --running_again; }
  Again(const Again&) = delete;
  Again& operator=(const Again&) = delete;

 private:
  core::Generator generator_;
  const core::UseGenerator drawing_{generator_};
  const AutoGradMode recording_{true};
};

// Values are dropped when f runs first, and kept when it runs again; both leave alone the memory of leaves that f
// captured.
class Watch : public detail::SavedValues {
 public:
  explicit Watch(const Tensors& inputs) {
    for (const Tensor& x : inputs) {
      if (x.defined()) of_inputs_.push_back(x.array().storage().get());
    }
  }
  void recorded(autograd::Node& node, const Operand* inputs, int count, const std::vector<Array>& outputs) override {
    SavedValues::recorded(node, inputs, count, outputs);
    // What runs again inside is compared there.
    if (running_again == depth_) note(node, inputs, count);
  }

 protected:
  virtual void note(autograd::Node& node, const Operand* inputs, int count) = 0;
  bool leaves_alone(const Array& value, const Operand* inputs, int count) const override {
    const bool of_input = std::count(of_inputs_.begin(), of_inputs_.end(), value.storage().get()) != 0;
    return !of_input && SavedValues::leaves_alone(value, inputs, count);
  }

 private:
  const int depth_ = running_again;
  std::vector<const core::Storage*> of_inputs_;
};

// What a saved value was, to know it again.
struct Kind {
  std::string operation;  // a fused one's name goes with its node
  core::Shape shape;
  DType dtype;
  bool operator==(const Kind&) const = default;
};

// One checkpoint: how to compute again what its operations saved.
class Segment : public std::enable_shared_from_this<Segment> {
 public:
  Segment(std::function<Tensors(const Tensors&)> f, const Tensors& inputs)
      : f_(std::move(f)), start_(default_generator().position()), by_references_(autograd::UseReferences::active()) {
    for (const Tensor& x : inputs) {
      Input& input = inputs_.emplace_back();
      if (!x.defined()) continue;
      input.value.set(x.array());
      input.requires_grad = x.requires_grad();
      // A checkpoint around this one keeps it only for as long as it needs it.
      detail::SavedValues::offer(input.value, x);
    }
  }

  Tensors run_first(const Tensors& inputs) {
    class Drop final : public Watch {
     public:
      Drop(Segment& segment, const Tensors& x) : Watch(x), segment_(segment), captured_(segment.captured_, x) {}
      void take(std::string_view operation, Saved& saved) override {
        saved.pack([value = segment_.dropped({std::string(operation), saved.value().shape(), saved.value().dtype()})] {
          return value->again();
        });
      }
      void note(autograd::Node& node, const Operand* operands, int count) override {
        captured_.recorded(node, operands, count);
      }

     private:
      Segment& segment_;
      detail::Captured::First captured_;
    } const drop(*this, inputs);
    Tensors results = f_(inputs);
    complete_ = true;
    return results;
  }

 private:
  struct Input {
    Saved value;
    bool requires_grad = false;
  };
  // A value that was dropped. It goes when the node that saved it lets it go.
  struct Dropped {
    Dropped(std::shared_ptr<Segment> of, std::size_t at) : segment(std::move(of)), place(at) {}
    ~Dropped() { segment->forget(place); }
    Dropped(const Dropped&) = delete;
    Dropped& operator=(const Dropped&) = delete;
    Array again() const { return segment->value(place); }
    std::shared_ptr<Segment> segment;
    std::size_t place;
  };

  std::shared_ptr<const Dropped> dropped(Kind kind) {
    const std::lock_guard lock(values_busy_);
    kinds_.push_back(std::move(kind));
    values_.emplace_back();
    gone_.push_back(false);
    return std::make_shared<const Dropped>(shared_from_this(), kinds_.size() - 1);
  }
  void forget(std::size_t place) {
    Array last;  // outlives the lock
    const std::lock_guard lock(values_busy_);
    gone_[place] = true;
    std::swap(last, values_[place]);
  }
  Array computed(std::size_t place) {
    const std::lock_guard lock(values_busy_);
    return values_[place];
  }
  Array value(std::size_t place) {
    if (Array known = computed(place); known.defined()) return known;
    if (runner_ == std::this_thread::get_id()) {
      core::fail<GradError>(
          "checkpoint: the function, when it runs again, must not go back through what its first run recorded: it does "
          "by {}; use what this run computes, or go back outside",
          kinds_[place].operation);
    }
    const std::lock_guard lock(running_);
    if (Array known = computed(place); known.defined()) return known;
    runner_ = std::this_thread::get_id();
    try {
      run_again();
    } catch (...) {
      runner_ = std::thread::id();
      throw;
    }
    runner_ = std::thread::id();
    return computed(place);
  }

  Tensors fresh_inputs() const {
    Tensors inputs;
    for (const Input& input : inputs_) {
      Array array = input.value.packed() ? input.value.packed()->unpacked() : input.value.value();
      if (!input.value.packed() && array.defined() && array.storage()->write_count() != input.value.writes()) {
        core::fail<GradError>(
            "checkpoint: its inputs must not be changed in place before backward: input {} ({}, {}) was; change a "
            "clone()",
            inputs.size(), array.shape(), array.dtype());
      }
      inputs.emplace_back(std::move(array));
      if (input.requires_grad) inputs.back().requires_grad_();
    }
    return inputs;
  }

  void run_again() {
    class Keep final : public Watch {
     public:
      Keep(const Tensors& x, const detail::Captured& all, bool exact) : Watch(x), captured(all, exact) {}
      void take(std::string_view operation, Saved& saved) override {
        const Array value = saved.value();
        kinds.push_back({std::string(operation), value.shape(), value.dtype()});
        values.push_back(value);
        saved.pack([value] { return value; });  // nobody else's
      }
      void note(autograd::Node& node, const Operand* operands, int count) override {
        captured.recorded(node, operands, count);
      }
      std::vector<Kind> kinds;
      std::vector<Array> values;
      detail::Captured::Again captured;
    };
    const Again again(start_);
    std::optional<autograd::UseReferences> references;
    if (by_references_) references.emplace();
    const Tensors inputs = fresh_inputs();
    const bool exact = std::none_of(inputs_.begin(), inputs_.end(), [](const Input& i) { return i.value.packed(); });
    Keep keep(inputs, captured_, exact);
    (void)f_(inputs);
    keep.captured.check();
    const std::lock_guard lock(values_busy_);
    const std::size_t count = keep.values.size();
    const bool fits = complete_ ? count == kinds_.size() : count >= kinds_.size();
    if (!fits) {
      core::fail<GradError>(
          "checkpoint: the function must be deterministic: its operations saved {} values, and {} when it ran again "
          "for backward",
          kinds_.size(), count);
    }
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (keep.kinds[i] != kinds_[i]) {
        core::fail<GradError>(
            "checkpoint: the function must be deterministic: {} saved {} ({}), and {} {} ({}) when it ran again for "
            "backward",
            kinds_[i].operation, kinds_[i].shape, kinds_[i].dtype, keep.kinds[i].operation, keep.kinds[i].shape,
            keep.kinds[i].dtype);
      }
    }
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (!gone_[i]) std::swap(values_[i], keep.values[i]);
    }
  }

  const std::function<Tensors(const Tensors&)> f_;
  const core::RandomPosition start_;
  const bool by_references_;
  std::vector<Input> inputs_;
  bool complete_ = false;
  detail::Captured captured_;
  // Backward may run on several threads: f runs again on one of them. While it does values may be let go of, by that
  // very thread: no user's code runs under the second lock.
  std::mutex running_, values_busy_;
  std::atomic<std::thread::id> runner_{};
  std::vector<Kind> kinds_;
  std::vector<Array> values_;  // those that were computed again, until they are let go of
  std::vector<bool> gone_;
};

}  // namespace

bool recomputing() noexcept { return running_again != 0; }

Tensors detail::checkpoint(std::function<Tensors(const Tensors&)> f, const Tensors& inputs) {
  if (!GradMode::is_enabled()) return f(inputs);
  return std::make_shared<Segment>(std::move(f), inputs)->run_first(inputs);
}

}  // namespace gradus::func
