// Matrix products against sums in long double: any strides, every instruction set, the same bits for some rows, in a larger
// product and at any number of threads; batches, integers, errors.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include <gradus/core/ops/matmul.h>

#include "../support/arrays.h"
#include "../support/guarded.h"
#include "../support/instruction_set.h"
#include "../support/sanitized.h"
#include "../support/threads.h"

using namespace gradus;
using namespace gradus::core;

namespace {

using gradus::test::check_error;
using gradus::test::guarded;
using gradus::test::list;
using gradus::test::ManyThreads;
using gradus::test::UsingInstructionSet;
using gradus::test::values;

using Random = std::mt19937;

std::int64_t draw(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

/// Fresh contiguous numbers in [-1, 1).
template <class T>
Array numbers(IntArrayRef shape, Random& random) {
  const Array x = empty(shape, dtype_of<T>);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.data_ptr<T>()[i] = static_cast<T>(static_cast<double>(random() % 20001) / 10000 - 1);
  }
  return x;
}

/// The ways in which a rows x cols matrix may lie in memory.
enum Layout {
  kRowMajor,
  kColumnMajor,
  kPaddedRows,
  kPaddedColumns,
  kEverySecond,
  kOneRow,
  kOneColumn,
  kOneNumber,
  kLayouts
};
constexpr int kWritable = kOneRow;  // the layouts before it name each element once

template <class T>
Array matrix(std::int64_t rows, std::int64_t cols, int layout, Random& random) {
  switch (layout) {
    case kRowMajor:
      return numbers<T>({rows, cols}, random);
    case kColumnMajor:
      return numbers<T>({cols, rows}, random).t();
    case kPaddedRows:
      return numbers<T>({rows + 2, cols + 5}, random).slice(0, 1, rows + 1).slice(1, 3, cols + 3);
    case kPaddedColumns:
      return numbers<T>({cols + 2, rows + 5}, random).slice(0, 1, cols + 1).slice(1, 3, rows + 3).t();
    case kEverySecond:
      return numbers<T>({2 * rows, 3 * cols}, random).slice(0, 1, 2 * rows, 2).slice(1, 2, 3 * cols, 3);
    case kOneRow:
      return numbers<T>({1, cols}, random).expand({rows, cols});
    case kOneColumn:
      return numbers<T>({rows, 1}, random).expand({rows, cols});
    default:
      return numbers<T>({1, 1}, random).expand({rows, cols});
  }
}

template <class T>
T at(const Array& x, std::int64_t i, std::int64_t j) {
  return x.data_ptr<T>()[i * x.stride(0) + j * x.stride(1)];
}

/// Checks c = alpha a b + beta old + bias elementwise. Each of about k roundings is at most half an epsilon of the sum
/// of magnitudes. Absent old or bias: undefined.
template <class T>
void check_product(const Array& c, const Array& a, const Array& b, double alpha = 1, double beta = 0,
                   const Array& old = {}, const Array& bias = {}) {
  const std::int64_t m = a.size(0), k = a.size(1), n = b.size(1);
  const long double unit = static_cast<long double>(std::numeric_limits<T>::epsilon()) / 2;
  long double worst = 0;
  bool sound = true;
  const auto wide = [](double x) { return static_cast<long double>(static_cast<T>(x)); };  // as an element, exactly
  std::vector<long double> column(static_cast<std::size_t>(k));
  // Under a sanitizer every seventh column of a large one: that is enough to see that the code around it is right.
  const std::int64_t step = gradus::test::kSanitized && m * n * k > 1000000 ? 7 : 1;
  for (std::int64_t j = 0; j < n; j += step) {
    for (std::int64_t p = 0; p < k; ++p) column[static_cast<std::size_t>(p)] = static_cast<long double>(at<T>(b, p, j));
    for (std::int64_t i = 0; i < m; ++i) {
      const T* row = a.data_ptr<T>() + i * a.stride(0);
      long double sum = 0, size = 0;
      for (std::int64_t p = 0; p < k; ++p) {
        const long double term = static_cast<long double>(row[p * a.stride(1)]) * column[static_cast<std::size_t>(p)];
        sum += term;
        size += std::abs(term);
      }
      sum *= wide(alpha);
      size *= std::abs(wide(alpha));
      if (beta != 0) {
        const long double kept = wide(beta) * static_cast<long double>(at<T>(old, i, j));
        sum += kept;
        size += std::abs(kept);
      }
      if (bias.defined()) {
        const auto added = static_cast<long double>(bias.data_ptr<T>()[j * bias.stride(0)]);
        sum += added;
        size += std::abs(added);
      }
      const long double error = std::abs(static_cast<long double>(at<T>(c, i, j)) - sum);
      const long double allowed = static_cast<long double>(k + 8) * unit * size;
      sound = sound && error <= allowed;  // false for NaN
      if (size > 0) worst = std::max(worst, error / size / unit / static_cast<long double>(k + 8));
    }
  }
  BOOST_CHECK_MESSAGE(sound, m << " x " << k << " x " << n << ", strides of a [" << a.stride(0) << ", " << a.stride(1)
                               << "], of b [" << b.stride(0) << ", " << b.stride(1) << "], of c [" << c.stride(0)
                               << ", " << c.stride(1) << "], alpha " << alpha << ", beta " << beta << ": " << worst
                               << " of the bound");
}

/// One product with everything drawn: layouts, alpha, beta, bias. c is full of NaN where beta is 0.
template <class T>
void random_product(std::int64_t m, std::int64_t k, std::int64_t n, Random& random) {
  const Array a = matrix<T>(m, k, static_cast<int>(draw(random, 0, kLayouts - 1)), random);
  const Array b = matrix<T>(k, n, static_cast<int>(draw(random, 0, kLayouts - 1)), random);
  const Array c = matrix<T>(m, n, static_cast<int>(draw(random, 0, kWritable - 1)), random);
  const double alpha = std::vector{1.0, 1.0, -0.75, 2.5}[random() % 4];
  const double beta = std::vector{0.0, 0.0, 1.0, -1.25}[random() % 4];
  Array bias;
  if (random() % 3 == 0)
    bias = random() % 2 == 0 ? numbers<T>({n}, random) : numbers<T>({3 * n}, random).slice(0, 0, 3 * n, 3);
  if (beta == 0) c.fill_(std::numeric_limits<double>::quiet_NaN());
  const Array old = c.clone();
  gemm(c, a, b, alpha, beta, bias);
  check_product<T>(c, a, b, alpha, beta, old, bias);
}

bool same_bits(const Array& x, const Array& y) {
  const Array a = x.contiguous(), b = y.contiguous();
  return a.sizes() == b.sizes() && a.dtype() == b.dtype() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.numel() * a.element_size())) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(matmul)

