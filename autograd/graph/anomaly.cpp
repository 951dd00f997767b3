#include "anomaly.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "../../core/base/fail.h"
#include "batched.h"
#include "error_notes.h"
#include "numbers.h"
#include "saved.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

using core::Array;

namespace {

std::atomic<bool> mode_on{false}, mode_nan{true}, mode_infinity{true};

// "input 1 0.5": what a formula read at the place, of all that has the gradient's shape.
std::string read_at(Node& node, const Gradients& of_outputs, const Array& gradient, std::int64_t place) {
  std::string text;
  const auto add = [&](const std::string& what, const Array& x) {
    const bool one = x.defined() && x.numel() == 1;
    if (!x.defined() || (!one && x.shape() != gradient.shape())) return;
    text += fmt::format("{}{} {:g}", text.empty() ? "" : ", ", what, detail::number_at(x, one ? 0 : place));
  };
  for (std::size_t k = 0; k < of_outputs.size(); ++k) {
    const std::string of = of_outputs.size() == 1 ? "" : fmt::format(" {}", k);
    add("the incoming gradient" + of, numbers_of_all(of_outputs[k]));
  }
  node.visit_saved(
      [&](const char* kind, int index, Saved& saved) { add(fmt::format("its {} {}", kind, index), saved.value()); });
  return text.empty() ? "" : fmt::format(" (there: {})", text);
}

// Which gradient that came in is not finite already.
std::string came_in(const Gradients& of_outputs) {
  for (std::size_t k = 0; k < of_outputs.size(); ++k) {
    const Array& dy = numbers_of_all(of_outputs[k]);
    const std::int64_t place = detail::first_not_finite(dy);
    if (place < 0) continue;
    return fmt::format(
        "; the gradient that came for its output {} is {:g} at {} already: given to backward so, by a hook, "
        "or summed up of several",
        k, detail::number_at(dy, place), detail::index_of(dy.shape(), place));
  }
  return "";
}

// What is wrong with the gradient of an input.
std::string wrong(Node& node, const Gradients& of_outputs, const Array& dx, std::size_t input, std::int64_t place) {
  const std::string before = came_in(of_outputs);
  return fmt::format("{}: the gradient of its input {} ({}, {}) must be finite: {:g} at {}{}{}", node.name(), input,
                     dx.shape(), dx.dtype(), detail::number_at(dx, place), detail::index_of(dx.shape(), place),
                     read_at(node, of_outputs, dx, place),
                     before.empty() ? "; keep its operands away from there (clamp, eps, where before it), or lower the "
                                      "learning rate"
                                    : before);
}

// Whether an operation in place has put its result where it read this.
bool overwritten(const Array& x, const std::vector<Array>& outputs) {
  return x.defined() && std::any_of(outputs.begin(), outputs.end(),
                                    [&](const Array& y) { return y.defined() && y.storage() == x.storage(); });
}

// Anomaly mode's, for one pass.
class DetectAnomaly final : public Observer {
 public:
  void ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) override;

 private:
  std::string infinity_;  // where the first one came, if that was allowed
};

void DetectAnomaly::ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) {
  if (!AnomalyMode::should_check_nan()) return;
  for (std::size_t i = 0; i < of_inputs.size(); ++i) {
    const Array& dx = numbers_of_all(of_inputs[i]);
    if (detail::all_finite(dx)) continue;
    std::int64_t place = detail::first_not_finite(dx, false);
    if (place < 0) {  // infinities alone
      place = detail::first_not_finite(dx);
      const bool fresh = came_in(of_outputs).empty();
      if (fresh && infinity_.empty()) {
        infinity_ = fmt::format("; the first infinity of this pass was in the gradient of input {} of {}, at {}", i,
                                described(node), detail::index_of(dx.shape(), place));
      }
      if (!fresh || !AnomalyMode::should_check_infinity()) continue;
      throw GradError(wrong(node, of_outputs, dx, i, place));
    }
    throw GradError(wrong(node, of_outputs, dx, i, place) + infinity_);
  }
}

}  // namespace

bool AnomalyMode::is_enabled() noexcept { return mode_on.load(std::memory_order_relaxed); }
bool AnomalyMode::should_check_nan() noexcept { return mode_nan.load(std::memory_order_relaxed); }
bool AnomalyMode::should_check_infinity() noexcept { return mode_infinity.load(std::memory_order_relaxed); }
void AnomalyMode::set_enabled(bool enabled, bool check_nan, bool check_infinity) noexcept {
  mode_on = enabled;
  mode_nan = check_nan;
  mode_infinity = check_infinity;
}

DetectAnomalyGuard::DetectAnomalyGuard(bool check_nan, bool check_infinity) noexcept
    : enabled_(AnomalyMode::is_enabled()),
      nan_(AnomalyMode::should_check_nan()),
      infinity_(AnomalyMode::should_check_infinity()) {
  AnomalyMode::set_enabled(true, check_nan, check_infinity);
}
DetectAnomalyGuard::~DetectAnomalyGuard() { AnomalyMode::set_enabled(enabled_, nan_, infinity_); }

core::Own<Observer> detail::detect_anomaly() {
  if (!AnomalyMode::is_enabled() || Unobserved::tracing()) return core::Own<Observer>();
  return core::Own<Observer>(new DetectAnomaly);
}

WatchFinite::WatchFinite(bool throws, bool forward) : throws_(throws), forward_(forward) {}
WatchFinite::~WatchFinite() = default;

void WatchFinite::started(const std::vector<Tensor>&, const Gradients&) {
  if (passes_++ == 0 && throws_) clear();
}
void WatchFinite::ended(bool) noexcept {
  if (passes_ > 0) --passes_;  // it may have begun before this was made
}

void WatchFinite::ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) {
  if (!found_.empty()) return;
  for (std::size_t i = 0; i < of_inputs.size(); ++i) {
    const Array& dx = numbers_of_all(of_inputs[i]);
    if (detail::all_finite(dx)) continue;
    found_ =
        wrong(node, of_outputs, dx, i, detail::first_not_finite(dx)) + "\n  in the backward pass of " + described(node);
    return;
  }
}

void WatchFinite::recorded(Node& node, const Operand* inputs, int count, const std::vector<Array>& outputs) {
  if (!forward_) return;
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Array& y = outputs[k];
    if (detail::all_finite(y)) continue;
    for (int i = 0; i < count; ++i) {
      const Array& x = numbers_of_all(inputs[i].tensor());
      if (overwritten(x, outputs)) continue;  // in place: what it was is gone
      if (!detail::all_finite(x)) return;     // it was said, or came from outside
    }
    const std::int64_t place = detail::first_not_finite(y);
    std::string text = fmt::format("{}: its output {} ({}, {}) must be finite, as its inputs are: {:g} at {}\n  in {}",
                                   node.name(), k, y.shape(), y.dtype(), detail::number_at(y, place),
                                   detail::index_of(y.shape(), place), described(node));
    if (throws_) throw GradError(text);
    if (found_.empty()) found_ = std::move(text);
    return;
  }
}

void WatchFinite::finishing() {
  if (throws_ && !found_.empty()) throw GradError(std::exchange(found_, {}));
}

}  // namespace gradus::autograd
