#include "view.h"

#include "../../core/base/embed.h"

GRADUS_EMBED(gradus_page_view, GRADUS_PAGE_VIEW);

namespace gradus::autograd::detail {

View page_view() {
  constexpr std::string_view mark = "/*data*/";
  const std::string_view whole(gradus_page_view, gradus_page_view_size);
  const std::size_t at = whole.find(mark);
  return {whole.substr(0, at), whole.substr(at + mark.size())};
}

}  // namespace gradus::autograd::detail
