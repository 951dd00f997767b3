// Joining arrays, and picking from them by index arrays.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include <gradus/core/array/array.h>
#include <gradus/core/ops/combine.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/indexing.h>

#include "../support/arrays.h"
#include "../support/threads.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::check_error;
using gradus::test::counting;
using gradus::test::list;
using gradus::test::values;
using Values = std::vector<double>;

namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

Array ints(const std::vector<std::int64_t>& v) { return list(v); }

// Many indices below a bound, with repetitions.
Array many_indices(std::int64_t n, std::int64_t bound, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::int64_t> v;
  for (std::int64_t i = 0; i < n; ++i) v.push_back(static_cast<std::int64_t>(random()) % bound);
  return ints(v);
}

bool same_bits(const Array& a, const Array& b) {
  const float *x = a.data_ptr<float>(), *y = b.data_ptr<float>();
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    if (x[i] != y[i]) return false;
  }
  return a.shape() == b.shape();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(combine)

BOOST_AUTO_TEST_CASE(cat_joins_along_a_dimension) {
  const Array a = counting({2, 2}), b = counting({2, 3});
  BOOST_TEST((values(cat({a, b}, 1)) == Values{0, 1, 0, 1, 2, 2, 3, 3, 4, 5}));
  BOOST_TEST((values(cat({a, a.t()}, 0)) == Values{0, 1, 2, 3, 0, 2, 1, 3}));
  BOOST_TEST((cat({a, b, b}, -1).shape() == Shape{2, 8}));
  BOOST_TEST((values(cat({a})) == values(a)));
  BOOST_TEST((cat({a}).storage() != a.storage()));
  BOOST_TEST((values(cat(std::vector<Array>{a[0], a[1]})) == Values{0, 1, 2, 3}));
  BOOST_TEST((cat({core::empty({0, 2}), a}).shape() == Shape{2, 2}));
  // An empty list joins anything.
  BOOST_TEST((cat({core::empty({0}), b}, 1).shape() == Shape{2, 3}));
  BOOST_TEST((cat({b, core::empty({0})}, 1).shape() == Shape{2, 3}));
  BOOST_TEST((cat({core::empty({0}), core::empty({0})}).shape() == Shape{0}));
}

BOOST_AUTO_TEST_CASE(cat_promotes) {
  const Array mixed = cat({counting({2}, kInt64), full({1}, 2.5, kFloat32), ones({1}, kBool)});
  BOOST_TEST((mixed.dtype() == kFloat32));
  BOOST_TEST((values(mixed) == Values{0, 1, 2.5, 1}));
  BOOST_TEST((cat({core::empty({0}, kFloat64), counting({2})}).dtype() == kFloat64));
  BOOST_TEST((stack({scalar(1, kUInt8), scalar(2, kInt32)}).dtype() == kInt32));
}

BOOST_AUTO_TEST_CASE(cat_errors) {
  const Array a = counting({2, 2});
  check_error<ValueError>([] { cat({}); }, {"cat", "at least one"});
  check_error<ShapeError>([&] { cat({a, counting({3, 3})}); }, {"cat", "[2, 2]", "[3, 3]"});
  check_error<ShapeError>([&] { cat({a, counting({2})}); }, {"cat", "[2, 2]", "[2]"});
  check_error<ShapeError>([&] { cat({scalar(1, kFloat32)}); }, {"cat", "0-d", "stack"});
  check_error<IndexError>([&] { cat({a}, 2); }, {"cat", "2"});
  check_error<ValueError>([&] { cat({a, Array()}); }, {"cat", "defined", "1"});
  check_error<ShapeError>([&] { cat({ones({1}).expand(kMax), ones({1})}); }, {"cat", "64 bits"});
}

