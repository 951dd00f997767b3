// Initialisers: bounds, moments, fans, gains, errors.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gradus/gradus.h>

#include "../support/arrays.h"

namespace nn_init = gradus::nn::init;
using gradus::ShapeError;
using gradus::Tensor;
using gradus::ValueError;
using gradus::test::check_error;
using gradus::test::values;

namespace {

// Every value within the bound, some near it, and mean and variance of a uniform within five standard errors.
void check_uniform(const Tensor& x, double bound) {
  const std::vector<double> v = values(x.array());
  const auto n = static_cast<double>(v.size());
  double sum = 0, squares = 0, largest = 0;
  for (const double a : v) {
    sum += a;
    squares += a * a;
    largest = std::max(largest, std::abs(a));
  }
  const double variance = bound * bound / 3;
  BOOST_TEST(largest <= bound * (1 + 1e-6));
  BOOST_TEST(largest > bound * 0.99);
  BOOST_TEST(std::abs(sum / n) < 5 * std::sqrt(variance / n));
  // The variance of a square of a uniform within b is b^4 (1/5 - 1/9).
  BOOST_TEST(std::abs(squares / n - variance) < 5 * bound * bound * std::sqrt((1.0 / 5 - 1.0 / 9) / n));
}

void check_normal(const Tensor& x, double mean, double std) {
  const std::vector<double> v = values(x.array());
  const auto n = static_cast<double>(v.size());
  double sum = 0, squares = 0, within = 0, fourth = 0;
  for (const double a : v) {
    const double z = (a - mean) / std;
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
    within += std::abs(z) < 1;
  }
  BOOST_TEST(std::abs(sum / n) < 5 / std::sqrt(n));
  BOOST_TEST(std::abs(squares / n - 1) < 5 * std::sqrt(2 / n));
  BOOST_TEST(std::abs(fourth / n - 3) < 5 * std::sqrt(96 / n));
  BOOST_TEST(std::abs(within / n - 0.6826895) < 5 * std::sqrt(0.217 / n));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(init)

BOOST_AUTO_TEST_CASE(constants) {
  const Tensor x = gradus::empty({3, 4}).requires_grad_();
  BOOST_TEST(nn_init::constant_(x, 2.5).is_same(x));
  BOOST_TEST(values(x.array()) == std::vector<double>(12, 2.5));
  BOOST_TEST(values(nn_init::ones_(x).array()) == std::vector<double>(12, 1));
  BOOST_TEST(values(nn_init::zeros_(x).array()) == std::vector<double>(12, 0));
  // Nothing is recorded: a leaf that requires grad stays one.
  BOOST_TEST(x.is_leaf());
  BOOST_TEST(x.requires_grad());
  BOOST_TEST(values(nn_init::eye_(x).array()) == (std::vector<double>{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}));
  check_error<ShapeError>(
      [] {
        nn_init::eye_(gradus::ones({2, 2, 2}));
      },
      {"eye_: the tensor must be a matrix: [2, 2, 2]"});
}

BOOST_AUTO_TEST_CASE(uniform_and_normal) {
  gradus::manual_seed(1);
  const Tensor x = gradus::empty({300, 200}).requires_grad_();
  check_uniform(nn_init::uniform_(x, -3, 3), 3);
  const Tensor unit = nn_init::uniform_(gradus::empty({1000}));
  BOOST_TEST(unit.min().item<double>() >= 0);
  BOOST_TEST(unit.max().item<double>() < 1);
  BOOST_TEST(unit.max().item<double>() > 0.98);
  check_normal(nn_init::normal_(x), 0, 1);
  check_normal(nn_init::normal_(x, 5, 0.5), 5, 0.5);
  check_normal(nn_init::normal_(gradus::empty({200, 300}, gradus::kDouble), -1, 2), -1, 2);
  BOOST_TEST(x.is_leaf());
  check_error<ValueError>([&] { nn_init::uniform_(x, 1, 0); }, {"uniform_", "1", "0"});
  check_error<ValueError>([&] { nn_init::normal_(x, 0, -1); }, {"normal_", "-1"});
}

BOOST_AUTO_TEST_CASE(xavier_is_glorots_and_bengios) {
  gradus::manual_seed(2);
  const Tensor x = gradus::empty({150, 350});
  check_uniform(nn_init::xavier_uniform_(x), std::sqrt(6.0 / 500));
  check_uniform(nn_init::xavier_uniform_(x, 3), 3 * std::sqrt(6.0 / 500));
  check_normal(nn_init::xavier_normal_(x), 0, std::sqrt(2.0 / 500));
  check_normal(nn_init::xavier_normal_(x, 0.5), 0, 0.5 * std::sqrt(2.0 / 500));
  const Tensor kernel = gradus::empty({40, 30, 5, 7});
  check_uniform(nn_init::xavier_uniform_(kernel), std::sqrt(6.0 / (70 * 35)));
}

BOOST_AUTO_TEST_CASE(kaiming_is_hes) {
  gradus::manual_seed(3);
  const Tensor x = gradus::empty({150, 350});
  check_uniform(nn_init::kaiming_uniform_(x), std::sqrt(2.0) * std::sqrt(3.0 / 350));
  check_uniform(nn_init::kaiming_uniform_(x, std::sqrt(5.0)), 1 / std::sqrt(350.0));
  check_uniform(nn_init::kaiming_uniform_(x, 0, gradus::kFanOut, gradus::kTanh), 5.0 / 3 * std::sqrt(3.0 / 150));
  check_normal(nn_init::kaiming_normal_(x, 0, gradus::kFanIn, gradus::kReLU), 0, std::sqrt(2.0 / 350));
  check_normal(nn_init::kaiming_normal_(x, 0.2, gradus::kFanOut), 0, std::sqrt(2 / 1.04 / 150));
  const Tensor kernel = gradus::empty({40, 30, 5, 7});
  check_normal(nn_init::kaiming_normal_(kernel, 0, gradus::kFanOut, gradus::kLinear), 0, 1 / std::sqrt(40.0 * 35));
}

BOOST_AUTO_TEST_CASE(gains_are_pytorchs) {
  for (const nn_init::Nonlinearity linear : std::initializer_list<nn_init::Nonlinearity>{
           gradus::kLinear, gradus::kConv1D, gradus::kConv2D, gradus::kConv3D, gradus::kConvTranspose1D,
           gradus::kConvTranspose2D, gradus::kConvTranspose3D, gradus::kSigmoid}) {
    BOOST_TEST(nn_init::calculate_gain(linear) == 1);
  }
  BOOST_TEST(nn_init::calculate_gain(gradus::kTanh) == 5.0 / 3);
  BOOST_TEST(nn_init::calculate_gain(gradus::kReLU) == std::sqrt(2.0));
  BOOST_TEST(nn_init::calculate_gain(gradus::kLeakyReLU) == std::sqrt(2 / (1 + 0.01 * 0.01)));
  BOOST_TEST(nn_init::calculate_gain(gradus::kLeakyReLU, 3) == std::sqrt(0.2));
}

BOOST_AUTO_TEST_CASE(fans_count_the_kernel) {
  using Fans = std::tuple<std::int64_t, std::int64_t>;
  BOOST_TEST((nn_init::_calculate_fan_in_and_fan_out(gradus::empty({3, 5})) == Fans(5, 3)));
  BOOST_TEST((nn_init::_calculate_fan_in_and_fan_out(gradus::empty({3, 5, 2, 4})) == Fans(40, 24)));
  const std::vector<std::pair<const char*, std::function<void(Tensor)>>> all = {
      {"xavier_uniform_", [](Tensor x) { nn_init::xavier_uniform_(x); }},
      {"xavier_normal_", [](Tensor x) { nn_init::xavier_normal_(x); }},
      {"kaiming_uniform_", [](Tensor x) { nn_init::kaiming_uniform_(x); }},
      {"kaiming_normal_", [](Tensor x) { nn_init::kaiming_normal_(x); }}};
  for (const auto& entry : all) {
    const std::string name = entry.first;
    const auto& initialise = entry.second;
    check_error<ShapeError>([&] { initialise(gradus::ones({3})); }, {name + ": weights must have at least 2", "[3]"});
    check_error<ShapeError>([&] { initialise(gradus::ones({})); }, {name, "[]"});
    const Tensor empty = gradus::ones({0, 0});
    initialise(empty);
    BOOST_TEST(empty.numel() == 0);
  }
}

BOOST_AUTO_TEST_CASE(the_seed_decides) {
  const auto draw = [](std::uint64_t seed) {
    gradus::manual_seed(seed);
    const Tensor x = gradus::empty({20, 30});
    return values(nn_init::kaiming_normal_(x).array());
  };
  BOOST_TEST((draw(7) == draw(7)));
  BOOST_TEST((draw(7) != draw(8)));
  // Two draws in a row differ.
  BOOST_TEST((values(nn_init::xavier_uniform_(gradus::empty({9, 9})).array()) !=
              values(nn_init::xavier_uniform_(gradus::empty({9, 9})).array())));
}

BOOST_AUTO_TEST_SUITE_END()
