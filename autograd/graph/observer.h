// Whoever watches the graph grow and run: recordings, checks for NaN, hooks on saved values.
#pragma once

#include "../../core/base/export.h"
#include "node.h"
#include "../tensor/operand.h"

namespace gradus::autograd {

/// Told of what the calling thread records and of its backward passes, for as long as it lives. Observers nest: the
/// innermost is told first. What an observer itself computes is not observed.
class GRADUS_API Observer {
 public:
  Observer() noexcept;
  virtual ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Whether there is one: all that the graph asks where nobody watches.
  static bool active() noexcept;

  /// A call has been recorded: its node, complete, with the inputs, `count` of them, and the results of forward.
  virtual void recorded(Node&, const Operand* /*inputs*/, int /*count*/, const std::vector<core::Array>& /*outputs*/) {}
  /// A node's backward is about to run on these gradients.
  virtual void running(Node&, const Gradients& /*of_outputs*/) {}
  /// It has run; before the gradients are handed on.
  virtual void ran(Node&, const Gradients& /*of_outputs*/, Gradients& /*of_inputs*/) {}
  /// A gradient was added to one that waited for output number `output` of a node.
  virtual void added(Node&, int /*output*/) {}
  /// A node has let its saved values go.
  virtual void released(Node&) {}
  /// A leaf's `.grad` has got its sum.
  virtual void accumulated(LeafNode&) {}
  /// A backward pass has come to its end.
  virtual void finished() {}

  // Tell all of the calling thread's.
  static void tell_recorded(Node& node, const Operand* inputs, int count, const std::vector<core::Array>& outputs);
  static void tell_running(Node& node, const Gradients& of_outputs);
  static void tell_ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs);
  static void tell_added(Node& node, int output);
  static void tell_released(Node& node);
  static void tell_accumulated(LeafNode& leaf);
  static void tell_finished();

 private:
  friend class Unobserved;
  Observer* outer_;
};

/// Nothing of what the calling thread does is observed for as long as it lives.
class GRADUS_API Unobserved {
 public:
  Unobserved() noexcept;
  ~Unobserved();
  Unobserved(const Unobserved&) = delete;
  Unobserved& operator=(const Unobserved&) = delete;
  /// The innermost of those that it keeps from seeing.
  Observer* first() const noexcept { return before_; }

 private:
  Observer* before_;
};

}  // namespace gradus::autograd
