// Elementary functions against the C library in long double, on every instruction set that the machine offers: the whole
// range, every exponent, special values, both sides of every branch.
#include <boost/test/unit_test.hpp>

#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gradus/core/ops/reduce.h>
#include <gradus/core/nn/softmax.h>

#include "../support/ulp.h"

using namespace gradus;
using namespace gradus::core;
using namespace gradus::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

std::map<std::string, std::pair<double, double>> bounds() {
  return documented_bounds(std::string(GRADUS_TEST_DATA) + "/../../core/ops/pointwise.h");
}

template <class T>
void check_bounds(const char* dtype) {
  const auto documented = bounds();
  for (const MathFunction& f : math_functions()) {
    BOOST_TEST_REQUIRE(documented.contains(f.name), f.name << " is not in the table of core/ops/pointwise.h");
    const double bound = sizeof(T) == 4 ? documented.at(f.name).first : documented.at(f.name).second;
    const std::vector<T> x = math_samples<T>(f);
    std::vector<Real> exact(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) exact[i] = f.exact(static_cast<Real>(x[i]));
    for (std::string_view set : instruction_sets()) {
      const UsingInstructionSet choice(set);
      const WorstError worst = worst_error(f, x, exact);
      BOOST_TEST(worst.ulp <= bound, f.name << " of " << dtype << " on " << set << ": " << worst.ulp << " ULP, bound "
                                            << bound << ", at " << worst.at << ": " << worst.got << " for "
                                            << worst.exact);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(math)

BOOST_AUTO_TEST_CASE(float32_is_within_its_documented_bounds_on_every_instruction_set) {
  BOOST_TEST_REQUIRE(!instruction_sets().empty());
  check_bounds<float>("float32");
}

BOOST_AUTO_TEST_CASE(float64_is_within_its_documented_bounds_on_every_instruction_set) {
  check_bounds<double>("float64");
}

// A vector of ordinary numbers may take a shorter way than one with a special number among them.
BOOST_AUTO_TEST_CASE(neighbours_change_no_bit) {
  constexpr std::size_t together = 16;  // vectors of one number, and with NaN at every other place
  for (const MathFunction& f : math_functions()) {
    const std::vector<float> samples = math_samples<float>(f);
    std::vector<float> alike, mixed;
    for (std::size_t i = 0; i < samples.size(); i += 37) {
      for (std::size_t k = 0; k < together; ++k) {
        alike.push_back(samples[i]);
        mixed.push_back(k % 2 == 0 ? samples[i] : std::numeric_limits<float>::quiet_NaN());
      }
    }
    for (std::string_view set : instruction_sets()) {
      const UsingInstructionSet choice(set);
      const Array y = f.call(math_array(alike)), z = f.call(math_array(mixed));
      for (std::size_t i = 0; i < alike.size(); i += 2) {
        const float a = y.data_ptr<float>()[i], b = z.data_ptr<float>()[i];
        BOOST_REQUIRE_MESSAGE(std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b)),
                              f.name << " of " << alike[i] << " on " << set << ": " << a << " or " << b);
      }
    }
  }
}

// The lowest instruction set is named here once more, so that it is not forgotten where it is not the machine's own.
BOOST_AUTO_TEST_CASE(the_lowest_instruction_set_can_be_forced) {
  const std::string_view lowest = instruction_sets().back();
  const UsingInstructionSet choice(lowest);
  BOOST_TEST(instruction_set() == lowest);
  const Array x = math_array(std::vector<float>{-3, -0.5f, 0, 0.25f, 1, 9});
  const Array y = core::exp(x);
  for (int i = 0; i < 6; ++i) {
    BOOST_TEST(ulps(y.data_ptr<float>()[i], std::exp(static_cast<Real>(x.data_ptr<float>()[i]))) <= 1.1);
  }
}

BOOST_AUTO_TEST_CASE(special_values) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  struct Row {
    const UnaryRow& op;
    float at_inf, at_minus_inf, at_zero, at_minus_zero;
  };
  const Row rows[] = {
      {core::exp, kInf, 0, 1, 1},
      {core::exp2, kInf, 0, 1, 1},
      {core::expm1, kInf, -1, 0, -0.0f},
      {core::log, kInf, nan, -kInf, -kInf},
      {core::log2, kInf, nan, -kInf, -kInf},
      {core::log10, kInf, nan, -kInf, -kInf},
      {core::log1p, kInf, nan, 0, -0.0f},
      {core::sin, nan, nan, 0, -0.0f},
      {core::cos, nan, nan, 1, 1},
      {core::tan, nan, nan, 0, -0.0f},
      {core::asin, nan, nan, 0, -0.0f},
      {core::acos, nan, nan, std::acos(0.0f), std::acos(0.0f)},
      {core::atan, std::atan(kInf), -std::atan(kInf), 0, -0.0f},
      {core::sinh, kInf, -kInf, 0, -0.0f},
      {core::cosh, kInf, kInf, 1, 1},
      {core::tanh, 1, -1, 0, -0.0f},
      {core::sigmoid, 1, 0, 0.5f, 0.5f},
      {core::erf, 1, -1, 0, -0.0f},
      {core::sqrt, kInf, nan, 0, -0.0f},
      {core::rsqrt, 0, nan, kInf, -kInf},
      {core::reciprocal, 0, -0.0f, kInf, -kInf},
      {core::neg, -kInf, kInf, -0.0f, 0},
      {core::abs, kInf, kInf, 0, 0},
      {core::sign, 1, -1, 0, 0},
      {core::square, kInf, kInf, 0, 0},
      {core::relu, kInf, 0, 0, -0.0f},
      {core::floor, kInf, -kInf, 0, -0.0f},
      {core::ceil, kInf, -kInf, 0, -0.0f},
      {core::round, kInf, -kInf, 0, -0.0f},
      {core::trunc, kInf, -kInf, 0, -0.0f},
  };
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet choice(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      for (const Row& row : rows) {
        const Array y = row.op(math_array(std::vector<float>{kInf, -kInf, 0.0f, -0.0f, nan}).to(dtype)).to(kFloat32);
        const float* got = y.data_ptr<float>();
        const float wanted[5] = {row.at_inf, row.at_minus_inf, row.at_zero, row.at_minus_zero, nan};
        for (int i = 0; i < 5; ++i) {
          if (i == 4 && &row.op == &core::sign) continue;  // 0 of NaN, as PyTorch's
          const bool same = std::isnan(wanted[i])
                                ? std::isnan(got[i])
                                : got[i] == wanted[i] && std::signbit(got[i]) == std::signbit(wanted[i]);
          BOOST_TEST(same, row.op.name << " of " << to_string(dtype) << " on " << set << ", case " << i << ": "
                                       << got[i] << ", not " << wanted[i]);
        }
      }
    }
  }
}

