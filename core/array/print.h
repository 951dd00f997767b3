// Arrays as text, as Python's PyTorch prints them.
#pragma once

#include <string>

#include "array.h"

namespace gradus::core {

/// `tensor([[1., 2.],\n        [3., 4.]])`: the form that PyTorch's repr has with its default options (4 digits, lines
/// of 80 characters, beyond 1000 elements only the first and last 3 of each dimension). The dtype is named where it is
/// not float32, int64 or bool, the size where there are no elements. `suffix` (", requires_grad=True",
/// ", grad_fn=<MulBackward0>") is put before the last bracket, on a line of its own where it would not fit.
GRADUS_API std::string to_string(const Array& x, const std::string& suffix = "");

}  // namespace gradus::core
