// How a loop over several strided operands walks through memory: internal to core.
#pragma once

#include "../array/array.h"

namespace gradus::core::kernels {

/// Operands of one shape, laid out for a loop: the dimensions reordered (by the strides of operand 0, the smallest
/// innermost), merged where every operand permits, and cut into tiles of `rows` x `cols` in the two innermost. Only the
/// shape and the strides decide, never the number of threads.
class Plan {
 public:
  static constexpr int kMaxOperands = 4;
  /// Elements of a tile when an operand has to pass through a buffer.
  static constexpr std::int64_t kTileElements = 1024;
  explicit Plan(const Shape& shape);
  /// Adds an operand whose strides (in elements) belong to the shape; the first one decides the order.
  void add(const void* data, std::int64_t element_size, const Strides& strides);
  /// Adds an array, broadcast to the shape.
  void add(const Array& array);
  /// Adds one number, read everywhere.
  void add_number(const void* number, std::int64_t element_size);
  /// Reorders and merges; after it the geometry below may be read.
  void finish();

  int dims() const { return dims_; }
  std::int64_t size(int dim) const { return size_[dim]; }
  /// In bytes. Dimension 0 is the innermost.
  std::int64_t stride(int operand, int dim) const { return stride_[operand][dim]; }
  std::int64_t numel() const { return numel_; }
  /// Whether an operand's elements follow each other in the loop's order, from first to last.
  bool linear(int operand) const { return dims_ == 1 && stride_[operand][0] == element_size_[operand]; }

  /// A rectangle of the two innermost dimensions at one place of the others.
  struct Tile {
    std::int64_t rows, cols;
    char* data[kMaxOperands];
  };
  /// Cuts into tiles. `buffered`: some operand passes through a buffer of kTileElements; without one, tiles are larger.
  void cut(bool buffered);
  /// Cuts for a copy of two dimensions or more without a buffer, whose source is contiguous down the columns: long tiles of
  /// few columns, so that the source is read in few streams and the result written in long pieces.
  void cut_turned();
  std::int64_t tiles() const { return tiles_; }
  Tile tile(std::int64_t index) const;
  /// The largest tile, and the strides within it.
  std::int64_t tile_rows() const { return rows_; }
  std::int64_t tile_cols() const { return cols_; }
  std::int64_t row_stride(int operand) const { return dims_ > 1 ? stride_[operand][1] : 0; }
  std::int64_t col_stride(int operand) const { return stride_[operand][0]; }

 private:
  /// Into tiles of at most so many elements and columns; `down`: the next tile is the one below, not the one beside it.
  void cut(std::int64_t elements, std::int64_t cols, bool down);
  void order();
  void merge();
  void pair_transposed();

  Shape shape_;
  int dims_ = 0, operands_ = 0;
  std::int64_t numel_ = 1;
  std::int64_t size_[kMaxDims];
  std::int64_t stride_[kMaxOperands][kMaxDims];
  std::int64_t element_size_[kMaxOperands];
  char* data_[kMaxOperands];
  std::int64_t rows_ = 1, cols_ = 1, row_tiles_ = 1, col_tiles_ = 1, tiles_ = 1;
  bool down_ = false;
};

}  // namespace gradus::core::kernels
