// The loops around the tiles of a matrix product: which way round, what is packed, and who computes what.
#include <algorithm>

#include "../threads/even_grain.h"
#include "gemm_direct.h"
#include "gemm_tiles.h"

namespace gradus::core::kernels {
namespace {

using std::int64_t;

// Thresholds, in multiplications (the work) or elements. A parallel loop whose other threads sleep costs little: the caller
// begins at once, and they come while it lasts or not at all. What pays is what takes some microseconds.
constexpr double kParallelWork = 7e5;       // below: one thread
constexpr double kTaskWork = 3.5e5;         // of a task, at least
constexpr double kVectorParallel = 2e5;     // elements of the matrix that a vector is multiplied with
constexpr int64_t kPackedBytes = 16 << 20;  // of packed rows held at a time
constexpr int64_t kLeastRows = 32;          // of a task that has to prepare b
constexpr int64_t kNear = 524288;           // elements of a that stream past one strip of b after another
constexpr int64_t kSmallBytes = 1 << 20;    // of an operand that may be read where it lies again and again
constexpr int64_t kChunk = 2048;            // rows of c that are worked on at a time, about

template <class T>
double work_of(const GemmProblem<T>& p) {
  return static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
}

/// Products [k0, k0 + most) of each sum, as far as there are so many.
template <class T>
GemmProblem<T> part_of_k(const GemmProblem<T>& whole, int64_t k0, int64_t most) {
  GemmProblem<T> p = whole;
  p.k = std::min(most, whole.k - k0);
  p.a += k0 * p.a_col;
  p.b += k0 * p.b_row;
  p.result = for_block(p.result, k0 == 0, k0 + p.k == whole.k);
  return p;
}

/// A vector is multiplied for itself (vector), a long sum into a small c in blocks of k side by side (split). Everything else goes
/// by chunks of a that are packed together, if they are (in_chunks), rectangles of c (in_tasks), and within one of these (one_task)
/// reads b row by row (few_rows), tile by tile where it lies (direct_pairs, direct_blocks), or strip by strip (by_strips).
template <class T>
class Product {
 public:
  Product(const GemmProblem<T>& problem, const GemmKernels<T>& kernels, bool parallel)
      : p_(problem),
        parallel_(parallel),
        kernels_(kernels),
        lanes_(kernels_.lanes),
        rows_(kernels_.rows),
        cols_(2 * kernels_.lanes),
        k_block_(gemm_k_block(problem.k)) {}

  void run() {
    if (p_.m == 1 && (p_.n == 1 || p_.b_col == 1 || p_.b_row == 1)) return vector();
    parallel_ = parallel_ && work_of(p_) >= kParallelWork;
    if (parallel_ && p_.k >= 4 * k_block_ && ceil_div(p_.m, rows_) * ceil_div(p_.n, cols_) < 16) return split();
    in_chunks();
  }

 private:
  // --- Rectangles of c: b's strips are prepared by whoever uses them, a's once for all, or not at all ----------------

  void in_chunks() {
    if (!packs_a()) return in_tasks(p_, nullptr);
    const int64_t m_step = ceil_div(ceil_div(p_.m, ceil_div(p_.m, kChunk)), rows_) * rows_;
    const int64_t most_blocks =
        std::max<int64_t>(1, kPackedBytes / (m_step * k_block_ * static_cast<int64_t>(sizeof(T))));
    const int64_t blocks = ceil_div(p_.k, k_block_);
    const int64_t depth = std::min(ceil_div(blocks, ceil_div(blocks, most_blocks)) * k_block_, p_.k);
    const Workspace<T> packed(m_step * depth);
    for (int64_t i = 0; i < p_.m; i += m_step) {
      for (int64_t k0 = 0; k0 < p_.k; k0 += depth) {
        GemmProblem<T> chunk = part_of_k(p_, k0, depth);
        chunk.m = std::min(m_step, p_.m - i);
        chunk.a += i * p_.a_row;
        chunk.result = part(chunk.result, i, 0);
        pack_a(chunk, packed.data());
        in_tasks(chunk, packed.data());
      }
    }
  }

  // Worth it for an operand that leaves the near cache between its uses, sooner where a step of k is a line of its own,
  // or whose rows lie a multiple of 4096 bytes apart, where the first cache holds fewer of them than a tile has.
  bool packs_a() const {
    const int64_t small = p_.a_col == 1 ? kSmall : kSmall / 4;
    return p_.n >= 6 * cols_ && p_.m > 2 * rows_ && (crowded<T>(p_.a_row) || p_.m * p_.k > small);
  }

