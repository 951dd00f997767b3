// Making arrays: values, dtypes, bounds.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include <gradus/autograd/tensor/tensor.h>
#include <gradus/core/array/array.h>
#include <gradus/core/array/create.h>
#include <gradus/core/ops/random.h>

#include "../support/arrays.h"
#include "../support/threads.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::check_error;
using gradus::test::values;
using Values = std::vector<double>;

namespace {
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr DType kAll[] = {kBool, kUInt8, kInt32, kInt64, kFloat32, kFloat64};
}  // namespace

BOOST_AUTO_TEST_SUITE(create)

BOOST_AUTO_TEST_CASE(an_undefined_array) {
  const Array none, two = core::empty({2});
  BOOST_TEST(!none.defined());
  BOOST_TEST(!none.unique());
  BOOST_TEST(two.unique());
  BOOST_TEST(none.data() == nullptr);
  BOOST_TEST(none.numel() == 1);
  BOOST_TEST(none.is_contiguous());
  BOOST_TEST(!none.may_overlap_itself());
  BOOST_TEST(!may_overlap(none, two));
  none.mark_written("nobody");
  const std::vector<std::function<void()>> refused = {[&] { (void)none.item(); },
                                                      [&] { (void)none.data_ptr<float>(); },
                                                      [&] { (void)none.clone(); },
                                                      [&] { (void)none.to(kFloat64); },
                                                      [&] { none.copy_(two); },
                                                      [&] { two.copy_(none); },
                                                      [&] { none.fill_(1); },
                                                      [&] { none.zero_(); },
                                                      [&] { (void)none.flip({}); },
                                                      [&] { (void)none.as_strided({1}, {1}, 0); },
                                                      [&] { bernoulli_out(none, 0.5, {}); }};
  for (const auto& call : refused) check_error<ValueError>(call, {"must be defined"});
  // A tensor of it is undefined, too.
  BOOST_TEST(!Tensor(none).defined());
  check_error<GradError>([&] { (void)Tensor(none).version(); }, {"undefined tensor"});
  check_error<GradError>([&] { Tensor(none).bernoulli_(); }, {"undefined tensor"});
  check_error<GradError>([&] { Tensor(none).requires_grad_(); }, {"undefined tensor"});
}

BOOST_AUTO_TEST_CASE(empty_has_the_geometry) {
  for (DType dtype : kAll) {
    const Array x = core::empty({2, 3}, dtype);
    BOOST_TEST((x.dtype() == dtype));
    BOOST_TEST((x.shape() == Shape{2, 3}));
    BOOST_TEST((x.strides() == Strides{3, 1}));
    BOOST_TEST(x.numel() == 6);
    BOOST_TEST(x.storage()->bytes() == 6 * size_of(dtype));
  }
  BOOST_TEST((core::empty({}).dtype() == kFloat32));
  BOOST_TEST(core::empty({}).numel() == 1);
  BOOST_TEST(core::empty({3, 0, 2}).numel() == 0);
  check_error<ShapeError>([] { core::empty({2, -1}); }, {"empty", "[2, -1]"});
}

BOOST_AUTO_TEST_CASE(constants) {
  for (DType dtype : kAll) {
    BOOST_TEST((values(zeros({2, 2}, dtype)) == Values(4, 0)));
    BOOST_TEST((values(ones({5}, dtype)) == Values(5, 1)));
    BOOST_TEST((values(full({3}, 7, dtype)) == Values(3, dtype == kBool ? 1 : 7)));
    BOOST_TEST(scalar(1, dtype).dim() == 0);
  }
  BOOST_TEST((values(full({2}, 2.75, kInt32)) == Values(2, 2)));
  BOOST_TEST((values(full({2}, -2.75, kInt64)) == Values(2, -2)));
  BOOST_TEST((values(full({2}, 0.25, kBool)) == Values(2, 1)));
  BOOST_TEST(full({1}, kMax, kInt64).item<std::int64_t>() == kMax);
  BOOST_TEST(std::isnan(full({1}, std::nan(""), kFloat32).item<float>()));
  BOOST_TEST(zeros({0, 3}).numel() == 0);
  const Array x = ones({2, 3}, kInt32);
  BOOST_TEST((values(zeros_like(x)) == Values(6, 0)));
  BOOST_TEST((ones_like(x.t()).shape() == Shape{3, 2}));
  BOOST_TEST((empty_like(x).dtype() == kInt32));
}

