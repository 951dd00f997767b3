// The page: HTML and MathML in one file, with its style and its search.
#pragma once

#include <string>
#include <vector>

#include "catalogue.h"

namespace page {

std::string page_of(const Catalogue& catalogue);

}  // namespace page