BOOST_AUTO_TEST_CASE(stack_adds_a_dimension) {
  const Array a = counting({2, 3});
  BOOST_TEST((stack({a, a}).shape() == Shape{2, 2, 3}));
  BOOST_TEST((stack({a, a, a}, -1).shape() == Shape{2, 3, 3}));
  BOOST_TEST((values(stack({a[0], a[1]}, 1)) == Values{0, 3, 1, 4, 2, 5}));
  BOOST_TEST((values(stack({scalar(1, kFloat32), scalar(2, kFloat32)})) == Values{1, 2}));
  check_error<ShapeError>([&] { stack({a, a.t()}); }, {"stack", "[2, 3]", "[3, 2]"});
  check_error<IndexError>([&] { stack({a, a}, 3); }, {"stack", "3"});
  check_error<ValueError>([] { stack({}); }, {"stack", "at least one"});
}

BOOST_AUTO_TEST_CASE(index_select_picks) {
  const Array x = counting({3, 4});
  BOOST_TEST((values(index_select(x, 0, ints({2, 0, 2}))) == Values{8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11}));
  BOOST_TEST((values(index_select(x, 1, ints({3, 1}))) == Values{3, 1, 7, 5, 11, 9}));
  BOOST_TEST((values(index_select(x.t(), 0, ints({1}))) == Values{1, 5, 9}));
  BOOST_TEST((values(index_select(x.t(), -1, ints({2, 1}))) == Values{8, 4, 9, 5, 10, 6, 11, 7}));
  BOOST_TEST((values(index_select(x, 0, list<std::int32_t>({1}))) == Values{4, 5, 6, 7}));
  BOOST_TEST((index_select(x, 0, scalar(1, kInt64)).shape() == Shape{1, 4}));
  BOOST_TEST((index_select(x, 1, ints({})).shape() == Shape{3, 0}));
  BOOST_TEST((index_select(scalar(7, kFloat32), 0, ints({0})).shape() == Shape{}));
  BOOST_TEST((values(index_select(counting({2}).expand({3, 2}), 0, ints({1, 1}))) == Values{0, 1, 0, 1}));
  // Several dimensions behind, none of them in one piece.
  const Array y = counting({2, 3, 4}).permute({1, 2, 0});
  BOOST_TEST((values(index_select(y, 0, ints({2}))) == Values{8, 20, 9, 21, 10, 22, 11, 23}));
  for (DType dtype : {kBool, kUInt8, kInt32, kInt64, kFloat64}) {
    BOOST_TEST((values(index_select(counting({2}, kInt64).to(dtype), 0, ints({1, 0}))) == Values{1, 0}));
  }
}

BOOST_AUTO_TEST_CASE(index_select_errors) {
  const Array x = counting({3, 4});
  check_error<IndexError>([&] { index_select(x, 0, ints({0, 3})); }, {"index_select", "[0, 2]", "entry 1", "3"});
  check_error<IndexError>([&] { index_select(x, 0, ints({-1})); }, {"index_select", "-1"});
  check_error<IndexError>([&] { index_select(core::empty({0, 2}), 0, ints({0})); }, {"index_select"});
  check_error<DTypeError>([&] { index_select(x, 0, counting({1})); }, {"index_select", "float32"});
  check_error<ShapeError>([&] { index_select(x, 0, zeros({1, 1}, kInt64)); }, {"index_select", "[1, 1]"});
  check_error<ShapeError>([&] { index_select(scalar(1, kFloat32), 0, ints({0, 0})); }, {"index_select", "0-d"});
  check_error<IndexError>([&] { index_select(x, 2, ints({0})); }, {"index_select", "2"});
  check_error<ValueError>([&] { index_select(Array(), 0, ints({0})); }, {"index_select", "defined"});
  check_error<ValueError>([&] { index_select(x, 0, Array()); }, {"index_select", "defined"});
}