BOOST_AUTO_TEST_CASE(random_products) {
  for (unsigned seed = 0; seed < 120; ++seed) {
    Random random(seed);
    const std::int64_t m = draw(random, 1, 150), k = draw(random, 1, 150), n = draw(random, 1, 150);
    random_product<float>(m, k, n, random);
    random_product<double>(m, k, n, random);
  }
  for (unsigned seed = 200; seed < 400; ++seed) {  // the smallest ones, where most tiles are cut off
    Random random(seed);
    const std::int64_t m = draw(random, 1, 35), k = draw(random, 1, 20), n = draw(random, 1, 35);
    random_product<float>(m, k, n, random);
    random_product<double>(m, k, n, random);
  }
}

// Few columns (or rows) take a way of their own: the transposed problem, whose columns are turned in registers.
BOOST_AUTO_TEST_CASE(narrow_products) {
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet use(set);
    for (unsigned seed = 0; seed < 60; ++seed) {
      Random random(seed);
      const std::int64_t few = draw(random, 2, 12), many = draw(random, 20, 200), k = draw(random, 1, 90);
      random_product<float>(many, k, few, random);
      random_product<float>(few, k, many, random);
      random_product<double>(many, k, few, random);
    }
    Random random(2);
    random_product<float>(150, 700, 4, random);  // several blocks of k
    random_product<float>(5, 2000, 7, random);
    for (std::int64_t rows : {2, 3}) {  // b read row by row
      random_product<float>(rows, 700, 131, random);
      random_product<double>(rows, 333, 700, random);
    }
    random_product<float>(40, 1024, 3, random);  // rows whose lines push each other out of the first cache
  }
}

BOOST_AUTO_TEST_CASE(large_products) {
  const std::int64_t sizes[][3] = {{300, 600, 250}, {600, 64, 333}, {57, 600, 600}, {200, 331, 129}, {20, 23000, 30}};
  for (const auto& [m, k, n] : sizes) {
    for (unsigned seed = 0; seed < 3; ++seed) {
      Random random(seed);
      random_product<float>(m, k, n, random);
      random_product<double>(m, k, n, random);
    }
  }
}

BOOST_AUTO_TEST_CASE(large_products_with_each_operand_transposed) {
  Random random(5);
  for (int layout_a : {kRowMajor, kColumnMajor}) {
    for (int layout_b : {kRowMajor, kColumnMajor}) {
      for (int layout_c : {kRowMajor, kColumnMajor}) {
        const Array a = matrix<float>(230, 350, layout_a, random), b = matrix<float>(350, 190, layout_b, random);
        const Array c = matrix<float>(230, 190, layout_c, random);
        gemm(c, a, b);
        check_product<float>(c, a, b);
      }
    }
  }
}

