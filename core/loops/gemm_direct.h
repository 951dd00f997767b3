// Products whose operands are read where they lie: nothing is packed, blocked or brought near. Small ones end here, before
// more is asked about them; of larger ones, those parts whose strip of b no second strip of a needs, or that stays in the
// first cache anyway. Where tiles would wait, for their sums or for c, other kernels compute the same bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "gemm_tiles.h"

namespace gradus::core::kernels {

constexpr int64_t kDirect = 8192;   // elements of b that are read again and again where they lie
constexpr int64_t kSmallRows = 64;  // times such a b, without looking further

/// Whether a line of each of k rows finds room in the first cache, with its 64 sets of 8 lines: rows that are a multiple of
/// lines apart share few of those.
template <class T>
bool stays_near(int64_t k, int64_t row) {
  const int64_t bytes = row * static_cast<int64_t>(sizeof(T));
  return bytes % 64 != 0 || k <= 6 * (64 / std::gcd<int64_t>(64, bytes / 64));
}

/// Sums so short that writing c takes longest, in as many of the columns [j0, j1) as fill strips; returns where the others
/// begin. A strip goes no further down c than its lines stay near until the next one has filled them.
template <class T>
int64_t short_strips(const GemmKernels<T>& kernels, const GemmProblem<T>& p, int64_t i0, int64_t i1, int64_t j0,
                     int64_t j1, bool add) {
  const int64_t row = p.result.row, i_step = stays_near<T>(64, row) ? 64 : 8;
  const int64_t end = j1 - (j1 - j0) % kernels.short_cols;
  TileSum<T> sum{p.k, p.a + i0 * p.a_row, p.a_row, p.a_col, nullptr, p.b_row, p.a, 0};
  for (int64_t i = i0; i < i1; i += i_step, sum.a += i_step * p.a_row) {
    for (int64_t j = j0; j < end; j += kernels.short_cols) {
      sum.b = p.b + j;
      kernels.short_sums[p.k - 1](sum, std::min(i_step, i1 - i), p.result.c + i * row + j, row, add);
    }
  }
  return end;
}

/// One block of k where b is small, or nobody needs it twice: it is read where it lies, tile by tile, with nothing packed.
template <class T>
void direct(const GemmKernels<T>& kernels, const GemmProblem<T>& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
            const typename GemmKernels<T>::Tiles& tiles, int64_t vectors, int64_t b_step) {
  const int64_t i_step = even_rows(i1 - i0, tiles.rows), j_step = vectors * kernels.lanes;
  const int64_t a_strip = i_step * p.a_row, b_strip = j_step * p.b_col;
  const TileWriter<T> write(kernels, p.result);
  if (p.k <= kernels.short_k && p.b_col == 1 && write.plain()) {
    j0 = short_strips(kernels, p, i0, i1, j0, j1, write.add());
  }
  TileSum<T> sum{p.k, p.a + i0 * p.a_row, p.a_row, p.a_col, nullptr, b_step, p.a, 0, false};
  for (int64_t i = i0; i < i1; i += i_step, sum.a += a_strip) {
    const int64_t rows = std::min(i_step, i1 - i);
    sum.b = p.b + j0 * p.b_col;
    for (int64_t j = j0; j < j1; j += j_step, sum.b += b_strip) {
      const int64_t cols = std::min(j_step, j1 - j);
      write(tiles.of[cols > kernels.lanes ? 1 : 0][rows - 1], sum, i, j, rows, cols);
    }
  }
}

/// All blocks of k where c is a single tile of few rows and one vector, which would wait for its sums: two at a time.
template <class T>
bool direct_pairs(const GemmKernels<T>& kernels, const GemmProblem<T>& p, int64_t i0, int64_t i1, int64_t j0,
                  int64_t j1, int64_t k_block) {
  const int64_t rows = i1 - i0, cols = j1 - j0;
  const TileWriter<T> write(kernels, p.result);
  if (p.k <= k_block || rows > kernels.pair_rows || cols > kernels.lanes || !write.plain()) return false;
  T* const c = p.result.c + i0 * p.result.row + j0;
  TileSum<T> sum{0, p.a + i0 * p.a_row, p.a_row, p.a_col, p.b + j0, p.b_row, p.a, 0, false};
  for (int64_t k0 = 0; k0 < p.k; k0 += 2 * k_block, sum.a += 2 * k_block * p.a_col, sum.b += 2 * k_block * p.b_row) {
    sum.k = std::min(k_block, p.k - k0);
    const int64_t second = std::min(k_block, p.k - k0 - sum.k);
    const bool add = write.add() || k0 > 0;
    if (second > 0) {
      kernels.pairs[rows - 1](sum, second, c, p.result.row, cols, add);
    } else {
      kernels.straight.of[0][rows - 1](sum, c, p.result.row, cols, add);
    }
  }
  return true;
}

/// Solves what is for `direct` at first sight: one block of k, b in the first cache, and c's vectors full enough. What fits a
/// tile is one: for products of some dozens of numbers, asking further takes longer than computing. Vectors of which at most
/// half is filled, and rows of b that push each other out of the cache, are for the driver; rows without gaps do not.
template <class T>
bool solve_small(const GemmProblem<T>& p, const GemmKernels<T>& kernels) {
  const int64_t lanes = kernels.lanes;
  if (p.k > gemm_longest_block || p.n * p.k > kDirect || p.m > kSmallRows || p.n == 1) return false;
  if (p.b_col != 1 || p.result.col != 1 || !(kernels.reads_part || p.n % lanes == 0)) return false;
  if (p.m <= kernels.rows && p.n <= 2 * lanes) {
    const TileWriter<T> write(kernels, p.result);
    const TileSum<T> sum{p.k, p.a, p.a_row, p.a_col, p.b, p.b_row, p.a, 0, false};
    write(kernels.straight.of[p.n > lanes ? 1 : 0][p.m - 1], sum, 0, 0, p.m, p.n);
    return true;
  }
  if (p.m > kernels.rows && (2 * p.n <= lanes || (p.b_row != p.n && !stays_near<T>(p.k, p.b_row)))) return false;
  direct(kernels, p, 0, p.m, 0, p.n, kernels.straight, kernels.straight.vectors, p.b_row);
  return true;
}

}  // namespace gradus::core::kernels
