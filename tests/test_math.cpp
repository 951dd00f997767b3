// Elementary functions against the C library in float64, on every instruction set that the machine offers: the whole
// range of float32, every exponent, special values, both sides of every branch.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gradus/core/create.h>
#include <gradus/core/instruction_set.h>
#include <gradus/core/pointwise.h>

using namespace gradus;
using namespace gradus::core;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Function {
  Unary op;
  double (*exact)(double);
  double ulp;                    ///< the bound that core/kernels/math-inl.h states
  std::vector<float> landmarks;  ///< where the code branches, or the result over- or underflows
};

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double reciprocal(double x) { return 1 / x; }
double reciprocal_root(double x) { return 1 / std::sqrt(x); }

const std::vector<Function>& functions() {
  static const std::vector<Function> all = {
      {Unary::Exp, std::exp, 1, {-104, -103.97f, -87.3f, 88.72f, 89, 0.3466f, -0.3466f}},
      {Unary::Expm1, std::expm1, 2, {-18, -17.4f, 88.72f, 88.9f, 0.3466f, -0.3466f, 1.04f}},
      {Unary::Log, std::log, 1, {1, 0.70710678f, 1.41421356f, 1.17549435e-38f}},
      {Unary::Log1p, std::log1p, 1, {-1, -0.29289f, 0.41421356f, 1, 16777216}},
      {Unary::Sin, std::sin, 0.6, {0.78539816f, 1.57079633f, 3.14159265f, 6.2831853f, 1048576}},
      {Unary::Cos, std::cos, 0.6, {0.78539816f, 1.57079633f, 3.14159265f, 6.2831853f, 1048576}},
      {Unary::Tanh, std::tanh, 2.5, {9.02f, 10, 0.1733f, 0.52f}},
      {Unary::Sigmoid, logistic, 2.5, {-104, -87.3f, 16.6f, 88.7f}},
      {Unary::Erf, std::erf, 1.5, {1, 3.9f, 4}},
      {Unary::Sqrt, std::sqrt, 0.5, {}},
      {Unary::Rsqrt, reciprocal_root, 1.5, {}},
      {Unary::Reciprocal, reciprocal, 0.5, {}},
  };
  return all;
}

/// The distance from the exact value, in units of the last place that float32 has there. `got` must be special where
/// the exact value is.
double ulps(float got, double exact) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : HUGE_VAL;
  if (std::isnan(got)) return HUGE_VAL;
  const float nearest = static_cast<float>(exact);
  if (std::bit_cast<std::uint32_t>(got) == std::bit_cast<std::uint32_t>(nearest)) return 0;
  if (exact == 0 || got == 0) {
    // A zero has to have the right sign, unless it stands for something small that isn't 0.
    if (std::signbit(got) != std::signbit(exact)) return HUGE_VAL;
  }
  if (std::isinf(got) || std::isinf(nearest)) {
    // Next to the largest number both sides of the border count as neighbours.
    constexpr double edge = static_cast<double>(std::numeric_limits<float>::max());
    const bool near =
        !std::isinf(exact) && std::abs(exact) > edge * (1 - 4e-7) && std::signbit(got) == std::signbit(exact);
    const double size = std::isinf(got) ? 0x1p128 : std::abs(static_cast<double>(got));
    return near ? std::abs(size - std::abs(exact)) / 0x1p104 : HUGE_VAL;
  }
  int exponent = 0;
  std::frexp(exact, &exponent);
  const double unit = std::ldexp(1.0, std::max(exponent - 24, -149));
  return std::abs(static_cast<double>(got) - exact) / unit;
}

Array array_of(const std::vector<float>& values) {
  return from_data(values.data(), {static_cast<std::int64_t>(values.size())}, kFloat32);
}