// Both sides of the size up to which filling is done on the spot, and a size that goes to several threads.
BOOST_AUTO_TEST_CASE(fill_refuses_what_the_dtype_cannot_hold) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](DType dtype, const Scalar& value) {
    const Array x = ones({2}, dtype);
    test::check_error<ValueError>([&] { x.fill_(value); }, {"fill_: the value must be one that", to_string(value)});
    BOOST_TEST((x.to(kFloat64).data_ptr<double>()[0] == 1));
  };
  for (const Scalar& value : {Scalar(256), Scalar(-256), Scalar(-1.0), Scalar(nan)}) refused(kUInt8, value);
  for (const Scalar& value : {Scalar(std::int64_t{1} << 31), Scalar(-3e9), Scalar(nan)}) refused(kInt32, value);
  for (const Scalar& value : {Scalar(0x1p63), Scalar(-1e300), Scalar(nan)}) refused(kInt64, value);
  test::check_error<ValueError>([] { full({2}, 300, kUInt8); }, {"uint8 holds: 300"});
  BOOST_TEST(full({1}, -1, kUInt8).item<int>() == 255);  // as in PyTorch
  BOOST_TEST(full({1}, 255.9, kUInt8).item<int>() == 255);
  BOOST_TEST(full({1}, -2147483648.0, kInt32).item<std::int64_t>() == -2147483648LL);
}

BOOST_AUTO_TEST_CASE(fill_of_every_size) {
  for (std::int64_t n : {1, 1023, 1024, 1025, 5000, 300000}) {
    const Array x = full({n + 2}, 1, kFloat32);
    x.slice(0, 1, n + 1).fill_(-3);
    BOOST_TEST(x[0].item<int>() == 1);
    BOOST_TEST(x[n + 1].item<int>() == 1);
    std::int64_t right = 0;
    for (std::int64_t i = 1; i <= n; ++i) right += x.data_ptr<float>()[i] == -3;
    BOOST_TEST(right == n);
    const Array columns = zeros({n, 2}, kInt64);
    columns.select(1, 1).fill_(5);
    right = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      right += columns.data_ptr<std::int64_t>()[2 * i] == 0 && columns.data_ptr<std::int64_t>()[2 * i + 1] == 5;
    }
    BOOST_TEST(right == n);
  }
}

BOOST_AUTO_TEST_CASE(arange_of_integers) {
  BOOST_TEST((values(arange(0, 5, 1, kInt64)) == Values{0, 1, 2, 3, 4}));
  BOOST_TEST((values(arange(5, 0, -2, kInt64)) == Values{5, 3, 1}));
  BOOST_TEST((values(arange(-3, 4, 3, kInt32)) == Values{-3, 0, 3}));
  BOOST_TEST((values(arange(-3, 3, 1, kUInt8)) == Values{253, 254, 255, 0, 1, 2}));  // wraps, as PyTorch's
  BOOST_TEST(arange(3, 3, 1, kInt64).numel() == 0);
  BOOST_TEST((values(arange(0, 3, 1, kFloat32)) == Values{0, 1, 2}));
  BOOST_TEST((values(arange(0, 2.5, 1, kInt64)) == Values{0, 1, 2}));
  BOOST_TEST((values(arange(0.9, 4.9, 1.9, kInt64)) == Values{0, 1, 2}));
  const Array ends = arange(kMin, kMax, kMax, kInt64);
  BOOST_TEST(ends.numel() == 3);
  BOOST_TEST(ends[1].item<std::int64_t>() == -1);
  BOOST_TEST(ends[2].item<std::int64_t>() == kMax - 1);
  BOOST_TEST(arange(kMax, kMin, kMin, kInt64).numel() == 2);
}

