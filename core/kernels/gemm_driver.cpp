// The loops around the tiles of a matrix product: which way round, what is packed, and who computes what.
#include <algorithm>
#include <type_traits>

#include "../even_grain.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {
namespace {

using std::int64_t;

// Thresholds, in multiplications (the work) or elements. A parallel loop costs some microseconds to start.
constexpr double kParallelWork = 1.5e6;     // below: one thread
constexpr double kTaskWork = 5e5;           // of a task, at least
constexpr double kPackWork = 6e6;           // below: a is read where it lies
constexpr double kVectorParallel = 2e5;     // elements of the matrix that a vector is multiplied with
constexpr int64_t kPackedBytes = 16 << 20;  // of packed operands held at a time
constexpr int64_t kNear = 131072;           // elements of a that the second cache holds beside others
constexpr int64_t kChunk = 2048;            // rows and columns of c that are worked on at a time, about

template <class T>
double work_of(const GemmProblem<T>& p) {
  return static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
}

template <class T>
class Product {
 public:
  Product(const GemmProblem<T>& problem, bool parallel)
      : p_(problem),
        parallel_(parallel),
        kernels_(gemm_kernels(T())),
        lanes_(kernels_.lanes),
        rows_(kernels_.rows),
        cols_(2 * kernels_.lanes),
        k_block_(gemm_k_block(problem.k)) {}

  void run() {
    if (p_.m == 1 && p_.n == 1) return dot();
    if (p_.m == 1 && (p_.b_col == 1 || p_.b_row == 1)) return vector();
    const double work = work_of(p_);
    parallel_ = parallel_ && work >= kParallelWork;
    const int64_t tiles = ceil_div(p_.m, rows_) * ceil_div(p_.n, cols_);
    if (parallel_ && tiles < 16 && p_.k >= 4 * k_block_) return split();
    if (work >= kPackWork && p_.m > 2 * rows_ && p_.n > 2 * cols_) return packed();
    direct();
  }

 private:
  // --- Small and narrow products: a is read where it lies, b as well if its rows are contiguous ---------------------

