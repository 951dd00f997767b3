#include "plan.h"

#include <algorithm>
#include <utility>

#include "../threads/even_grain.h"

namespace gradus::core::kernels {
namespace {

/// Elements of a tile that needs no buffer: enough to forget the cost of starting on it.
constexpr std::int64_t kPiece = 16384;
/// Columns of a tile where an operand is contiguous down the columns: its lines of the cache are read whole, one tile below
/// the other, and the other operands' rows in long pieces. With few rows or columns it does not matter.
constexpr std::int64_t kTransposedColumns = 64, kFew = 32;
/// Columns of a tile of a transposed copy: as many lines of the source as the caches hold even where these share few sets.
constexpr std::int64_t kTurnedColumns = 128;

}  // namespace

Plan::Plan(const Shape& shape) : shape_(shape), numel_(numel_of(shape)) {
  // Innermost first, without the sizes of 1, whose strides mean nothing.
  for (int i = shape.size() - 1; i >= 0; --i) {
    if (shape[i] != 1) size_[dims_++] = shape[i];
  }
}

void Plan::add(const void* data, std::int64_t element_size, const Strides& strides) {
  int d = 0;
  for (int i = shape_.size() - 1; i >= 0; --i) {
    if (shape_[i] != 1) stride_[operands_][d++] = strides[i] * element_size;
  }
  element_size_[operands_] = element_size;
  data_[operands_++] = const_cast<char*>(static_cast<const char*>(data));
}

void Plan::add(const Array& array) {
  const int lead = shape_.size() - array.dim();
  Strides strides = Strides::filled(lead, 0);
  for (int i = 0; i < array.dim(); ++i) {
    strides.push_back(array.shape()[i] == shape_[lead + i] ? array.strides()[i] : 0);
  }
  add(array.data(), array.element_size(), strides);
}

void Plan::add_number(const void* number, std::int64_t element_size) {
  add(number, element_size, Strides::filled(shape_.size(), 0));
}

void Plan::order() {
  // Insertion sort by the strides of operand 0.
  for (int i = 1; i < dims_; ++i) {
    for (int j = i; j > 0 && stride_[0][j] < stride_[0][j - 1]; --j) {
      std::swap(size_[j], size_[j - 1]);
      for (int k = 0; k < operands_; ++k) std::swap(stride_[k][j], stride_[k][j - 1]);
    }
  }
}

void Plan::merge() {
  int last = 0;
  for (int d = 1; d < dims_; ++d) {
    bool joins = true;
    for (int k = 0; k < operands_; ++k) joins = joins && stride_[k][d] == stride_[k][last] * size_[last];
    if (joins) {
      size_[last] *= size_[d];
    } else {
      ++last;
      size_[last] = size_[d];
      for (int k = 0; k < operands_; ++k) stride_[k][last] = stride_[k][d];
    }
  }
  dims_ = dims_ == 0 ? 0 : last + 1;
}

void Plan::pair_transposed() {
  // An operand that steps far along dimension 0 but closely along another: that one becomes dimension 1, and tiles of
  // both read whole lines of the cache.
  for (int k = 0; k < operands_; ++k) {
    int closest = 0;
    for (int d = 1; d < dims_; ++d) {
      if (stride_[k][d] != 0 && stride_[k][d] < stride_[k][closest]) closest = d;
    }
    if (closest == 0) continue;
    const auto to_front = [closest](std::int64_t* values) {
      const std::int64_t moved = values[closest];
      for (int d = closest; d > 1; --d) values[d] = values[d - 1];
      values[1] = moved;
    };
    to_front(size_);
    for (int j = 0; j < operands_; ++j) to_front(stride_[j]);
    return;
  }
}

void Plan::finish() {
  order();
  merge();
  if (dims_ > 2) pair_transposed();
  if (dims_ == 0) {  // one element
    dims_ = 1;
    size_[0] = 1;
    for (int k = 0; k < operands_; ++k) stride_[k][0] = element_size_[k];
  }
}

void Plan::cut(bool buffered) {
  bool transposed = false;
  for (int k = 0; k < operands_ && dims_ > 1; ++k) {
    transposed = transposed || (stride_[k][1] != 0 && stride_[k][1] < stride_[k][0]);
  }
  if (buffered && transposed && size_[0] > kFew && size_[1] > kFew) {
    cut(kTileElements, kTransposedColumns, true);
  } else {
    const std::int64_t elements = buffered ? kTileElements : kPiece;
    cut(elements, elements, false);
  }
}

void Plan::cut_turned() { cut(kPiece, std::max(kTurnedColumns, kPiece / std::max<std::int64_t>(size_[1], 1)), true); }

void Plan::cut(std::int64_t elements, std::int64_t cols, bool down) {
  if (numel_ == 0) {
    tiles_ = 0;
    return;
  }
  const std::int64_t inner = size_[0], next = dims_ > 1 ? size_[1] : 1;
  cols_ = std::min(inner, cols);
  rows_ = std::min(next, std::max<std::int64_t>(elements / cols_, 1));
  col_tiles_ = ceil_div(inner, cols_);
  row_tiles_ = ceil_div(next, rows_);
  tiles_ = numel_ / (inner * next) * row_tiles_ * col_tiles_;
  down_ = down;
}

Plan::Tile Plan::tile(std::int64_t index) const {
  const std::int64_t place = index % (row_tiles_ * col_tiles_);
  const std::int64_t col = (down_ ? place / row_tiles_ : place % col_tiles_) * cols_;
  const std::int64_t row = (down_ ? place % row_tiles_ : place / col_tiles_) * rows_;
  index /= row_tiles_ * col_tiles_;
  Tile tile;
  tile.cols = std::min(cols_, size_[0] - col);
  tile.rows = dims_ > 1 ? std::min(rows_, size_[1] - row) : 1;
  for (int k = 0; k < operands_; ++k) tile.data[k] = data_[k] + col * col_stride(k) + row * row_stride(k);
  for (int d = 2; d < dims_; ++d) {
    const std::int64_t i = index % size_[d];
    index /= size_[d];
    for (int k = 0; k < operands_; ++k) tile.data[k] += i * stride_[k][d];
  }
  return tile;
}

}  // namespace gradus::core::kernels
