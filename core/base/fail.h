// For the library's own sources: throwing a typed error with a formatted message. Not installed in spirit: it pulls in
// fmt, so no public header includes it.
#pragma once

#include <fmt/format.h>

#include "dtype.h"
#include "errors.h"
#include "shape.h"

namespace gradus::core {

/// Throws E with the formatted message. Kept out of line so that error text is built off the hot path.
template <class E, class... Args>
[[noreturn, gnu::cold, gnu::noinline]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw E(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace gradus::core

template <>
struct fmt::formatter<gradus::core::Dims> : fmt::formatter<std::string> {
  auto format(const gradus::core::Dims& dims, format_context& context) const {
    return fmt::formatter<std::string>::format(gradus::core::to_string(dims), context);
  }
};

template <>
struct fmt::formatter<gradus::IntArrayRef> : fmt::formatter<std::string> {
  auto format(gradus::IntArrayRef values, format_context& context) const {
    return fmt::formatter<std::string>::format(gradus::core::to_string(values), context);
  }
};

template <>
struct fmt::formatter<gradus::DType> : fmt::formatter<std::string_view> {
  auto format(gradus::DType dtype, format_context& context) const {
    return fmt::formatter<std::string_view>::format(gradus::to_string(dtype), context);
  }
};