BOOST_AUTO_TEST_CASE(index_add_sums) {
  const Array src = counting({3, 2});
  BOOST_TEST((values(index_add({4, 2}, 0, ints({1, 3, 1}), src)) == Values{0, 0, 4, 6, 0, 0, 2, 3}));
  BOOST_TEST((values(index_add({3, 3}, 1, ints({2, 2}), src)) == Values{0, 0, 1, 0, 0, 5, 0, 0, 9}));
  BOOST_TEST((values(index_add({4, 2}, 0, ints({1, 3}), src.t().slice(1, 0, 2))) == Values{0, 0, 0, 2, 0, 0, 1, 3}));
  BOOST_TEST((values(index_add({2}, 0, ints({1, 1, 1}), scalar(2, kInt32).expand({3}))) == Values{0, 6}));
  BOOST_TEST((values(index_add({}, 0, ints({0}), scalar(2, kFloat64))) == Values{2}));
  BOOST_TEST((values(index_add({2, 2}, 0, ints({}), core::empty({0, 2}))) == Values(4, 0)));
  check_error<ShapeError>([&] { index_add({4, 3}, 0, ints({0, 1, 2}), src); }, {"index_add", "[3, 3]", "[3, 2]"});
  check_error<ShapeError>([&] { index_add({4, 2}, 0, ints({0, 1}), src); }, {"index_add", "[2, 2]", "[3, 2]"});
  check_error<IndexError>([&] { index_add({2, 2}, 0, ints({0, 1, 2}), src); }, {"index_add", "[0, 1]", "2"});
  check_error<DTypeError>([&] { index_add({1}, 0, ints({0}), ones({1}, kBool)); }, {"index_add", "bool"});
}

BOOST_AUTO_TEST_CASE(gather_picks) {
  const Array x = counting({3, 4});
  BOOST_TEST((values(gather(x, 1, ints({0, 3, 2, 2}).view({2, 2}))) == Values{0, 3, 6, 6}));
  BOOST_TEST((values(gather(x, 0, ints({2, 0, 1, 1}).view({1, 4}))) == Values{8, 1, 6, 7}));
  BOOST_TEST((values(gather(x.t(), 1, ints({2, 0, 1, 1}).view({4, 1}))) == Values{8, 1, 6, 7}));
  BOOST_TEST((values(gather(x.t(), 0, ints({3, 0, 1}).view({1, 3}).expand({2, 3}))) == Values{3, 4, 9, 3, 4, 9}));
  BOOST_TEST((gather(x, 1, core::empty({2, 0}, kInt64)).shape() == Shape{2, 0}));
  BOOST_TEST((values(gather(scalar(5, kFloat32), 0, scalar(0, kInt64))) == Values{5}));
  BOOST_TEST((values(gather(counting({2, 2, 2}), 1, ints({1, 0, 0, 1}).view({2, 1, 2}))) == Values{2, 1, 4, 7}));
  check_error<ShapeError>([&] { gather(x, 0, ints({0})); }, {"gather", "[1]", "[3, 4]"});
  check_error<ShapeError>([&] { gather(x, 1, zeros({4, 1}, kInt64)); }, {"gather", "[4, 1]", "[3, 4]"});
  check_error<IndexError>([&] { gather(x, 1, ints({4}).view({1, 1})); }, {"gather", "[0, 3]", "4"});
  check_error<IndexError>([&] { gather(x, 1, ints({-1}).view({1, 1})); }, {"gather", "-1"});
  check_error<DTypeError>([&] { gather(x, 1, zeros({1, 1})); }, {"gather", "float32"});
}

BOOST_AUTO_TEST_CASE(scatter_add_sums) {
  const Array src = counting({2, 3});
  BOOST_TEST(
      (values(scatter_add({2, 4}, 1, ints({0, 3, 3, 1, 1, 0}).view({2, 3}), src)) == Values{0, 0, 0, 3, 5, 7, 0, 0}));
  BOOST_TEST((values(scatter_add({3, 3}, 0, ints({2, 0, 2, 2, 0, 1}).view({2, 3}), src)) ==
              Values{0, 5, 0, 0, 0, 5, 3, 0, 2}));
  BOOST_TEST((values(scatter_add({2, 2}, 1, ints({1, 1}).view({2, 1}), src)) ==
              Values{0, 0, 0, 3}));  // the rest of src unread
  BOOST_TEST((values(scatter_add({}, 0, scalar(0, kInt64), scalar(3, kFloat32))) == Values{3}));
  check_error<ShapeError>(
      [&] {
        scatter_add({1, 4}, 1, zeros({2, 3}, kInt64), src);
      },
      {"scatter_add", "[2, 3]", "[1, 4]"});
  check_error<ShapeError>(
      [&] {
        scatter_add({2, 4}, 1, zeros({2, 4}, kInt64), src);
      },
      {"scatter_add", "[2, 4]", "[2, 3]"});
  check_error<IndexError>([&] { scatter_add({2, 2}, 1, full({2, 3}, 2, kInt64), src); }, {"scatter_add", "[0, 1]"});
}

