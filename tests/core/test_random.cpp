// Random numbers: the published vectors of the generator, the documented mapping from words to numbers, their
// distributions, and that each number is the same whoever computes it.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include <gradus/core/array/create.h>
#include <gradus/core/nn/dropout.h>
#include <gradus/core/simd/instruction_set.h>
#include <gradus/core/ops/pointwise.h>
#include <gradus/core/ops/random.h>
#include <gradus/core/ops/reduce.h>

#include "../support/arrays.h"
#include "../support/statistics.h"
#include "../support/threads.h"

using namespace gradus;
using namespace gradus::core;
using gradus::test::check_error;
using gradus::test::chi_square_excess;
using gradus::test::distance;
using gradus::test::list;
using gradus::test::Moments;
using gradus::test::normal_distribution;
using gradus::test::uniform_distribution;
using gradus::test::values;
using Values = std::vector<double>;
using Words = std::array<std::uint32_t, 4>;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

/// Philox4x32-10 as its paper writes it, on a whole counter.
Words philox_of_the_paper(Words c, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * c[0], p1 = 0xCD9E8D57ull * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return c;
}

std::uint32_t word(RandomPosition at, std::uint64_t w) { return philox(at.seed, at.offset + w / 4).word[w % 4]; }

bool same_bits(const Array& a, const Array& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.numel() * a.element_size())) == 0;
}

}  // namespace

