// Operations' formulas for a page: what an operation computes, and the gradient of each input (internal).
//
// The library's own stand in formulas.txt, which examples/operations_page writes from the sources and the library carries;
// another operation says its own in its struct:
//
//   static constexpr std::string_view formula = "y = x / (1 + |x|), dx = dy / (1 + |x|)^2";
//
// First the result, then the gradient of each input, in their order, which gives the inputs their names; `none` for one
// that has no gradient. Equations between them say what their names stand for. The notation is markup.h's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../core/base/export.h"

namespace gradus::autograd::detail {

/// An equation, and those that say what its names stand for; or words about a name, `f(x): what it is`.
struct Equations {
  std::string formula;
  std::vector<std::string> where = {};
};

/// In the notation of markup.h.
struct FormulaText {
  std::vector<std::string> inputs, results, arriving;  ///< names: x; y; dy, the gradient that arrives
  std::optional<Equations> forward;
  std::vector<std::optional<Equations>> gradients;  ///< of each input; none: no gradient, or not known
  std::vector<std::string> without;  ///< of each input: "none", "refused" (an error), "?" (not known), or ""
};
/// Cut where an equation ends and another begins, `y = a b, da = dy b; db = dy a`, outside brackets.
std::vector<std::string_view> equations(std::string_view text);
/// "y" of "y = x^2"; empty where there is no equation.
std::string_view left_side(std::string_view equation);

/// What a struct's `formula` says.
GRADUS_API FormulaText parse_formula(std::string_view formula);
/// What formulas.txt has of an operation of this name and number of inputs (-1: any number of them).
GRADUS_API std::optional<FormulaText> known_formula(std::string_view name, int inputs);

/// What a page shows. In MathML, names that a number can be put in for are marked: data-in (an input's number), data-out
/// (an output's), data-dy (the gradient of an output), data-dx (the gradient of an input), data-attr (an attribute).
struct OperationFormula {
  std::string kind;  ///< "elementwise", "reduction", "along", "product", "window", "matrices", "view", "move", "other"
  std::vector<std::string> inputs, outputs, attributes;
  std::optional<std::string> forward;                 ///< a <math>
  std::vector<std::optional<std::string>> gradients;  ///< of each input
};
/// Of a recorded operation, by its name (also that of its form in place) and how many inputs it had (-1: whichever is
/// there); none for an operation that the program does not have. `said`, where it is not empty, is what the recorded call
/// says itself (a lambda's formula).
GRADUS_API std::optional<OperationFormula> formula_of(std::string_view name, int inputs = -1,
                                                      std::string_view said = {});

}  // namespace gradus::autograd::detail