// gather and scatter_add are each other's transpose: <gather(x), s> = <x, scatter_add(s)>, exactly in integers.
BOOST_AUTO_TEST_CASE(sums_are_the_transposes_of_picks) {
  const Shape shape{5, 6, 7};
  const Array x = counting(shape, kInt64);
  const auto inner = [](const Array& a, const Array& b) {
    const Values u = values(a), v = values(b);
    double sum = 0;
    for (std::size_t i = 0; i < u.size(); ++i) sum += u[i] * v[i];
    return sum;
  };
  for (int d = 0; d < 3; ++d) {
    const Array entries = many_indices(4, shape[d], 3);
    const Array picked = index_select(x, d, entries), s = counting(picked.shape(), kInt64);
    BOOST_TEST(inner(picked, s) == inner(x, index_add(shape, d, entries, s)));
    Shape small{4, 3, 5};
    const Array where = many_indices(60, shape[d], 4).view(small), t = counting(small, kInt64);
    BOOST_TEST(inner(gather(x, d, where), t) == inner(x, scatter_add(shape, d, where, t)));
  }
}

// Large enough for several threads; sums of floats show the order in which they were taken.
BOOST_AUTO_TEST_CASE(sums_at_repeated_places_are_rounded_once) {
  // Whatever adds them up, the sums of float32 are those of float64, rounded. Long rows and short ones, few places and
  // many, dimensions in the middle and at the end, layouts.
  struct Case {
    Shape shape;
    int dim;
    std::int64_t n, places;  // the index names the first so many places only
  };
  const std::vector<Case> cases = {
      {{3}, 0, 5000, 1},       {{3}, 0, 5000, 3},       {{700}, 0, 600, 700},      {{700}, 0, 400, 2},
      {{9000}, 0, 300, 40},    {{9000}, 0, 300, 9000},  {{2000, 3}, 0, 100, 5},    {{50, 8}, 0, 4000, 7},
      {{40, 100}, 0, 900, 40}, {{20, 77}, 0, 900, 3},   {{5, 30, 4}, 1, 500, 4},   {{5, 30, 4}, 1, 25, 9},
      {{4, 2000}, 1, 90, 6},   {{4, 200}, 1, 180, 200}, {{3, 400, 20}, 1, 60, 11}, {{2, 3, 5}, 2, 1000, 2},
      {{60, 1000}, 0, 50, 10}, {{6}, 0, 2, 1},          {{2, 64, 33}, 1, 63, 64},
  };
  std::mt19937 random(5);
  for (std::size_t c = 0; c < cases.size(); ++c) {
    const auto& [shape, dim, n, places] = cases[c];
    Shape picked = shape;
    picked[dim] = n;
    const Array src = core::empty(picked, kFloat32);
    for (std::int64_t i = 0; i < src.numel(); ++i) {
      src.data_ptr<float>()[i] = static_cast<float>(random() % 2000 + 1) * (i % 5 == 0 ? -0.37F : 0.1F);
    }
    Dims reversed;
    for (int d = src.dim(); d-- > 0;) reversed.push_back(d);
    const Array turned = src.permute(reversed).contiguous().permute(reversed);
    const Array index = many_indices(n, places, static_cast<unsigned>(c));
    const Array each = many_indices(src.numel(), places, 100U + static_cast<unsigned>(c)).view(picked);
    const Array rows = index_add(shape, dim, index, src.to(kFloat64)).to(kFloat32),
                all = scatter_add(shape, dim, each, src.to(kFloat64)).to(kFloat32);
    for (const Array& from : {src, turned}) {
      BOOST_TEST(same_bits(index_add(shape, dim, index, from), rows), "rows of case " << c);
      BOOST_TEST(same_bits(scatter_add(shape, dim, each, from), all), "case " << c);
    }
  }
  const std::int64_t n = std::int64_t{1} << 20;
  const Array tenths = full({n}, 0.1, kFloat32), first = core::zeros({n}, kInt64);
  const float sum = static_cast<float>(static_cast<double>(0.1F) * static_cast<double>(n));
  BOOST_TEST(index_add({2}, 0, first, tenths)[0].item<float>() == sum);
  BOOST_TEST(scatter_add({2}, 0, first, tenths)[0].item<float>() == sum);
  BOOST_TEST(index_add({2, 8}, 0, first.narrow(0, 0, n / 8), tenths.view({n / 8, 8}))[0][7].item<float>() == sum / 8);
}

