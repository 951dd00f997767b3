// Array: numbers. A strided n-dimensional value that shares its storage with its views; it knows nothing of gradients.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "accessor.h"
#include "../base/dtype.h"
#include "../base/export.h"
#include "indexing.h"
#include "../base/ref.h"
#include "../base/shape.h"
#include "../memory/storage.h"

namespace gradus::core {

/// A handle to shared storage with an offset, a shape, strides (in elements, never negative) and a dtype. Copying an
/// Array copies the handle; `clone()` copies the numbers. Up to 8 dimensions; 0-d and empty arrays are ordinary.
class GRADUS_API Array {
 public:
  /// Undefined: no storage, no shape.
  Array() noexcept = default;
  Array(const Array&) noexcept = default;
  Array(Array&&) noexcept = default;
  ~Array() = default;
  // Not of a view without a name: `a[0] = b` would change nothing; a[0].copy_(b) does.
  Array& operator=(const Array&) & noexcept = default;
  Array& operator=(Array&&) & noexcept = default;
  /// A view of a storage. The caller vouches for the bounds; `as_strided` is the checked way.
  Array(Ref<Storage> storage, const Shape& shape, const Strides& strides, std::int64_t offset, DType dtype) noexcept
      : storage_(std::move(storage)), offset_(offset), shape_(shape), strides_(strides), dtype_(dtype) {}
  /// All of a storage, contiguous. The caller vouches for the sizes. (Made in place: a Dims that was just written is
  /// slow to copy.)
  Array(Ref<Storage> storage, IntArrayRef shape, DType dtype)
      : storage_(std::move(storage)), shape_(shape), strides_(contiguous_strides(shape_)), dtype_(dtype) {}

  bool defined() const noexcept { return static_cast<bool>(storage_); }
  const Shape& shape() const noexcept { return shape_; }
  IntArrayRef sizes() const noexcept { return shape_; }
  /// Size of one dimension; negative counts from the back. IndexError when out of range.
  std::int64_t size(std::int64_t dim) const { return shape_[existing_dim(dim, this->dim(), "size")]; }
  const Strides& strides() const noexcept { return strides_; }
  std::int64_t stride(std::int64_t dim) const { return strides_[existing_dim(dim, this->dim(), "stride")]; }
  int dim() const noexcept { return shape_.size(); }
  std::int64_t numel() const noexcept { return numel_of(shape_); }
  DType dtype() const noexcept { return dtype_; }
  std::int64_t element_size() const noexcept { return size_of(dtype_); }
  std::int64_t storage_offset() const noexcept { return offset_; }
  const Ref<Storage>& storage() const noexcept { return storage_; }
  bool is_contiguous() const noexcept;
  /// Whether two different indices may name the same memory (a stride-0 expanded dimension, an overlapping as_strided).
  bool may_overlap_itself() const noexcept;
  /// Whether no other array holds the storage; not of an undefined one.
  bool unique() const noexcept { return storage_ && storage_->use_count() == 1; }

  /// First element's address, whatever the dtype; null when undefined.
  void* data() const noexcept {
    return storage_ ? static_cast<char*>(storage_->data()) + offset_ * element_size() : nullptr;
  }
  /// First element's address. DTypeError when T is not the array's element type.
  template <class T>
  T* data_ptr() const {
    check_dtype(dtype_of<T>, "data_ptr");
    return static_cast<T*>(data());
  }
  /// Indexable view of N dimensions: `a[i][j]`. DTypeError, ShapeError when T or N do not fit.
  template <class T, std::size_t N>
  TensorAccessor<T, N> accessor() const {
    check_dtype(dtype_of<T>, "accessor");
    check_ndim(static_cast<int>(N), "accessor");
    return TensorAccessor<T, N>(static_cast<T*>(data()), shape_.data(), strides_.data());
  }
  /// The one element, converted. ShapeError when there is not exactly one; ValueError when T does not hold it: a number
  /// beyond its range, NaN as an integer.
  Scalar item() const;
  template <class T>
  T item() const {
    const Scalar value = item();
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      check_item(value, 8 * static_cast<int>(sizeof(T)), std::is_floating_point_v<T>, std::is_signed_v<T>);
    }
    return value.to<T>();
  }

