// What does not come from the sources: the page's style, its search and its legend.
#pragma once

#include <string_view>

namespace page {

extern const std::string_view kHead, kFoot, kLegend;

}  // namespace page
