// Running sums and products, products over a dimension, sorting: against PyTorch, against plain loops, at edge cases.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include <gradus/core/ops/scan.h>
#include <gradus/gradus.h>

#include "../support/pytorch.h"
#include "../support/threads.h"

using namespace gradus;
using core::Array;
using test::check_error;
using test::PyTorchFile;
using test::same_bits;
using test::values;

namespace {

using Pair = std::tuple<Tensor, Tensor>;

const PyTorchFile& file() {
  static const PyTorchFile all("scan");
  return all;
}

template <class F>
void check_case(const std::string& name, F function) {
  for (const char* dtype : {"_f32", "_f64"}) {
    const std::string c = name + dtype;
    const Tensor x = file()[c + "/x"].requires_grad_();
    Tensor y;
    if constexpr (std::is_same_v<decltype(function(x)), Pair>) {
      Tensor indices;
      std::tie(y, indices) = function(x);
      file().check(indices, c + "/indices");
      BOOST_TEST(!indices.requires_grad());
    } else {
      y = function(x);
    }
    file().check(y, c + "/y");
    y.backward(file()[c + "/dy"]);
    file().check(x.grad(), c + "/dx");
  }
}

Array random_array(IntArrayRef shape, DType dtype, std::uint64_t seed = 3) {
  return core::randn(shape, kFloat64, {seed, 0}).to(dtype);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scan)

BOOST_AUTO_TEST_CASE(agree_with_pytorch) {
  for (std::int64_t d : {0, 1, 2}) {
    const std::string at = std::to_string(d);
    check_case("cumsum" + at, [=](const Tensor& x) { return x.cumsum(d); });
    check_case("cumsum" + at, [=](const Tensor& x) { return cumsum(x, d - 3); });
    check_case("cumprod" + at, [=](const Tensor& x) { return x.cumprod(d); });
    check_case("prod" + at, [=](const Tensor& x) { return x.prod(d); });
    check_case("prod" + at, [=](const Tensor& x) { return prod(x, d, true).squeeze(d); });
    check_case("sort" + at, [=](const Tensor& x) { return x.sort(d); });
  }
  for (std::int64_t d : {0, 1}) {
    const std::string at = std::to_string(d);
    check_case("cumprod_zeros" + at, [=](const Tensor& x) { return cumprod(x, d); });
    check_case("prod_zeros" + at, [=](const Tensor& x) { return prod(x, d); });
  }
  for (int row = 0; row < 4; ++row) {
    check_case("prod_all_row" + std::to_string(row), [](const Tensor& x) { return x.prod(); });
  }
  check_case("prod_all", [](const Tensor& x) { return prod(x); });
  const std::optional<bool> stable = true;
  check_case("sort_ties_up", [=](const Tensor& x) { return x.sort(stable, 1); });
  check_case("sort_ties_down", [=](const Tensor& x) { return sort(x, stable, 1, true); });
  check_case("sort_special_up", [](const Tensor& x) { return x.sort(); });
  check_case("sort_special_down", [](const Tensor& x) { return x.sort(-1, true); });
  check_case("topk_largest", [](const Tensor& x) { return x.topk(3, 1); });
  check_case("topk_smallest", [](const Tensor& x) { return topk(x, 2, 2, false); });
}

BOOST_AUTO_TEST_CASE(scans_of_every_dtype_and_layout_are_plain_loops) {
  for (DType dtype : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
    const Array base = (random_array({7, 19, 5}, kFloat64) * Scalar(1.5)).to(dtype);
    for (const Array& x : {base, base.permute({2, 0, 1}), base.slice(1, 1, 19, 3), base.select(2, 1),
                           base.select(2, 0).narrow(1, 0, 1).expand({7, 4})}) {
      for (int d = 0; d < x.dim(); ++d) {
        const std::vector<double> in = values(x.movedim(d, -1));
        const std::int64_t n = x.size(d);
        for (bool reverse : {false, true}) {
          const Array sums = core::cumsum(x, d, reverse), products = core::cumprod(x, d, reverse);
          BOOST_TEST((sums.dtype() == (is_floating_point(dtype) ? dtype : kInt64)));
          const std::vector<double> s = values(sums.movedim(d, -1)), p = values(products.movedim(d, -1));
          const double bound = dtype == kFloat32 ? 1e-6 : 1e-13;
          for (std::size_t row = 0; row < in.size(); row += static_cast<std::size_t>(n)) {
            double sum = 0, product = 1;
            for (std::int64_t k = 0; k < n; ++k) {
              const std::size_t i = row + static_cast<std::size_t>(reverse ? n - 1 - k : k);
              sum += in[i];
              product *= in[i];
              BOOST_TEST(std::abs(s[i] - sum) <= bound * std::max(1.0, std::abs(sum)));
              BOOST_TEST(std::abs(p[i] - product) <= bound * std::max(1.0, std::abs(product)));
            }
          }
        }
      }
    }
  }
}

// Rows that are scanned together in tiles, the rest of them and of their columns: as columns scanned side by side.
BOOST_AUTO_TEST_CASE(rows_are_scanned_like_columns) {
  for (DType dtype : {kFloat32, kFloat64}) {
    for (std::int64_t rows : {1, 15, 16, 17, 33, 150}) {
      for (std::int64_t n : {1, 15, 16, 17, 31, 32, 50, 300}) {
        const Array x = random_array({rows, n}, dtype), a = random_array({rows, n}, dtype, 4);
        const auto turned = [](const Array& y) { return y.t().contiguous(); };
        for (bool reverse : {false, true}) {
          const Array sums = core::cumsum(x, 1, reverse), products = core::cumprod(x, 1, reverse);
          const Array recurrence = core::linear_recurrence(a, x, 1, reverse);
          BOOST_TEST(same_bits(sums, turned(core::cumsum(turned(x), 0, reverse))), rows << " x " << n);
          BOOST_TEST(same_bits(products, turned(core::cumprod(turned(x), 0, reverse))), rows << " x " << n);
          BOOST_TEST(same_bits(recurrence, turned(core::linear_recurrence(turned(a), turned(x), 0, reverse))),
                     rows << " x " << n);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sums_of_float32_are_accumulated_in_float64) {
  // In float32 a sum of ones stays at 2^24.
  const std::int64_t n = (1 << 24) + 1000;
  const Array y = core::cumsum(core::ones({n}), 0);
  BOOST_TEST(y.data_ptr<float>()[n - 1] == static_cast<float>(n));
  const Tensor x = tensor({1e8, 1.0, -1e8, 1.0}, kFloat32);
  BOOST_TEST((values(x.cumsum(0).array()) == std::vector<double>{1e8, 1e8, 1, 2}));
}

BOOST_AUTO_TEST_CASE(sorting_every_dtype_length_and_layout) {
  for (DType dtype : {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
    for (std::int64_t n : {1, 2, 17, 96, 97, 300, 5000}) {
      // Few different numbers, so that there are ties; then many.
      for (double spread : {3.0, 1e6}) {
        if (dtype == kUInt8 && spread > 255) continue;
        const Array x = (random_array({3, n}, kFloat64, static_cast<std::uint64_t>(n)) * Scalar(spread)).to(dtype);
        for (const Array& rows : {x, x.t().clone().t(), core::abs(x.to(kFloat64)).to(dtype)}) {
          for (bool descending : {false, true}) {
            const auto [sorted, indices] = core::sort(rows, 1, descending);
            for (std::int64_t r = 0; r < 3; ++r) {
              const std::vector<double> in = values(rows.select(0, r));
              std::vector<std::int64_t> order(in.size());
              std::iota(order.begin(), order.end(), 0);
              std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
                const double p = in[static_cast<std::size_t>(a)], q = in[static_cast<std::size_t>(b)];
                return descending ? p > q : p < q;
              });
              const std::vector<double> got = values(indices.select(0, r)), y = values(sorted.select(0, r));
              bool same = true;
              for (std::size_t i = 0; i < in.size(); ++i) {
                same =
                    same && got[i] == static_cast<double>(order[i]) && y[i] == in[static_cast<std::size_t>(order[i])];
              }
              BOOST_TEST(same, to_string(dtype) << ", " << n << " elements, spread " << spread);
            }
          }
        }
      }
    }
  }
}

// Extremes of integers, subnormal numbers, the sign of zero kept in the values, NaN of both signs behind infinity.
BOOST_AUTO_TEST_CASE(sorting_special_values) {
  const std::int64_t low = std::numeric_limits<std::int64_t>::min(), high = std::numeric_limits<std::int64_t>::max();
  const auto [whole, at] = core::sort(test::list(std::vector<std::int64_t>{3, high, low, -1, 0}));
  BOOST_TEST((std::memcmp(whole.data(), std::vector<std::int64_t>{low, -1, 0, 3, high}.data(), 40) == 0));
  const double nan = std::nan(""), inf = HUGE_VAL;
  const auto [sorted, where] =
      core::sort(test::list(std::vector<double>{std::copysign(nan, -1), inf, 5e-324, 0.0, -0.0, -5e-324, -inf, nan}));
  BOOST_TEST((values(where) == std::vector<double>{6, 5, 3, 4, 2, 1, 0, 7}));
  BOOST_TEST(std::signbit(values(sorted)[3]));
  BOOST_TEST(!std::signbit(values(sorted)[2]));
  const Tensor x = tensor({0.5, -1.0, 2.0});
  BOOST_TEST((values(x.argsort().array()) == std::vector<double>{1, 0, 2}));
  BOOST_TEST((values(argsort(x, 0, true).array()) == std::vector<double>{2, 0, 1}));
}

BOOST_AUTO_TEST_CASE(nothing_and_single_numbers) {
  for (const char* what : {"cumsum", "cumprod", "sort"}) {
    for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{}, {0}, {0, 3}, {3, 0}, {1}}) {
      const Tensor x = full(shape, 2.5, kFloat64).requires_grad_();
      const std::int64_t last = -1;
      const Tensor y = *what == 's'                       ? std::get<0>(x.sort(last))
                       : std::strcmp(what, "cumsum") == 0 ? x.cumsum(last)
                                                          : x.cumprod(last);
      BOOST_TEST((y.sizes() == x.sizes()));
      y.backward(full(shape, 3, kFloat64));
      BOOST_TEST((x.grad().sizes() == x.sizes()));
      if (x.numel() == 1) {
        BOOST_TEST(y.item<double>() == 2.5);
        BOOST_TEST(x.grad().item<double>() == 3);
      }
    }
  }
  const Tensor none = zeros({0, 3}, TensorOptions(kFloat64).requires_grad(true));
  BOOST_TEST(none.prod().item<double>() == 1);
  BOOST_TEST((values(none.prod(0).array()) == std::vector<double>{1, 1, 1}));
  none.prod(0).sum().backward();
  BOOST_TEST((none.grad().sizes() == none.sizes()));
  const Tensor point = tensor(4.0, TensorOptions(kFloat64).requires_grad(true));
  point.prod().backward();
  BOOST_TEST(point.grad().item<double>() == 1);
  BOOST_TEST((prod(tensor({2, 3, 7})).item<std::int64_t>() == 42));
  BOOST_TEST((tensor({2, 3}).prod(kFloat32).dtype() == kFloat32));
  BOOST_TEST((tensor({1.5f, 2.f}).cumsum(0, kFloat64).dtype() == kFloat64));
  BOOST_TEST((std::get<0>(tensor({1., 2.}).topk(0)).sizes() == IntArrayRef({0})));
}

// Both orders where factors are 0: none, one and two of them, also at the ends.
BOOST_AUTO_TEST_CASE(products_with_zeros_to_second_order) {
  for (const std::vector<double>& numbers : {std::vector<double>{1.5, -0.5, 2, 0.7},
                                             {0, 1.5, -2, 0.5},
                                             {1.5, -2, 0.5, 0},
                                             {0.5, 0, -1.5, 0},
                                             {0, 0, 2, 3}}) {
    const Tensor x = Tensor(test::list(numbers)).requires_grad_();
    for (const auto& f :
         {autograd::TensorFunction([](const std::vector<Tensor>& in) { return std::vector<Tensor>{in[0].prod(0)}; }),
          autograd::TensorFunction([](const std::vector<Tensor>& in) { return std::vector<Tensor>{in[0].cumprod(0)}; })}) {
      BOOST_TEST(gradcheck(f, {x}));
      BOOST_TEST(gradgradcheck(f, {x}));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  const Array rows = random_array({300, 700}, kFloat32), a = random_array({200, 999}, kFloat64);
  std::vector<Array> first;
  test::ManyThreads many;
  many.each([&] {
    const std::vector<Array> results = {core::cumsum(rows, 0),
                                        core::cumsum(rows, 1, true),
                                        core::cumprod(rows, 1),
                                        core::linear_recurrence(a, a, 0),
                                        core::linear_recurrence(a, a, 1, true),
                                        std::get<0>(core::sort(rows, 0)),
                                        std::get<1>(core::sort(rows, 1, true)),
                                        std::get<1>(core::topk(rows, 5, 1)),
                                        core::reduce(core::Reduction::Prod, rows, 1)};
    if (first.empty()) first = results;
    for (std::size_t i = 0; i < results.size(); ++i) BOOST_TEST(same_bits(results[i], first[i]), "result " << i);
  });
}

BOOST_AUTO_TEST_CASE(wrong_use_is_said) {
  const Tensor x = ones({2, 3});
  check_error<IndexError>([&] { x.cumsum(2); }, {"cumsum", "[-2, 1]", "2"});
  check_error<IndexError>([&] { x.sort(-3); }, {"sort", "-3"});
  check_error<IndexError>([&] { x.topk(4); }, {"topk", "[0, 3]", "4"});
  check_error<IndexError>([&] { prod(x, 5); }, {"prod", "5"});
  check_error<ShapeError>([&] { core::linear_recurrence(core::ones({2}), core::ones({3}), 0); },
                          {"linear_recurrence", "[2]", "[3]"});
  check_error<DTypeError>([&] { core::linear_recurrence(core::ones({2}, kInt64), core::ones({2}, kInt64), 0); },
                          {"linear_recurrence", "int64"});
  check_error<ValueError>([] { core::cumsum(Array(), 0); }, {"cumsum", "defined"});
}

BOOST_AUTO_TEST_SUITE_END()
