// What a product is made of, one kernel after the other, on every instruction set: of whole numbers, so that sums are exact,
// between operands that begin or end where memory does. Nothing beside c's elements is written.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

#include <gradus/core/simd/gemm.h>

#include "../support/guarded.h"
#include "../support/instruction_set.h"

using namespace gradus;
using namespace gradus::core;
using namespace gradus::core::kernels;

namespace {

using std::int64_t;
using test::Guard;
using test::guarded;

std::mt19937 random_numbers(17);

/// Of small whole numbers. Lines, which are rows or columns, lie `gap` elements apart, and behind the last one is nothing.
template <class T>
struct Matrix {
  Matrix(int64_t m, int64_t n, Guard guard, bool by_columns = false, int64_t gap = 0)
      : rows(m),
        cols(n),
        row(by_columns ? 1 : n + gap),
        col(by_columns ? m + gap : 1),
        memory(guarded(drawn(by_columns ? n * (m + gap) - gap : m * (n + gap) - gap), guard)),
        data(memory.template data_ptr<T>()),
        before(data, data + memory.numel()) {}
  T at(int64_t i, int64_t j) const { return data[i * row + j * col]; }

  /// Whether each element has become f(i, j, what it was), and what lies between the lines has not changed.
  template <class F>
  bool became(F f) const {
    std::vector<T> expected = before;
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        T& element = expected[static_cast<std::size_t>(i * row + j * col)];
        element = f(i, j, element);
      }
    }
    return std::equal(expected.begin(), expected.end(), data);
  }

  int64_t rows, cols, row, col;
  Array memory;
  T* data;
  std::vector<T> before;

 private:
  static Array drawn(int64_t n) {
    const Array x = empty({n}, dtype_of<T>);
    std::generate_n(x.template data_ptr<T>(), n, [] { return static_cast<T>(random_numbers() % 9) - 4; });
    return x;
  }
};

template <class T>
T product(const Matrix<T>& a, const Matrix<T>& b, int64_t i, int64_t j) {
  T sum = 0;
  for (int64_t p = 0; p < a.cols; ++p) sum += a.at(i, p) * b.at(p, j);
  return sum;
}

/// Calls compute(c) for a c that is written and one that is added to, and compares.
template <class T, class Compute>
void check(const char* what, const Matrix<T>& a, const Matrix<T>& b, Guard guard, Compute compute) {
  for (const bool add : {false, true}) {
    const Matrix<T> c(a.rows, b.cols, guard, false, 3);
    compute(c, add);
    BOOST_TEST(c.became([&](int64_t i, int64_t j, T was) { return product(a, b, i, j) + (add ? was : 0); }),
               what << ": " << a.rows << " x " << a.cols << " x " << b.cols << (add ? ", added" : "") << " on "
                    << instruction_set());
  }
}

template <class T>
TileSum<T> sum_of(const Matrix<T>& a, const Matrix<T>& b, int64_t b_step) {
  return {a.cols, a.data, a.row, a.col, b.data, b_step, a.data, 0};
}

/// body(kernels, guard) for both dtypes, on every instruction set.
template <class Body>
void for_all(Body body) {
  for (std::string_view set : instruction_sets()) {
    const test::UsingInstructionSet use(set);
    for (const Guard guard : {Guard::kBehind, Guard::kBefore}) {
      body(gemm_kernels(float()), guard, float());
      body(gemm_kernels(double()), guard, double());
    }
  }
}

