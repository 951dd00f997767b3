// Draws through tensors: generators and their state, the distributions, and that a given position always yields the
// same numbers.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <thread>
#include <vector>

#include <gradus/gradus.h>

#include "../support/arrays.h"
#include "../support/statistics.h"
#include "../support/threads.h"

using namespace gradus;
using gradus::test::check_error;
using gradus::test::chi_square_excess;
using gradus::test::correlation;
using gradus::test::distance;
using gradus::test::Moments;
using Values = std::vector<double>;

namespace {

Values values(const Tensor& x) { return gradus::test::values(x.array()); }

double exponential_distribution(double x) { return x <= 0 ? 0 : -std::expm1(-x); }

/// The default generator as it was, whatever a test does to it.
struct SameGeneratorAfter {
  core::RandomPosition before = default_generator().position();
  ~SameGeneratorAfter() { default_generator().set_position(before); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(random_draws)

// The words at seed 0 and offset 0 are the generator's published ones for a key and a counter of zeros: 6627e8d5
// e169c58d bc57ac4c 9b00dbd8. What the documentation makes of them was worked out by hand.
BOOST_AUTO_TEST_CASE(known_numbers) {
  const auto fresh = [] { return Generator(0); };
  const auto unit = [](std::vector<std::int64_t> counts, double scale) {
    Values v;
    for (std::int64_t c : counts) v.push_back(static_cast<double>(c) * scale);
    return v;
  };
  const auto same = boost::test_tools::per_element();
  BOOST_TEST(values(rand({4}, fresh())) == unit({6694888, 14772677, 12343212, 10158299}, 0x1p-24), same);
  BOOST_TEST(values(rand({2}, fresh(), kFloat64)) == unit({3594291088041750, 6626711658300271}, 0x1p-53), same);
  BOOST_TEST(values(randint(100, {4}, fresh())) == (Values{39, 88, 73, 60}), same);
  BOOST_TEST(values(randint(-10, 90, {4}, fresh())) == (Values{29, 78, 63, 50}), same);
  BOOST_TEST(values(randperm(5, fresh())) == (Values{1, 4, 0, 2, 3}), same);
  BOOST_TEST(values(empty({4}).bernoulli_(0.6, fresh())) == (Values{1, 0, 0, 0}), same);
  BOOST_TEST(values(empty({2, 2}, kInt64).t().bernoulli_(0.6, fresh())) == (Values{1, 0, 0, 0}), same);
  BOOST_TEST(values(bernoulli(full({4}, 0.6), fresh())) == (Values{1, 0, 0, 0}), same);
  BOOST_TEST(values(empty({4}).uniform_(1, 3, fresh())) == (Values{1 + 6694888 * 0x1p-23, 1 + 14772677 * 0x1p-23,
                                                                   1 + 12343212 * 0x1p-23, 1 + 10158299 * 0x1p-23}),
             boost::test_tools::tolerance(1e-7) << same);
  const Values e = values(empty({2}, kFloat64).exponential_(2, fresh()));
  BOOST_TEST(e[0] == 0.25461883620992376, boost::test_tools::tolerance(1e-14));
  BOOST_TEST(e[1] == 0.6653594178062219, boost::test_tools::tolerance(1e-14));
  // u = 0.39905.., 0.73571..: of the weights' cumulative sums 1, 3, 6, 10 times 1/10, the first above it.
  BOOST_TEST(values(multinomial(tensor({1., 2., 3., 4.}), 2, true, fresh())) == (Values{2, 3}), same);
}

BOOST_AUTO_TEST_CASE(generators_have_a_state) {
  const SameGeneratorAfter restore;
  Generator g(42);
  BOOST_TEST(g.current_seed() == 42U);
  rand({10}, g);
  const core::Array state = g.get_state();
  BOOST_TEST((state.dtype() == kUInt8));
  BOOST_TEST(gradus::test::values(state) == (Values{42, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0}),
             boost::test_tools::per_element());
  Generator copy = g, other = g.clone();  // a copy is the same stream, a clone another one from the same place
  const Tensor first = randn({7}, g);
  BOOST_TEST((copy.position() == g.position()));
  BOOST_TEST(randn({7}, other).equal(first));
  g.set_state(state);
  BOOST_TEST(randn({7}, copy).equal(first));
  // Also of another seed, from a strided view, with large numbers.
  Generator large(0x123456789abcdef0ull);
  large.set_position({large.current_seed(), 0xfedcba9876543210ull});
  const core::Array wide = core::empty({16, 3}, kUInt8);
  wide.select(1, 1).copy_(large.get_state());
  g.set_state(wide.select(1, 1));
  BOOST_TEST((g.position() == core::RandomPosition{0x123456789abcdef0ull, 0xfedcba9876543210ull}));
  check_error<ShapeError>([&] { g.set_state(core::zeros({15}, kUInt8)); }, {"set_state", "16", "[15]"});
  check_error<DTypeError>([&] { g.set_state(core::zeros({16}, kInt32)); }, {"set_state", "uint8", "int32"});
  check_error<ValueError>([&] { g.set_state({}); }, {"set_state"});
  g.set_current_seed(5);
  BOOST_TEST((g.position() == core::RandomPosition{5, 0}));
  const std::uint64_t a = g.seed(), b = g.seed();
  BOOST_TEST(a != b);
  BOOST_TEST((g.position() == core::RandomPosition{b, 0}));
  BOOST_TEST((make_generator(9).position() == core::RandomPosition{9, 0}));
  // The default generator's state is a program's.
  manual_seed(11);
  const core::Array before = default_generator().get_state();
  const Tensor x = rand({3}), y = rand({3});
  BOOST_TEST(!x.equal(y));
  default_generator().set_state(before);
  BOOST_TEST(rand({3}).equal(x));
}

// Each takes its numbers from the generator that it is given, the default one stays where it is; and without one, from
// the default one, as if it had been given.
BOOST_AUTO_TEST_CASE(every_draw_takes_a_generator) {
  const SameGeneratorAfter restore;
  const Tensor p = full({3, 4}, 0.3, kFloat64), weights = tensor({1., 2., 3.});
  const auto fresh = [] { return empty({3, 4}); };
  using Draw = std::function<Tensor(const std::optional<Generator>&)>;
  const std::vector<Draw> draws = {
      [](const auto& g) {
        return rand({3, 4}, g);
      },
      [](const auto& g) {
        return randn({3, 4}, g, kFloat64);
      },
      [](const auto& g) {
        return randint(1000, {3, 4}, g);
      },
      [](const auto& g) {
        return randint(-1000, 1000, {3, 4}, g, kInt32);
      },
      [](const auto& g) { return randperm(100, g); },
      [](const auto& g) { return normal(2, 3, {5}, g); },
      [&](const auto& g) { return bernoulli(p, g); },
      [&](const auto& g) { return bernoulli(p, 0.7, g); },
      [&](const auto& g) { return p.bernoulli(g); },
      [&](const auto& g) { return p.bernoulli(0.7, g); },
      [&](const auto& g) { return multinomial(weights, 20, true, g); },
      [&](const auto& g) { return weights.multinomial(2, false, g); },
      [&](const auto& g) { return fresh().uniform_(0, 1, g); },
      [&](const auto& g) { return fresh().normal_(0, 1, g); },
      [&](const auto& g) { return fresh().exponential_(1, g); },
      [&](const auto& g) { return fresh().bernoulli_(0.4, g); },
      [&](const auto& g) { return fresh().bernoulli_(p, g); },
      [&](const auto& g) { return fresh().random_(-5, 100, g); },
      [&](const auto& g) { return fresh().random_(100, g); },
      [&](const auto& g) { return fresh().random_(g); },
  };
  for (std::size_t i = 0; i < draws.size(); ++i) {
    BOOST_TEST_CONTEXT("draw " << i) {
      manual_seed(1);
      const core::RandomPosition start = default_generator().position();
      Generator g(123);
      const Tensor x = draws[i](g);
      BOOST_TEST((default_generator().position() == start));
      BOOST_TEST((g.position().offset > 0));
      BOOST_TEST(draws[i](Generator(123)).equal(x));
      if (x.numel() > 2) {
        BOOST_TEST(!draws[i](g).equal(x));  // it has moved on
      }
      manual_seed(123);
      BOOST_TEST(draws[i](std::nullopt).equal(x));
      BOOST_TEST((default_generator().position().offset > 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(distributions_of_the_members) {
  constexpr std::int64_t n = 200000;
  for (DType dtype : {kFloat32, kFloat64}) {
    Generator g(21);
    const Values u = values(empty({n}, dtype).uniform_(-2, 6, g));
    BOOST_TEST(distance(u, [](double x) { return (x + 2) / 8; }) < 1.95);
    const Values z = values(empty({n}, dtype).normal_(3, 0.5, g));
    BOOST_TEST(distance(z, [](double x) { return test::normal_distribution((x - 3) / 0.5); }) < 1.95);
    const Values e = values(empty({n}, dtype).exponential_(1, g));
    BOOST_TEST(distance(e, exponential_distribution) < 1.95);
    BOOST_TEST(*std::min_element(e.begin(), e.end()) >= 0);
    BOOST_TEST(*std::max_element(e.begin(), e.end()) > 9);  // the tail is there
    const Moments m(e);
    BOOST_TEST(std::abs(m.mean - 1) < 4 / std::sqrt(n));
    BOOST_TEST(std::abs(m.variance - 1) < 4 * std::sqrt(8. / n));
    BOOST_TEST(std::abs(m.skewness - 2) < 0.2);
    const Values fast = values(empty({n}, dtype).exponential_(4, g));
    BOOST_TEST(distance(fast, [](double x) { return exponential_distribution(4 * x); }) < 1.95);
    // Neighbours, and numbers half a cache line or a generator's block apart.
    for (std::size_t lag : {1, 2, 4, 8, 1024}) {
      const auto shift = static_cast<std::ptrdiff_t>(lag);
      for (const Values* v : {&u, &z, &e}) {
        BOOST_TEST(std::abs(correlation({v->begin(), v->end() - shift}, {v->begin() + shift, v->end()})) < 4);
      }
    }
  }
  const Values b = values(empty({n}).bernoulli_(0.2, Generator(22)));
  BOOST_TEST(std::abs(Moments(b).mean - 0.2) < 4 * std::sqrt(0.16 / n));
  const Values each = values(bernoulli(full({n}, 0.2), Generator(22)));
  BOOST_TEST(each == b, boost::test_tools::per_element());
}

// Streams of neighbouring seeds, of one seed at distant places, and of the two halves of the key.
BOOST_AUTO_TEST_CASE(streams_are_not_correlated) {
  constexpr std::int64_t n = 100000;
  const Values base = values(rand({n}, Generator(1), kFloat64));
  std::vector<core::RandomPosition> others = {{0, 0}, {2, 0}, {3, 0}, {1ull << 32, 0}, {(1ull << 32) + 1, 0}};
  others.push_back({1, 1ull << 20});
  others.push_back({1, 1ull << 32});
  others.push_back({1, 1ull << 63});
  for (const core::RandomPosition& at : others) {
    Generator g(at.seed);
    g.set_position(at);
    const Values v = values(rand({n}, g, kFloat64));
    BOOST_TEST(std::abs(correlation(base, v)) < 4, at.seed << ", " << at.offset);
    // Pairs (base, v) fill the unit square evenly.
    std::vector<double> cells(256, 0);
    for (std::size_t i = 0; i < v.size(); ++i) {
      ++cells[static_cast<std::size_t>(base[i] * 16) * 16 + static_cast<std::size_t>(v[i] * 16)];
    }
    BOOST_TEST(std::abs(chi_square_excess(cells, static_cast<double>(n) / 256)) < 4, at.seed << ", " << at.offset);
  }
}

BOOST_AUTO_TEST_CASE(random_integers_in_any_dtype) {
  Generator g(31);
  for (DType dtype : {kUInt8, kInt32, kInt64, kFloat32, kFloat64}) {
    const Values v = values(empty({40000}, dtype).random_(3, 23, g));
    std::vector<double> counts(20, 0);
    for (double x : v) {
      BOOST_TEST_REQUIRE((x >= 3 && x < 23 && x == std::floor(x)));
      ++counts[static_cast<std::size_t>(x - 3)];
    }
    BOOST_TEST(chi_square_excess(counts, 2000) < 4);
  }
  const std::map<DType, double> top = {{kBool, 1},       {kUInt8, 255},      {kInt32, 0x1p31},
                                       {kInt64, 0x1p63}, {kFloat32, 0x1p24}, {kFloat64, 0x1p53}};
  for (const auto& [dtype, most] : top) {
    const Values v = values(empty({3000}, dtype).random_(g));
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    BOOST_TEST((*low >= 0 && *low <= most * 0.01));
    BOOST_TEST((*high <= most && *high >= most * 0.99));
  }
  check_error<ValueError>([] { empty({2}).random_(3, 3); }, {"3 and 3"});
  check_error<ValueError>([] { empty({2}, kUInt8).random_(0, 257); }, {"257", "uint8"});
}

BOOST_AUTO_TEST_CASE(multinomial_with_replacement) {
  const Tensor weights = tensor({{1., 0., 3., 4., 0.}, {0., 5., 5., 0., 10.}}, kFloat64);
  constexpr std::int64_t n = 60000;
  for (DType dtype : {kFloat32, kFloat64}) {
    const Tensor drawn = multinomial(weights.to(dtype), n, true, Generator(41));
    BOOST_TEST((drawn.dtype() == kInt64));
    BOOST_TEST((drawn.sizes() == IntArrayRef({2, n})));
    const std::vector<std::map<double, double>> shares = {{{0, 1 / 8.}, {2, 3 / 8.}, {3, 4 / 8.}},
                                                          {{1, 0.25}, {2, 0.25}, {4, 0.5}}};
    for (int r = 0; r < 2; ++r) {
      std::map<double, double> counts;
      for (double k : values(drawn[r])) ++counts[k];
      double chi2 = 0;
      for (const auto& [k, count] : counts) {
        BOOST_TEST_REQUIRE((shares[static_cast<std::size_t>(r)].count(k) == 1U));  // never one of weight 0
        const double expected = shares[static_cast<std::size_t>(r)].at(k) * n;
        chi2 += (count - expected) * (count - expected) / expected;
      }
      BOOST_TEST(counts.size() == 3U);
      BOOST_TEST(chi2 < 13.8);  // 0.001 of two degrees of freedom
    }
  }
  BOOST_TEST((multinomial(tensor({2., 1.}), 3, true).sizes() == IntArrayRef({3})));
  BOOST_TEST(values(multinomial(tensor({0., 7., 0.}), 4, true)) == Values(4, 1), boost::test_tools::per_element());
  BOOST_TEST((multinomial(ones({0, 3}), 2).sizes() == IntArrayRef({0, 2})));
}

// The chance of the ordered pair (i, j) is w_i / W times w_j / (W - w_i).
BOOST_AUTO_TEST_CASE(multinomial_without_replacement) {
  const Values w = {1, 2, 3, 4};
  constexpr std::int64_t n = 60000;
  const Tensor drawn = multinomial(tensor(w, kFloat64).expand({n, 4}), 2, false, Generator(42));
  const Values v = values(drawn);
  std::vector<double> counts(16, 0);
  for (std::size_t r = 0; r < n; ++r) ++counts[static_cast<std::size_t>(4 * v[2 * r] + v[2 * r + 1])];
  double chi2 = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      if (i == j) {
        BOOST_TEST(counts[5 * i] == 0);
        continue;
      }
      const double expected = n * w[i] / 10 * w[j] / (10 - w[i]);
      chi2 += std::pow(counts[4 * i + j] - expected, 2) / expected;
    }
  }
  BOOST_TEST(chi2 < 31.3);  // 0.001 of eleven degrees of freedom
  // All of those above 0, and no other.
  Values all = values(multinomial(tensor({0., 2., 0., 1., 5.}), 3));
  std::sort(all.begin(), all.end());
  BOOST_TEST(all == (Values{1, 3, 4}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(wrong_weights) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  check_error<ShapeError>([] { multinomial(ones({2, 2, 2}), 1); }, {"multinomial", "[2, 2, 2]"});
  check_error<ShapeError>([] { multinomial(ones({}), 1); }, {"multinomial", "[]"});
  check_error<ShapeError>([] { multinomial(ones({3, 0}), 1); }, {"multinomial", "[3, 0]"});
  check_error<DTypeError>([] { multinomial(ones({3}, kInt64), 1); }, {"multinomial", "int64"});
  check_error<ValueError>([] { multinomial(ones({3}), 0); }, {"multinomial", "at least 1", "0"});
  check_error<ValueError>([] { multinomial(ones({3}), -1, true); }, {"-1"});
  check_error<ValueError>([] { multinomial(ones({3}), 4); }, {"without replacement", "3 for 4"});
  check_error<ValueError>([] { multinomial(tensor({1., 0., 1.}), 3); }, {"without replacement", "2 for 3"});
  check_error<ValueError>([] { multinomial(tensor({1., -1., 1.}), 1); }, {"not negative", "-1 at 1 of row 0"});
  check_error<ValueError>([=] { multinomial(tensor({1., inf}), 1); }, {"finite", "inf"});
  check_error<ValueError>([=] { multinomial(tensor({1., nan}), 1, true); }, {"nan"});
  check_error<ValueError>([] { multinomial(tensor({{1., 1.}, {0., 0.}}), 1); }, {"above 0", "row 1"});
  check_error<GradError>([] { multinomial(Tensor(), 1); }, {});
  check_error<ValueError>([] { empty({2}).exponential_(0); }, {"exponential_", "lambda", "0"});
  check_error<ValueError>([=] { empty({2}).exponential_(nan); }, {"exponential_", "nan"});
  check_error<ValueError>([] { normal(0, -1, {2}); }, {"normal: ", "-1"});
  check_error<ValueError>([] { empty({2}).bernoulli_(1.5); }, {"[0, 1]", "1.5"});
  check_error<ValueError>([] { empty({2}).bernoulli_(tensor({0.5, 1.5})); }, {"[0, 1]", "1.5"});
}

// What is overwritten with drawn numbers: a leaf is not while recording, a history ends there, a view's base is changed.
BOOST_AUTO_TEST_CASE(in_place_draws_and_the_graph) {
  const Tensor leaf = ones({4}).requires_grad_();
  const std::vector<std::function<void(const Tensor&)>> draws = {
      [](const Tensor& x) { x.uniform_(); },     [](const Tensor& x) { x.normal_(); },
      [](const Tensor& x) { x.exponential_(); }, [](const Tensor& x) { x.bernoulli_(0.5); },
      [](const Tensor& x) { x.random_(0, 9); },  [](const Tensor& x) { x.bernoulli_(full({4}, 0.5)); },
  };
  for (const auto& draw : draws) {
    check_error<GradError>([&] { draw(leaf); }, {"leaf"});
    {
      const NoGradGuard guard;
      draw(leaf);
    }
    leaf.mutable_grad() = Tensor();
    const Tensor y = leaf * 2;
    draw(y);
    (y * 3).sum().backward();
    BOOST_TEST(values(leaf.grad()) == Values(4, 0), boost::test_tools::per_element());
    const Tensor base = full({2, 4}, 100.0);
    draw(base[1]);
    BOOST_TEST(values(base[0]) == Values(4, 100), boost::test_tools::per_element());
    BOOST_TEST(base[1].max().item<float>() < 50);
    BOOST_TEST(base.array().storage()->write_count() > 0U);
  }
}

BOOST_AUTO_TEST_CASE(weights_near_the_smallest_number) {
  const double least = std::numeric_limits<double>::denorm_min();
  for (const bool replacement : {true, false}) {
    const Tensor one = tensor({0.0, least, 0.0}, kFloat64), two = tensor({2 * least, 0.0}, kFloat64);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      BOOST_TEST(multinomial(one, 1, replacement, Generator(seed)).item<std::int64_t>() == 1);
      BOOST_TEST(multinomial(two, 1, replacement, Generator(seed)).item<std::int64_t>() == 0);
    }
    // The last one is drawn in 100 of 103 cases.
    const Tensor some = tensor({1e-320, 1e-320, 1e-320, 1e-318}, kFloat64).expand({3000, 4});
    const double last = (multinomial(some, 1, replacement, Generator(7)) == 3).to(kFloat64).mean().item<double>();
    BOOST_TEST(std::abs(last - 100.0 / 103) < 0.015);
  }
}

BOOST_AUTO_TEST_CASE(permutations_that_the_dtype_holds) {
  BOOST_TEST(randperm(256, kUInt8).max().item<int>() == 255);
  check_error<ValueError>([] { randperm(257, kUInt8); },
                          {"randperm: the dtype must hold the numbers: [0, 257) as uint8"});
}

BOOST_AUTO_TEST_CASE(a_refused_draw_leaves_the_generator) {
  Generator generator(3);
  const auto before = generator.get_state();
  check_error<DTypeError>([&] { ones({4}, kInt64).exponential_(1, generator); }, {"exponential_"});
  check_error<ValueError>([&] { ones({4}, kInt64).random_(5, 3, generator); }, {"5", "3"});
  BOOST_TEST(core::equal(generator.get_state(), before));
}

BOOST_AUTO_TEST_CASE(the_same_numbers_at_any_number_of_threads) {
  test::ManyThreads threads;
  const Tensor weights = rand({400, 50}, Generator(51)) + 0.01, p = rand({300001}, Generator(52));
  const std::vector<std::function<Tensor()>> cases = {
      [] { return empty({300001}).exponential_(2, Generator(1)); },
      [] { return empty({300001}).bernoulli_(0.3, Generator(1)); },
      [] { return empty({100001}, kFloat64).normal_(1, 2, Generator(1)); },
      [] { return empty({300001}).uniform_(1, 2, Generator(1)); },
      [] { return empty({300001}, kInt32).random_(Generator(1)); },
      [&] { return bernoulli(p, Generator(1)); },
      [&] { return multinomial(weights, 30, true, Generator(1)); },
      [&] { return multinomial(weights, 30, false, Generator(1)); },
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Tensor first;
    threads.each([&] {
      const Tensor y = cases[i]();
      if (!first.defined()) first = y;
      if (!y.equal(first)) BOOST_ERROR("other numbers in case " << i);
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()
