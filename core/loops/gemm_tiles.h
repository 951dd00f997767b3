// What every product is built from, whatever its operands are packed from: one rectangle of tiles for one block of k.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../base/function_ref.h"
#include "../threads/parallel.h"
#include "../memory/pool.h"
#include "../simd/gemm.h"

namespace gradus::core::kernels {

using std::int64_t;

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class T>
class Workspace {
 public:
  explicit Workspace(int64_t count) : bytes_(static_cast<std::size_t>(count) * sizeof(T)) {
    check_request(static_cast<int64_t>(bytes_));
    data_ = static_cast<T*>(pool_allocate(bytes_));
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { pool_free(data_, bytes_); }
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

inline void for_blocks(bool parallel, int64_t n, int64_t grain, FunctionRef<void(int64_t, int64_t)> body) {
  if (parallel) {
    parallel_for(n, grain, body);
  } else if (n > 0) {
    body(0, n);
  }
}

/// The part of a result that begins at row i and column j.
template <class T>
GemmResult<T> part(const GemmResult<T>& whole, int64_t i, int64_t j) {
  GemmResult<T> r = whole;
  r.c += i * r.row + j * r.col;
  if (r.bias != nullptr) r.bias += i * r.bias_row + j * r.bias_col;
  return r;
}

/// What happens to c after one of the blocks of k: beta belongs to the first one, the bias to the last.
template <class T>
GemmResult<T> for_block(const GemmResult<T>& whole, bool first, bool last) {
  GemmResult<T> r = whole;
  if (!first) r.beta = 1;
  if (!last) r.bias = nullptr;
  return r;
}

/// The operand a as tiles read it: `count` rows at a time, each strip of which begins `strip` elements after the one
/// before.
template <class T>
struct Rows {
  const T* data;
  int64_t strip, row, col, count;
};

/// One strip of the operand b, and where the rows of the next one lie, to be brought near meanwhile (none: null).
template <class T>
struct Columns {
  const T* data;
  int64_t row;
  const T* next = nullptr;
  int64_t next_row = 0;
};

/// Rows [i0, i1) (i0 being the first of a strip) and columns [j0, j1) of c for one block of k products.
/// `columns(j, cols, vectors)` is b's strip.
template <class T, class StripOfB>
void rectangle(const GemmKernels<T>& kernels, int64_t i0, int64_t i1, int64_t j0, int64_t j1, int64_t k,
               const Rows<T>& a, const GemmResult<T>& result, StripOfB columns) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T)), kMostRows = 14, kMostCols = 2 * kLine;
  const int64_t lanes = kernels.lanes, rows_step = a.count, cols_step = 2 * lanes;
  const bool plain =
      result.col == 1 && result.alpha == 1 && result.bias == nullptr && (result.beta == 0 || result.beta == 1);
  alignas(64) T sums[kMostRows * kMostCols];
  for (int64_t j = j0; j < j1; j += cols_step) {
    const int64_t cols = std::min(cols_step, j1 - j);
    const int vectors = cols > lanes ? 2 : 1;
    const Columns<T> b = columns(j, cols, vectors);
    const bool whole = plain && cols == vectors * lanes;
    TileSum<T> sum{k, nullptr, a.row, a.col, b.data, b.row, nullptr, 0};
    int64_t line = b.next == nullptr ? cols_step : 0;
    for (int64_t i = i0; i < i1; i += rows_step) {
      const int64_t rows = std::min(rows_step, i1 - i);
      sum.a = a.data + i / rows_step * a.strip;
      if (line < cols_step) {  // the first tiles bring near what follows in b, a line of each row at a time
        sum.ahead = b.next + line;
        sum.ahead_step = b.next_row;
        line += kLine;
      } else {  // the others, the next strip of a, or a bit of it where a is not packed
        const bool more = i + rows_step < i1;
        sum.ahead = more ? sum.a + a.strip : sum.a;
        sum.ahead_step = !more ? 0 : a.col == 1 ? rows_step : a.col;
      }
      const auto tile = kernels.tiles[vectors - 1][rows - 1];
      if (whole) {
        tile(sum, result.c + i * result.row + j, result.row, result.beta != 0);
      } else {
        tile(sum, sums, cols_step, false);
        kernels.finish(sums, cols_step, part(result, i, j), rows, cols);
      }
    }
  }
}

}  // namespace gradus::core::kernels
