#include "checkpoint.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

#include "../../core/base/fail.h"
#include "../../core/ops/random.h"
#include "../graph/grad_mode.h"
#include "saved_hooks.h"

namespace gradus::func {

using autograd::Saved;
using core::Array;

namespace {

thread_local bool running_again = false;

// The state that f runs again in: that of its first run.
class Again {
 public:
  explicit Again(core::RandomPosition start) : before_(std::exchange(running_again, true)) {
    default_generator().set_position(start);
  }
  ~Again() {
    default_generator().set_position(position_);
    running_again = before_;
  }
  Again(const Again&) = delete;
  Again& operator=(const Again&) = delete;

 private:
  const core::RandomPosition position_ = default_generator().position();
  const bool before_;
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

 protected:
  bool leaves_alone(const Array& value, const Operand* inputs, int count) const override {
    const bool of_input = std::count(of_inputs_.begin(), of_inputs_.end(), value.storage().get()) != 0;
    return !of_input && SavedValues::leaves_alone(value, inputs, count);
  }

 private:
  std::vector<const core::Storage*> of_inputs_;
};

// What a saved value was, to know it again.
struct Kind {
  std::string_view operation;
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
      Drop(Segment& segment, const Tensors& x) : Watch(x), segment_(segment) {}
      void take(std::string_view operation, Saved& saved) override {
        saved.pack([value = segment_.dropped({operation, saved.value().shape(), saved.value().dtype()})] {
          return value->again();
        });
      }

     private:
      Segment& segment_;
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
    const std::lock_guard lock(busy_);
    kinds_.push_back(std::move(kind));
    values_.emplace_back();
    gone_.push_back(false);
    return std::make_shared<const Dropped>(shared_from_this(), kinds_.size() - 1);
  }
  void forget(std::size_t place) {
    Array last;  // outlives the lock
    const std::lock_guard lock(busy_);
    gone_[place] = true;
    std::swap(last, values_[place]);
  }
  Array value(std::size_t place) {
    const std::lock_guard lock(busy_);
    if (!values_[place].defined()) run_again();
    return values_[place];
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
      using Watch::Watch;
      void take(std::string_view operation, Saved& saved) override {
        const Array value = saved.value();
        kinds.push_back({operation, value.shape(), value.dtype()});
        values.push_back(value);
        saved.pack([value] { return value; });  // nobody else's
      }
      std::vector<Kind> kinds;
      std::vector<Array> values;
    };
    const Again again(start_);
    std::optional<autograd::UseReferences> references;
    if (by_references_) references.emplace();
    const Tensors inputs = fresh_inputs();
    Keep keep(inputs);
    (void)f_(inputs);
    const std::size_t count = keep.values.size();
    const bool fits = complete_ ? count == kinds_.size() : count >= kinds_.size();
    if (!fits) {
      core::fail<GradError>(
          "checkpoint: the function must be deterministic: its operations saved {} values, and {} when it ran again "
          "for "
          "backward",
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
      if (!gone_[i]) values_[i] = std::move(keep.values[i]);
    }
  }

  const std::function<Tensors(const Tensors&)> f_;
  const core::RandomPosition start_;
  const bool by_references_;
  std::vector<Input> inputs_;
  bool complete_ = false;
  std::mutex busy_;  // backward may run on several threads
  std::vector<Kind> kinds_;
  std::vector<Array> values_;  // those that were computed again, until they are let go of
  std::vector<bool> gone_;
};

}  // namespace

bool recomputing() noexcept { return running_again; }

Tensors detail::checkpoint(std::function<Tensors(const Tensors&)> f, const Tensors& inputs) {
  if (!GradMode::is_enabled()) return f(inputs);
  return std::make_shared<Segment>(std::move(f), inputs)->run_first(inputs);
}

}  // namespace gradus::func