// Larger than what is packed at a time along m, n and k; compared with parts of it.
BOOST_AUTO_TEST_CASE(a_product_of_several_chunks) {
  Random random(6);
  const Array a = numbers<float>({2100, 40}, random), b = numbers<float>({40, 2200}, random);
  const Array c = core::matmul(a, b);
  check_product<float>(c.slice(0, 1000, 1100), a.slice(0, 1000, 1100), b);
  check_product<float>(c.slice(1, 1050, 1150), a, b.slice(1, 1050, 1150));
  const Array d = numbers<float>({150, 20000}, random), e = numbers<float>({20000, 150}, random);
  check_product<float>(core::matmul(d, e), d, e);
}

BOOST_AUTO_TEST_CASE(vectors) {
  Random random(7);
  for (std::int64_t k : {1, 2, 3, 5, 16, 33, 100, 321, 1000}) {
    for (std::int64_t n : {1, 2, 7, 16, 17, 40, 300}) {
      for (int layout = 0; layout < kLayouts; ++layout) {
        const Array x = numbers<double>({2 * k}, random), b = matrix<double>(k, n, layout, random);
        for (std::int64_t step : {1, 2}) {
          const Array row = x.slice(0, 0, step * k, step);
          const Array left = core::matmul(row, b);
          BOOST_TEST(left.sizes().vec() == std::vector<std::int64_t>{n});
          check_product<double>(left.unsqueeze(0), row.unsqueeze(0), b);
          const Array right = core::matmul(b.t(), row);
          BOOST_TEST(right.sizes().vec() == std::vector<std::int64_t>{n});
          check_product<double>(right.unsqueeze(1), b.t(), row.unsqueeze(1));
        }
      }
    }
  }
  const Array x = numbers<float>({100000}, random), y = numbers<float>({200000}, random).slice(0, 0, 200000, 2);
  const Array dot = core::matmul(x, y);
  BOOST_TEST(dot.dim() == 0);
  check_product<float>(dot.view({1, 1}), x.unsqueeze(0), y.unsqueeze(1));
}

// Of matrices that are contiguous along k: longer than what is added up at a time, whatever the lanes of a vector.
template <class T>
void vectors_of_several_blocks(std::int64_t k, Random& random) {
  const Array x = numbers<T>({1, 2 * k}, random).slice(1, 0, 2 * k, 2);
  for (std::int64_t n : {1, 3, 40}) {
    const Array b = matrix<T>(k, n, kPaddedColumns, random), bias = numbers<T>({n}, random);
    const Array old = numbers<T>({1, n}, random), c = old.clone();
    gemm(c, x, b, 0.5, -1.25, bias);
    check_product<T>(c, x, b, 0.5, -1.25, old, bias);
    check_product<T>(core::matmul(b.t(), x.t()), b.t(), x.t());
  }
}

BOOST_AUTO_TEST_CASE(long_vectors) {
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet use(set);
    Random random(9);
    for (std::int64_t k : {319, 640, 1281, 2561, 5121, 11000}) {
      vectors_of_several_blocks<float>(k, random);
      vectors_of_several_blocks<double>(k, random);
    }
  }
}

