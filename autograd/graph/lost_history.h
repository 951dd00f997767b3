// Whether a recorded gradient keeps the history of all that it depends on, and what is put in its way where it does not
// (internal to the operation mechanism).
#pragma once

#include <atomic>
#include <vector>

#include "operation_guard.h"
#include "../tensor/tensor.h"

namespace gradus::autograd::detail {

/// While it lives, what a node's formulas read on this thread comes from it.
class Trial {
 public:
  explicit Trial(std::atomic<bool>& substituted);
  virtual ~Trial();
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  virtual Tensor given(Tensor x, int of_input, const char* kind, int index) = 0;

 private:
  std::atomic<bool>& substituted_;
  Trial* outer_;
};

/// Tries the formulas out: on leaves, to see what the gradients' graphs lead to; and, where a formula has read a value that
/// its graph does not lead to, on that value moved a little, to see whether the gradient moves with it. A mask, a sign, a
/// shape does not move it; what was computed past the graph does.
/// False where nothing could be found out, for the numbers that came.
bool find_lost_history(Node& node, const Gradients& of_outputs, const GradientTraits& traits,
                       std::vector<LostHistory>& lost);

/// of_inputs, where the history of something is lost or none is wanted: a second derivative that leads there is an error.
void fence(Node& node, const Gradients& of_outputs, Gradients& of_inputs, const GradientTraits& traits,
           const std::vector<LostHistory>& lost);

}  // namespace gradus::autograd::detail
