// fmt::format("{}", x) and fmt::print for arrays: the one public header that includes fmt.
#pragma once

#include <fmt/format.h>

#include <string>

#include "print.h"

template <>
struct fmt::formatter<gradus::core::Array> : fmt::formatter<std::string> {
  auto format(const gradus::core::Array& x, format_context& context) const {
    return fmt::formatter<std::string>::format(gradus::core::to_string(x), context);
  }
};