// The order of summation is a matter of k alone: whatever way an element comes about, its bits are the same. Vectors along
// which a matrix is contiguous have an order of their own.
template <class T>
void check_bits(std::string_view set) {
  Random random(8);
  for (std::int64_t k : {1, 3, 6, 7, 64, 320, 321, 700, 3001}) {
    const std::int64_t m = 90, n = 100;
    const Array a = numbers<T>({m, k}, random), b = numbers<T>({k, n}, random);
    const Array at = a.t().clone().t(), bt = b.t().clone().t();  // the same numbers, column by column
    const Array c = core::matmul(a, b);
    BOOST_TEST(same_bits(core::matmul(at, bt), c), k << " transposed on " << set);
    const Array turned = empty({n, m}, dtype_of<T>).t();
    gemm(turned, a, b);
    BOOST_TEST(same_bits(turned, c), k << " into columns on " << set);
    const Array sums = numbers<T>({m, n}, random), grown = sums.clone();
    gemm(grown, a, b, 1, 1);
    for (std::int64_t rows : {1, 2, 3, 5, 14, 29}) {
      const Array part = a.slice(0, 30, 30 + rows);
      BOOST_TEST(same_bits(core::matmul(part, b), c.slice(0, 30, 30 + rows)), k << " rows " << rows << " on " << set);
      if (rows == 1) continue;
      BOOST_TEST(same_bits(core::matmul(part, bt), c.slice(0, 30, 30 + rows)), k << " rows " << rows << " on " << set);
    }
    for (std::int64_t cols : {1, 3, 10, 16, 33}) {
      const Array part = c.slice(1, 41, 41 + cols);
      if (cols > 1) {
        const Array dense = b.slice(1, 41, 41 + cols).clone();  // some of a's rows: small products are computed at once
        BOOST_TEST(same_bits(core::matmul(a, dense), part), k << " dense cols " << cols << " on " << set);
        BOOST_TEST(same_bits(core::matmul(a.slice(0, 8, 20), dense), part.slice(0, 8, 20)),
                   k << " a tile of " << cols << " columns on " << set);
        const Array few = sums.slice(0, 8, 13).slice(1, 41, 41 + cols).clone();
        gemm(few, a.slice(0, 8, 13), dense, 1, 1);
        BOOST_TEST(same_bits(few, grown.slice(0, 8, 13).slice(1, 41, 41 + cols)),
                   k << " added to few rows of " << cols << " columns on " << set);
      }
      BOOST_TEST(same_bits(core::matmul(at, bt.slice(1, 41, 41 + cols)), part), k << " cols " << cols << " on " << set);
      if (cols == 1) continue;
      BOOST_TEST(same_bits(core::matmul(a, b.slice(1, 41, 41 + cols)), part), k << " cols " << cols << " on " << set);
    }
    const Array x = b.select(1, 41), y = core::matmul(a, x);  // strided and contiguous
    BOOST_TEST(same_bits(core::matmul(x.clone(), a.t()), y), k << " vector on " << set);
    BOOST_TEST(same_bits(core::matmul(a, x.unsqueeze(1)).select(1, 0), y), k << " column on " << set);
    for (std::int64_t rows : {2, 7, 29}) {
      BOOST_TEST(same_bits(core::matmul(a.slice(0, 30, 30 + rows), x), y.slice(0, 30, 30 + rows)),
                 k << " vector with " << rows << " rows on " << set);
    }
    BOOST_TEST(same_bits(core::matmul(a.select(0, 30), x), y.select(0, 30)), k << " dot on " << set);
    BOOST_TEST(same_bits(core::matmul(at.select(0, 30), x.clone()), y.select(0, 30)), k << " strided dot on " << set);
    const Array stack = core::matmul(a.view({9, 10, k}), b);
    BOOST_TEST(same_bits(stack.view({m, n}), c), k << " stacked on " << set);
  }
}

BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_rest_of_the_product) {
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet use(set);
    check_bits<float>(set);
    check_bits<double>(set);
  }
}

BOOST_AUTO_TEST_CASE(every_instruction_set) {
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet use(set);
    BOOST_TEST(instruction_set() == set);
    for (unsigned seed = 0; seed < 40; ++seed) {
      Random random(seed);
      const std::int64_t m = draw(random, 1, 70), k = draw(random, 1, 70), n = draw(random, 1, 70);
      random_product<float>(m, k, n, random);
      random_product<double>(m, k, n, random);
    }
    Random random(1);
    random_product<float>(200, 350, 210, random);
    random_product<double>(200, 350, 110, random);
  }
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_bits) {
  ManyThreads threads;
  Random random(9);
  const auto check = [&](const char* what, const Array& a, const Array& b) {
    set_num_threads(1);
    const Array alone = core::matmul(a, b);
    BOOST_TEST_CONTEXT(what) {
      threads.each([&] { BOOST_TEST(same_bits(core::matmul(a, b), alone)); });
    }
  };
  check("packed", numbers<float>({300, 700}, random), numbers<float>({700, 257}, random));
  check("packed, transposed", numbers<float>({700, 300}, random).t(), numbers<float>({257, 700}, random).t());
  check("packed, float64", numbers<double>({200, 400}, random), numbers<double>({400, 300}, random));
  check("narrow", numbers<float>({6000, 100}, random), numbers<float>({10, 100}, random).t());
  check("narrower", numbers<float>({6000, 333}, random), numbers<float>({333, 3}, random));
  check("flat", numbers<float>({200, 10}, random), numbers<float>({10, 5000}, random));
  check("long sums", numbers<float>({20, 23000}, random), numbers<float>({23000, 30}, random));
  check("few rows", numbers<float>({3, 900}, random), numbers<float>({900, 6000}, random));
  check("few rows, float64", numbers<double>({2, 900}, random), numbers<double>({900, 5000}, random));
  check("short sums", numbers<float>({1500, 4}, random), numbers<float>({4, 1501}, random));
  check("short sums, float64", numbers<double>({1200, 6}, random), numbers<double>({6, 1203}, random));
  check("narrow, float64", numbers<double>({6000, 100}, random), numbers<double>({10, 100}, random).t());
  check("long sums, float64", numbers<double>({20, 23000}, random), numbers<double>({23000, 30}, random));
  check("row", numbers<float>({1200}, random), numbers<float>({1200, 2500}, random));
  check("column", numbers<float>({2500, 1200}, random), numbers<float>({1200}, random));
  check("many small", numbers<float>({64, 60, 60}, random), numbers<float>({64, 60, 60}, random));
  check("few large", numbers<float>({3, 200, 200}, random), numbers<float>({3, 200, 200}, random));
}

