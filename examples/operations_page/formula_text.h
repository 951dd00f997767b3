// Trees as text, in the notation that a page's formulas have (autograd/page/markup.h).
#pragma once

#include <string>
#include <string_view>

#include "expression.h"

namespace page {

/// A name: constants by their names in formulas.
std::string name_text(std::string_view name);
/// A formula's right side. `matrices`: products of tensors, element by element, are told from those of matrices.
std::string text_of(const Term& term, bool matrices);
/// In braces, unless it is one piece.
std::string held(const std::string& text);
/// Whether a formula has products of matrices.
bool has_matrices(const Formula& formula);
/// Whether each function that the term calls has a notation of its own, so that it says more than names.
bool is_notation(const Term& term);

}  // namespace page