  void pack_a(const GemmProblem<T>& p, T* packed) {
    const int64_t strips = ceil_div(p.m, rows_);
    const int64_t grain = even_grain(strips, std::max<int64_t>(1, 32768 / (p.k * rows_)));
    for_blocks(parallel_, strips, grain, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        const int64_t i = s * rows_;
        for (int64_t q = 0; q < p.k; q += k_block_) {
          const int64_t k = std::min(k_block_, p.k - q);
          kernels_.pack_rows(k, std::min(rows_, p.m - i), p.a + i * p.a_row + q * p.a_col, p.a_row, p.a_col,
                             packed + q * strips * rows_ + i * k);
        }
      }
    });
  }

  // A task has as many rows as pass kNear elements of a, which stream from the third cache, and as few columns as leave
  // it enough work; fewer rows only where there are too few columns. A thread's share is a run of tasks along the rows
  // of c.
  void in_tasks(const GemmProblem<T>& p, const T* packed_a) {
    if (!parallel_ && p.m <= kNear / gemm_longest_block) return one_task(p, 0, p.m, 0, p.n, packed_a);
    const int64_t a_strips = ceil_div(p.m, rows_), b_strips = ceil_div(p.n, cols_);
    int64_t down = std::min(a_strips, ceil_div(p.m, std::max<int64_t>(1, kNear / std::min(p.k, k_block_)))), across = 1;
    if (parallel_) {
      // Rows cut in shorter pieces prepare b's strips more often.
      const double most = p.b_col == 1 ? 64 : 16;
      const auto tasks = static_cast<int64_t>(std::clamp(work_of(p) / kTaskWork, 1.0, most));
      across = std::min(b_strips, ceil_div(tasks, down));
      down = std::max(down, std::min(p.b_col == 1 ? a_strips : p.m / kLeastRows, tasks / across));
    }
    const int64_t i_step = packed_a != nullptr ? ceil_div(a_strips, down) * rows_ : ceil_div(p.m, down);
    const int64_t j_step = ceil_div(b_strips, across) * cols_;
    down = ceil_div(p.m, i_step);
    across = ceil_div(p.n, j_step);
    for_blocks(parallel_, down * across, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t i = t / across * i_step, j = t % across * j_step;
        one_task(p, i, std::min(i + i_step, p.m), j, std::min(j + j_step, p.n), packed_a);
      }
    });
  }

  void one_task(const GemmProblem<T>& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1, const T* packed_a) {
    if (packed_a == nullptr) {
      if (p.b_col == 1 && i1 - i0 <= kFewRows && j1 - j0 >= 3 * cols_ && (j1 - j0) * p.k > kDirect) {
        return few_rows(p, i0, i1, j0, j1);
      }
      const bool small = j1 - j0 <= cols_ || (j1 - j0) * p.k <= kDirect;
      const bool near = i1 - i0 <= rows_ || stays_near<T>(std::min(p.k, k_block_), p.b_row);
      const bool whole = (j1 - j0) % lanes_ == 0 || reads_part(i1 - i0);
      if (p.b_col == 1 && small && near && whole) {
        if (direct_pairs(kernels_, p, i0, i1, j0, j1, k_block_)) return;
        return direct_blocks(p, i0, i1, j0, j1, kernels_.straight, kernels_.straight.vectors, p.b_row);
      }
      if (p.b_row == 1 && i1 - i0 <= kernels_.turning.rows && shortest_block(p.k) >= kernels_.turning_k) {
        const int64_t vectors =
            stays_near<T>(kernels_.turning.vectors * lanes_, p.b_col) ? kernels_.turning.vectors : 1;
        return direct_blocks(p, i0, i1, j0, j1, kernels_.turning, vectors, p.b_col);
      }
    }
    by_strips(p, i0, i1, j0, j1, packed_a);
  }

  void direct_blocks(const GemmProblem<T>& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
                     const typename GemmKernels<T>::Tiles& tiles, int64_t vectors, int64_t b_step) {
    for (int64_t k0 = 0; k0 < p.k; k0 += k_block_) {
      direct(kernels_, part_of_k(p, k0, k_block_), i0, i1, j0, j1, tiles, vectors, b_step);
    }
  }

  // A tile of few rows waits for its sums, and reads a narrow strip of each of b's rows, which may be far apart.
  void few_rows(const GemmProblem<T>& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
    const int64_t step = kMostSums / kFewRows / cols_ * cols_;
    for (int64_t j = j0; j < j1; j += step) vectors_by_rows(p, i0, i1 - i0, j, std::min(step, j1 - j));
  }

  // Whether so many rows read part of a vector under a mask, which not all processors do as fast: for many, it is packed.
  bool reads_part(int64_t rows) const { return kernels_.reads_part && rows <= 4 * rows_; }

  // The last block of k; the others are longer.
  int64_t shortest_block(int64_t k) const { return k - (ceil_div(k, k_block_) - 1) * k_block_; }

  void by_strips(const GemmProblem<T>& p, int64_t i0, int64_t i1, int64_t j0, int64_t j1, const T* packed_a) {
    // On the stack: once c is being written, nothing may fail any more.
    alignas(64) T buffer[gemm_longest_block * gemm_most_cols<T>];
    const int64_t m_packed = ceil_div(p.m, rows_) * rows_, i_step = even_rows(i1 - i0, rows_);
    const bool in_place = p.b_col == 1 && (i1 - i0 <= 4 * rows_ ||
                                           (p.n * p.k <= kSmall && stays_near<T>(std::min(p.k, k_block_), p.b_row)));
    for (int64_t k0 = 0; k0 < p.k; k0 += k_block_) {
      const int64_t k = std::min(k_block_, p.k - k0);
      const Rows<T> a = packed_a == nullptr
                            ? Rows<T>{p.a + i0 * p.a_row + k0 * p.a_col, i_step * p.a_row, p.a_row, p.a_col, i_step}
                            : Rows<T>{packed_a + k0 * m_packed + i0 * k, rows_ * k, 1, rows_, rows_};
      const T* b = p.b + k0 * p.b_row;
      rectangle(kernels_, kernels_.straight, i0, i1, j0, j1, k, a, for_block(p.result, k0 == 0, k0 + k == p.k),
                [&](int64_t j, int64_t cols, int vectors, int64_t place) {
                  const T* next = p.b_col == 1 && j + cols_ < p.n ? b + j + cols_ : nullptr;
                  if (in_place && (cols == vectors * lanes_ || reads_part(i1 - i0))) {
                    return Columns<T>{b + j, p.b_row, next, p.b_row, false};
                  }
                  T* const packed = buffer + place * k * cols_;
                  kernels_.pack_cols[vectors - 1](k, cols, b + j * p.b_col, p.b_col, p.b_row, packed);
                  return Columns<T>{packed, vectors * lanes_, next, p.b_row};
                });
    }
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
          GemmProblem<T> block = part_of_k(p_, (first + s) * k_block_, k_block_);
          block.result = {sums.data() + s * size, p_.n, 1};
          Product(block, kernels_, false).in_chunks();
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
    const bool by_rows = p_.b_col == 1 && p_.n != 1;
    // By columns: as many as are computed side by side, so that these are read from end to end; more where one block is all
    // of k. By rows: a narrow part of b is read row by row, and its sums stay in the first cache.
    const int64_t step = by_rows ? std::clamp<int64_t>(65536 / p_.k / cols_ * cols_, cols_, kMostSums)
                                 : (p_.k <= lanes_ * gemm_longest_block ? gemm_most_cols<T> : lanes_);
    const int64_t grain = even_grain(p_.n, ceil_div(std::max<int64_t>(65536 / p_.k, 1), step) * step, step);
    for_blocks(parallel_ && elements >= kVectorParallel, p_.n, grain, [&](int64_t begin, int64_t end) {
      for (int64_t j = begin; j < end; j += step) {
        const int64_t n = std::min(step, end - j);
        if (by_rows) {
          vectors_by_rows(p_, 0, 1, j, n);
        } else {
          vector_by_cols(j, n);
        }
      }
    });
  }

  /// Of few rows and so many columns that their sums stay in the first cache: b is read row by row.
  void vectors_by_rows(const GemmProblem<T>& p, int64_t i, int64_t rows, int64_t j, int64_t n) {
    alignas(64) T sums[kMostSums];
    alignas(64) T gathered[kFewRows * gemm_longest_block];
    for (int64_t k0 = 0; k0 < p.k; k0 += k_block_) {
      const int64_t k = std::min(k_block_, p.k - k0);
      const T* x = p.a + i * p.a_row + k0 * p.a_col;
      int64_t x_row = p.a_row;
      if (p.a_col != 1) {
        for (int64_t r = 0; r < rows; ++r) contiguous(k, x + r * p.a_row, p.a_col, gathered + r * k);
        x = gathered, x_row = k;
      }
      kernels_.vectors_by_rows[rows - 1](k, x, x_row, p.b + k0 * p.b_row + j, p.b_row, n, sums, n);
      kernels_.finish(sums, n, part(for_block(p.result, k0 == 0, k0 + k == p.k), i, j), rows, n);
    }
  }

  /// The blocks of k are longer: each lane has a part of one.
  void vector_by_cols(int64_t j, int64_t n) {
    alignas(64) T sums[2 * gemm_most_cols<T>];
    alignas(64) T gathered[2][gemm_most_lanes<T> * gemm_longest_block];
    const int64_t block = gemm_k_block(p_.k, lanes_ * gemm_longest_block);
    for (int64_t k0 = 0; k0 < p_.k; k0 += block) {
      const int64_t k = std::min(block, p_.k - k0);
      const T* x = contiguous(k, p_.a + k0 * p_.a_col, p_.a_col, gathered[0]);
      const T* b = p_.b + k0 * p_.b_row + j * p_.b_col;
      if (p_.n == 1) b = contiguous(k, b, p_.b_row, gathered[1]);
      kernels_.dots(k, n, x, b, p_.b_col, sums);
      kernels_.finish(sums, 0, part(for_block(p_.result, k0 == 0, k0 + k == p_.k), 0, j), 1, n);
    }
  }

  static const T* contiguous(int64_t k, const T* x, int64_t step, T* buffer) {
    if (step == 1) return x;
    for (int64_t p = 0; p < k; ++p) buffer[p] = x[p * step];
    return buffer;
  }

  static constexpr int64_t kMostSums = 1024, kFewRows = 3;
  static constexpr int64_t kSmall = kSmallBytes / static_cast<int64_t>(sizeof(T));

  GemmProblem<T> p_;
  bool parallel_;
  const GemmKernels<T>& kernels_;
  const int64_t lanes_, rows_, cols_;  // of a vector; of a full tile
  const int64_t k_block_;
};

