// The text of an error, put together from values of any type: what TORCH_CHECK and GRADUS_CHECK take.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "errors.h"
#include "export.h"
#include "shape.h"

namespace gradus::core {

/// Text from outside (a file's, say) for a message: in quotes, cut to 100 bytes, and escaped where it holds quotes,
/// backslashes, control characters or what is not UTF-8, so that it neither fills nor commands a terminal.
GRADUS_API std::string in_quotes(std::string_view text);

/// A list of any length, for a message of bounded length: ten of them, and how many more.
GRADUS_API std::string listed(const std::vector<std::string>& names);

/// Writes whatever std::cout could print, but without `<ostream>` in this header: it costs every file that includes it.
class GRADUS_API Message {
 public:
  Message();
  ~Message();
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  template <class T>
  Message& add(const T& value) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      text(value);
    } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, char>) {
      single(value);
    } else if constexpr (std::is_integral_v<T>) {
      if constexpr (std::is_signed_v<T>)
        integer(value);
      else
        natural(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      number(static_cast<double>(value));
    } else if constexpr (std::is_convertible_v<const T&, IntArrayRef>) {
      text(to_string(IntArrayRef(value)));
    } else {
      stream() << value;  // the type's own, or one of this library's
    }
    return *this;
  }
  std::string str() const;

 private:
  std::ostream& stream();
  void text(std::string_view value);
  void single(bool value);
  void single(char value);
  void integer(long long value);
  void natural(unsigned long long value);
  void number(double value);

  struct Stream;
  Stream* stream_;  // owned: a unique_ptr's template would be instantiated in every file
};

/// What the values say; where they say nothing, the condition.
GRADUS_API std::string check_text(const char* condition, const Message& message);

template <class E, class... Values>
[[noreturn, gnu::cold, gnu::noinline]] void fail_check(const char* condition, const Values&... values) {
  Message message;
  (message.add(values), ...);
  throw E(check_text(condition, message));
}

}  // namespace gradus::core

/// Throws an E with the values, written one after the other, unless the condition holds.
#define GRADUS_CHECK_AS(E, condition, ...)                                                  \
  do {                                                                                      \
    if (!(condition)) ::gradus::core::fail_check<E>(#condition __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
/// The same with gradus::Error.
#define GRADUS_CHECK(condition, ...) GRADUS_CHECK_AS(::gradus::Error, condition __VA_OPT__(, ) __VA_ARGS__)
