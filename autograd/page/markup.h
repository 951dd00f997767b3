// Formulas as text, as comments and the table of formulas.txt write them, set in MathML (internal).
//
//   y = {dy · x} / sqrt(1 + x^2)      quotients, roots, powers; {..} only groups
//   y[i] = x_i,  W^T,  x_hat,  x'     subscripts, transposed, hats, primes; names may have Greek letters' names
//   y = sum_{dim} x                   also product, max, min, mean, with what stands below them in braces
//   y = cases{x if x > 0; 0 otherwise}
//   dx = dy · 1[x > 0]                1 where it holds, else 0
//   |x|, ||x||, exp(x), ln x, "text"
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/base/export.h"

namespace gradus::autograd::detail {

/// Names that have a mark, an attribute of the element that shows them: {"x", "data-in=\"0\""}.
using Marks = std::vector<std::pair<std::string, std::string>>;

/// The inside of a <math>. `names` gets each name of the formula that is no function's.
GRADUS_API std::string math_of(std::string_view formula, const Marks& marks = {},
                               std::vector<std::string>* names = nullptr);
/// <, >, &, and quotes as HTML has them.
GRADUS_API std::string escaped(std::string_view text);
}  // namespace gradus::autograd::detail
