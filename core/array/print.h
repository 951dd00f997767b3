// Arrays as text, as Python's PyTorch prints them.
#pragma once

#include <string>

#include "array.h"

namespace gradus::core {

/// The form that PyTorch's repr has with its default options: 4 digits, lines of 80 characters, beyond 1000 elements only
/// the first and last 3 of each dimension. The dtype is named where it is not float32, int64 or bool, the size where
/// there are no elements. `suffix`, such as `, requires_grad=True`, is put before the last bracket, on a line of its own
/// where it would not fit.
GRADUS_API std::string to_string(const Array& x, const std::string& suffix = "");

}  // namespace gradus::core
