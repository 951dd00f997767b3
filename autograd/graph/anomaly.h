// Finding the operation whose gradient is no number any more.
#pragma once

#include <cstdint>
#include <string>

#include "../../core/base/export.h"
#include "../../core/base/own.h"
#include "observer.h"

namespace gradus::autograd {

/// While it is on, in the whole process, each gradient that a backward pass computes is looked at: the first with a NaN, or
/// with an infinity where what came in was finite, is a GradError. It names the operation, its module, which input's
/// gradient, the first such element with its index, what the operation read there, and the line that called it. Every
/// `.grad` stays as it was. Off, it costs a branch a pass.
class GRADUS_API AnomalyMode {
 public:
  static bool is_enabled() noexcept;
  static bool should_check_nan() noexcept;
  static bool should_check_infinity() noexcept;
  /// With `check_infinity` false infinities are only mentioned where a NaN follows, which is what PyTorch's asks for.
  static void set_enabled(bool enabled, bool check_nan = true, bool check_infinity = true) noexcept;
};

/// Turns anomaly mode on for as long as it lives; then it is what it was.
class GRADUS_API DetectAnomalyGuard {
 public:
  DetectAnomalyGuard(bool check_nan = true, bool check_infinity = true) noexcept;  // NOLINT: PyTorch's is implicit too
  ~DetectAnomalyGuard();
  DetectAnomalyGuard(const DetectAnomalyGuard&) = delete;
  DetectAnomalyGuard& operator=(const DetectAnomalyGuard&) = delete;

 private:
  bool enabled_, nan_, infinity_;
};

/// Cheap enough to stay on in training: while it lives, the calling thread's backward passes take one sum of each gradient
/// that they compute. The first node whose gradient is not finite is noted, and when all nodes have run, before any
/// `.grad` is changed, that is a GradError with the same words, so that a step that catches it can be left out; or, where
/// it `throws` not, it waits in `found()`. With `forward` the results of recorded operations are looked at, too, and
/// the first that is not finite although its inputs were is named.
class GRADUS_API WatchFinite : public Observer {
 public:
  explicit WatchFinite(bool throws = true, bool forward = false);
  ~WatchFinite() override;
  /// What was found last, empty when nothing was.
  const std::string& found() const noexcept { return found_; }
  void clear() noexcept { found_.clear(); }

  void recorded(Node& node, const Operand* inputs, int count, const std::vector<core::Array>& outputs) override;
  void started(const std::vector<Tensor>& outputs, const Gradients& gradients) override;
  void ended(bool complete) noexcept override;
  void ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) override;
  void finishing() override;

 private:
  bool throws_, forward_;
  int passes_ = 0;  // under way, one inside the other
  std::string found_;
};

namespace detail {
/// Anomaly mode's own observer, for one pass; null where it is off.
core::Own<Observer> detect_anomaly();
}  // namespace detail

}  // namespace gradus::autograd
