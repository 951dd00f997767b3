// What vectors compute against the same by numbers: in float64, in another order, or by another way of the library's own.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gradus/core/array/create.h>
#include <gradus/core/ops/combine.h>
#include <gradus/core/ops/elementwise.h>
#include <gradus/core/ops/indexing.h>
#include <gradus/core/ops/random.h>
#include <gradus/core/ops/reduce.h>
#include <gradus/core/ops/scan.h>
#include <gradus/core/ops/statistics.h>

namespace gradus::core {
namespace {

Array samples() {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> edges = {0,       -0.f,    1,      -1,     inf,      -inf,    nan,   1e-30f, -1e-30f,
                                    1e-42f,  2,       -2,     88,     91,       100,     -100,  3e38f,  1e10f,
                                    0.5f,    -0.5f,   7.999f, 8.001f, 30,       9,       10,    -10,    2.4e6f,
                                    -1.9e6f, 1.5708f, 4,      26.5f,  -0.9999f, 0.9999f, -1e9f, -3e38f};
  const Array x = randn({501}, kFloat64, {7, 0}).to(kFloat32);
  const std::vector<Array> arrays = {from_data(edges.data(), {std::int64_t(edges.size())}, kFloat32), x,
                                     x * Array(full({}, 20, kFloat32)), rand({203}, kFloat64, {8, 0}).to(kFloat32)};
  return cat(arrays, 0);
}

// In units of float32's last place; what is not finite has to be the same.
double error(const Array& got, const Array& wanted) {
  double worst = 0;
  for (std::int64_t i = 0; i < got.numel(); ++i) {
    const float y = got.data_ptr<float>()[i];
    const double exact = wanted.data_ptr<double>()[i];
    const float rounded = static_cast<float>(exact), size = std::abs(rounded);
    if (std::isfinite(y) && std::isfinite(rounded)) {
      const auto unit = static_cast<double>(std::nextafter(size, std::numeric_limits<float>::infinity()) - size);
      worst = std::max(worst, std::abs(static_cast<double>(y) - exact) / unit);
    } else if (!(std::isnan(y) && std::isnan(rounded)) && y != rounded) {
      return std::numeric_limits<double>::infinity();
    }
  }
  return worst;
}

bool all_equal(const Array& a, const Array& b) { return reduce(Reduction::All, eq(a, b)).item<bool>(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(vectors)

BOOST_AUTO_TEST_CASE(special_functions_round_once) {
  const Array x = samples(), wide = x.to(kFloat64), y = x.flip({0}), wide_y = y.to(kFloat64);
  for (const UnaryRow& f : {tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, erfc, i0, i1, entr}) {
    BOOST_TEST(error(f(x), f(wide)) <= 0.501, f.name);
  }
  BOOST_TEST(error(erfinv(x), erfinv(wide)) <= 2.5);
  for (const BinaryRow& f : {atan2, hypot, xlogy, xlog1py, logaddexp, logaddexp2}) {
    BOOST_TEST(error(f(x, y), f(wide, wide_y)) <= 0.501, f.name);
    BOOST_TEST(error(f(x, x), f(wide, wide)) <= 0.501, f.name);
  }
}

BOOST_AUTO_TEST_CASE(distances_of_any_size) {
  for (const std::int64_t m : {0, 1, 5, 16, 33, 300}) {
    const Array a = randn({7, m}, kFloat32, {1, 0}), b = randn({9, m}, kFloat32, {2, 0});
    const Array pairs = distances(a, b), exact = distances(a.to(kFloat64), b.to(kFloat64));
    BOOST_TEST(error(pairs, exact) <= 4);
    BOOST_TEST(error(pair_distances(a), pair_distances(a.to(kFloat64))) <= 4);
  }
  // Squares beyond float32, above and below; of equal rows, however large.
  const std::vector<float> far = {1e25f, -1e25f, 3e25f, 3e-25f, 1e-25f, 0};
  const Array x = from_data(far.data(), {6, 1}, kFloat32);
  BOOST_TEST(error(distances(x, x), distances(x.to(kFloat64), x.to(kFloat64))) <= 1);
}

BOOST_AUTO_TEST_CASE(moved_and_filled_at_any_place) {
  for (std::int64_t n = 1; n < 70; ++n) {
    const Array x = arange(0, n, 1, kFloat32), back = x.flip({0});
    bool right = true;
    for (std::int64_t i = 0; i < n; ++i) right = right && back.data_ptr<float>()[i] == static_cast<float>(n - 1 - i);
    const Array whole = zeros({80}, kUInt8);
    whole.narrow(0, 3, n).fill_(7);
    for (std::int64_t i = 0; i < 80; ++i) {
      right = right && whole.data_ptr<std::uint8_t>()[i] == (i >= 3 && i < 3 + n ? 7 : 0);
    }
    BOOST_TEST(right, n);
  }
  const Array from = arange(0, 5000, 1, kFloat32), to = zeros({5003}, kFloat32), tall = full({3, 70}, 2.5, kFloat64);
  to.narrow(0, 3, 5000).copy_(from);
  BOOST_TEST(to.data_ptr<float>()[2] == 0);
  for (const std::int64_t i : {0, 1, 31, 4096, 4999}) BOOST_TEST(to.data_ptr<float>()[3 + i] == static_cast<float>(i));
  BOOST_TEST(sum(tall).item<double>() == 525);
  const Array steps = arange(0.5, 700, 0.7, kFloat32), line = linspace(-1, 2, 1001, kFloat32);
  for (const std::int64_t i : {0, 1, 333, 998}) {
    BOOST_TEST(steps.data_ptr<float>()[i] == static_cast<float>(std::fma(0.7, static_cast<double>(i), 0.5)));
  }
  BOOST_TEST(line.data_ptr<float>()[0] == -1.f);
  BOOST_TEST(line.data_ptr<float>()[1000] == 2.f);
}

// A number far away makes the table too long: then all are sorted.
BOOST_AUTO_TEST_CASE(distinct_by_table_and_by_order) {
  const Array x =
      (rand({999}, kFloat64, {3, 0}) * Array(full({}, 200, kFloat64))).to(kInt64) - Array(full({}, 90, kInt64));
  const Array far = full({1}, std::int64_t{1} << 40, kInt64);
  const std::vector<Array> arrays = {x, far};
  for (const bool sorted : {true, false}) {
    const Distinct table = unique(x, sorted, true, true), order = unique(cat(arrays, 0), sorted, true, true);
    const std::int64_t n = table.values.numel();
    BOOST_TEST(order.values.numel() == n + 1);
    BOOST_TEST(all_equal(table.values, order.values.narrow(0, 0, n)));
    BOOST_TEST(all_equal(table.inverse, order.inverse.narrow(0, 0, 999)));
    BOOST_TEST(all_equal(table.counts, order.counts.narrow(0, 0, n)));
  }
}

BOOST_AUTO_TEST_CASE(first_of_the_order) {
  const Array x =
      (randn({3, 200}, kFloat64, {4, 0}) * Array(full({}, 5, kFloat64))).to(kInt64).to(kFloat32);  // with ties
  const auto [values, places] = topk(x, 6, 1, true);
  const auto [all, order] = sort(x, 1, true);
  BOOST_TEST(all_equal(values, all.narrow(1, 0, 6)));
  BOOST_TEST(all_equal(places, order.narrow(1, 0, 6)));
}

// Long rows beside numbers that are converted alone: of any size, also where no integer holds them.
BOOST_AUTO_TEST_CASE(conversions) {
  constexpr DType all[] = {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64};
  const Array normal = randn({300}, kFloat64, {9, 0}), edges = samples().to(kFloat64);
  std::vector<Array> arrays = {edges};
  for (const double size : {1.0, 100.0, 3e9, 1e18, 2e19}) {
    arrays.push_back(normal * Array(full({}, size, kFloat64)));
    arrays.push_back(cat(std::vector<Array>{arrays.back(), edges.narrow(0, 0, 9), normal}, 0));
  }
  for (const Array& x : arrays) {
    for (const DType from : all) {
      const Array of = x.to(from);
      for (const DType to : all) {
        const Array row = of.to(to);
        std::vector<Array> alone;
        for (std::int64_t i = 0; i < of.numel(); ++i) alone.push_back(of.narrow(0, i, 1).to(to));
        const Array each = cat(alone, 0);
        BOOST_TEST(
            std::memcmp(row.data(), each.data(), static_cast<std::size_t>(row.numel() * row.element_size())) == 0,
            to_string(from) << " to " << to_string(to));
      }
    }
  }
  const double limit = 0x1p63;
  for (const double beyond : {limit, -limit, 2 * limit, -2 * limit, double(NAN), double(INFINITY)}) {
    const Array x = full({100}, beyond, kFloat64);
    BOOST_TEST(x.to(kInt64)[99].item<std::int64_t>() == std::numeric_limits<std::int64_t>::min());
    BOOST_TEST(x.to(kInt32)[99].item<std::int32_t>() == 0);
  }
}

// Of fmod and remainder, rounded once: also beside numbers whose quotients fill more than float64's digits.
BOOST_AUTO_TEST_CASE(whole_quotients) {
  for (const double size : {1e-3, 1.0, 1e3, 1e6, 1e12, 1e30}) {
    const Array a = (randn({500}, kFloat64, {11, 0}) * Array(full({}, size, kFloat64))).to(kFloat32);
    const Array b = randn({500}, kFloat64, {12, 0}).to(kFloat32);
    const Array cut_off = fmod_quotient(a, b), down = remainder_quotient(a, b);
    for (std::int64_t i = 0; i < 500; ++i) {
      const auto u = static_cast<long double>(a.data_ptr<float>()[i]);
      const auto v = static_cast<long double>(b.data_ptr<float>()[i]), rest = std::fmod(u, v);
      const long double q = std::rint((u - rest) / v), below = rest != 0 && (rest < 0) != (v < 0) ? q - 1 : q;
      BOOST_TEST(cut_off.data_ptr<float>()[i] == static_cast<float>(q));
      BOOST_TEST(down.data_ptr<float>()[i] == static_cast<float>(below));
    }
  }
}

// Of integers, whose least ones have no room for a - rest.
BOOST_AUTO_TEST_CASE(whole_quotients_of_integers) {
  const auto over = [](auto least) {
    using T = decltype(least);
    const T most = std::numeric_limits<T>::max();
    for (const T a : {least, static_cast<T>(least + 1), T(0), T(7), most}) {
      for (const T b : {T(1), T(2), T(3), static_cast<T>(most - 1), most, static_cast<T>(T(0) - T(3)), least}) {
        if (b == 0) continue;
        const Array u = full({70}, a, dtype_of<T>), v = full({70}, b, dtype_of<T>);
        __extension__ using Wide = __int128;
        const Wide x = a, y = b, cut = x / y, down = cut - ((x % y != 0 && (x % y < 0) != (y < 0)) ? 1 : 0);
        BOOST_TEST(fmod_quotient(u, v).data_ptr<T>()[69] == static_cast<T>(cut));
        BOOST_TEST(remainder_quotient(u, v).data_ptr<T>()[69] == static_cast<T>(down));
      }
    }
  };
  over(std::numeric_limits<std::int64_t>::min());
  over(std::numeric_limits<std::int32_t>::min());
  over(std::uint8_t{0});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gradus::core