BOOST_AUTO_TEST_CASE(sums_over_nothing) {
  for (DType dtype : {kFloat32, kFloat64, kInt64, kInt32, kUInt8}) {
    const Array none = core::matmul(empty({3, 0}, dtype), empty({0, 4}, dtype));
    BOOST_TEST(none.sizes().vec() == (std::vector<std::int64_t>{3, 4}));
    BOOST_TEST(values(none) == std::vector<double>(12, 0));
    BOOST_TEST(core::matmul(empty({0}, dtype), empty({0}, dtype)).item<double>() == 0);

    const Array c = full({2, 2}, 3, dtype);
    gemm(c, empty({2, 0}, dtype), empty({0, 2}, dtype), 5, 2);
    BOOST_TEST(values(c) == std::vector<double>(4, 6));
    gemm(c, empty({2, 0}, dtype), empty({0, 2}, dtype), 1, 0, full({2}, 9, dtype));
    BOOST_TEST(values(c) == std::vector<double>(4, 9));
  }
  const Array nan = full({2, 2}, std::numeric_limits<double>::quiet_NaN(), kFloat32);
  gemm(nan, empty({2, 0}), empty({0, 2}), std::numeric_limits<double>::infinity());
  BOOST_TEST(values(nan) == std::vector<double>(4, 0));
  BOOST_TEST(core::matmul(empty({0, 3}), empty({3, 4})).sizes().vec() == (std::vector<std::int64_t>{0, 4}));
  BOOST_TEST(core::matmul(empty({4, 3}), empty({3, 0})).sizes().vec() == (std::vector<std::int64_t>{4, 0}));
  BOOST_TEST(core::matmul(empty({0, 2, 3}), empty({3, 4})).sizes().vec() == (std::vector<std::int64_t>{0, 2, 4}));
  BOOST_TEST(core::matmul(empty({5, 0, 3}), empty({5, 3, 4})).sizes().vec() == (std::vector<std::int64_t>{5, 0, 4}));
  BOOST_TEST(values(core::matmul(empty({2, 2, 0}), empty({2, 0, 1}))) == std::vector<double>(4, 0));
}

// What is no number spreads to the elements that it belongs to, and to no others.
BOOST_AUTO_TEST_CASE(nan_and_infinity_stay_in_their_row_and_column) {
  for (std::int64_t m : {3, 40, 150}) {
    const std::int64_t k = 300, n = m + 20;
    const Array a = full({m, k}, 1, kFloat32), b = full({k, n}, 1, kFloat32);
    a.data_ptr<float>()[1 * k + 5] = std::numeric_limits<float>::quiet_NaN();
    b.data_ptr<float>()[7 * n + 2] = std::numeric_limits<float>::infinity();
    const Array c = core::matmul(a, b);
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        const float v = c.data_ptr<float>()[i * n + j];
        wrong += i == 1 ? !std::isnan(v) : j == 2 ? v != HUGE_VALF : v != 300;
      }
    }
    BOOST_TEST(wrong == 0);
  }
}

// Operands that end where the process's memory ends: a vector that reads past a row's end would be fatal. With a bias, into c,
// and added to c: the latter two write at once what tiles have summed up.
template <class T>
void check_guarded(std::int64_t m, std::int64_t k, std::int64_t n, Random& random) {
  for (int turned = 0; turned < 8; ++turned) {
    const auto operand = [&](std::int64_t rows, std::int64_t cols, int bit) {
      return turned & bit ? guarded(numbers<T>({cols, rows}, random)).t() : guarded(numbers<T>({rows, cols}, random));
    };
    const Array a = operand(m, k, 1), b = operand(k, n, 2), bias = guarded(numbers<T>({n}, random));
    for (const double beta : {0, 1}) {
      const Array c = operand(m, n, 4), old = c.clone();
      gemm(c, a, b, 1, beta);
      check_product<T>(c, a, b, 1, beta, old);
    }
    const Array c = operand(m, n, 4);
    gemm(c, a, b, 1, 0, bias);
    check_product<T>(c, a, b, 1, 0, {}, bias);
  }
}