/// Bit patterns over all of float32, of both signs, and the neighbourhoods of landmarks.
std::vector<float> samples(const Function& f) {
  std::vector<float> all;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 8191) {
    all.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  for (std::uint32_t exponent = 0; exponent < 256; ++exponent) {
    for (std::uint32_t mantissa : {0u, 1u, 0x3fffffu, 0x400000u, 0x7ffffeu, 0x7fffffu}) {
      for (std::uint32_t sign : {0u, 1u}) {
        all.push_back(std::bit_cast<float>(sign << 31 | exponent << 23 | mantissa));
      }
    }
  }
  for (float x : {0.0f, -0.0f, 1.0f, -1.0f, kInf, -kInf, std::numeric_limits<float>::quiet_NaN()}) all.push_back(x);
  std::vector<float> around = f.landmarks;
  around.push_back(0);
  for (float landmark : around) {
    for (float sign : {1.0f, -1.0f}) {
      float up = sign * landmark, down = up;
      for (int i = 0; i < 2000; ++i) {
        all.push_back(up);
        all.push_back(down);
        up = std::nextafter(up, kInf);
        down = std::nextafter(down, -kInf);
      }
    }
  }
  // The range where most of the world's numbers are, densely.
  for (int i = -200000; i <= 200000; ++i) all.push_back(static_cast<float>(i) * 1e-4f);
  return all;
}