/// body(rows, vectors, cols) for all sizes of tiles; of the columns of the last vector, all of these numbers.
template <class T, class Body>
void for_sizes(const GemmKernels<T>& kernels, const typename GemmKernels<T>::Tiles& tiles, Body body) {
  const int64_t lanes = kernels.lanes;
  for (int64_t rows = 1; rows <= tiles.rows; ++rows) {
    for (int64_t vectors = 1; vectors <= tiles.vectors; ++vectors) {
      std::vector<int64_t> all = {1, lanes / 2, lanes / 2 + 1, lanes - 1, lanes};
      all.erase(std::unique(all.begin(), all.end()), all.end());
      for (const int64_t last : all) {
        if (last >= 1 && last <= lanes) body(rows, vectors, (vectors - 1) * lanes + last);
      }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gemm_kernels)

BOOST_AUTO_TEST_CASE(straight_tiles) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for_sizes<T>(kernels, kernels.straight, [&](int64_t rows, int64_t vectors, int64_t cols) {
      const auto tile = kernels.straight.of[vectors - 1][rows - 1];
      for (const int64_t k : {1, 7, 40}) {
        const Matrix<T> a(rows, k, guard, k == 7, 2), packed(k, vectors * kernels.lanes, guard), b(k, cols, guard);
        Matrix<T> part = packed;  // of a packed strip, whose last columns are nobody's
        part.cols = cols;
        check("packed", a, part, guard,
              [&](const Matrix<T>& c, bool add) { tile(sum_of(a, packed, packed.row), c.data, c.row, cols, add); });
        if (!kernels.reads_part && cols != vectors * kernels.lanes) continue;
        check("in place", a, b, guard, [&](const Matrix<T>& c, bool add) {
          TileSum<T> sum = sum_of(a, b, b.row);
          sum.whole = false;
          tile(sum, c.data, c.row, cols, add);
        });
      }
    });
  });
}

BOOST_AUTO_TEST_CASE(scattered_tiles) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for_sizes<T>(kernels, kernels.scattered, [&](int64_t rows, int64_t vectors, int64_t cols) {
      for (const int64_t k : {1, 7, 40}) {
        const Matrix<T> a(rows, k, guard, k == 7, 2), b(k, vectors * kernels.lanes, guard);
        // Row p of the sum is row order[p] of b.
        std::vector<int64_t> order(static_cast<std::size_t>(k)), offsets;
        std::iota(order.begin(), order.end(), 0);
        std::shuffle(order.begin(), order.end(), random_numbers);
        for (const int64_t p : order) offsets.push_back(p * b.row);
        for (const bool add : {false, true}) {
          const Matrix<T> c(rows, cols, guard, false, 3);
          TileSum<T> sum = sum_of(a, b, 0);
          sum.offsets = offsets.data();
          kernels.scattered.of[vectors - 1][rows - 1](sum, c.data, c.row, cols, add);
          const auto expected = [&](int64_t i, int64_t j, T was) {
            T total = add ? was : 0;
            for (int64_t p = 0; p < k; ++p) total += a.at(i, p) * b.at(order[static_cast<std::size_t>(p)], j);
            return total;
          };
          BOOST_TEST(c.became(expected), rows << " x " << k << " x " << cols << " on " << instruction_set());
        }
      }
    });
  });
}

BOOST_AUTO_TEST_CASE(turning_tiles) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for_sizes<T>(kernels, kernels.turning, [&](int64_t rows, int64_t vectors, int64_t cols) {
      for (int64_t k = kernels.turning_k; k <= kernels.turning_k + 5; ++k) {  // the last block overlaps, or not
        const Matrix<T> a(rows, k, guard, k % 2 == 0, 2), b(k, cols, guard, true, 1);
        check("turning", a, b, guard, [&](const Matrix<T>& c, bool add) {
          kernels.turning.of[vectors - 1][rows - 1](sum_of(a, b, b.col), c.data, c.row, cols, add);
        });
      }
    });
  });
}

BOOST_AUTO_TEST_CASE(pairs_of_blocks) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for_sizes<T>(kernels, {{}, kernels.pair_rows, 1}, [&](int64_t rows, int64_t, int64_t cols) {
      if (!kernels.reads_part && cols != kernels.lanes) return;
      for (const int64_t second : {1, 4, 6}) {
        const Matrix<T> a(rows, 6 + second, guard, second == 4, 2), b(6 + second, cols, guard, false, 1);
        check("pair", a, b, guard, [&](const Matrix<T>& c, bool add) {
          TileSum<T> sum = sum_of(a, b, b.row);
          sum.k = 6;
          kernels.pairs[rows - 1](sum, second, c.data, c.row, cols, add);
        });
      }
    });
  });
}

