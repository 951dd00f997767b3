// Why a gradient may be wrong: relations between what it is and what it should be (internal to the checks).
#pragma once

#include <string>
#include <vector>

#include "../core/array.h"

namespace gradus::autograd {

/// One summand of the formula of an input's gradient, sign included: the terms of an input add up to its gradient. A rule
/// that offers them, by `static std::vector<NamedTerm> terms(const Attrs&, const Array& dy, const Array& x, ...)` over all
/// its inputs, has its mistakes explained by name.
struct NamedTerm {
  int input;
  std::string name;
  core::Array value;
};

namespace detail {

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
  double tolerance = 1e-8;             ///< of a relation, relative: finite differences as the right one allow no less than 1e-5
  std::vector<NamedArray> tensors;     ///< inputs, parameters and outputs: for their extents and values
  std::vector<NamedArray> terms;       ///< of this gradient
  std::vector<NamedNumber> numbers;    ///< attributes of the operations
};

/// The relations that fit, in words; empty when none does.
std::string explain(const Mistake& mistake);

}  // namespace detail
}  // namespace gradus::autograd
