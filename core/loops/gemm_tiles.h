// What every product is built from, whatever its operands are packed from: one rectangle of tiles for one block of k.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../simd/gemm.h"
#include "workspace.h"

namespace gradus::core::kernels {

using std::int64_t;

/// Whether rows so many elements apart push each other out of the first cache, which holds few lines that lie a multiple of
/// 4096 bytes apart. A row that is read again and again (0) does not.
template <class T>
constexpr bool crowded(int64_t row) {
  return row != 0 && row * static_cast<int64_t>(sizeof(T)) % 4096 == 0;
}

/// The rows of a tile where all have about as many: a tile of few rows waits for its sums.
constexpr int64_t even_rows(int64_t m, int64_t most) { return m <= most ? m : ceil_div(m, ceil_div(m, most)); }

/// What happens to c after one of the blocks of k: beta belongs to the first one, the bias to the last.
template <class T>
GemmResult<T> for_block(const GemmResult<T>& whole, bool first, bool last) {
  GemmResult<T> r = whole;
  if (!first) r.beta = 1;
  if (!last) r.bias = nullptr;
  return r;
}

/// The rows of the operand a as tiles read them: `count` at a time, each strip of which begins `strip` elements after the
/// one before.
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
  const T* next;
  int64_t next_row;
  bool whole = true;  ///< this and what follows: as of a TileSum
  const int64_t* offsets = nullptr;
};

/// How many strips of b, of k rows each, stay in the first cache together: as many as the rows of one long block.
constexpr int64_t kMostTogether = 32;
constexpr int64_t strips_together(int64_t k) {
  return k > gemm_longest_block / 2 ? 1 : std::min(kMostTogether, gemm_longest_block / k);
}

/// How the sums of a tile reach c: at once where they are what c is to hold or to grow by, else through the last step.
template <class T>
class TileWriter {
 public:
  using Tile = typename GemmKernels<T>::Tile;
  TileWriter(const GemmKernels<T>& kernels, const GemmResult<T>& result)
      : kernels_(kernels),
        result_(result),
        add_(result.beta != 0),
        plain_(result.col == 1 && result.bias == nullptr && result.alpha == 1 && (!add_ || result.beta == 1)) {}

  [[gnu::always_inline]] void operator()(Tile tile, const TileSum<T>& sum, int64_t i, int64_t j, int64_t rows,
                                         int64_t cols) const {
    if (plain_) {
      tile(sum, result_.c + i * result_.row + j, result_.row, cols, add_);
    } else {
      by_last_step(tile, sum, part(result_, i, j), rows, cols);
    }
  }

  bool plain() const { return plain_; }
  bool add() const { return add_; }

 private:
  [[gnu::noinline]] void by_last_step(Tile tile, const TileSum<T>& sum, const GemmResult<T>& result, int64_t rows,
                                      int64_t cols) const {
    constexpr int64_t row = gemm_most_cols<T>;
    alignas(64) T sums[gemm_most_rows * row];
    tile(sum, sums, row, cols, false);
    kernels_.finish(sums, row, result, rows, cols);
  }

  const GemmKernels<T>& kernels_;
  const GemmResult<T>& result_;
  const bool add_, plain_;
};

/// Rows [i0, i1), those of `a`, and columns [j0, j1) of c for one block of k products.
/// `columns(j, cols, vectors, place)` is b's strip; where it is packed, before element place k cols_step of the room for
/// those that stay near together, gemm_longest_block rows of one strip. Those pass under a strip of a one after another,
/// so that short sums, whose time is that of writing c, write it along its rows.
template <class T, class StripOfB>
void rectangle(const GemmKernels<T>& kernels, const typename GemmKernels<T>::Tiles& tiles, int64_t i0, int64_t i1,
               int64_t j0, int64_t j1, int64_t k, const Rows<T>& a, const GemmResult<T>& result, StripOfB columns) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  const int64_t lanes = kernels.lanes, rows_step = a.count, cols_step = 2 * lanes;
  const int64_t width = strips_together(k) * cols_step;
  const TileWriter<T> write(kernels, result);
  Columns<T> strips[kMostTogether];
  for (int64_t first = j0; first < j1; first += width) {
    const int64_t end = std::min(first + width, j1);
    for (int64_t j = first, s = 0; j < end; j += cols_step, ++s) {
      const int64_t cols = std::min(cols_step, end - j);
      strips[s] = columns(j, cols, cols > lanes ? 2 : 1, s);
    }
    const int64_t last = (end - 1 - first) / cols_step;
    const Columns<T>& next = strips[last];
    int64_t line = next.next == nullptr ? width : 0;
    const T* a_strip = a.data;
    for (int64_t i = i0; i < i1; i += rows_step, a_strip += a.strip) {
      const int64_t rows = std::min(rows_step, i1 - i);
      TileSum<T> sum{k, a_strip, a.row, a.col, nullptr, 0, a_strip, 0};
      for (int64_t s = 0; s <= last; ++s) {
        const int64_t j = first + s * cols_step, cols = std::min(cols_step, end - j);
        const int vectors = cols > lanes ? 2 : 1;
        sum.b = strips[s].data;
        sum.b_step = strips[s].row;
        sum.whole = strips[s].whole;
        sum.offsets = strips[s].offsets;
        if (line < width) {  // the first tiles bring near what follows in b, a line of each row at a time
          sum.ahead = next.next + line;
          sum.ahead_step = next.next_row;
          line += kLine;
        } else if (s == last &&
                   i + rows_step < i1) {  // the others, the next strip of a, or a bit where it is not packed
          sum.ahead = a_strip + a.strip;
          sum.ahead_step = a.col == 1 ? rows_step : a.col;
        } else {
          sum.ahead = a_strip;
          sum.ahead_step = 0;
        }
        write(tiles.of[vectors - 1][rows - 1], sum, i, j, rows, cols);
      }
    }
  }
}

}  // namespace gradus::core::kernels
