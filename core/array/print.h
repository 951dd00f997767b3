// Arrays as text, as Python's PyTorch prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "array.h"

namespace gradus {

/// `set_printoptions({.precision = 2, .sci_mode = true})`.
struct PrintOptions {
  std::optional<int> precision = {};           ///< digits behind the point: 4
  std::optional<std::int64_t> threshold = {};  ///< with more elements a tensor is summarised: 1000
  std::optional<std::int64_t> edgeitems = {};  ///< then so many at each end of a dimension are shown: 3
  std::optional<int> linewidth = {};           ///< characters: 80
  std::optional<bool> sci_mode = {};           ///< whether numbers have exponents; absent: as they need it
};
/// How tensors are printed from now on, in the whole process. What is absent stays, but sci_mode, which is absent then:
/// all as Python's torch.set_printoptions. ValueError when a number is negative or the width 0.
GRADUS_API void set_printoptions(const PrintOptions& options);

}  // namespace gradus

namespace gradus::core {

/// The form that PyTorch's repr has, with the options of set_printoptions. The dtype is named where it is not float32, int64 or bool, the size where
/// there are no elements. `suffix`, such as `, requires_grad=True`, is put before the last bracket, on a line of its own
/// where it would not fit.
GRADUS_API std::string to_string(const Array& x, const std::string& suffix = "");

}  // namespace gradus::core
