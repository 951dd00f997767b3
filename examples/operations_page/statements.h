// Where statements begin and end.
#pragma once

#include "source.h"

namespace page {

/// The place of the semicolon that ends the statement at `at`.
std::size_t statement_end(const Range& body, std::size_t at);
/// Behind the statement that begins at `at`, braces included.
std::size_t behind_statement(const Range& body, std::size_t at);
/// Whether a statement only throws an error.
bool only_fails(const Range& statement);
/// Whether a condition means that there is nothing, or a single number: what is said then is what the formula says, too.
bool is_guard(const Range& condition);
/// The brace that the range's last token closes.
std::size_t brace(const Range& s);

}  // namespace page
