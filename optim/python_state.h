// An optimizer's state in the order in which Python's `optimizer.state_dict()` has it: internal to optim.
//
//   {"state": {0: {"step": 3., "exp_avg": ..}, ..}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "params": [0, 1]}]}
//
// The names are those of Optimizer::state_dict(), which are joined by dots: "state.0.step", "param_groups.0.lr".
#pragma once

#include <string_view>

#include "../autograd/graph/ivalue.h"
#include "optimizer.h"

namespace gradus::optim::detail {

/// What an optimizer saves, for Python's load_state_dict(), with the settings that it leaves out: None and False. As it is where
/// it is not made of such names, and LBFGS's, which Python has in lists.
IValueDict for_python(const IValueDict& values, const Optimizer& optimizer);
/// Whether it is a state that Python has saved.
bool is_of_python(const IValueDict& values);
/// Such a state, of the optimizer `name`, with its names joined. Settings that choose a way of computing (foreach, fused,
/// capturable, differentiable) and names of parameters are left out. ValueError for what is no tensor, number, text or list of
/// numbers.
IValueDict from_python(const IValueDict& values, std::string_view name);

}  // namespace gradus::optim::detail