BOOST_AUTO_TEST_CASE(arange_of_fractions) {
  // torch.arange(0, 1, 0.1), its float32 bits.
  BOOST_TEST((values(arange(0, 1, 0.1, kFloat32)) == Values{0, 0x1.99999ap-4, 0x1.99999ap-3, 0x1.333334p-2,
                                                            0x1.99999ap-2, 0x1p-1, 0x1.333334p-1, 0x1.666666p-1,
                                                            0x1.99999ap-1, 0x1.ccccccp-1}));
  BOOST_TEST((values(arange(1, 0, -0.25, kFloat64)) == Values{1, 0.75, 0.5, 0.25}));
  // One rounding each: an accumulated sum would be off by now.
  const Array x = arange(0, 100000, 0.1, kFloat64);
  BOOST_TEST(x.numel() == 1000000);
  BOOST_TEST(x[999999].item<double>() == std::fma(0.1, 999999.0, 0.0));
  BOOST_TEST(x[3].item<double>() == 0.1 * 3);
}

BOOST_AUTO_TEST_CASE(arange_errors) {
  check_error<ValueError>([] { arange(0, 5, 0, kInt64); }, {"arange", "step", "0"});
  check_error<ValueError>([] { arange(0, 5, -1, kInt64); }, {"arange", "from 0 to 5 by -1"});
  check_error<ValueError>([] { arange(5, 0, 1.5, kFloat32); }, {"arange", "from 5 to 0 by 1.5"});
  check_error<ValueError>([] { arange(0, kInf, 1, kFloat32); }, {"arange", "finite", "inf"});
  check_error<ValueError>([] { arange(std::nan(""), 1, 1, kFloat32); }, {"arange", "finite", "nan"});
  check_error<ValueError>([] { arange(0, 1, std::nan(""), kFloat32); }, {"arange", "step", "nan"});
  check_error<ValueError>([] { arange(0, 2, 0.5, kInt64); }, {"arange", "step", "int64", "0.5"});
  check_error<DTypeError>([] { arange(0, 2, 1, kBool); }, {"arange", "bool"});
  check_error<ShapeError>([] { arange(0, 1e30, 1, kFloat32); }, {"arange", "64 bits", "1e+30"});
  check_error<ShapeError>([] { arange(kMin, kMax, 1, kInt64); }, {"arange", "64 bits"});
}

// Bits of torch.linspace (release 2).
BOOST_AUTO_TEST_CASE(linspace_has_pytorchs_bits) {
  BOOST_TEST((values(linspace(-1, 1, 21)) ==
              Values{-0x1p+0,        -0x1.ccccccp-1, -0x1.99999ap-1, -0x1.666666p-1, -0x1.333334p-1, -0x1p-1,
                     -0x1.999998p-2, -0x1.333332p-2, -0x1.999998p-3, -0x1.999996p-4, -0x1p-26,       0x1.999996p-4,
                     0x1.999998p-3,  0x1.333332p-2,  0x1.999998p-2,  0x1p-1,         0x1.333334p-1,  0x1.666666p-1,
                     0x1.99999ap-1,  0x1.ccccccp-1,  0x1p+0}));
  BOOST_TEST(
      (values(linspace(0, 1, 7)) == Values{0, 0x1.555556p-3, 0x1.555556p-2, 0x1p-1, 0x1.555554p-1, 0x1.aaaaaap-1, 1}));
  BOOST_TEST((values(linspace(0.3, -2.7, 9)) == Values{0x1.333334p-2, -0x1.333330p-4, -0x1.ccccccp-2, -0x1.a66666p-1,
                                                       -0x1.333334p+0, -0x1.933334p+0, -0x1.f33334p+0, -0x1.29999ap+1,
                                                       -0x1.59999ap+1}));
  BOOST_TEST((values(linspace(0.3, -2.7, 9, kFloat64)) ==
              Values{0x1.3333333333333p-2, -0x1.3333333333334p-4, -0x1.ccccccccccccdp-2, -0x1.a666666666666p-1,
                     -0x1.3333333333334p+0, -0x1.9333333333334p+0, -0x1.f333333333334p+0, -0x1.299999999999ap+1,
                     -0x1.599999999999ap+1}));
  BOOST_TEST((values(linspace(-7, 20, 9, kInt64)) == Values{-7, -3, 0, 3, 6, 9, 13, 16, 20}));
  BOOST_TEST((values(linspace(-5.7, 5.2, 5, kInt32)) == Values{-5, -2, 0, 2, 5}));
}

