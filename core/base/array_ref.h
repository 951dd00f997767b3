// Borrowed lists of any type, ranges of integers and texts: what programs for PyTorch's frontend use beside tensors.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "message.h"
#include "shape.h"

namespace gradus {

/// A borrowed list; it does not outlive what it was made from. Of int64 it is an IntArrayRef.
template <class T>
class ArrayRef {
 public:
  constexpr ArrayRef() = default;
  constexpr ArrayRef(const T* data, std::size_t size) : data_(data), size_(size) {}
  constexpr ArrayRef(const T* begin, const T* end) : ArrayRef(begin, static_cast<std::size_t>(end - begin)) {}
  constexpr ArrayRef(const T& one) : ArrayRef(&one, 1) {}                       // NOLINT
  ArrayRef(const std::vector<T>& list) : ArrayRef(list.data(), list.size()) {}  // NOLINT
  template <std::size_t N>
  constexpr ArrayRef(const std::array<T, N>& list) : ArrayRef(list.data(), N) {}  // NOLINT
  template <std::size_t N>
  constexpr ArrayRef(const T (&list)[N]) : ArrayRef(list, N) {}                                      // NOLINT
  constexpr ArrayRef(const std::initializer_list<T>& list) : ArrayRef(list.begin(), list.size()) {}  // NOLINT

  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T* data() const { return data_; }
  constexpr const T* begin() const { return data_; }
  constexpr const T* end() const { return data_ + size_; }
  constexpr const T& operator[](std::size_t i) const { return data_[i]; }
  constexpr const T& front() const { return data_[0]; }
  constexpr const T& back() const { return data_[size_ - 1]; }
  std::vector<T> vec() const { return {begin(), end()}; }
  constexpr ArrayRef slice(std::size_t start, std::size_t count) const { return {data_ + start, count}; }
  constexpr ArrayRef slice(std::size_t start) const { return slice(start, size_ - start); }
  constexpr bool equals(const ArrayRef& other) const {
    if (size_ != other.size_) return false;
    for (std::size_t i = 0; i < size_; ++i) {
      if (!(data_[i] == other.data_[i])) return false;
    }
    return true;
  }

 private:
  const T* data_ = nullptr;
  std::size_t size_ = 0;
};
template <>
class ArrayRef<std::int64_t> : public IntArrayRef {
 public:
  using IntArrayRef::IntArrayRef;
  constexpr ArrayRef(IntArrayRef list) : IntArrayRef(list) {}  // NOLINT
};

/// `for (const auto i : irange(n))`, `irange(start, end)`: none when end is not above start.
template <class I>
class IntegerRange {
 public:
  struct Iterator {
    I value;
    constexpr I operator*() const { return value; }
    constexpr Iterator& operator++() {
      ++value;
      return *this;
    }
    constexpr bool operator==(const Iterator&) const = default;
  };
  constexpr IntegerRange(I start, I end) : start_(start), end_(end < start ? start : end) {}
  constexpr Iterator begin() const { return {start_}; }
  constexpr Iterator end() const { return {end_}; }

 private:
  I start_, end_;
};
template <class I>
constexpr IntegerRange<I> irange(I end) {
  return {I(0), end};
}
template <class A, class B>
constexpr IntegerRange<B> irange(A start, B end) {
  return {static_cast<B>(start), end};
}

/// Whatever can be printed, one behind the other.
template <class... Values>
std::string str(const Values&... values) {
  core::Message message;
  (message.add(values), ...);
  return message.str();
}

}  // namespace gradus