template <class T>
void check_places() {
  std::vector<T> x;
  for (int i = 0; i < 131; ++i) x.push_back(static_cast<T>(i - 65) * T(0.173));
  x[7] = T(2e6);  // sine and cosine take the C library's way there
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet choice(set);
    for (const MathFunction& f : math_functions()) {
      const Array whole = f.call(math_array(x));
      for (std::size_t begin = 0; begin < 40; ++begin) {
        for (std::size_t length : {1, 2, 3, 7, 15, 16, 17, 33, 91}) {
          const std::vector<T> part(x.begin() + static_cast<std::ptrdiff_t>(begin),
                                    x.begin() + static_cast<std::ptrdiff_t>(begin + length));
          const Array y = f.call(math_array(part));
          const bool same = std::memcmp(y.data(), whole.data_ptr<T>() + begin, length * sizeof(T)) == 0;
          BOOST_TEST(same, f.name << " on " << set << " from " << begin << ", " << length << " elements");
        }
      }
    }
  }
}

// A block's end must not show: each element alone has the bits that it has in a long array, wherever it stands.
BOOST_AUTO_TEST_CASE(bits_do_not_depend_on_the_place) {
  check_places<float>();
  check_places<double>();
}

BOOST_AUTO_TEST_CASE(activations_at_special_values) {
  const double inf = HUGE_VAL, nan = std::nan("");
  struct Row {
    const char* name;
    double at_inf, at_minus_inf, at_zero, at_minus_zero;
  };
  const double ln2 = std::log(2.0);
  for (const Row& row : {Row{"gelu", inf, -0.0, 0, -0.0}, Row{"gelu_tanh", inf, -0.0, 0, -0.0},
                         Row{"silu", inf, -0.0, 0, -0.0}, Row{"softplus", inf, 0, ln2, ln2}}) {
    for (const MathFunction& f : math_functions()) {
      if (f.name != row.name) continue;
      for (std::string_view set : instruction_sets()) {
        const UsingInstructionSet choice(set);
        for (DType dtype : {kFloat32, kFloat64}) {
          const Array y = f.call(math_array(std::vector<double>{inf, -inf, 0, -0.0, nan}).to(dtype)).to(kFloat64);
          const double* got = y.data_ptr<double>();
          const double wanted[5] = {row.at_inf, row.at_minus_inf, row.at_zero, row.at_minus_zero, nan};
          for (int i = 0; i < 5; ++i) {
            const bool same = std::isnan(wanted[i]) ? std::isnan(got[i])
                                                    : (got[i] == wanted[i] || std::abs(got[i] - wanted[i]) < 1e-7) &&
                                                          std::signbit(got[i]) == std::signbit(wanted[i]);
            BOOST_TEST(same, f.name << " on " << set << ", case " << i << ": " << got[i] << ", not " << wanted[i]);
          }
        }
      }
    }
  }
}

