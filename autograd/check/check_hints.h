// Why a gradient may be wrong: relations between what it is and what it should be (internal to the checks).
#pragma once

#include <string>
#include <vector>

#include "../../core/array/array.h"

namespace gradus::autograd::detail {

struct NamedArray {
  std::string name;
  core::Array value;
};
struct NamedNumber {
  std::string name;  ///< "p of dropout"
  double value;
};

/// A wrong gradient and the right one (float64, of one shape), and what the mistake may be made of.
struct Mistake {
  core::Array wrong, right;
  std::string wrong_name, right_name;  ///< "hand", "graph", "finite"
  double tolerance = 1e-8;             ///< of a relation, relative
  std::vector<NamedArray> tensors;     ///< inputs, parameters and outputs: for their extents and values
  std::vector<NamedArray> terms;       ///< of this gradient
  std::vector<NamedNumber> numbers;    ///< attributes of the operations
};

/// The relations that fit, in words; empty when none does.
std::string explain(const Mistake& mistake);

}  // namespace gradus::autograd::detail
