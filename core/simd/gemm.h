// The packed matrix product on bare pointers, for float and double. gemm.cpp and gemm_tiles-inl.h hold what is written once
// per instruction set, gemm_driver.cpp the loops around it.
//
// One order of summation. The k products of an element are cut into blocks of gemm_k_block(k): a number that depends on
// k alone. Within a block they are added one after another, in the order of k, starting from 0 (fused multiply-add
// where the instruction set has it); the blocks' sums s are then added to the result in their order: c <- alpha s + beta c for
// the first, c <- alpha s + c for the others, and the bias with the last. (They are computed also for an alpha of 0, so that
// NaN in a or b is seen.) Every path through
// the code keeps to that order but one: packed or not, a few rows or many, the transposed problem, the blocks computed
// apart and added later. So the bits of an element depend on its row of a, its column of b, alpha, beta and bias, and
// neither on the sizes and strides of the matrices nor on the number of threads.
// The one: a single row times columns that are contiguous, or a single column (which is the problem transposed, and with a
// single column, a dot product). To add in the order of k would take a transposition of the whole matrix on the way, which
// costs twice the time of its reading. There, each lane of a vector adds up a part of the products, the lanes are added,
// and blocks are as many times longer as a vector has lanes.
#pragma once

#include <cstdint>

namespace gradus::core::kernels {

/// Where a product goes, and how: c <- alpha (the product) + beta c + bias. c is not read when beta is 0. `bias` may be
/// null; its element for c[i][j] is bias[i bias_row + j bias_col].
template <class T>
struct GemmResult {
  T* c;
  std::int64_t row, col;  ///< strides of c, in elements
  T alpha = 1, beta = 0;
  const T* bias = nullptr;
  std::int64_t bias_row = 0, bias_col = 0;
};

/// The part of a result that begins at row i and column j.
template <class T>
GemmResult<T> part(const GemmResult<T>& whole, std::int64_t i, std::int64_t j) {
  GemmResult<T> r = whole;
  r.c += i * r.row + j * r.col;
  if (r.bias != nullptr) r.bias += i * r.bias_row + j * r.bias_col;
  return r;
}

/// The same with rows and columns exchanged.
template <class T>
GemmResult<T> transposed(const GemmResult<T>& r) {
  return {r.c, r.col, r.row, r.alpha, r.beta, r.bias, r.bias_col, r.bias_row};
}

/// m x k times k x n. All strides are in elements, and may be 0 for a, b and bias.
template <class T>
struct GemmProblem {
  std::int64_t m, n, k;
  const T* a;
  std::int64_t a_row, a_col;
  const T* b;
  std::int64_t b_row, b_col;
  GemmResult<T> result;
};

/// How far a sum over k is carried before it is added to the result.
constexpr std::int64_t gemm_longest_block = 320;  // a strip of b of so many rows passes through the first cache
constexpr std::int64_t gemm_k_block(std::int64_t k, std::int64_t longest = gemm_longest_block) {
  if (k <= longest) return k;
  const std::int64_t blocks = (k + longest - 1) / longest;
  return ((k + blocks - 1) / blocks + 7) / 8 * 8;
}

/// On any instruction set, at most: rows and columns of a tile.
constexpr std::int64_t gemm_most_rows = 14;
template <class T>
constexpr std::int64_t gemm_most_lanes = 64 / static_cast<std::int64_t>(sizeof(T));
template <class T>
constexpr std::int64_t gemm_most_cols = 2 * gemm_most_lanes<T>;

/// Solves the problem; `parallel` allows it to use several threads. MemoryError, before c is written, when a
/// workspace cannot be had.
void gemm(const GemmProblem<float>& problem, bool parallel);
void gemm(const GemmProblem<double>& problem, bool parallel);

/// What a tile of c is computed from: sum over p < k of a[r a_row + p a_col] times element (p, j) of b, for its rows r and
/// columns j. That is b[p b_step + j] where rows of b are contiguous; of turning tiles, whose columns are, b[p + j b_step]; of
/// scattered ones b[offsets[p] + j].
template <class T>
struct TileSum {
  std::int64_t k;
  const T* a;
  std::int64_t a_row, a_col;
  const T* b;
  std::int64_t b_step;
  const T* ahead;  ///< what will be read next, and is brought near while k goes on: ahead_step elements at a time
  std::int64_t ahead_step;
  bool whole = true;  ///< whether all lanes of a row's vectors can be read, or no more than there are columns
  const std::int64_t* offsets = nullptr;
};

/// What an instruction set contributes. Rows of a tile are elements of a, columns are vectors of elements of b.
template <class T>
struct GemmKernels {
  /// Writes the sums, or adds them, to c[r c_row + j] for j < cols and all r of the tile's rows. All its vectors have
  /// such columns.
  using Tile = void (*)(const TileSum<T>& sum, T* c, std::int64_t c_row, std::int64_t cols, bool add);
  /// All tiles up to a size: of[vectors - 1][rows - 1].
  struct Tiles {
    const Tile* of[2];
    std::int64_t rows, vectors;
  };
  /// Of so few rows and one vector: the sums over k, then those over the `second` <= k products after them.
  using Pair = void (*)(const TileSum<T>& sum, std::int64_t second, T* c, std::int64_t c_row, std::int64_t cols,
                        bool add);
  /// Of any number of rows and short_cols columns: the sums over one k.
  using Short = void (*)(const TileSum<T>& sum, std::int64_t rows, T* c, std::int64_t c_row, bool add);
  /// packed[p width + i] = x[i x_width + p x_k] for p < k and i < filled; the rest, up to the width, holds numbers of x,
  /// or 0.
  using Pack = void (*)(std::int64_t k, std::int64_t filled, const T* x, std::int64_t x_width, std::int64_t x_k,
                        T* packed);
  /// c <- alpha sums + beta c + bias, for `rows` x `cols` sums whose rows lie `sums_row` apart.
  using Finish = void (*)(const T* sums, std::int64_t sums_row, const GemmResult<T>& result, std::int64_t rows,
                          std::int64_t cols);
  /// sums[r sums_row + j] = sum over p < k of x[r x_row + p] b[p b_row + j] for j < n, and for each of some rows r.
  using VectorsByRows = void (*)(std::int64_t k, const T* x, std::int64_t x_row, const T* b, std::int64_t b_row,
                                 std::int64_t n, T* sums, std::int64_t sums_row);
  /// sums[j] = sum over p < k of x[p] b[j b_col + p] for j < count. May write `lanes` elements beyond count.
  using Dots = void (*)(std::int64_t k, std::int64_t count, const T* x, const T* b, std::int64_t b_col, T* sums);

  std::int64_t lanes;      ///< of a vector
  std::int64_t rows;       ///< of the largest tile; its columns are 2 lanes
  bool reads_part;         ///< whether tiles obey when a row of b is not whole
  Tiles straight;          ///< `rows` rows and 2 vectors
  Tiles scattered;         ///< as large, where b's rows lie anywhere; whole ones
  Tiles turning;           ///< columns of b are contiguous. None beyond cols is read
  std::int64_t turning_k;  ///< the least k of those
  const Pair* pairs;       ///< pairs[rows - 1]
  std::int64_t pair_rows;
  const Short* short_sums;  ///< short_sums[k - 1]
  std::int64_t short_k, short_cols;
  Pack pack_rows;     ///< strips of a: width `rows`
  Pack pack_cols[2];  ///< strips of b: width `lanes` and 2 `lanes`
  Finish finish;
  VectorsByRows vectors_by_rows[3];  ///< of one row to three
  Dots dots;
};

/// Those of the best instruction set that this processor has.
const GemmKernels<float>& gemm_kernels(float);
const GemmKernels<double>& gemm_kernels(double);

}  // namespace gradus::core::kernels
