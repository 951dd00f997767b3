// What is shown, as lines of text: for the page, and for the table that the library carries.
#pragma once

#include <string>
#include <vector>

#include "catalogue.h"

namespace page {

struct Line {
  std::string formula;
  std::string prose = {};  ///< what is said about the name that stands in `formula`
};
/// The formula, and behind it what its names stand for. Of what is shown as code: none.
std::vector<Line> lines_of(const Shown& shown);
/// All operations' formulas: autograd/page/formulas.txt.
std::string table_of(const Catalogue& catalogue);

/// What is wrong with the formulas that the library carries, a line each: an operation, or an input, without one;
/// `letters_too`: a letter that seems to be neither input, output, gradient, attribute nor bound in the formula.
std::vector<std::string> mistakes_in_formulas(bool letters_too);

}  // namespace page