namespace tests {  // the C library has a function random
BOOST_AUTO_TEST_SUITE(random)

// The known answers that come with Random123, the library of the generator's authors.
BOOST_AUTO_TEST_CASE(known_answers) {
  BOOST_TEST((philox_of_the_paper({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  BOOST_TEST(
      (philox_of_the_paper({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  BOOST_TEST((philox_of_the_paper({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  for (std::uint64_t seed : {0ull, 1ull, 67280421310721ull, ~0ull}) {
    for (std::uint64_t counter : {0ull, 1ull, 0xffffffffull, 0x100000000ull, ~0ull}) {
      const PhiloxBlock block = philox(seed, counter);
      const Words wanted =
          philox_of_the_paper({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0},
                              {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
      BOOST_TEST((Words{block.word[0], block.word[1], block.word[2], block.word[3]} == wanted));
    }
  }
}

BOOST_AUTO_TEST_CASE(numbers_are_those_documented_on_every_instruction_set) {
  for (std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    for (const RandomPosition at : {RandomPosition{1, 0}, RandomPosition{0x123456789abcdefull, 0xfffffff0ull}}) {
      for (std::int64_t n : {1, 2, 3, 4, 5, 31, 1023, 1024, 1025, 3333}) {
        const Array f = rand({n}, kFloat32, at), d = rand({n}, kFloat64, at), mask = bernoulli_mask({n}, 0.3, at);
        const Array fn = randn({n}, kFloat32, at), dn = randn({n}, kFloat64, at);
        const Array small = randint(-5, 20, {n}, kInt64, at);
        const Array wide = randint(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                                   {n}, kInt64, at);
        bool right = true;
        for (std::int64_t i = 0; i < n; ++i) {
          const auto w = static_cast<std::uint64_t>(i);
          right = right && f.data_ptr<float>()[i] == static_cast<float>(word(at, w) >> 8) * 0x1p-24f;
          const auto unit = [&](std::uint64_t k) {
            return (static_cast<double>(word(at, 2 * k) >> 5) * 67108864.0 +
                    static_cast<double>(word(at, 2 * k + 1) >> 6)) /
                   9007199254740992.0;
          };
          right = right && d.data_ptr<double>()[i] == unit(w);
          right = right && mask.data_ptr<bool>()[i] == (word(at, w) < static_cast<std::uint32_t>(0.3 * 4294967296.0));
          right =
              right && small.data_ptr<std::int64_t>()[i] == -5 + static_cast<std::int64_t>(word(at, w) * 25ull >> 32);
          const std::uint64_t pair = word(at, 2 * w) + (static_cast<std::uint64_t>(word(at, 2 * w + 1)) << 32);
          // low + (pair (2^64 - 1) >> 64)
          const std::uint64_t scaled = pair == 0 ? 0 : pair - 1;
          right = right && wide.data_ptr<std::int64_t>()[i] ==
                               static_cast<std::int64_t>(
                                   static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::min()) + scaled);
          // Normal ones in pairs, to rounding.
          const std::uint64_t first = w / 2 * 2;
          const double u = (static_cast<double>(word(at, first) >> 1) + 0.5) / 2147483648.0;
          const double t = 3.14159265358979323846 *
                           static_cast<double>(static_cast<std::int32_t>(word(at, first + 1))) / 2147483648.0;
          const double radius = std::sqrt(-2 * std::log(u)), normal = radius * (i % 2 ? std::sin(t) : std::cos(t));
          // u is rounded to float32, which shows where its logarithm is near 0.
          const double rounding = 1e-6 * radius + 1.3e-7 / radius;
          right = right && std::abs(static_cast<double>(fn.data_ptr<float>()[i]) - normal) <= rounding;
          const double r64 = std::sqrt(-2 * std::log(1 - unit(first))),
                       t64 = 2 * 3.14159265358979323846 * unit(first + 1);
          right = right && std::abs(dn.data_ptr<double>()[i] - r64 * (i % 2 ? std::sin(t64) : std::cos(t64))) <= 1e-14;
        }
        BOOST_TEST(right, set << ", " << n << " numbers");
      }
    }
  }
  use_instruction_set("");
}

BOOST_AUTO_TEST_CASE(uniform_numbers) {
  for (DType dtype : {kFloat32, kFloat64}) {
    const Values v = values(rand({200000}, dtype, {7, 0}));
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    BOOST_TEST(*low >= 0);
    BOOST_TEST(*high < 1);
    const Moments m(v);
    const double n = 200000;
    BOOST_TEST(std::abs(m.mean - 0.5) < 4 * std::sqrt(1 / 12.0 / n));
    BOOST_TEST(std::abs(m.variance - 1 / 12.0) < 4 * std::sqrt(1 / 180.0 / n));
    BOOST_TEST(distance(v, uniform_distribution) < 1.95);
    // Neighbours are not correlated.
    double products = 0;
    for (std::size_t i = 0; i + 1 < v.size(); ++i) products += (v[i] - 0.5) * (v[i + 1] - 0.5);
    BOOST_TEST(std::abs(products / n * 12) < 4 / std::sqrt(n));
  }
}

BOOST_AUTO_TEST_CASE(normal_numbers) {
  for (DType dtype : {kFloat32, kFloat64}) {
    const Values v = values(randn({200000}, dtype, {8, 0}));
    const Moments m(v);
    const double n = 200000;
    BOOST_TEST(std::abs(m.mean) < 4 / std::sqrt(n));
    BOOST_TEST(std::abs(m.variance - 1) < 4 * std::sqrt(2 / n));
    BOOST_TEST(std::abs(m.skewness) < 4 * std::sqrt(6 / n));
    BOOST_TEST(std::abs(m.kurtosis - 3) < 4 * std::sqrt(24 / n));
    BOOST_TEST(distance(v, normal_distribution) < 1.95);
    double pairs = 0;  // the two of a pair are independent
    for (std::size_t i = 0; i < v.size(); i += 2) pairs += v[i] * v[i + 1];
    BOOST_TEST(std::abs(pairs / (n / 2)) < 4 / std::sqrt(n / 2));
    for (double x : v) {
      if (!std::isfinite(x)) BOOST_ERROR("not finite");
    }
  }
}

BOOST_AUTO_TEST_CASE(integers_and_permutations) {
  const Values v = values(randint(-3, 17, {100000}, kInt64, {9, 0}));
  std::vector<double> counts(20, 0);
  for (double x : v) {
    BOOST_TEST_REQUIRE((x >= -3 && x < 17));
    ++counts[static_cast<std::size_t>(x + 3)];
  }
  BOOST_TEST(chi_square_excess(counts, 5000) < 4);
  BOOST_TEST(values(randint(5, 6, {10}, kInt32, {9, 0})) == Values(10, 5), boost::test_tools::per_element());
  BOOST_TEST((randint(0, 2, {10}, kBool, {9, 0}).dtype() == kBool));
  BOOST_TEST((randint(0, 9, {10}, kFloat32, {9, 0}).dtype() == kFloat32));
  BOOST_TEST(words_of_randint(0, 10, {3, 4}) == 12);
  BOOST_TEST(words_of_randint(0, std::int64_t{1} << 32, {3, 4}) == 12);
  BOOST_TEST(words_of_randint(-1, std::int64_t{1} << 32, {3, 4}) == 24);
  check_error<ValueError>([] { randint(3, 3, {2}, kInt64, {}); }, {"randint", "3 and 3"});
  check_error<ValueError>([] { randint(0, 257, {2}, kUInt8, {}); }, {"randint", "257", "uint8"});
  check_error<ValueError>([] { randint(-1, 2, {2}, kBool, {}); }, {"randint", "bool"});
  check_error<ValueError>([] { randint(0, std::int64_t{1} << 40, {2}, kInt32, {}); }, {"randint", "int32"});

  for (std::int64_t n : {0, 1, 2, 10, 5000}) {
    Values order = values(randperm(n, kInt64, {10, 0}));
    std::sort(order.begin(), order.end());
    Values wanted(static_cast<std::size_t>(n));
    std::iota(wanted.begin(), wanted.end(), 0.0);
    BOOST_TEST((order == wanted));
  }
  // Each of the 24 orders of four is as likely as the others.
  std::vector<double> orders(256, 0);
  for (std::uint64_t i = 0; i < 24000; ++i) {
    const Values p = values(randperm(4, kInt64, {11, i}));
    ++orders[static_cast<std::size_t>(p[0] + 4 * p[1] + 16 * p[2] + 64 * p[3])];
  }
  std::erase(orders, 0.0);
  BOOST_TEST_REQUIRE(orders.size() == 24U);
  BOOST_TEST(chi_square_excess(orders, 1000) < 4);
  check_error<ValueError>([] { randperm(-1, kInt64, {}); }, {"randperm", "-1"});
}

BOOST_AUTO_TEST_CASE(masks) {
  for (double p : {0.0, 0.2, 0.5, 0.9, 1.0}) {
    const Values v = values(bernoulli_mask({100000}, p, {12, 0}));
    const double share = std::accumulate(v.begin(), v.end(), 0.0) / 100000;
    BOOST_TEST(std::abs(share - p) <= 4 * std::sqrt(p * (1 - p) / 100000));
    // bernoulli draws the same.
    const Array each = bernoulli(full({100000}, p, kFloat64), {12, 0});
    BOOST_TEST((each.dtype() == kFloat64));
    BOOST_TEST((values(each) == v));
  }
  for (double p : {-0.1, 1.1, kNan, kInf}) {
    check_error<ValueError>([&] { bernoulli_mask({2}, p, {}); }, {"bernoulli_mask", "[0, 1]"});
    check_error<ValueError>([&] { bernoulli(full({2}, p, kFloat64), {}); }, {"bernoulli", "[0, 1]"});
    check_error<ValueError>([&] { dropout(zeros({2}), p, 1, {}); }, {"dropout", "[0, 1]"});
  }
  check_error<DTypeError>([] { rand({2}, kInt64, {}); }, {"rand", "int64"});
  check_error<DTypeError>([] { randn({2}, kBool, {}); }, {"randn", "bool"});
  check_error<DTypeError>([] { bernoulli(zeros({2}, kInt32), {}); }, {"bernoulli", "int32"});
}

BOOST_AUTO_TEST_CASE(dropout_draws_and_applies) {
  for (DType dtype : {kFloat32, kFloat64}) {
    const Array x = randn({37, 130}, dtype, {13, 0});
    x.select(0, 3).fill_(kInf);
    x.select(0, 4).fill_(kNan);
    const RandomPosition at{14, 5};
    const auto [y, mask] = dropout(x, 0.7, 1 / 0.7, at);
    BOOST_TEST(same_bits(mask, bernoulli_mask(x.shape(), 0.7, at)));
    BOOST_TEST(same_bits(y, masked_scale(x, mask, 1 / 0.7)));
    const Values in = values(x), out = values(y), kept = values(mask);
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (kept[i] == 0) {
        BOOST_TEST((out[i] == 0 && !std::signbit(out[i])));
      } else if (std::isfinite(in[i])) {
        BOOST_TEST(out[i] == in[i] / 0.7, boost::test_tools::tolerance(1e-6));
      } else {
        BOOST_TEST(!std::isfinite(out[i]));
      }
    }
    // The place in memory doesn't matter.
    const auto [y2, mask2] = dropout(x.t().clone().t(), 0.7, 1 / 0.7, at);
    BOOST_TEST(same_bits(y2, y));
    BOOST_TEST(same_bits(mask2, mask));
    BOOST_TEST(values(std::get<0>(dropout(ones({9}, dtype), 1, 1, at))) == Values(9, 1),
               boost::test_tools::per_element());
    BOOST_TEST(values(std::get<0>(dropout(x, 0, 1, at))) == Values(in.size(), 0), boost::test_tools::per_element());
  }
  check_error<DTypeError>([] { dropout(zeros({2}, kInt64), 0.5, 2, {}); }, {"dropout", "int64"});
}

BOOST_AUTO_TEST_CASE(generators) {
  Generator g(42);
  BOOST_TEST((g.position() == RandomPosition{42, 0}));
  BOOST_TEST((g.take(1) == RandomPosition{42, 0}));
  BOOST_TEST((g.take(4) == RandomPosition{42, 1}));
  BOOST_TEST((g.take(9) == RandomPosition{42, 2}));
  BOOST_TEST((g.take(0) == RandomPosition{42, 5}));
  Generator same = g;  // the same stream
  BOOST_TEST((same.take(4) == RandomPosition{42, 5}));
  BOOST_TEST((g.position() == RandomPosition{42, 6}));
  g.set_current_seed(7);
  BOOST_TEST(same.current_seed() == 7U);
  BOOST_TEST((same.position() == RandomPosition{7, 0}));
  g.set_position({7, 100});
  BOOST_TEST((g.take(1) == RandomPosition{7, 100}));
  check_error<ValueError>([&] { g.take(-1); }, {"take", "-1"});
  BOOST_TEST(Generator().current_seed() == 67280421310721U);

  manual_seed(3);
  BOOST_TEST((default_generator().position() == RandomPosition{3, 0}));
  BOOST_TEST(words_of({3, 5}, kFloat32) == 15);
  BOOST_TEST(words_of({3, 5}, kFloat64) == 30);
  manual_seed(Generator::kDefaultSeed);

  // Spans that several threads take do not overlap.
  Generator shared(1);
  std::vector<std::vector<std::uint64_t>> taken(4);
  std::vector<std::thread> takers;
  for (auto& offsets : taken) {
    takers.emplace_back([&shared, &offsets] {
      for (int i = 0; i < 1000; ++i) offsets.push_back(shared.take(8).offset);
    });
  }
  for (std::thread& taker : takers) taker.join();
  std::set<std::uint64_t> all;
  for (const auto& offsets : taken) all.insert(offsets.begin(), offsets.end());
  BOOST_TEST(all.size() == 4000U);
  BOOST_TEST(*all.rbegin() == 7998U);
}

BOOST_AUTO_TEST_CASE(the_same_numbers_at_any_number_of_threads) {
  test::ManyThreads threads;
  const Array x = ones({301, 1001});
  const std::vector<std::function<Array()>> cases = {
      [] { return rand({300001}, kFloat32, {1, 2}); },           [] { return rand({300001}, kFloat64, {1, 2}); },
      [] { return randn({300001}, kFloat32, {1, 2}); },          [] { return randn({100001}, kFloat64, {1, 2}); },
      [] { return randint(0, 1000, {300001}, kInt32, {1, 2}); }, [] { return bernoulli_mask({300001}, 0.4, {1, 2}); },
      [&] { return std::get<0>(dropout(x, 0.4, 2.5, {1, 2})); },
  };
  for (const auto& make : cases) {
    Array first;
    threads.each([&] {
      const Array y = make();
      if (!first.defined()) first = y;
      if (!same_bits(y, first)) BOOST_ERROR("other bits");
    });
  }
  // A part of a stream is the part of the whole, from any block on.
  const Array whole = randn({5000}, kFloat32, {1, 2}), part = randn({1000}, kFloat32, {1, 2 + 250});
  BOOST_TEST(same_bits(part, whole.narrow(0, 1000, 1000).clone()));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace tests
