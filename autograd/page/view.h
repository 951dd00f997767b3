// What a page is besides its data (internal): the files of view/, put together by assemble.cmake.
#pragma once

#include <string_view>

namespace gradus::autograd::detail {

/// HTML in which the data belong between the two halves.
struct View {
  std::string_view before_data, after_data;
};
View page_view();

}  // namespace gradus::autograd::detail