// What is odd about an index, wherever the entry stands beside whole vectors.
BOOST_AUTO_TEST_CASE(odd_entries_are_found_at_every_place) {
  for (const std::int64_t n : {1, 3, 4, 7, 8, 16, 33, 53}) {
    for (std::int64_t at = 0; at < n; ++at) {
      for (const std::int64_t odd : {std::int64_t{-1}, std::int64_t{10}, kMin, kMax}) {
        const Array index = many_indices(n, 10, 5);
        index.data_ptr<std::int64_t>()[at] = odd;
        const Array x = counting({10}), before = x.clone();
        for (const auto& call : std::vector<std::function<void()>>{
                 [&] { gather(x, 0, index); }, [&] { index_select(x, 0, index); },
                 [&] { scatter_sum(x, 0, index, full({n}, 1, x.dtype()), "scatter"); },
                 [&] { scatter_write(x, 0, index, full({n}, 1, x.dtype()), "scatter"); }}) {
          check_error<IndexError>(call, {"entry " + std::to_string(at)});
        }
        BOOST_TEST((values(x) == values(before)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sums_of_integers_wrap_around) {
  const Array index = core::zeros({3}, kInt64);
  BOOST_TEST(scatter_add({1}, 0, index, list(std::vector<std::int64_t>{kMax, 1, 0})).item<std::int64_t>() == kMin);
  BOOST_TEST(index_add({1}, 0, index, list(std::vector<std::int64_t>{kMin, -1, 0})).item<std::int64_t>() == kMax);
  const std::int32_t most = std::numeric_limits<std::int32_t>::max();
  BOOST_TEST(scatter_add({1}, 0, index, list(std::vector<std::int32_t>{most, 1, 0})).item<std::int32_t>() == -most - 1);
  BOOST_TEST(index_add({1}, 0, index, list(std::vector<std::uint8_t>{200, 100, 1})).item<std::int64_t>() == 45);
  BOOST_TEST(index_add({1, 9}, 0, index, full({3, 9}, kMax, kInt64))[0][8].item<std::int64_t>() == kMax - 2);
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  test::ManyThreads many;
  const Array table = linspace(-1, 1, 5000 * 64).view({5000, 64}), entries = many_indices(20000, 5000, 1);
  const Array src = linspace(0.1, 3, 20000 * 64).view({20000, 64}), few = many_indices(20000, 7, 2);
  const Array wide = few.view({20000, 1}).expand({20000, 64});
  const auto all = [&] {
    return std::vector<Array>{index_select(table, 0, entries),
                              index_add({7, 64}, 0, few, src),
                              scatter_add({7, 64}, 0, wide, src),
                              gather(src, 0, wide),
                              tril(table, 3),
                              table.flip({0, 1})};
  };
  std::vector<Array> first;
  many.each([&] {
    const std::vector<Array> now = all();
    if (first.empty()) first = now;
    for (std::size_t i = 0; i < now.size(); ++i) BOOST_TEST(same_bits(first[i], now[i]), "number " << i);
  });
  const Array sums = first[1];
  BOOST_TEST(same_bits(sums, first[2]));
  // In the order of the index, in float64, by hand.
  std::vector<double> expected(7, 0);
  for (std::int64_t i = 0; i < 20000; ++i) {
    expected[static_cast<std::size_t>(few.data_ptr<std::int64_t>()[i])] +=
        static_cast<double>(src.data_ptr<float>()[i * 64 + 17]);
  }
  for (std::int64_t k = 0; k < 7; ++k) {
    BOOST_TEST((sums.accessor<float, 2>()[k][17]) == static_cast<float>(expected[static_cast<std::size_t>(k)]));
  }
}

BOOST_AUTO_TEST_CASE(roll_checks_its_arguments) {
  const Array x = counting({2, 3});
  BOOST_TEST((values(roll(x, {1}, {1})) == Values{2, 0, 1, 5, 3, 4}));
  BOOST_TEST((values(roll(x, {kMin, kMax, 2}, {-1, 1, 0})) == values(roll(x, {2}, {1}))));  // 1 + 1 of 3, and none of 2
  const std::int64_t shifts[] = {1, 77};                                                    // only the first is given
  check_error<ValueError>(
      [&] {
        roll(x, {shifts, 1}, {0, 1});
      },
      {"roll: ", "a shift for each dimension: [1] for [0, 1]"});
  check_error<ValueError>([&] { roll(x, {1, 2}, {0}); }, {"roll: ", "[1, 2] for [0]"});
  check_error<ValueError>([&] { roll(x, {}, {}); }, {"roll: ", "[] for []"});
  check_error<IndexError>([&] { roll(x, {1}, {2}); }, {"roll: "});
  check_error<IndexError>([&] { roll(counting({}), {1}, {0}); }, {"roll: "});
  check_error<ValueError>([&] { roll(Array(), {1}, {0}); }, {"roll: the operand must be defined"});
}

BOOST_AUTO_TEST_CASE(triangles) {
  const Array x = counting({3, 3}).slice(0, 0, 3);
  BOOST_TEST((values(tril(x)) == Values{0, 0, 0, 3, 4, 0, 6, 7, 8}));
  BOOST_TEST((values(triu(x)) == Values{0, 1, 2, 0, 4, 5, 0, 0, 8}));
  BOOST_TEST((values(tril(x, 1)) == Values{0, 1, 0, 3, 4, 5, 6, 7, 8}));
  BOOST_TEST((values(triu(x, 1)) == Values{0, 1, 2, 0, 0, 5, 0, 0, 0}));
  BOOST_TEST((values(tril(x, -1)) == Values{0, 0, 0, 3, 0, 0, 6, 7, 0}));
  BOOST_TEST((values(tril(x.t())) == Values{0, 0, 0, 1, 4, 0, 2, 5, 8}));
  BOOST_TEST((values(tril(x, kMax)) == values(x)));
  BOOST_TEST((values(tril(x, kMin)) == Values(9, 0)));
  BOOST_TEST((values(triu(x, kMin)) == values(x)));
  BOOST_TEST((values(triu(counting({2, 2, 3}, kInt32), 1)) == Values{0, 1, 2, 0, 0, 5, 0, 7, 8, 0, 0, 11}));
  BOOST_TEST((tril(core::empty({2, 0, 3})).shape() == Shape{2, 0, 3}));
  check_error<ShapeError>([&] { tril(x[0]); }, {"tril", "[3]"});
  check_error<ShapeError>([&] { triu(scalar(1, kFloat32)); }, {"triu", "[]"});
}

BOOST_AUTO_TEST_CASE(triangles_in_place_leave_the_count_to_the_caller) {
  const Array dense = counting({3, 3}), strided = counting({3, 3}).t();
  for (const Array& x : {dense, strided}) {
    const auto before = x.storage()->write_count();
    keep_tril(x);
    BOOST_TEST(x.storage()->write_count() == before);
  }
  BOOST_TEST((values(strided) == Values{0, 0, 0, 1, 4, 0, 2, 5, 8}));
}

BOOST_AUTO_TEST_SUITE_END()
