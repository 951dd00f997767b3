// A term of a gradient's formula, by name.
#pragma once

#include <string>

#include "../../core/array/array.h"

namespace gradus::autograd {

/// One summand of the formula of an input's gradient. A rule that offers its terms, by
/// `static std::vector<NamedTerm> terms(const Attrs&, const Array& dy, const Array& x, ...)` over all its inputs, has the
/// mistakes of a gradient explained by them (see check.h). The terms of one input add up to its gradient: the values bear
/// their signs, the names don't.
struct NamedTerm {
  int input;
  std::string name;
  core::Array value;
};

}  // namespace gradus::autograd
