// Folds at the places of an index: values, signs of zeros, errors, and memory that runs out.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include <gradus/core/array/array.h>
#include <gradus/core/array/create.h>
#include <gradus/core/memory/memory.h>
#include <gradus/core/ops/combine.h>
#include <gradus/core/ops/indexing.h>

#include "../support/arrays.h"
#include "../support/threads.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::check_error;
using gradus::test::counting;
using gradus::test::list;

namespace {

Array ints(const std::vector<std::int64_t>& v) { return list(v); }

// Many indices below a bound, with repetitions.
Array many_indices(std::int64_t n, std::int64_t bound, unsigned seed = 7) {
  std::mt19937 random(seed);
  std::vector<std::int64_t> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(static_cast<std::int64_t>(random()) % bound);
  return ints(v);
}

// Rows written one after the other to where an index names them, along any dimension.
template <class T>
Array rows_written(const Array& before, int dim, const Array& index, const Array& src) {
  const Array out = before.contiguous().clone(), from = src.contiguous();
  std::int64_t inner = 1;
  for (int d = dim + 1; d < out.dim(); ++d) inner *= out.size(d);
  const std::int64_t rows = out.size(dim), n = index.numel();
  for (std::int64_t i = 0; i < from.numel(); ++i) {
    const std::int64_t row = index.data_ptr<std::int64_t>()[i / inner % n];
    out.data_ptr<T>()[(i / (inner * n) * rows + row) * inner + i % inner] = from.data_ptr<T>()[i];
  }
  return out;
}
template <class T>
void check_rows(const Shape& shape, int dim, std::int64_t n, DType dtype) {
  Shape given = shape;
  given[dim] = n;
  const Array index = many_indices(n, shape[dim]), before = counting(shape).to(dtype), src = counting(given).to(dtype);
  const Array right = rows_written<T>(before, dim, index, src);
  for (const bool turned : {false, true}) {
    const auto layout = [&](const Array& x) {
      return turned ? x.transpose(0, -1).contiguous().transpose(0, -1) : x.clone();
    };
    const Array out = layout(before);
    scatter_write(out, dim, along(given, dim, index, "op"), layout(src), "op");
    const Array got = out.contiguous();
    BOOST_TEST(std::equal(got.data_ptr<T>(), got.data_ptr<T>() + got.numel(), right.data_ptr<T>()),
               n << " along " << dim << " of " << before.numel() << (turned ? ", turned" : ""));
  }
}

bool same(const Array& a, const Array& b) {
  const float *const x = a.data_ptr<float>(), *const y = b.data_ptr<float>();
  return std::equal(x, x + a.numel(), y);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fold_at)

BOOST_AUTO_TEST_CASE(minus_zeros_add_up_to_zero) {
  const auto all_positive = [](const Array& sums) {
    const auto* const x = sums.data_ptr<float>();
    return std::none_of(x, x + sums.numel(), [](float v) { return v != 0 || std::signbit(v); });
  };
  for (std::int64_t n : {1, 2, 3}) {
    const Array index = zeros({n}, kInt64), whole = full({n, 64}, -0.0, kFloat32);
    BOOST_TEST(all_positive(index_add({2, 64}, 0, index, whole)));
    BOOST_TEST(all_positive(index_add({2, 64}, 0, index, full({64, n}, -0.0, kFloat32).t())));
    BOOST_TEST(all_positive(index_add({64, 2}, 1, index, full({64, n}, -0.0, kFloat32))));
    BOOST_TEST(all_positive(index_add({2}, 0, index, full({n}, -0.0, kFloat32))));
    BOOST_TEST(all_positive(index_add({2, 64}, 0, index, whole.to(kFloat64)).to(kFloat32)));
  }
}

BOOST_AUTO_TEST_CASE(folds_name_the_operation_of_a_dtype) {
  const Array half = zeros({2}, kFloat16), index = ints({0, 1});
  check_error<DTypeError>([&] { scatter_sum(half, 0, index, half.clone(), "op"); }, {"op: ", "float16", "float32"});
  check_error<DTypeError>([&] { scatter_fold(Reduction::Max, half, 0, index, half.clone(), "op"); },
                          {"op: ", "float16"});
  check_error<DTypeError>([&] { index_add({2}, 0, index, half); }, {"index_add: ", "float16"});
  check_error<DTypeError>([&] { scatter_add({2}, 0, index, half); }, {"scatter_add: ", "float16"});
}

// All folds of columns that each have an index of their own, few and many values, a lone long column and several, in layouts: as
// one value after the other, in float64 for float32.
template <class T>
void check_folds(const Shape& shape, int dim, std::int64_t n, std::int64_t places, bool turned) {
  constexpr DType dtype = dtype_of<T>;
  Shape picked = shape;
  picked[dim] = n;
  std::mt19937 random(7);
  const auto drawn = [&](const Shape& sizes) {
    const Array x = core::empty(sizes, dtype);
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      x.data_ptr<T>()[i] = std::is_integral_v<T> ? static_cast<T>(random() % 5) : static_cast<T>(random() % 1000) / 777;
    }
    return x;
  };
  const Array before = drawn(shape), src = drawn(picked), index = many_indices(src.numel(), places, 3).view(picked);
  const auto layout = [&](const Array& x) {
    if (!turned) return x.clone();
    if (x.dim() == 1) return x.view({x.numel(), 1}).expand({x.numel(), 2}).contiguous().select(1, 0);
    Dims reversed;
    for (int d = x.dim(); d-- > 0;) reversed.push_back(d);
    return x.permute(reversed).contiguous().permute(reversed);
  };
  using Total = std::conditional_t<std::is_same_v<T, float>, double, T>;
  const auto fold = [&](auto put) {
    std::vector<Total> totals;
    for (std::int64_t i = 0; i < before.numel(); ++i) totals.push_back(static_cast<Total>(before.data_ptr<T>()[i]));
    std::int64_t inner = 1;
    for (int d = dim + 1; d < shape.size(); ++d) inner *= shape[d];
    for (std::int64_t i = 0; i < src.numel(); ++i) {
      const std::int64_t at = (i / (inner * n) * shape[dim] + index.data_ptr<std::int64_t>()[i]) * inner + i % inner;
      Total& total = totals[static_cast<std::size_t>(at)];
      total = static_cast<Total>(put(total, static_cast<Total>(src.data_ptr<T>()[i])));
    }
    return totals;
  };
  const auto check = [&](const char* what, const std::vector<Total>& expected, auto change) {
    const Array out = layout(before);
    change(out, layout(src));
    const Array got = out.contiguous();
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < got.numel(); ++i) {
      wrong += got.data_ptr<T>()[i] != static_cast<T>(expected[static_cast<std::size_t>(i)]);
    }
    BOOST_TEST(wrong == 0, what << ", " << sizeof(T) << " bytes each, along " << dim << " of " << before.numel() << ", "
                                << n << " values");
  };
  check("writes", fold([](Total, Total v) { return v; }),
        [&](const Array& out, const Array& from) { scatter_write(out, dim, index, from, "scatter"); });
  check("sums", fold([](Total a, Total v) { return a + v; }),
        [&](const Array& out, const Array& from) { scatter_sum(out, dim, index, from, "scatter"); });
  check("products", fold([](Total a, Total v) { return a * v; }),
        [&](const Array& out, const Array& from) { scatter_fold(Reduction::Prod, out, dim, index, from, "scatter"); });
  check("maxima", fold([](Total a, Total v) { return std::max(a, v); }),
        [&](const Array& out, const Array& from) { scatter_fold(Reduction::Max, out, dim, index, from, "scatter"); });
  check("minima", fold([](Total a, Total v) { return std::min(a, v); }),
        [&](const Array& out, const Array& from) { scatter_fold(Reduction::Min, out, dim, index, from, "scatter"); });
  // What picks there, too.
  const Array x = layout(before), got = gather(x, dim, index);
  std::int64_t inner = 1, wrong = 0;
  for (int d = dim + 1; d < shape.size(); ++d) inner *= shape[d];
  for (std::int64_t i = 0; i < got.numel(); ++i) {
    const std::int64_t at = (i / (inner * n) * shape[dim] + index.data_ptr<std::int64_t>()[i]) * inner + i % inner;
    wrong += got.data_ptr<T>()[i] != before.data_ptr<T>()[at];
  }
  BOOST_TEST(wrong == 0, "picks, " << sizeof(T) << " bytes each, along " << dim << " of " << before.numel());
}

