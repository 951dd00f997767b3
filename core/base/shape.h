// Lists of sizes, strides and dimensions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "export.h"

namespace gradus {

namespace core {
class Dims;
}

/// A borrowed list of integers: what functions take for sizes and dimensions. Made from `{2, 3}`, a vector, an array,
/// Dims, or one number; it does not outlive what it was made from.
class IntArrayRef {
 public:
  constexpr IntArrayRef() = default;
  constexpr IntArrayRef(const std::int64_t* data, std::size_t size) : data_(data), size_(size) {}
  constexpr IntArrayRef(const std::int64_t& one) : data_(&one), size_(1) {}  // NOLINT
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime"  // borrowed for the length of a call: that is what it is for
#endif
  constexpr IntArrayRef(const std::initializer_list<std::int64_t>& list)  // NOLINT
      : data_(list.begin()), size_(list.size()) {}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  IntArrayRef(const std::vector<std::int64_t>& list) : data_(list.data()), size_(list.size()) {}  // NOLINT
  template <std::size_t N>
  constexpr IntArrayRef(const std::array<std::int64_t, N>& list) : data_(list.data()), size_(N) {}  // NOLINT
  inline IntArrayRef(const core::Dims& dims);                                                       // NOLINT

  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const std::int64_t* data() const { return data_; }
  constexpr const std::int64_t* begin() const { return data_; }
  constexpr const std::int64_t* end() const { return data_ + size_; }
  constexpr std::int64_t operator[](std::size_t i) const { return data_[i]; }
  constexpr std::int64_t front() const { return data_[0]; }
  constexpr std::int64_t back() const { return data_[size_ - 1]; }
  GRADUS_API std::vector<std::int64_t> vec() const;
  /// `count` of them from `start` on, or all from there: borrowed as this is. No more than there are.
  constexpr IntArrayRef slice(std::size_t start, std::size_t count) const { return {data_ + start, count}; }
  constexpr IntArrayRef slice(std::size_t start) const { return slice(start, size_ - start); }
  constexpr bool equals(IntArrayRef other) const { return *this == other; }
  constexpr friend bool operator==(IntArrayRef a, IntArrayRef b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i) {
      if (a.data_[i] != b.data_[i]) return false;
    }
    return true;
  }

 private:
  const std::int64_t* data_ = nullptr;
  std::size_t size_ = 0;
};

namespace core {

inline constexpr int kMaxDims = 8;

/// Up to eight integers, held inline: a shape, strides, or a set of dimensions.
class Dims {
 public:
  Dims() = default;
  /// ShapeError when there are more than eight.
  Dims(IntArrayRef values) {  // NOLINT(google-explicit-constructor)
    if (values.size() > kMaxDims) throw_too_many(values.size());
    size_ = static_cast<std::int64_t>(values.size());
    for (std::int64_t i = 0; i < size_; ++i) values_[i] = values[static_cast<std::size_t>(i)];
  }
  Dims(std::initializer_list<std::int64_t> values) : Dims(IntArrayRef(values)) {}
  Dims(const std::vector<std::int64_t>& values) : Dims(IntArrayRef(values)) {}  // NOLINT(google-explicit-constructor)
  /// n copies of a value.
  static Dims filled(int n, std::int64_t value) {
    Dims dims;
    for (int i = 0; i < n; ++i) dims.push_back(value);
    return dims;
  }

  int size() const noexcept { return static_cast<int>(size_); }
  bool empty() const noexcept { return size_ == 0; }
  std::int64_t operator[](int i) const noexcept { return values_[i]; }
  std::int64_t& operator[](int i) noexcept { return values_[i]; }
  const std::int64_t* data() const noexcept { return values_; }
  const std::int64_t* begin() const noexcept { return values_; }
  const std::int64_t* end() const noexcept { return values_ + size_; }
  std::int64_t back() const noexcept { return values_[size_ - 1]; }
  void push_back(std::int64_t value) {
    if (size_ == kMaxDims) throw_too_many(kMaxDims + 1);
    values_[size_++] = value;
  }
  void pop_back() noexcept { --size_; }
  /// Inserts before position i; ShapeError when full.
  void insert(int i, std::int64_t value) {
    push_back(value);
    for (std::int64_t k = size_ - 1; k > i; --k) values_[k] = values_[k - 1];
    values_[i] = value;
  }
  void erase(int i) noexcept {
    for (int k = i; k + 1 < size_; ++k) values_[k] = values_[k + 1];
    --size_;
  }
  friend bool operator==(const Dims& a, const Dims& b) noexcept { return IntArrayRef(a) == IntArrayRef(b); }

 private:
  [[noreturn]] GRADUS_API static void throw_too_many(std::size_t n);

  std::int64_t values_[kMaxDims] = {};  // copied as a whole: eight numbers cost less than a loop over a few
  std::int64_t size_ = 0;               // as wide as they are: what was written in parts is slow to copy
};
using Shape = Dims;
using Strides = Dims;

/// "[2, 3]".
GRADUS_API std::string to_string(IntArrayRef values);

/// The product of the sizes. ShapeError (naming `op`) when a size is negative or the product overflows; sizes of 0
/// count as 1 for that, so that strides of a sound shape never overflow.
GRADUS_API std::int64_t checked_numel(IntArrayRef shape, const char* op);
/// The product of sizes known to be sound.
inline std::int64_t numel_of(const Shape& shape) noexcept {
  std::int64_t n = 1;
  for (std::int64_t s : shape) n *= s;
  return n;
}
/// Row-major strides, in elements. Sizes of 0 count as 1, so that strides never overflow nor vanish.
GRADUS_API Strides contiguous_strides(const Shape& shape) noexcept;
/// The shape both broadcast to. ShapeError naming `op` and both shapes when there is none.
GRADUS_API Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view op);
/// Whether broadcasting makes `large` of `small`.
GRADUS_API bool broadcasts_to(const Shape& small, const Shape& large);
/// dim counted from the front: negative ones count from the back. IndexError naming `op` when outside [-n, n-1]
/// (a 0-d array takes 0 and -1, as in PyTorch).
GRADUS_API int wrap_dim(std::int64_t dim, int n, const char* op);
[[noreturn]] GRADUS_API void fail_dim(std::int64_t dim, int n, const char* op);
/// The same for a dimension that has to be there: a 0-d array has none, so any is an IndexError. (In the header: sizes
/// and strides are asked for everywhere, mostly by a constant.)
inline int existing_dim(std::int64_t dim, int n, const char* op) {
  const std::int64_t d = dim < 0 ? dim + n : dim;
  if (d < 0 || d >= n) [[unlikely]]
    fail_dim(dim, n, op);
  return static_cast<int>(d);
}
/// Sorted, wrapped dimensions; none given means all (of a 0-d array: none). IndexError when out of
/// range, ValueError when one is repeated.
GRADUS_API Dims wrap_dims(IntArrayRef dims, int n, std::string_view op);
/// The shape with the dimensions (sorted, wrapped) removed, or kept with size 1.
GRADUS_API Shape reduced_shape(const Shape& shape, const Dims& dims, bool keepdim);

}  // namespace core

inline IntArrayRef::IntArrayRef(const core::Dims& dims)
    : data_(dims.data()), size_(static_cast<std::size_t>(dims.size())) {}

}  // namespace gradus
