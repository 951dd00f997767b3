// Whoever watches the graph grow and run: recordings, checks for NaN, hooks on saved values.
#pragma once

#include <atomic>
#include <string_view>

#include "../../core/base/export.h"
#include "node.h"
#include "../tensor/operand.h"

namespace gradus::autograd {

/// Told of what the calling thread records and of its backward passes, for as long as it lives. The last made is the
/// innermost, and told first; they may die in any order. An observer belongs to the thread that made it: only there, or
/// once that thread has ended, may it be destroyed (anything else ends the program, with a message), and not while it is
/// being told. What an observer itself computes is not observed.
class GRADUS_API Observer {
 public:
  Observer() noexcept;
  virtual ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Whether there is one on the calling thread: all that the graph asks where nobody watches, and then a load.
  static bool active() noexcept { return any() != 0 && active_here(); }
  /// Not 0 where there is one on some thread.
  static int any() noexcept { return alive_.load(std::memory_order_relaxed); }

  /// A call has been recorded: its node, complete, with the inputs, `count` of them, and the results of forward.
  virtual void recorded(Node&, const Operand* /*inputs*/, int /*count*/, const std::vector<core::Array>& /*outputs*/) {}
  /// A call is about to change inputs[0] in place, or, where it is not `certain` (a Function's), may change any of them: what
  /// it reads is still as it was. `recorded` comes when it has computed, unless it throws.
  virtual void writing(Node&, const Operand* /*inputs*/, int /*count*/, bool /*certain*/) {}
  /// The history of a view or of its base has got a node that no call computed: as_strided, or what a change in place of a
  /// view takes. `result` has the numbers that it stands for; undefined where they are no longer there.
  virtual void carried_over(Node&, const Operand* /*inputs*/, int /*count*/, const core::Array& /*result*/) {}
  /// A backward pass begins, with these gradients of its outputs. Passes may nest: a step of one may begin another. What
  /// this throws ends the pass: `ended` then comes for those that were told of its beginning.
  virtual void started(const std::vector<Tensor>& /*outputs*/, const Gradients& /*gradients*/) {}
  /// A node's backward is about to run on these gradients.
  virtual void running(Node&, const Gradients& /*of_outputs*/) {}
  /// It has run; before the gradients are handed on.
  virtual void ran(Node&, const Gradients& /*of_outputs*/, Gradients& /*of_inputs*/) {}
  /// A gradient was added to one that waited for output number `output` of a node.
  virtual void added(Node&, int /*output*/) {}
  /// A node has let its saved values go.
  virtual void released(Node&) {}
  /// A gradient has come to where it was asked for: to a leaf, an input of `grad`, a tensor that retains its own.
  virtual void arrived(Node&, int /*output*/, const Tensor& /*gradient*/) {}
  /// An exception, of which this is the text, is about to end the pass: out of this node's formula, out of a hook on it or
  /// after it, with the gradients that were there to read; null: out of what a pass does beside its nodes. What this
  /// throws is dropped.
  virtual void failed(Node*, const Gradients& /*of_outputs*/, std::string_view /*what*/) {}
  /// All nodes have run, and no `.grad` has been changed yet: what this throws ends the pass.
  virtual void finishing() {}
  /// The pass that began last is over; not `complete` when an exception ends it. Who was made while it went on is told
  /// too.
  virtual void ended(bool /*complete*/) noexcept {}
  /// An operation has computed, and not been recorded: since no input has history, under a NoGradGuard, or because no
  /// gradient flows to what it gives.
  virtual void unrecorded(std::string_view /*name*/, const Operand* /*inputs*/, int /*count*/,
                          const std::vector<core::Array>& /*outputs*/) {}
  /// `detached` shows the numbers of a tensor that has history, and has none.
  virtual void detached(const Tensor& /*from*/, const Tensor& /*detached*/) {}
  /// A call of a module begins, with its path, or ends.
  virtual void entered(std::string_view /*module*/) noexcept {}
  virtual void left(std::string_view /*module*/) noexcept {}
  /// An optimizer is about to change a parameter by this gradient, or has changed it. What `updating` throws leaves all
  /// parameters as they are.
  virtual void updating(std::string_view /*optimizer*/, const Tensor& /*parameter*/, const Tensor& /*gradient*/) {}
  virtual void updated(std::string_view /*optimizer*/, const Tensor& /*parameter*/) {}

  // Tell all of the calling thread's.
  static void tell_recorded(Node& node, const Operand* inputs, int count, const std::vector<core::Array>& outputs);
  static void tell_writing(Node& node, const Operand* inputs, int count, bool certain = true);
  static void tell_carried_over(Node& node, const Operand* inputs, int count, const core::Array& result);
  static void tell_started(const std::vector<Tensor>& outputs, const Gradients& gradients);
  static void tell_running(Node& node, const Gradients& of_outputs);
  static void tell_ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs);
  static void tell_added(Node& node, int output);
  static void tell_released(Node& node);
  static void tell_arrived(Node& node, int output, const Tensor& gradient);
  static void tell_failed(Node* node, const Gradients& of_outputs, std::string_view what) noexcept;
  static void tell_finishing();
  static void tell_ended(bool complete) noexcept;
  static void tell_unrecorded(std::string_view name, const Operand* inputs, int count,
                              const std::vector<core::Array>& outputs);
  static void tell_detached(const Tensor& from, const Tensor& detached);
  static void tell_entered(std::string_view module) noexcept;
  static void tell_left(std::string_view module) noexcept;
  static void tell_updating(std::string_view optimizer, const Tensor& parameter, const Tensor& gradient);
  static void tell_updated(std::string_view optimizer, const Tensor& parameter);

 private:
  friend class Unobserved;
  struct OfThread;
  template <class Tell>
  static void tell_each(const Tell& tell);
  static bool active_here() noexcept;

  static std::atomic<int> alive_;  // in the process
  Observer* outer_;
  bool listed_ = true;  // among its thread's
};

/// Those observers that live when it is made see nothing of what the calling thread does for as long as it lives.
class GRADUS_API Unobserved {
 public:
  /// With `tracing`, numbers do not matter: anomaly mode stays away from them too.
  explicit Unobserved(bool tracing = false) noexcept;
  ~Unobserved();
  Unobserved(const Unobserved&) = delete;
  Unobserved& operator=(const Unobserved&) = delete;
  /// Whether the calling thread traces.
  static bool tracing() noexcept;

 private:
  friend class Observer;
  Observer* hidden_;  // it, and those around it
  Unobserved* outer_;
  bool tracing_;
};

}  // namespace gradus::autograd