/// The same problem with rows and columns exchanged: c^T = b^T a^T.
template <class T>
GemmProblem<T> transposed(const GemmProblem<T>& p) {
  return {p.n, p.m, p.k, p.b, p.b_col, p.b_row, p.a, p.a_col, p.a_row, transposed(p.result)};
}

/// What a product takes in halves of a cycle, about: vectors run along its columns. A lone one waits for the elements
/// of a that it is multiplied with; columns of b that are contiguous are turned or packed on the way, and so is c.
template <class T>
double cost(const GemmProblem<T>& p, const GemmKernels<T>& kernels) {
  const int64_t vectors = ceil_div(p.n, kernels.lanes);
  const double rows = vectors == 1 ? 1.25 * static_cast<double>(p.m) : static_cast<double>(p.m);
  const double prepare_b = p.b_col == 1 ? 0 : p.m <= kernels.turning.rows ? 4 : 8;
  const double turn_c = p.result.col == 1 ? 0 : 6 * static_cast<double>(std::max(p.m, kernels.lanes));
  return static_cast<double>(vectors) * (static_cast<double>(p.k) * (rows + prepare_b) + turn_c);
}

/// The problem or its transpose, whichever is cheaper; between alike ones, vectors run along contiguous rows of c.
template <class T>
GemmProblem<T> better_way_round(const GemmProblem<T>& p, const GemmKernels<T>& kernels) {
  const GemmProblem<T> turned = transposed(p);
  if (p.m == 1 || p.n == 1) return p.m == 1 ? p : turned;
  const double as_is = cost(p, kernels), other = cost(turned, kernels);
  const bool at_home = p.result.col == 1 || p.result.row != 1;
  return (at_home ? 1.2 * other < as_is : other <= 1.2 * as_is) ? turned : p;
}

/// c where the sum is one over nothing.
template <class T>
[[gnu::noinline]] void solve_empty(const GemmProblem<T>& p, const GemmKernels<T>& kernels) {
  GemmResult<T> result = p.result;
  result.alpha = 1;
  const T nothing[1] = {0};
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < p.n; ++j) kernels.finish(nothing, 0, part(result, i, j), 1, 1);
  }
}

template <class T>
[[gnu::noinline]] void solve_large(const GemmProblem<T>& p, const GemmKernels<T>& kernels, bool parallel) {
  Product<T>(better_way_round(p, kernels), kernels, parallel).run();
}

template <class T>
void solve(const GemmProblem<T>& p, bool parallel) {
  if (p.m == 0 || p.n == 0) return;
  const GemmKernels<T>& kernels = gemm_kernels(T());
  if (p.k == 0) return solve_empty(p, kernels);
  if (!solve_small(p, kernels)) solve_large(p, kernels, parallel);
}

}  // namespace

void gemm(const GemmProblem<float>& problem, bool parallel) { solve(problem, parallel); }
void gemm(const GemmProblem<double>& problem, bool parallel) { solve(problem, parallel); }

}  // namespace gradus::core::kernels