BOOST_AUTO_TEST_CASE(folds_are_those_of_one_value_after_the_other) {
  test::ManyThreads many;
  many.each([] {
    for (const bool turned : {false, true}) {
      check_folds<float>({3000, 7}, 0, 11000, 3000, turned);  // in buckets, of several columns
      check_folds<double>({3000, 7}, 0, 11000, 3000, turned);
      check_folds<std::int32_t>({3000, 7}, 0, 11000, 3000, turned);
      check_folds<std::uint8_t>({70000}, 0, 70000, 70000, turned);
      check_folds<float>({100000}, 0, 70000, 100000, turned);
      check_folds<float>({2200000}, 0, 70000, 2200000, turned);  // few of many places
      check_folds<float>({100000}, 0, 5000, 90000, turned);
      check_folds<double>({70001}, 0, 70003, 70001, turned);  // by parts of the places
      check_folds<std::int32_t>({90000}, 0, 70000, 90000, turned);
      check_folds<float>({2, 50001}, 1, 40000, 50001, turned);
      check_folds<std::int64_t>({3, 10}, 1, 66000, 10, turned);  // fewer places than a part has
      check_folds<float>({5, 60, 90}, 1, 33, 60, turned);        // columns that stay in the cache
      check_folds<std::int64_t>({5, 60, 90}, 1, 33, 60, turned);
      check_folds<float>({40, 300}, 1, 500, 300, turned);
      check_folds<float>({9000, 33}, 0, 50, 9000, turned);
    }
  });
}