BOOST_AUTO_TEST_CASE(nothing_beyond_the_operands_is_touched) {
  const std::int64_t sizes[][3] = {{1, 13, 9},    {1, 30, 37},     {1, 400, 21}, {9, 13, 1},   {21, 400, 1},
                                   {1, 400, 1},   {5, 3, 7},       {15, 4, 17},  {33, 35, 31}, {130, 20, 67},
                                   {67, 50, 130}, {200, 333, 210}, {100, 43, 3}, {6, 37, 45},  {8, 8, 8},
                                   {2, 90, 101},  {3, 400, 133},                  // few rows by rows of b
                                   {40, 4, 67},   {70, 6, 150},    {20, 1, 129},  // short sums
                                   {17, 40, 5},   {30, 50, 3},     {9, 9, 2},     // half a vector
                                   {5, 700, 7},   {7, 1000, 13},   {2, 650, 3}};  // pairs of blocks
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet use(set);
    Random random(13);
    for (const auto& [m, k, n] : sizes) {
      check_guarded<float>(m, k, n, random);
      check_guarded<double>(m, k, n, random);
    }
  }
}

BOOST_AUTO_TEST_CASE(batches_broadcast) {
  Random random(10);
  struct Case {
    std::vector<std::int64_t> a, b, c;
  };
  const std::vector<Case> cases = {
      {{5, 3, 4}, {5, 4, 2}, {5, 3, 2}},
      {{5, 3, 4}, {4, 2}, {5, 3, 2}},
      {{3, 4}, {5, 4, 2}, {5, 3, 2}},
      {{1, 3, 4}, {5, 4, 2}, {5, 3, 2}},
      {{2, 1, 3, 4}, {5, 4, 2}, {2, 5, 3, 2}},
      {{2, 5, 3, 4}, {2, 1, 4, 2}, {2, 5, 3, 2}},
      {{2, 3, 4}, {4}, {2, 3}},
      {{4}, {2, 4, 3}, {2, 3}},
      {{6, 1, 1, 9}, {1, 7, 9, 1}, {6, 7, 1, 1}},
      {{2, 2, 1, 2, 1, 2, 3, 2}, {2, 3}, {2, 2, 1, 2, 1, 2, 3, 3}},
  };
  for (const Case& shapes : cases) {
    const Array a = numbers<double>(shapes.a, random), b = numbers<double>(shapes.b, random);
    const Array c = core::matmul(a, b);
    BOOST_TEST(c.sizes().vec() == shapes.c);
    // By hand: each matrix of the expanded operands.
    const Array a2 = shapes.a.size() == 1 ? a.unsqueeze(0) : a, b2 = shapes.b.size() == 1 ? b.unsqueeze(1) : b;
    Array c2 = c;
    if (shapes.a.size() == 1) c2 = c2.unsqueeze(-2);
    if (shapes.b.size() == 1) c2 = c2.unsqueeze(-1);
    Shape stack;
    for (int d = 0; d + 2 < c2.dim(); ++d) stack.push_back(c2.size(d));
    const auto stacked = [&](const Array& x) {
      Shape shape = stack;
      shape.push_back(x.size(-2));
      shape.push_back(x.size(-1));
      return x.expand(shape).reshape({-1, x.size(-2), x.size(-1)});
    };
    const Array as = stacked(a2), bs = stacked(b2), cs = stacked(c2);
    for (std::int64_t i = 0; i < cs.size(0); ++i) check_product<double>(cs[i], as[i], bs[i]);
  }
}

BOOST_AUTO_TEST_CASE(batches_of_any_strides) {
  Random random(11);
  // Heads of attention: [batch, time, heads, width] seen as [batch, heads, time, width].
  const Array q = numbers<float>({3, 20, 4, 8}, random).transpose(1, 2),
              k = numbers<float>({3, 20, 4, 8}, random).transpose(1, 2);
  const Array scores = core::matmul(q, k.transpose(2, 3));
  BOOST_TEST(scores.sizes().vec() == (std::vector<std::int64_t>{3, 4, 20, 20}));
  for (std::int64_t i = 0; i < 3; ++i) {
    for (std::int64_t h = 0; h < 4; ++h) check_product<float>(scores[i][h], q[i][h], k[i][h].t());
  }
  // Leading dimensions that merge into rows, and some that don't.
  const Array w = numbers<float>({6, 8}, random).t();
  const Array rows = numbers<float>({5, 7, 8}, random);
  check_product<float>(core::matmul(rows, w).view({35, 6}), rows.view({35, 8}), w);
  const Array turned = rows.transpose(0, 1);
  check_product<float>(core::matmul(turned, w).view({35, 6}), turned.reshape({35, 8}), w);
  // The stride of a dimension of size 1 says nothing, the one behind it counts.
  const Array cut = numbers<float>({3, 1, 10, 8}, random).slice(2, 0, 5);
  check_product<float>(core::matmul(cut, w).view({15, 6}), cut.reshape({15, 8}), w);
  const Array first = numbers<float>({1, 3, 10, 8}, random).slice(2, 2, 7);
  check_product<float>(core::matmul(first, w).view({15, 6}), first.reshape({15, 8}), w);
  const Array column = numbers<float>({9, 3, 8}, random).slice(1, 1, 2);
  check_product<float>(core::matmul(column, w).view({9, 6}), column.reshape({9, 8}), w);
  const Array lying = numbers<float>({1, 9, 8}, random).transpose(0, 1);
  check_product<float>(core::matmul(lying, w).view({9, 6}), lying.reshape({9, 8}), w);
  const Array repeated = numbers<float>({1, 7, 8}, random).expand({5, 7, 8});
  check_product<float>(core::matmul(repeated, w).view({35, 6}), repeated.reshape({35, 8}), w);
}