/// Uses an instruction set for a while.
struct Using {
  explicit Using(std::string_view name) { use_instruction_set(name); }
  ~Using() { use_instruction_set(""); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(math)

BOOST_AUTO_TEST_CASE(float32_is_within_its_bounds_on_every_instruction_set) {
  BOOST_TEST_REQUIRE(!instruction_sets().empty());
  for (const Function& f : functions()) {
    const std::vector<float> x = samples(f);
    std::vector<double> exact(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) exact[i] = f.exact(static_cast<double>(x[i]));
    for (std::string_view set : instruction_sets()) {
      const Using choice(set);
      const Array y = unary(f.op, array_of(x));
      const float* got = y.data_ptr<float>();
      double worst = 0;
      std::size_t where = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(got[i], exact[i]);
        if (error > worst) {
          worst = error;
          where = i;
        }
      }
      BOOST_TEST(worst <= f.ulp, name_of(f.op) << " on " << set << ": " << worst << " ULP, bound " << f.ulp << ", at "
                                               << x[where] << ": " << got[where] << " for " << exact[where]);
      BOOST_TEST_MESSAGE(name_of(f.op) << " on " << set << ": " << worst << " ULP at " << x[where]);
    }
  }
}

BOOST_AUTO_TEST_CASE(special_values) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  struct Row {
    Unary op;
    float at_inf, at_minus_inf, at_zero, at_minus_zero;
  };
  const Row rows[] = {
      {Unary::Exp, kInf, 0, 1, 1},
      {Unary::Exp2, kInf, 0, 1, 1},
      {Unary::Expm1, kInf, -1, 0, -0.0f},
      {Unary::Log, kInf, nan, -kInf, -kInf},
      {Unary::Log2, kInf, nan, -kInf, -kInf},
      {Unary::Log10, kInf, nan, -kInf, -kInf},
      {Unary::Log1p, kInf, nan, 0, -0.0f},
      {Unary::Sin, nan, nan, 0, -0.0f},
      {Unary::Cos, nan, nan, 1, 1},
      {Unary::Tan, nan, nan, 0, -0.0f},
      {Unary::Asin, nan, nan, 0, -0.0f},
      {Unary::Acos, nan, nan, std::acos(0.0f), std::acos(0.0f)},
      {Unary::Atan, std::atan(kInf), -std::atan(kInf), 0, -0.0f},
      {Unary::Sinh, kInf, -kInf, 0, -0.0f},
      {Unary::Cosh, kInf, kInf, 1, 1},
      {Unary::Tanh, 1, -1, 0, -0.0f},
      {Unary::Sigmoid, 1, 0, 0.5f, 0.5f},
      {Unary::Erf, 1, -1, 0, -0.0f},
      {Unary::Sqrt, kInf, nan, 0, -0.0f},
      {Unary::Rsqrt, 0, nan, kInf, -kInf},
      {Unary::Reciprocal, 0, -0.0f, kInf, -kInf},
      {Unary::Neg, -kInf, kInf, -0.0f, 0},
      {Unary::Abs, kInf, kInf, 0, 0},
      {Unary::Sign, 1, -1, 0, 0},
      {Unary::Square, kInf, kInf, 0, 0},
      {Unary::Relu, kInf, 0, 0, -0.0f},
      {Unary::Floor, kInf, -kInf, 0, -0.0f},
      {Unary::Ceil, kInf, -kInf, 0, -0.0f},
      {Unary::Round, kInf, -kInf, 0, -0.0f},
      {Unary::Trunc, kInf, -kInf, 0, -0.0f},
  };
  for (std::string_view set : instruction_sets()) {
    const Using choice(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      for (const Row& row : rows) {
        const Array y = unary(row.op, array_of({kInf, -kInf, 0.0f, -0.0f, nan}).to(dtype)).to(kFloat32);
        const float* got = y.data_ptr<float>();
        const float wanted[5] = {row.at_inf, row.at_minus_inf, row.at_zero, row.at_minus_zero, nan};
        for (int i = 0; i < 5; ++i) {
          if (i == 4 && row.op == Unary::Sign) continue;  // 0 of NaN, as PyTorch's
          const bool same = std::isnan(wanted[i])
                                ? std::isnan(got[i])
                                : got[i] == wanted[i] && std::signbit(got[i]) == std::signbit(wanted[i]);
          BOOST_TEST(same, name_of(row.op) << " of " << to_string(dtype) << " on " << set << ", case " << i << ": "
                                           << got[i] << ", not " << wanted[i]);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(float64_is_the_c_librarys) {
  for (const Function& f : functions()) {
    Array x = empty({1001}, kFloat64);
    for (int i = 0; i < 1001; ++i) x.data_ptr<double>()[i] = (i - 500) * 0.0373;
    const Array y = unary(f.op, x);
    for (int i = 0; i < 1001; ++i) {
      const double exact = f.exact(x.data_ptr<double>()[i]), got = y.data_ptr<double>()[i];
      if (std::isnan(exact)) {
        BOOST_TEST(std::isnan(got));
      } else if (exact != got) {
        BOOST_TEST(std::abs(got - exact) <= 4e-16 * std::abs(exact), name_of(f.op)
                                                                         << " at " << x.data_ptr<double>()[i]);
      }
    }
  }
}

// A block's end must not show: each element alone has the bits that it has in a long array, wherever it stands.
BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_place) {
  std::vector<float> x;
  for (int i = 0; i < 131; ++i) x.push_back(static_cast<float>(i - 65) * 0.173f);
  x[7] = 2e6f;  // sine and cosine take the C library's way there
  for (std::string_view set : instruction_sets()) {
    const Using choice(set);
    for (const Function& f : functions()) {
      const Array whole = unary(f.op, array_of(x));
      for (std::size_t begin = 0; begin < 40; ++begin) {
        for (std::size_t length : {1, 2, 3, 7, 15, 16, 17, 33, 91}) {
          const std::vector<float> part(x.begin() + static_cast<std::ptrdiff_t>(begin),
                                        x.begin() + static_cast<std::ptrdiff_t>(begin + length));
          const Array y = unary(f.op, array_of(part));
          const bool same = std::memcmp(y.data(), whole.data_ptr<float>() + begin, length * sizeof(float)) == 0;
          BOOST_TEST(same, name_of(f.op) << " on " << set << " from " << begin << ", " << length << " elements");
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(powers_are_those_of_pow) {
  for (std::string_view set : instruction_sets()) {
    const Using choice(set);
    std::vector<float> x = samples({Unary::Sqrt, std::sqrt, 0, {1}});
    for (double exponent : {2.0, 3.0, 0.5, -1.0}) {
      const Array y = binary(Binary::Pow, array_of(x), exponent);
      double worst = 0;
      std::size_t where = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(y.data_ptr<float>()[i], std::pow(static_cast<double>(x[i]), exponent));
        if (error > worst) {
          worst = error;
          where = i;
        }
      }
      BOOST_TEST(worst <= 1, "pow " << exponent << " on " << set << ": " << worst << " at " << x[where]);
    }
    for (double exponent : {2.0, 3.0, 0.5, -1.0}) {
      const double inf = HUGE_VAL;
      for (double base : {inf, -inf, 0.0, -0.0, 1.5, -1.5, 1e-200, 1e200, 3e-320}) {
        const double got = binary(Binary::Pow, scalar(base, kFloat64), exponent).item<double>();
        const double wanted = std::pow(base, exponent);
        const bool same =
            std::isnan(wanted) ? std::isnan(got) : got == wanted && std::signbit(got) == std::signbit(wanted);
        BOOST_TEST((same || std::abs(got - wanted) <= 3e-16 * std::abs(wanted)),
                   "pow(" << base << ", " << exponent << ") on " << set << ": " << got << ", not " << wanted);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
