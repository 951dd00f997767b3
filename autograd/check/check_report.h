// What a check of gradients found, row by row, and as a table.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "../../core/base/export.h"

namespace gradus::autograd {

/// What a row says. Only the first three are well.
enum class Verdict : std::uint8_t {
  Agree,     ///< all methods agree
  Coarse,    ///< hand and graph agree; finite differences, whose rounding is larger than the gradient, don't contradict
  Zero,      ///< zero below rounding by every method: proves nothing
  HandOdd,   ///< graph and finite differences agree against the hand-written gradient
  GraphOdd,  ///< the hand-written gradient and finite differences agree against the reference's
  FiniteOdd,   ///< the hand-written gradient and the reference's agree against finite differences
  NoneAgree,   ///< three different answers
  Apart,       ///< both within reach of finite differences, but not of each other
  Failed,      ///< a method threw an error
  FormulaOdd,  ///< the only gradient, or what hand and graph have in common, is not what finite differences say
  Layout       ///< another layout of a variable gives other numbers
};
/// "agree", "HAND is the odd one out", ...
GRADUS_API std::string_view to_string(Verdict verdict);

/// One variable, one order, one upstream gradient. An error between a and b is max|a - b| / max|b| over the tensor.
struct CheckRow {
  std::string variable;    ///< "weight [3, 5]"
  int order = 1;           ///< 0: the output's value; 1: the gradient; 2: the gradient's gradient
  std::string upstream;    ///< how the upstream gradient was laid out
  double hand_graph = 0;   ///< error of hand, the reference being right; NaN where there is none
  double hand_finite = 0;  ///< error of hand, finite differences being right; NaN where there are none
  Verdict verdict = Verdict::Agree;
  // The element where the methods differ most, relative to what is tolerated.
  std::vector<std::int64_t> index;  ///< empty for a 0-d tensor and where there is nothing to show
  double hand = 0, graph = 0, finite = std::numeric_limits<double>::quiet_NaN();
  bool has_worst = false;
  std::string hint;  ///< a relation between right and wrong where one fits, or the error's text

  bool ok() const noexcept { return verdict <= Verdict::Zero; }
};

/// What a check returns: `std::cout << nn::check(linear, x)` prints it.
class GRADUS_API CheckReport {
 public:
  std::string title;  ///< what was checked
  std::vector<CheckRow> rows;
  std::vector<std::string> notes;  ///< what was left out, and why
  /// No rule took part: `hand` is what the formulas give, and there is no `graph` to hold against it.
  bool formulas_only = false;

  /// Whether no row is against it and some first-order row is for it: gradients that are all zero prove nothing.
  bool ok() const noexcept;
  /// Whether a hint of a row that isn't well contains the text.
  bool explains(std::string_view text) const noexcept;
  /// The table, at most 100 columns wide. Rows that differ in nothing but the upstream gradient are shown as one, with
  /// the larger errors; those that aren't well with their worst element and hint.
  std::string to_string() const;
};
GRADUS_API std::ostream& operator<<(std::ostream& stream, const CheckReport& report);

}  // namespace gradus::autograd