BOOST_AUTO_TEST_CASE(integers) {
  const Array a = list<std::int64_t>({1, 2, 3, 4, 5, 6}).view({2, 3});
  const Array b = list<std::int64_t>({1, -1, 0, 2, 10, -10}).view({3, 2});
  const std::vector<double> product = {31, -27, 64, -54};
  for (DType dtype : {kInt64, kInt32}) {
    const Array c = core::matmul(a.to(dtype), b.to(dtype));
    BOOST_TEST((c.dtype() == dtype));
    BOOST_TEST(values(c) == product);
    const Array turned = core::matmul(b.to(dtype).t(), a.to(dtype).t());
    BOOST_TEST(values(turned.t()) == product);
    gemm(c, a.to(dtype), b.to(dtype), -2, 3, list<std::int64_t>({100, 200}).to(dtype));
    BOOST_TEST(values(c) == (std::vector<double>{131, 173, 164, 146}));
  }
  const Array small = full({1, 1}, 5, kUInt8);
  gemm(small, full({1, 1}, 3, kUInt8), full({1, 1}, 1, kUInt8), -1, 2);
  BOOST_TEST(small.item<std::int64_t>() == 7);
  // Overflow wraps around, as that of NumPy and PyTorch.
  const Array bytes = full({2, 300}, 200, kUInt8);
  BOOST_TEST(core::matmul(bytes, bytes.t()).data_ptr<std::uint8_t>()[0] == 200 * 200 * 300 % 256);
  const Array words = full({1, 2}, std::int64_t{1} << 30, kInt32);
  BOOST_TEST(core::matmul(words, full({2, 1}, 3, kInt32)).item<std::int64_t>() == std::int64_t{-2147483648});
  const Array longs = full({1, 1}, std::int64_t{1} << 62, kInt64);
  BOOST_TEST(core::matmul(longs, full({1, 1}, 3, kInt64)).item<std::int64_t>() == -(std::int64_t{1} << 62));
  // More columns than are summed at a time, on several threads.
  ManyThreads threads;
  const Array wide = core::matmul(full({500, 90}, 2, kInt64), full({90, 600}, -3, kInt64));
  threads.each([&] {
    const Array again = core::matmul(full({500, 90}, 2, kInt64), full({90, 600}, -3, kInt64));
    BOOST_TEST(same_bits(again, full({500, 600}, -540, kInt64)));
  });
  BOOST_TEST(same_bits(wide, full({500, 600}, -540, kInt64)));
}

BOOST_AUTO_TEST_CASE(a_product_into_a_part_leaves_the_rest) {
  Random random(12);
  for (const auto& [m, n] : {std::pair<std::int64_t, std::int64_t>{3, 5}, {20, 30}, {120, 90}}) {
    const Array whole = full({m + 4, n + 6}, 7, kFloat32);
    const Array a = numbers<float>({m, 200}, random), b = numbers<float>({200, n}, random);
    const std::uint64_t writes = whole.storage()->writes().count;
    gemm(whole.slice(0, 2, m + 2).slice(1, 3, n + 3), a, b);
    BOOST_TEST(whole.storage()->writes().count == writes + 1);
    BOOST_TEST(whole.storage()->writes().by == std::string_view("gemm"));
    check_product<float>(whole.slice(0, 2, m + 2).slice(1, 3, n + 3), a, b);
    std::int64_t others = 0;
    for (std::int64_t i = 0; i < m + 4; ++i) {
      for (std::int64_t j = 0; j < n + 6; ++j) {
        const bool inside = i >= 2 && i < m + 2 && j >= 3 && j < n + 3;
        others += !inside && at<float>(whole, i, j) != 7;
      }
    }
    BOOST_TEST(others == 0);
  }
}

