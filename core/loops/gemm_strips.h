// The right operand of many products, packed once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../array/create.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {

/// A matrix of k x n as the strips that the tiles of a product read. Several threads may multiply by it at once.
template <class T>
class GemmStrips {
 public:
  GemmStrips() = default;
  /// Of any strides.
  explicit GemmStrips(const Array& matrix)
      : k_(matrix.shape()[0]),
        n_(matrix.shape()[1]),
        block_(std::max<int64_t>(1, gemm_k_block(k_))),
        cols_(2 * kernels_.lanes),
        packed_(empty({k_ * ceil_div(n_, cols_) * cols_}, matrix.dtype())) {
    const T* const from = static_cast<const T*>(matrix.data());
    const int64_t row = matrix.strides()[0], col = matrix.strides()[1];
    for (int64_t k0 = 0; k0 < k_; k0 += block_) {
      for (int64_t j = 0; j < n_; j += cols_) {
        kernels_.pack_cols[1](std::min(block_, k_ - k0), std::min(cols_, n_ - j), from + k0 * row + j * col, col, row,
                              strip(k0, j));
      }
    }
  }
  /// c <- a b, or c + a b; the matrix must have a row. Elements of a row of a and of c are neighbours; `room` has room(rows) elements.
  void multiply(int64_t rows, const T* a, int64_t a_row, T* c, int64_t c_row, bool add, T* room) const {
    const int64_t step = kernels_.rows;
    for (int64_t k0 = 0; k0 < k_; k0 += block_) {
      const int64_t k = std::min(block_, k_ - k0);
      Rows<T> from{a + k0, step * a_row, a_row, 1, step};
      if (crowded<T>(a_row)) {
        for (int64_t i = 0; i < rows; i += step) {
          kernels_.pack_rows(k, std::min(step, rows - i), a + i * a_row + k0, a_row, 1, room + i * k);
        }
        from = {room, step * k, 1, step, step};
      }
      const GemmResult<T> result{c, c_row, 1, T(1), add || k0 > 0 ? T(1) : T(0)};
      rectangle(kernels_, kernels_.straight, 0, rows, 0, n_, k, from, result, [&](int64_t j, int64_t, int, int64_t) {
        const T* const next = j + cols_ < n_ ? strip(k0, j + cols_) : nullptr;
        return Columns<T>{strip(k0, j), cols_, next, cols_};
      });
    }
  }
  int64_t room(int64_t rows) const { return ceil_div(rows, kernels_.rows) * kernels_.rows * std::min(k_, block_); }

 private:
  T* strip(int64_t k0, int64_t j) const {
    return static_cast<T*>(packed_.data()) + k0 * ceil_div(n_, cols_) * cols_ + j * std::min(block_, k_ - k0);
  }

  const GemmKernels<T>& kernels_ = gemm_kernels(T());
  int64_t k_ = 0, n_ = 0, block_ = 1, cols_ = 1;
  Array packed_;
};

}  // namespace gradus::core::kernels
