// Trees and comments as MathML, which browsers set without help.
#pragma once

#include <string>
#include <string_view>

#include "expression.h"

namespace page {

/// <, >, &, and quotes as HTML has them.
std::string escaped(std::string_view text);
/// A name: single letters in italics, Greek ones by name, `dy` with an upright d, x_hat with its hat.
std::string name_markup(std::string_view name);
/// A formula's right side. `matrices`: products of tensors, element by element, are told from those of matrices.
std::string markup(const Term& term, bool matrices);
/// A formula as comments write it: `y = (sum |x|^p)^(1/p)`.
std::string markup_of_comment(std::string_view formula);
/// Whether a formula has products of matrices.
bool has_matrices(const Formula& formula);
/// Whether each function that the term calls has a notation of its own, so that it says more than names.
bool is_notation(const Term& term);

}  // namespace page