  // Views: no numbers move. Each names itself in its errors.
  /// One size may be -1. ShapeError when the count differs or the strides do not permit a view (`reshape` copies then).
  Array view(IntArrayRef shape) const;
  /// A view where the strides permit, else a copy.
  Array reshape(IntArrayRef shape) const;
  Array flatten(std::int64_t start_dim = 0, std::int64_t end_dim = -1) const;
  /// Dimension i of the result is dimension dims[i] of this.
  Array permute(IntArrayRef dims) const;
  Array transpose(std::int64_t dim0, std::int64_t dim1) const;
  /// Transpose of at most 2 dimensions.
  Array t() const;
  /// Size-1 dimensions repeated with stride 0; -1 keeps a size; new dimensions come first.
  Array expand(IntArrayRef shape) const;
  Array expand_as(const Array& other) const { return expand(other.sizes()); }
  /// Elements start, start + step, ... below stop of a dimension, clamped as in Python. ValueError when step < 1 (the
  /// message names `flip`).
  Array slice(std::int64_t dim, std::int64_t start, std::int64_t stop, std::int64_t step = 1) const;
  Array narrow(std::int64_t dim, std::int64_t start, std::int64_t length) const;
  /// The dimension removed at one index; negative counts from the back.
  Array select(std::int64_t dim, std::int64_t index) const;
  Array operator[](std::int64_t index) const { return select(0, index); }
  Array squeeze() const;
  Array squeeze(std::int64_t dim) const;
  Array unsqueeze(std::int64_t dim) const;
  Array movedim(std::int64_t source, std::int64_t destination) const;
  Array diagonal(std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1) const;
  /// Any geometry over the same storage, the offset in elements from the storage's start. IndexError past its end.
  Array as_strided(IntArrayRef shape, IntArrayRef strides, std::int64_t storage_offset) const;
  /// As Python's x[...]: integers, Slice, None, Ellipsis. Views only.
  Array index(const IndexList& indices) const;
  Array index(std::initializer_list<indexing::IndexPiece> indices) const { return index(IndexList(indices)); }

  // Copies.
  Array clone() const;          ///< a contiguous copy
  Array contiguous() const;     ///< this when contiguous, else a copy
  Array to(DType dtype) const;  ///< this when the dtype is the same, else a converted copy
  /// Overwrites the numbers with src's, broadcast and converted; overlapping memory is handled. Counts as a write.
  /// ShapeError when src does not broadcast; ValueError when one element here is another's memory (`expand`).
  const Array& copy_(const Array& src) const;
  const Array& fill_(const Scalar& value) const;
  const Array& zero_() const { return fill_(0); }
  /// A copy with the order of elements reversed along the dimensions.
  Array flip(IntArrayRef dims) const;

  /// Counts a write that was made by other means (kernels writing through data()).
  void mark_written(const char* by, Location at = Location::here()) const noexcept {
    if (storage_) storage_->mark_written(by, at);
  }

 private:
  static void check_item(const Scalar& value, int bits, bool floating, bool is_signed);
  void check_dtype(DType wanted, const char* op) const {
    if (wanted != dtype_ || !storage_) wrong_dtype(wanted, op);
  }
  void check_ndim(int wanted, const char* op) const {
    if (wanted != dim()) wrong_ndim(wanted, op);
  }
  [[noreturn]] void wrong_dtype(DType wanted, const char* op) const;
  [[noreturn]] void wrong_ndim(int wanted, const char* op) const;

  Ref<Storage> storage_;
  std::int64_t offset_ = 0;  // in elements
  Shape shape_;
  Strides strides_;
  DType dtype_ = kFloat32;
};

/// Several arrays, borrowed.
class ArrayList {
 public:
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winit-list-lifetime"  // borrowed for the length of a call
#endif
  ArrayList(const std::initializer_list<Array>& list) : data_(list.begin()), size_(list.size()) {}  // NOLINT
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
  ArrayList(const std::vector<Array>& list) : data_(list.data()), size_(list.size()) {}  // NOLINT
  ArrayList(const Array* data, std::size_t size) : data_(data), size_(size) {}
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Array& operator[](std::size_t i) const { return data_[i]; }
  const Array* begin() const { return data_; }
  const Array* end() const { return data_ + size_; }

 private:
  const Array* data_;
  std::size_t size_;
};

/// Whether some element of one may lie in the memory of an element of the other: by the spans that they cover, so that
/// interleaved views count as overlapping. Memory borrowed twice is seen too.
GRADUS_API bool may_overlap(const Array& a, const Array& b) noexcept;

}  // namespace gradus::core