  void direct() {
    // Tiles of c for the threads; along the longer side first, so that b's strips are seldom prepared twice.
    int64_t i_step = p_.m, j_step = p_.n;
    if (parallel_) {
      const auto tasks = static_cast<int64_t>(std::min(work_of(p_) / kTaskWork, 64.0));
      const int64_t j_tasks = std::clamp<int64_t>(p_.n / (2 * cols_), 1, tasks);
      const int64_t i_tasks = std::clamp<int64_t>(p_.m / (2 * rows_), 1, std::max<int64_t>(tasks / j_tasks, 1));
      j_step = ceil_div(ceil_div(p_.n, j_tasks), cols_) * cols_;
      i_step = ceil_div(ceil_div(p_.m, i_tasks), rows_) * rows_;
    }
    const int64_t across = ceil_div(p_.n, j_step);
    for_blocks(parallel_, ceil_div(p_.m, i_step) * across, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t i = t / across * i_step, j = t % across * j_step;
        direct(i, std::min(i + i_step, p_.m), j, std::min(j + j_step, p_.n));
      }
    });
  }

  void direct(int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    // On the stack: once c is being written, nothing may fail any more.
    alignas(64) T buffer[gemm_longest_block * kMostCols];
    for (int64_t k0 = 0; k0 < p_.k; k0 += k_block_) {
      const int64_t k = std::min(k_block_, p_.k - k0);
      const Rows<T> a{p_.a + k0 * p_.a_col, rows_ * p_.a_row, p_.a_row, p_.a_col, rows_};
      const T* b = p_.b + k0 * p_.b_row;
      rectangle(kernels_, i0, i1, j0, j1, k, a, for_block(p_.result, k0 == 0, k0 + k == p_.k),
                [&](int64_t j, int64_t cols, int vectors) {
                  if (p_.b_col == 1 && cols == vectors * lanes_) return Columns<T>{b + j, p_.b_row};
                  kernels_.pack_cols[vectors - 1](k, cols, b + j * p_.b_col, p_.b_col, p_.b_row, buffer);
                  return Columns<T>{buffer, vectors * lanes_};
                });
    }
  }

  // --- Large products: both operands packed into strips, then tiles of c --------------------------------------------

  void packed() {
    const int64_t m_step = ceil_div(ceil_div(p_.m, ceil_div(p_.m, kChunk)), rows_) * rows_;
    const int64_t n_step = ceil_div(ceil_div(p_.n, ceil_div(p_.n, kChunk)), cols_) * cols_;
    const int64_t m_most = std::min(m_step, ceil_div(p_.m, rows_) * rows_);
    const int64_t n_most = std::min(n_step, ceil_div(p_.n, lanes_) * lanes_);
    const int64_t most_blocks =
        std::max<int64_t>(1, kPackedBytes / ((m_most + n_most) * k_block_ * static_cast<int64_t>(sizeof(T))));
    const int64_t blocks = ceil_div(p_.k, k_block_);
    const int64_t depth = std::min(ceil_div(blocks, ceil_div(blocks, most_blocks)) * k_block_, p_.k);
    const int64_t a_size = ceil_div(m_most * depth, lanes_) * lanes_;  // so that b's vectors are aligned
    const Workspace<T> workspace(a_size + n_most * depth);
    T* const packed_a = workspace.data();
    T* const packed_b = packed_a + a_size;
    for (int64_t j = 0; j < p_.n; j += n_step) {
      for (int64_t i = 0; i < p_.m; i += m_step) {
        for (int64_t k0 = 0; k0 < p_.k; k0 += depth) {
          packed_chunk(i, std::min(m_step, p_.m - i), j, std::min(n_step, p_.n - j), k0, std::min(depth, p_.k - k0),
                       packed_a, packed_b);
        }
      }
    }
  }

  void packed_chunk(int64_t i0, int64_t m, int64_t j0, int64_t n, int64_t k0, int64_t depth, T* packed_a, T* packed_b) {
    const int64_t a_strips = ceil_div(m, rows_), b_strips = ceil_div(n, cols_);
    const int64_t m_packed = a_strips * rows_, n_packed = ceil_div(n, lanes_) * lanes_;
    for_blocks(parallel_, a_strips + b_strips, std::max<int64_t>(1, 32768 / (depth * lanes_)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t s = begin; s < end; ++s) {
                   for (int64_t q = 0; q < depth; q += k_block_) {
                     const int64_t k = std::min(k_block_, depth - q);
                     if (s < a_strips) {
                       const int64_t i = s * rows_;
                       kernels_.pack_rows(k, std::min(rows_, m - i), p_.a + (i0 + i) * p_.a_row + (k0 + q) * p_.a_col,
                                          p_.a_row, p_.a_col, packed_a + q * m_packed + i * k);
                     } else {
                       const int64_t j = (s - a_strips) * cols_, cols = std::min(cols_, n - j);
                       kernels_.pack_cols[cols > lanes_](k, cols, p_.b + (k0 + q) * p_.b_row + (j0 + j) * p_.b_col,
                                                         p_.b_col, p_.b_row, packed_b + q * n_packed + j * k);
                     }
                   }
                 }
               });

    // Tasks of about 12 strips of a, which the second cache holds; of b as many as leave enough tasks.
    const int64_t down = ceil_div(a_strips, 12), i_step = ceil_div(a_strips, down) * rows_;
    int64_t strips = 16;
    while (strips > 2 && ceil_div(m, i_step) * ceil_div(b_strips, strips) < 16) strips /= 2;
    const int64_t across = ceil_div(b_strips, strips), j_step = strips * cols_;
    const GemmResult<T> result = part(p_.result, i0, j0);
    // A thread's share is a run of tasks: along the rows of c, so that strips of a stay near, or, where all of a does,
    // along its columns, so that the shares are as long as each other although the last strips of a may be short.
    const bool by_columns = m_packed * depth <= kNear;
    for_blocks(parallel_, ceil_div(m, i_step) * across, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t i = (by_columns ? t % down : t / across) * i_step;
        const int64_t j = (by_columns ? t / down : t % across) * j_step;
        for (int64_t q = 0; q < depth; q += k_block_) {
          const int64_t k = std::min(k_block_, depth - q);
          rectangle(kernels_, i, std::min(i + i_step, m), j, std::min(j + j_step, n), k,
                    Rows<T>{packed_a + q * m_packed, rows_ * k, 1, rows_, rows_},
                    for_block(result, k0 + q == 0, k0 + q + k == p_.k), [&](int64_t jj, int64_t, int vectors) {
                      // While one strip is used for i_step rows, the next one of the same size passes by.
                      const T* strip = packed_b + q * n_packed + jj * k;
                      return Columns<T>{strip, vectors * lanes_, strip + k * cols_, ceil_div(cols_ * rows_, i_step)};
                    });
        }
      }
    });
  }

  // --- Long sums into a small c: the blocks of k computed side by side, added in their order ------------------------

  void split() {
    const int64_t blocks = ceil_div(p_.k, k_block_), size = p_.m * p_.n;
    const int64_t at_once = std::min<int64_t>(blocks, 64);
    const Workspace<T> sums(at_once * size);
    for (int64_t first = 0; first < blocks; first += at_once) {
      const int64_t count = std::min(at_once, blocks - first);
      const auto grain = static_cast<int64_t>(kTaskWork / static_cast<double>(size * k_block_)) + 1;
      parallel_for(count, grain, [&](int64_t begin, int64_t end) {
        for (int64_t s = begin; s < end; ++s) {
          const int64_t k0 = (first + s) * k_block_;
          GemmProblem<T> block = p_;
          block.k = std::min(k_block_, p_.k - k0);
          block.a += k0 * p_.a_col;
          block.b += k0 * p_.b_row;
          block.result = {sums.data() + s * size, p_.n, 1};
          Product(block, false).direct();
        }
      });
      for (int64_t s = 0; s < count; ++s) {
        kernels_.finish(sums.data() + s * size, p_.n, for_block(p_.result, first + s == 0, first + s + 1 == blocks),
                        p_.m, p_.n);
      }
    }
  }

  // --- One row ------------------------------------------------------------------------------------------------------

  void vector() {
    const double elements = work_of(p_);
    const bool by_rows = p_.b_col == 1;
    // By columns: all of k for few of them, which are read from end to end. By rows: a narrow part of b is read row by
    // row, and its sums stay in the first cache.
    const int64_t step =
        by_rows ? std::clamp<int64_t>(65536 / p_.k / cols_ * cols_, cols_, kMostSums) : gemm_columns_at_once;
    const int64_t grain = even_grain(p_.n, ceil_div(std::max<int64_t>(65536 / p_.k, 1), step) * step, step);
    for_blocks(parallel_ && elements >= kVectorParallel, p_.n, grain, [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; j += step) vector(by_rows, j, std::min(step, end - j));
    });
  }

  void vector(bool by_rows, int64_t j, int64_t n) {
    alignas(64) T sums[kMostSums + kMostCols];
    alignas(64) T gathered[gemm_longest_block];
    for (int64_t k0 = 0; k0 < p_.k; k0 += k_block_) {
      const int64_t k = std::min(k_block_, p_.k - k0);
      const T* x = p_.a + k0 * p_.a_col;
      if (p_.a_col != 1) {
        for (int64_t q = 0; q < k; ++q) gathered[q] = x[q * p_.a_col];
        x = gathered;
      }
      const T* b = p_.b + k0 * p_.b_row + j * p_.b_col;
      if (by_rows) {
        kernels_.vector_by_rows(k, x, b, p_.b_row, n, sums);
      } else {
        kernels_.vector_by_cols(k, x, b, p_.b_col, n, sums);
      }
      kernels_.finish(sums, 0, part(for_block(p_.result, k0 == 0, k0 + k == p_.k), 0, j), 1, n);
    }
  }

  void dot() {
    T sums[64];
    const int64_t blocks = ceil_div(p_.k, k_block_);
    for (int64_t first = 0; first < blocks; first += 64) {
      const int64_t count = std::min<int64_t>(64, blocks - first), k0 = first * k_block_;
      const int64_t full = std::min(count, (p_.k - k0) / k_block_);
      const T* x = p_.a + k0 * p_.a_col;
      const T* y = p_.b + k0 * p_.b_row;
      kernels_.dot(k_block_, full, x, p_.a_col, y, p_.b_row, sums);
      if (full < count) {
        const int64_t done = full * k_block_;
        kernels_.dot(p_.k - k0 - done, 1, x + done * p_.a_col, p_.a_col, y + done * p_.b_row, p_.b_row, sums + full);
      }
      for (int64_t s = 0; s < count; ++s) {
        kernels_.finish(sums + s, 0, for_block(p_.result, first + s == 0, first + s + 1 == blocks), 1, 1);
      }
    }
  }

  static constexpr int64_t kMostCols = 128 / static_cast<int64_t>(sizeof(T));
  static constexpr int64_t kMostSums = 1024;

  GemmProblem<T> p_;
  bool parallel_;
  const GemmKernels<T>& kernels_;
  const int64_t lanes_, rows_, cols_;  // of a vector; of a full tile
  const int64_t k_block_;
};

