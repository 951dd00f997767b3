#include "view.h"

#include <cstddef>

static_assert(sizeof(std::size_t) == 8, "the length below is written with 8 bytes");

extern "C" {
[[gnu::visibility("hidden")]] extern const std::size_t gradus_page_view_size;
[[gnu::visibility("hidden")]] extern const char gradus_page_view[];
}

// The assembler copies the file in and knows its length: no compiler has to read it.
asm(R"(
  .pushsection .rodata
  .balign 8
  .globl gradus_page_view_size
  .hidden gradus_page_view_size
gradus_page_view_size:
  .quad 1f - gradus_page_view
  .globl gradus_page_view
  .hidden gradus_page_view
gradus_page_view:
  .incbin ")" GRADUS_PAGE_VIEW R"("
1:
  .popsection
)");

namespace gradus::autograd::detail {

View page_view() {
  constexpr std::string_view mark = "/*data*/";
  const std::string_view whole(gradus_page_view, gradus_page_view_size);
  const std::size_t at = whole.find(mark);
  return {whole.substr(0, at), whole.substr(at + mark.size())};
}

}  // namespace gradus::autograd::detail
