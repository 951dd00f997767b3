// What a page is told (internal): the record, and what is worked out of it.
#pragma once

#include <string>

#include "../graph/record_data.h"

namespace gradus::autograd::detail {

/// One JSON object: the record, as RECORD.md says; where things stand; what happened in which order; what was waited for,
/// and for how long values were kept; formulas of the operations in it, and lines of the sources that were found.
std::string page_data(const Recording& recording, const std::string& title, const std::string& language);

}  // namespace gradus::autograd::detail