// Gradients in closed form, at infinities too; NaN passes.
BOOST_AUTO_TEST_CASE(gradients_of_activations) {
  const double inf = HUGE_VAL;
  std::vector<double> x;
  for (int i = -400; i <= 400; ++i) x.push_back(i * 0.05 + 0.01);
  const auto phi = [](double v) { return std::exp(-v * v / 2) / std::sqrt(2 * 3.14159265358979323846); };
  const auto big_phi = [](double v) { return std::erfc(-v / std::sqrt(2.0)) / 2; };
  const auto sig = [](double v) { return 1 / (1 + std::exp(-v)); };
  const double k = 2 * std::sqrt(2 / 3.14159265358979323846);
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet choice(set);
    for (DType dtype : {kFloat32, kFloat64}) {
      const double bound = dtype == kFloat32 ? 5e-6 : 1e-14;
      const Array at = math_array(x).to(dtype), one = ones(at.shape(), dtype), ends = full({3}, 0, dtype);
      ends.copy_(math_array(std::vector<double>{inf, -inf, std::nan("")}));
      const auto check = [&](const char* name, auto gradient, auto exact) {
        const Array dx = gradient(full(at.shape(), 2, dtype), at).to(kFloat64), in = at.to(kFloat64);
        double worst = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
          worst = std::max(worst, std::abs(dx.data_ptr<double>()[i] - 2 * exact(in.data_ptr<double>()[i])));
        }
        BOOST_TEST(worst <= bound, name << " on " << set << ": " << worst);
        const Array far = gradient(full({3}, 2, dtype), ends).to(kFloat64);
        BOOST_TEST(far.data_ptr<double>()[0] == 2);
        BOOST_TEST(far.data_ptr<double>()[1] == 0);
        BOOST_TEST(std::isnan(far.data_ptr<double>()[2]));
      };
      check(
          "gelu", [](const Array& dy, const Array& v) { return gelu_backward(dy, v); },
          [&](double v) { return big_phi(v) + v * phi(v); });
      check(
          "gelu_tanh", [](const Array& dy, const Array& v) { return gelu_backward(dy, v, true); },
          [&](double v) {
            const double u = k * (v + 0.044715 * v * v * v);
            return sig(u) + v * sig(u) * sig(-u) * k * (1 + 3 * 0.044715 * v * v);
          });
      check(
          "silu", [](const Array& dy, const Array& v) { return silu_backward(dy, v); },
          [&](double v) { return sig(v) * (1 + v * sig(-v)); });
      check(
          "softplus", [](const Array& dy, const Array& v) { return softplus_backward(dy, v, 2, 7); },
          [&](double v) { return 2 * v > 7 ? 1 : sig(2 * v); });
    }
  }
}

BOOST_AUTO_TEST_CASE(float32_powers_are_within_their_bound) {
  const double bound = bounds().at("pow").first;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> a, b;
  const std::vector<float> special = {0, -0.0f, 1,     -1,   kInf,   -kInf,   nan,  2,     -2,       0.5f,     -0.5f,
                                      3, -3.0f, 1e30f, 4e9f, 1e-40f, -1e-40f, 0.1f, -8.5f, 16777216, 16777215, -1e38f};
  for (float x : special) {
    for (float y : special) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  std::uint32_t state = 2463534242u;
  const auto random = [&] {
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
  };
  for (std::size_t i = 0; i < 300000; i += kStride) {
    a.push_back(std::bit_cast<float>(random()));
    b.push_back(static_cast<float>(static_cast<int>(random() % 8001) - 4000) / 100);
    a.push_back(1 + static_cast<float>(random() % 2000000) * 1e-6f - 1);
    b.push_back(static_cast<float>(static_cast<int>(random() % 200001) - 100000) / 7);
  }
  std::vector<Real> exact(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) exact[i] = std::pow(static_cast<Real>(a[i]), static_cast<Real>(b[i]));
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet choice(set);
    const Array y = core::pow(math_array(a), math_array(b));
    double worst = 0;
    std::size_t where = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double error = ulps(y.data_ptr<float>()[i], exact[i]);
      if (error > worst) {
        worst = error;
        where = i;
      }
    }
    BOOST_TEST(worst <= bound, "on " << set << ": " << worst << " ULP at pow(" << a[where] << ", " << b[where]
                                     << "): " << y.data_ptr<float>()[where]);
  }
}