BOOST_AUTO_TEST_CASE(wrong_use) {
  const Array a = ones({3, 4}), b = ones({5, 6});
  check_error<ShapeError>([&] { core::matmul(a, b); }, {"matmul: inner sizes differ: [3, 4] x [5, 6]"});
  check_error<ShapeError>([&] { core::matmul(a, ones({3})); }, {"matmul: inner sizes differ: [3, 4] x [3]"});
  check_error<ShapeError>([&] { core::matmul(ones({3}), a.t()); }, {"matmul: inner sizes differ: [3] x [4, 3]"});
  check_error<ShapeError>([&] { core::matmul(scalar(1, kFloat32), a); },
                          {"matmul", "at least one dimension", "[] x [3, 4]"});
  check_error<ShapeError>([&] { core::matmul(ones({2, 3, 4}), ones({3, 4, 5})); }, {"matmul", "[2]", "[3]"});
  check_error<DTypeError>(
      [&] {
        core::matmul(a, ones({4, 2}, kFloat64));
      },
      {"matmul: the second operand must have the first's dtype: float64 for float32"});
  check_error<DTypeError>([&] { core::matmul(a.to(kBool), ones({4, 2}, kBool)); }, {"matmul", "bool", "to(kFloat32)"});

  const Array c = zeros({3, 6}), fit = ones({4, 6});
  check_error<ShapeError>([&] { gemm(c, a, b); }, {"gemm: inner sizes differ: [3, 4] x [5, 6]"});
  check_error<ShapeError>([&] { gemm(zeros({6, 3}), a, fit); }, {"gemm", "[3, 4] x [4, 6]", "[6, 3]"});
  check_error<ShapeError>([&] { gemm(c, ones({2, 3, 4}), fit); }, {"gemm", "matrices", "[2, 3, 4]"});
  check_error<ShapeError>([&] { gemm(c, a, fit, 1, 0, ones({3})); }, {"gemm", "[6]", "[3]"});
  check_error<DTypeError>([&] { gemm(c, a, fit.to(kFloat64)); },
                          {"gemm: the second operand must have the first's dtype: float64 for float32"});
  check_error<DTypeError>([&] { gemm(c.to(kFloat64), a, fit); }, {"gemm", "float64"});
  check_error<DTypeError>([&] { gemm(c, a, fit, 1, 0, ones({6}, kFloat64)); }, {"gemm", "bias", "float64"});
  check_error<DTypeError>([&] { gemm(c.to(kBool), a.to(kBool), fit.to(kBool)); }, {"gemm", "bool"});
  for (double alpha : {0.5, 1e20, HUGE_VAL, std::numeric_limits<double>::quiet_NaN()}) {
    check_error<ValueError>([&] { gemm(c.to(kInt32), a.to(kInt32), fit.to(kInt32), alpha); },
                            {"gemm", "whole", "int32"});
    check_error<ValueError>([&] { gemm(c.to(kInt32), a.to(kInt32), fit.to(kInt32), 1, alpha); }, {"gemm", "whole"});
  }
  BOOST_TEST(values(c) == std::vector<double>(18, 0));
  gemm(c, a, fit);  // the same objects work afterwards
  BOOST_TEST(values(c) == std::vector<double>(18, 4));
}

BOOST_AUTO_TEST_CASE(the_result_may_not_overlap) {
  const Array x = ones({8, 8});
  const char* text = "overlap";
  check_error<ValueError>([&] { gemm(x, x, ones({8, 8})); }, {"gemm", text});
  check_error<ValueError>([&] { gemm(x, ones({8, 8}), x.t()); }, {"gemm", text});
  check_error<ValueError>(
      [&] {
        gemm(x.slice(0, 2, 6), x.slice(0, 5, 8).t().slice(1, 0, 3).slice(0, 0, 4), ones({3, 8}));
      },
      {"gemm", text});
  check_error<ValueError>([&] { gemm(x.slice(1, 0, 4), x.slice(1, 3, 7), ones({4, 4})); }, {"gemm", text});
  check_error<ValueError>([&] { gemm(x, ones({8, 8}), ones({8, 8}), 1, 0, x[3]); }, {"gemm", text});
  check_error<ValueError>(
      [&] {
        gemm(ones({1, 8}).expand({8, 8}), x, x);
      },
      {"gemm", "must have its own memory", "[8, 8]", "[0, 1]"});
  BOOST_TEST(values(x) == std::vector<double>(64, 1));
  // Parts of one matrix that only lie beside each other are fine.
  gemm(x.slice(1, 0, 4), x.slice(1, 4, 8), ones({4, 4}));
  BOOST_TEST(values(x.slice(1, 0, 4)) == std::vector<double>(32, 4));
  BOOST_TEST(values(x.slice(1, 4, 8)) == std::vector<double>(32, 1));
  gemm(x.slice(0, 0, 4), x.slice(0, 4, 8).slice(1, 4, 8), x.slice(0, 4, 8));
  BOOST_TEST(values(x.slice(0, 0, 4)) == (std::vector<double>{16, 16, 16, 16, 4, 4, 4, 4, 16, 16, 16, 16, 4, 4, 4, 4,
                                                              16, 16, 16, 16, 4, 4, 4, 4, 16, 16, 16, 16, 4, 4, 4, 4}));
}

BOOST_AUTO_TEST_SUITE_END()
