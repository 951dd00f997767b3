// Copies in other layouts, and whether what a function gives depends on them (internal to the checks).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "../../core/array/array.h"
#include "../tensor/tensor.h"

namespace gradus::autograd::detail {

/// Tensors end to end, row-major.
using Numbers = std::vector<double>;
void append_numbers(Numbers& numbers, const core::Array& x);
Numbers numbers_of(const core::Array& x);
Numbers numbers_of(const std::vector<Tensor>& tensors);

/// The same numbers in memory of their own, with the same strides. What lies in between is NaN (0 in integers). Dense
/// where the strides let elements overlap otherwise than by expansion, or lie far apart.
core::Array copy_as_laid_out(const core::Array& x);
/// The same numbers in the opposite order of memory; of one dimension, every second place of some.
core::Array transposed(const core::Array& x);
/// Its first slice along dimension 1 (0, of one dimension; another, where that one's size is 1) for all, by stride 0.
/// Undefined where there is no dimension to expand.
core::Array expanded(const core::Array& x);
/// What `transposed` makes of so many dimensions, in a word.
const char* transposed_name(std::int64_t dims);
/// The flat index of the first element that is not the same to the bit; -1 where all are.
std::int64_t first_changed(const core::Array& now, const core::Array& before);

/// What a function gives for some inputs.
struct Outcome {
  std::string refused;  ///< what the forward threw; nothing else is set then
  std::vector<Numbers> values, gradients;
};
/// Where one outcome is farthest from another, in units of what rounding explains: 1e-7 of the largest number of the
/// same tensor, and 1e-12 of the largest of all.
struct Apart {
  double factor = 0;
  bool gradient = false;
  std::size_t tensor = 0, element = 0;
  double a = 0, b = 0;
};
Apart farthest(const Outcome& a, const Outcome& b);

struct LayoutFault {
  std::size_t input;
  std::string layout;
  Apart at;
};
/// Lays each input in turn out contiguously, transposed and expanded, and compares with the same numbers as given
/// (contiguous, for an expanded one). Expanded numbers are others than the given ones: where a rounding's difference
/// between them would do the same (ties, a variance of 0), nothing follows. `notes` takes what was not tried, and why.
std::vector<LayoutFault> layout_faults(const std::vector<core::Array>& inputs,
                                       const std::function<Outcome(const std::vector<core::Array>&)>& evaluate,
                                       std::vector<std::string>& notes);

}  // namespace gradus::autograd::detail
