// What the readers of operations and rules share: words, parameters of formulas, attributes taken out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "expression.h"

namespace page {

/// Text literals among tokens, without their quotes.
std::vector<std::string> literals(const Range& range);
bool has_word(const Range& range, std::string_view word);

/// A parameter of a formula: what it asks for, of which input or output, and its name.
struct Asked {
  std::string what;  ///< Dy, In, Out, ShapeOf, Which, Needs, or Attrs
  int index = 0;
  std::string name;
};
Asked asked(const Range& parameter);

/// Without the attributes as a whole, which say how and not what.
Formula without(Formula formula, const std::set<std::string>& attributes);
/// With other names for some of its names.
Formula renamed(Formula formula, const std::map<std::string, std::string>& names);
/// In one line.
std::string plain(std::string_view text);

}  // namespace page