BOOST_AUTO_TEST_CASE(linspace_of_few_and_of_many) {
  BOOST_TEST(linspace(0, 1, 0).numel() == 0);
  BOOST_TEST((values(linspace(3, 5, 1)) == Values{3}));
  BOOST_TEST((values(linspace(3, 5, 2)) == Values{3, 5}));
  BOOST_TEST((values(linspace(0, 255, 2, kUInt8)) == Values{0, 255}));
  BOOST_TEST(linspace(0, 1, 2, kInt64)[1].item<int>() == 1);
  const std::int64_t n = 200001;
  const Array x = linspace(-1, 1, n);
  const float* const data = x.data_ptr<float>();
  std::int64_t mirrored = 0;
  for (std::int64_t i = 0; i < n / 2; ++i) mirrored += data[i] == -data[n - 1 - i];
  BOOST_TEST(mirrored == n / 2);
  BOOST_TEST(data[0] == -1);
  BOOST_TEST(data[n - 1] == 1);
}

BOOST_AUTO_TEST_CASE(linspace_errors) {
  check_error<ValueError>([] { linspace(0, 1, -1); }, {"linspace", "-1"});
  check_error<DTypeError>([] { linspace(0, 1, 3, kBool); }, {"linspace", "bool"});
  check_error<ValueError>([] { linspace(-1, 5, 3, kUInt8); }, {"linspace", "uint8", "-1", "5"});
  check_error<ValueError>([] { linspace(0, 256, 3, kUInt8); }, {"linspace", "256"});
  check_error<ValueError>([] { linspace(0, 0x1p63, 3, kInt64); }, {"linspace", "int64"});
  check_error<ValueError>([] { linspace(std::nan(""), 1, 3, kInt32); }, {"linspace", "nan"});
}

BOOST_AUTO_TEST_CASE(identity_matrices) {
  BOOST_TEST((values(eye(2, 3)) == Values{1, 0, 0, 0, 1, 0}));
  BOOST_TEST((values(eye(3, 2, kBool)) == Values{1, 0, 0, 1, 0, 0}));
  BOOST_TEST(eye(0, 3).numel() == 0);
  check_error<ShapeError>([] { eye(-1, 2); }, {"[-1, 2]"});
}

BOOST_AUTO_TEST_CASE(from_data_copies) {
  std::vector<double> source{1, 2, 3, 4, 5, 6};
  const Array x = from_data(source.data(), {3, 2}, kFloat64);
  source[0] = 100;
  BOOST_TEST((values(x) == Values{1, 2, 3, 4, 5, 6}));
  BOOST_TEST(from_data(nullptr, {0}, kFloat32).numel() == 0);
  check_error<ShapeError>([&] { from_data(source.data(), {-2}, kFloat32); }, {"[-2]"});
}

BOOST_AUTO_TEST_CASE(the_same_bits_at_any_number_of_threads) {
  test::ManyThreads many;
  Array line, steps;
  many.each([&] {
    const Array line_now = linspace(0.1, 7, 900000), steps_now = arange(0, 90000, 0.1, kFloat32);
    if (!line.defined()) line = line_now, steps = steps_now;
    BOOST_TEST(std::equal(line.data_ptr<float>(), line.data_ptr<float>() + line.numel(), line_now.data_ptr<float>()));
    BOOST_TEST(
        std::equal(steps.data_ptr<float>(), steps.data_ptr<float>() + steps.numel(), steps_now.data_ptr<float>()));
  });
}

BOOST_AUTO_TEST_SUITE_END()