BOOST_AUTO_TEST_CASE(short_sums) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for (int64_t k = 1; k <= kernels.short_k; ++k) {
      for (const int64_t rows : {1, 2, 9}) {
        const Matrix<T> a(rows, k, guard, rows == 2, 2), b(k, kernels.short_cols, guard, false, 1);
        check("short", a, b, guard, [&](const Matrix<T>& c, bool add) {
          kernels.short_sums[k - 1](sum_of(a, b, b.row), rows, c.data, c.row, add);
        });
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(rows_by_rows_of_b) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for (int64_t rows = 1; rows <= 3; ++rows) {
      for (const int64_t k : {1, 3, 8, 21}) {
        for (int64_t n = 1; n <= 2 * kernels.lanes + 1; ++n) {
          const Matrix<T> x(rows, k, guard, false, 2), b(k, n, guard, false, 1), c(rows, n, guard, false, 3);
          kernels.vectors_by_rows[rows - 1](k, x.data, x.row, b.data, b.row, n, c.data, c.row);
          BOOST_TEST(c.became([&](int64_t i, int64_t j, T) { return product(x, b, i, j); }),
                     rows << " x " << k << " x " << n << " on " << instruction_set());
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(dot_products) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for (const int64_t k : {1, 3, 16, 37}) {
      for (int64_t count = 1; count <= 2 * kernels.lanes + 1; ++count) {
        const Matrix<T> x(1, k, guard), b(k, count, guard, true, 2), room(1, count + kernels.lanes, guard);
        kernels.dots(k, count, x.data, b.data, b.col, room.data);
        Matrix<T> c = room;
        std::copy_n(room.data + count, kernels.lanes, c.before.begin() + count);  // may be written
        c.cols = count;
        BOOST_TEST(c.became([&](int64_t i, int64_t j, T) { return product(x, b, i, j); }),
                   k << " x " << count << " on " << instruction_set());
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(last_step) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    for (const int64_t rows : {int64_t{1}, int64_t{3}, kernels.lanes + 1}) {
      for (int64_t cols = 1; cols <= 2 * kernels.lanes + 1; ++cols) {
        const Matrix<T> sums(rows, cols, guard, false, 1), bias(rows, cols, guard, false, 2);
        for (const bool turned : {false, true}) {
          for (int which = 0; which < 8; ++which) {
            const Matrix<T> c(rows, cols, guard, turned, 3);
            const T alpha = which & 1 ? 2 : 1, beta = which & 2 ? -3 : 0;
            GemmResult<T> result{c.data, c.row, c.col, alpha, beta};
            if (which & 4) result.bias = bias.data, result.bias_row = bias.row, result.bias_col = 1;
            kernels.finish(sums.data, sums.row, result, rows, cols);
            const auto expected = [&](int64_t i, int64_t j, T was) {
              return alpha * sums.at(i, j) + beta * was + (which & 4 ? bias.at(i, j) : 0);
            };
            BOOST_TEST(c.became(expected),
                       rows << " x " << cols << (turned ? ", turned, " : ", ") << which << " on " << instruction_set());
          }
        }
      }
    }
  });
}

BOOST_AUTO_TEST_CASE(packing) {
  for_all([](const auto& kernels, Guard guard, auto zero) {
    using T = decltype(zero);
    const std::pair<int64_t, typename GemmKernels<T>::Pack> all[] = {{kernels.rows, kernels.pack_rows},
                                                                     {kernels.lanes, kernels.pack_cols[0]},
                                                                     {2 * kernels.lanes, kernels.pack_cols[1]}};
    for (const auto& [width, pack] : all) {
      for (int64_t filled = 1; filled <= width; ++filled) {
        for (const int64_t k : {1, 3, 4, 9, 22}) {
          for (const bool by_columns : {false, true}) {  // x: filled x k
            const Matrix<T> x(filled, k, guard, by_columns, 1), room(k, width, guard);
            pack(k, filled, x.data, x.row, x.col, room.data);
            Matrix<T> packed = room;
            std::copy_n(room.data, k * width, packed.before.begin());  // what is not filled holds anything
            packed.cols = filled;
            BOOST_TEST(packed.became([&](int64_t p, int64_t i, T) { return x.at(i, p); }),
                       filled << " of " << width << ", " << k << " on " << instruction_set());
          }
        }
      }
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()