BOOST_AUTO_TEST_CASE(powers_with_a_fixed_exponent) {
  const std::vector<float> x = math_samples<float>({"pow", {}, nullptr, {1}});
  for (const auto& [exponent, bound] : {std::pair(2.0, 0.5), {3.0, 1.5}, {0.5, 0.5}, {-1.0, 0.5}}) {
    std::vector<Real> exact;
    for (const float base : x) exact.push_back(std::pow(static_cast<Real>(base), static_cast<Real>(exponent)));
    for (std::string_view set : instruction_sets()) {
      const UsingInstructionSet choice(set);
      const Array y = core::pow(math_array(x), exponent);
      double worst = 0;
      std::size_t where = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = ulps(y.data_ptr<float>()[i], exact[i]);
        if (error > worst) {
          worst = error;
          where = i;
        }
      }
      BOOST_TEST(worst <= bound, "pow " << exponent << " on " << set << ": " << worst << " at " << x[where]);
    }
  }
  for (std::string_view set : instruction_sets()) {
    const UsingInstructionSet choice(set);
    for (double exponent : {2.0, 3.0, 0.5, -1.0}) {
      const double inf = HUGE_VAL;
      for (double base : {inf, -inf, 0.0, -0.0, 1.5, -1.5, 1e-200, 1e200, 3e-320}) {
        const double got = core::pow(scalar(base, kFloat64), exponent).item<double>();
        const double wanted = std::pow(base, exponent);
        const bool same =
            std::isnan(wanted) ? std::isnan(got) : got == wanted && std::signbit(got) == std::signbit(wanted);
        BOOST_TEST((same || std::abs(got - wanted) <= 3e-16 * std::abs(wanted)),
                   "pow(" << base << ", " << exponent << ") on " << set << ": " << got << ", not " << wanted);
      }
    }
  }
}

// Subnormal operands and results must not fall back to something 40 times slower. The best of several runs is taken, and
// the bound is wide: the machine may be busy.
BOOST_AUTO_TEST_CASE(subnormal_numbers_are_not_slow) {
  const std::int64_t n = 20000;
  const auto time_of = [&](const MathFunction& f, const Array& x) {
    double best = HUGE_VAL;
    for (int i = 0; i < 15; ++i) {
      const auto start = std::chrono::steady_clock::now();
      f.call(x);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
  };
  for (const MathFunction& f : math_functions()) {
    for (DType dtype : {kFloat32, kFloat64}) {
      const Array ordinary = full({n}, 0.7, dtype);
      const double normal = time_of(f, ordinary);
      const double in = time_of(f, full({n}, dtype == kFloat32 ? 3e-40 : 3e-310, dtype));
      const double out = time_of(f, full({n}, dtype == kFloat32 ? -95 : -730, dtype));
      BOOST_TEST(in <= 30 * normal, f.name << " of subnormal " << to_string(dtype) << ": " << in / normal << " times");
      BOOST_TEST(out <= 30 * normal,
                 f.name << " to subnormal " << to_string(dtype) << ": " << out / normal << " times");
    }
  }
}

double float32_ulp(double x) { return std::ldexp(1.0, x == 0 ? -149 : std::max(std::ilogb(x) - 23, -149)); }

// Of log-probabilities, down to the smallest subnormal number and to 0: within 1 ULP.
BOOST_AUTO_TEST_CASE(probabilities_at_the_end_of_the_range) {
  const std::int64_t n = 40001;
  const Array x = (arange(0, n, 1, kFloat64) * (-24.0 / static_cast<double>(n - 1)) - 82.0).to(kFloat32).view({1, n});
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    const Array all = probabilities_times(x, ones({1}));
    double worst = 0, farthest = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const auto at = static_cast<double>(x.data_ptr<float>()[i]), exact = std::exp(at);
      const double got = static_cast<double>(all.data_ptr<float>()[i]);
      worst = std::max(worst, std::abs(got - exact) / float32_ulp(exact));
    }
    BOOST_TEST(worst <= 1, worst << " on " << set);
    // One number far above: the others' probabilities are their exponentials.
    const Array one = zeros({1, 6});
    std::ranges::copy(std::vector<float>{0, -80, -88, -95, -103, -110}, one.data_ptr<float>());
    const Array p = softmax(one, 1);
    for (std::int64_t i = 0; i < 6; ++i) {
      const double exact = std::exp(static_cast<double>(one.data_ptr<float>()[i]));
      const double got = static_cast<double>(p.data_ptr<float>()[i]);
      farthest = std::max(farthest, std::abs(got - exact) / float32_ulp(exact));
    }
    BOOST_TEST(farthest <= 1, farthest << " on " << set);
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_SUITE_END()