/// The same problem with rows and columns exchanged: c^T = b^T a^T.
template <class T>
GemmProblem<T> transposed(const GemmProblem<T>& p) {
  GemmProblem<T> t{p.n, p.m, p.k, p.b, p.b_col, p.b_row, p.a, p.a_col, p.a_row, p.result};
  std::swap(t.result.row, t.result.col);
  std::swap(t.result.bias_row, t.result.bias_col);
  return t;
}

template <class T>
void solve(const GemmProblem<T>& p, bool parallel) {
  if (p.m == 0 || p.n == 0) return;
  if (p.k == 0) {  // a sum over nothing
    GemmResult<T> result = p.result;
    result.alpha = 1;
    const T nothing[1] = {0};
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) gemm_kernels(T()).finish(nothing, 0, part(result, i, j), 1, 1);
    }
    return;
  }
  // Vectors run along the rows of c; they had better be contiguous, and not of length 1.
  const bool turn = p.m != 1 && (p.n == 1 || (p.result.col != 1 && p.result.row == 1));
  Product<T>(turn ? transposed(p) : p, parallel).run();
}

}  // namespace

void gemm(const GemmProblem<float>& problem, bool parallel) { solve(problem, parallel); }
void gemm(const GemmProblem<double>& problem, bool parallel) { solve(problem, parallel); }

}  // namespace gradus::core::kernels