// Of rows that go to one place the last one stays, whoever writes it.
BOOST_AUTO_TEST_CASE(rows_are_written_in_order) {
  test::ManyThreads many;
  many.each([] {
    for (const std::int64_t n : {0, 1, 7, 300, 2000}) {
      check_rows<float>({300, 130}, 0, n, kFloat32);
      check_rows<double>({5, 300, 33}, 1, n, kFloat64);
      check_rows<std::uint8_t>({300, 150}, 0, n, kUInt8);
      check_rows<float>({5000, 40}, 0, n, kFloat32);  // few of many rows, or not
      check_rows<float>({300, 3}, 0, n, kFloat32);    // short rows
    }
    check_rows<float>({4, 40000}, 0, 9, kFloat32);  // few rows: columns are shared
    check_rows<std::int64_t>({3, 2, 20000}, 1, 5, kInt64);
  });
}

// Whatever memory is left, a fold in place is right or has changed nothing.
BOOST_AUTO_TEST_CASE(a_fold_without_memory_changes_nothing) {
  struct Case {
    Shape out, index;
    std::int64_t dim;
  };
  const Case cases[] = {
      {{40000, 64}, {3000, 64}, 0},  // sorted, or dealt, by several tasks
      {{40000, 64}, {6000, 64}, 0},  // copies, by several tasks
      {{64, 40000}, {64, 6000}, 1},  // a dimension in one piece
      {{6, 300000}, {6, 70000}, 1},  // copies larger than buckets
      {{3000000}, {200000}, 0},      // buckets, of large copies
  };
  test::ManyThreads many;
  for (const Case& c : cases) {
    const Array before = counting(c.out),
                index = many_indices(numel_of(c.index), c.out[static_cast<int>(c.dim)]).view(c.index),
                src = counting(c.index);
    const Array right = before.clone();
    scatter_sum(right, c.dim, index, src, "scatter_add_");
    int refused = 0, done = 0;
    for (int threads : {1, 3}) {
      set_num_threads(threads);
      for (std::int64_t spare = 0; spare <= std::int64_t{64} << 20; spare = spare == 0 ? 100000 : spare * 3 / 2) {
        const Array out = before.clone();
        const std::uint64_t writes = out.storage()->write_count();
        bool thrown = false;
        empty_cache();
        set_memory_limit(memory_stats().held_bytes + spare);
        try {
          scatter_sum(out, c.dim, index, src, "scatter_add_");
        } catch (const MemoryError&) {
          thrown = true;
        }
        set_memory_limit(std::numeric_limits<std::int64_t>::max());
        ++(thrown ? refused : done);
        BOOST_TEST(same(out, thrown ? before : right), "with " << spare << " spare");
        BOOST_TEST(out.storage()->write_count() == writes + (thrown ? 0 : 1));
      }
    }
    BOOST_TEST(refused > 0);
    BOOST_TEST(done > 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()
