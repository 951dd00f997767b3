// Where in the user's source something was called.
#pragma once

namespace gradus {

/// A place in the caller's source. As a default argument, `Location at = Location::here()` takes the place of the call,
/// without a macro, on GCC and Clang alike. Nothing converts to it: `x.sum({0, 1})` cannot be mistaken for a place.
class Location {
 public:
  static constexpr Location here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return Location(Place{file, line});
  }
  static constexpr Location unknown() noexcept { return Location(Place{nullptr, 0}); }

  /// Null when unknown.
  constexpr const char* file() const noexcept { return place_.file; }
  constexpr int line() const noexcept { return place_.line; }
  constexpr explicit operator bool() const noexcept { return place_.file != nullptr; }

 private:
  struct Place {
    const char* file;
    int line;
  };
  constexpr explicit Location(Place place) noexcept : place_(place) {}
  Place place_;
};

}  // namespace gradus
