// ExpandingArray: D numbers, of which one is enough.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <vector>

#include "../../core/base/export.h"
#include "../../core/base/shape.h"

namespace gradus {

namespace detail {
/// ShapeError naming both counts.
[[noreturn]] GRADUS_API void wrong_length(std::size_t given, std::size_t wanted);
}  // namespace detail

/// What options of D dimensions take: `{3, 2}`, a vector, an array, or one number, which then holds for all. ShapeError
/// for another count.
template <std::size_t D, class T = std::int64_t>
class ExpandingArray {
 public:
  ExpandingArray(std::initializer_list<T> list) { copy(list.begin(), list.size()); }
  ExpandingArray(const std::vector<T>& list) { copy(list.data(), list.size()); }  // NOLINT
  ExpandingArray(const std::array<T, D>& values) : values_(values) {}             // NOLINT
  template <class V>
  requires std::is_convertible_v<V, T> ExpandingArray(V value) {  // NOLINT(google-explicit-constructor)
    values_.fill(value);
  }

  std::array<T, D>& operator*() { return values_; }
  const std::array<T, D>& operator*() const { return values_; }
  std::array<T, D>* operator->() { return &values_; }
  const std::array<T, D>* operator->() const { return &values_; }
  operator IntArrayRef() const requires std::is_same_v<T, std::int64_t> { return values_; }  // NOLINT
  T operator[](std::size_t i) const { return values_[i]; }
  friend bool operator==(const ExpandingArray&, const ExpandingArray&) = default;
  /// "[3, 2]", or "3" where there is one dimension.
  friend std::string text_of(const ExpandingArray& array) {
    std::string text;
    for (const T& value : array.values_) {
      if (!text.empty()) text += ", ";
      if constexpr (std::is_integral_v<T>)
        text += std::to_string(value);
      else
        text += value ? std::to_string(*value) : "none";
    }
    return D == 1 ? text : "[" + text + "]";
  }

 private:
  void copy(const T* list, std::size_t n) {
    if (n != D) detail::wrong_length(n, D);
    for (std::size_t i = 0; i < D; ++i) values_[i] = list[i];
  }
  std::array<T, D> values_{};
};

}  // namespace gradus
