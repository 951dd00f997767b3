// Kernels of index arrays on every instruction set, against plain loops, with operands that begin or end where memory does.
// Label: serial
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include <gradus/core/simd/places.h>

#include "../support/guarded.h"
#include "../support/instruction_set.h"

using namespace gradus;
using namespace gradus::core;
using std::int64_t;
using test::Guard;
using test::guarded;

namespace {

std::mt19937 random_numbers(19);

/// n elements, next() each.
template <class T, class Next>
Array made(int64_t n, Guard guard, Next next) {
  const Array x = empty({n}, dtype_of<T>);
  std::generate_n(x.data_ptr<T>(), n, next);
  return guarded(x, guard);
}
Array index_below(int64_t n, int64_t bound, Guard guard) {
  return made<int64_t>(n, guard, [&] { return static_cast<int64_t>(random_numbers()) % bound; });
}
float number() { return static_cast<float>(random_numbers() % 10000) / 777 - 5; }

/// body(n, guard) for short arrays, on every instruction set.
template <class Body>
void for_lengths(Body body) {
  for (std::string_view set : instruction_sets()) {
    const test::UsingInstructionSet use(set);
    for (const Guard guard : {Guard::kBehind, Guard::kBefore}) {
      for (int64_t n = 0; n <= 70; ++n) BOOST_TEST_CONTEXT(n << " on " << set) {
          body(n, guard);
        }
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(entries_from_the_end_and_outside) {
  constexpr int64_t lowest = std::numeric_limits<int64_t>::min(), highest = std::numeric_limits<int64_t>::max();
  for_lengths([&](int64_t n, Guard guard) {
    const Array index = index_below(n, 50, guard);
    auto* const entries = index.data_ptr<int64_t>();
    const auto odd = [&] {
      const kernels::OddPlaces found = kernels::odd_places(entries, n, 50);
      return std::pair(found.negative, found.outside);
    };
    BOOST_TEST((odd() == std::pair(false, false)));
    for (int64_t i = 0; i < n; ++i) {
      const int64_t before = entries[i];
      for (const int64_t entry : {int64_t{-1}, int64_t{-50}, int64_t{-51}, int64_t{50}, lowest, highest}) {
        entries[i] = entry;
        const bool outside = entry < -50 || entry >= 50;
        BOOST_TEST(odd().second == outside, entry << " at " << i);
        if (!outside) BOOST_TEST(odd().first == (entry < 0), entry << " at " << i);
      }
      entries[i] = before;
    }
  });
}

BOOST_AUTO_TEST_CASE(sums_in_order) {
  for_lengths([](int64_t n, Guard guard) {
    const Array index = index_below(n, 5, guard), values = made<float>(n, guard, number),
                sums = made<double>(5, guard, [] { return number() / 3; });
    std::vector<double> expected(sums.data_ptr<double>(), sums.data_ptr<double>() + 5);
    for (int64_t i = 0; i < n; ++i) {
      expected[static_cast<std::size_t>(index.data_ptr<int64_t>()[i])] +=
          static_cast<double>(values.data_ptr<float>()[i]);
    }
    kernels::add_at(sums.data_ptr<double>(), index.data_ptr<int64_t>(), values.data_ptr<float>(), n);
    BOOST_TEST(std::equal(expected.begin(), expected.end(), sums.data_ptr<double>()));
  });
}

BOOST_AUTO_TEST_CASE(places_of_a_part) {
  constexpr int64_t rows = 1000;
  for_lengths([&](int64_t n, Guard guard) {
    const Array index = index_below(n, rows, guard), all = made<float>(n, guard, number);
    const int64_t parts[][2] = {{0, rows}, {0, 64}, {64, 500}, {936, 64}, {999, 1}};
    for (const auto& [first, size] : parts) {
      std::vector<std::int32_t> places;
      std::vector<float> payloads;
      for (int64_t i = 0; i < n; ++i) {
        const int64_t place = index.data_ptr<int64_t>()[i] - first;
        if (place < 0 || place >= size) continue;
        places.push_back(static_cast<std::int32_t>(place));
        payloads.push_back(all.data_ptr<float>()[i]);
      }
      const Array room = guarded(empty({n}, kInt32), guard), other = guarded(empty({n}, kInt32), guard);
      const auto words = [](const Array& x) { return static_cast<std::uint32_t*>(x.data()); };
      const int64_t found =
          kernels::places_within(words(room), words(other), index.data_ptr<int64_t>(), all.data(), n, first, size);
      BOOST_REQUIRE(found == static_cast<int64_t>(places.size()));
      BOOST_TEST(std::equal(places.begin(), places.end(), room.data_ptr<std::int32_t>()));
      BOOST_TEST(std::equal(payloads.begin(), payloads.end(), other.data_ptr<std::int32_t>(),
                            [](float x, std::int32_t y) { return std::bit_cast<std::int32_t>(x) == y; }));
    }
  });
}

BOOST_AUTO_TEST_CASE(wider_and_back) {
  constexpr float infinity = std::numeric_limits<float>::infinity(), smallest = std::numeric_limits<float>::min();
  for_lengths([&](int64_t n, Guard guard) {
    const Array x = made<float>(n, guard, number), wide = guarded(empty({n}, kFloat64), guard),
                back = guarded(empty({n}, kFloat32), guard);
    auto* const numbers = x.data_ptr<float>();
    const auto widened = [&] {
      const bool plain = kernels::widen(wide.data_ptr<double>(), numbers, n);
      BOOST_TEST(std::equal(numbers, numbers + n, wide.data_ptr<double>(), [](float f, double d) {
        return std::bit_cast<std::uint64_t>(static_cast<double>(f)) == std::bit_cast<std::uint64_t>(d);
      }));
      return plain;
    };
    BOOST_TEST(widened());
    kernels::narrow(back.data_ptr<float>(), wide.data_ptr<double>(), n);
    BOOST_TEST(std::equal(numbers, numbers + n, back.data_ptr<float>()));
    for (int64_t i = 0; i < n; ++i) wide.data_ptr<double>()[i] /= 3;
    kernels::narrow(back.data_ptr<float>(), wide.data_ptr<double>(), n);
    for (int64_t i = 0; i < n; ++i) {
      BOOST_TEST(back.data_ptr<float>()[i] == static_cast<float>(wide.data_ptr<double>()[i]));
    }
    for (int64_t i = 0; i < n; ++i) {
      const float before = numbers[i];
      for (const float plain : {0.0F, -0.0F, infinity, -infinity, smallest, -smallest}) {
        numbers[i] = plain;
        BOOST_TEST(widened(), plain << " at " << i);
      }
      for (const std::uint32_t bits : {0x7fc00000u, 0xffc00001u, 0x7f800001u, 1u, 0x807fffffu}) {  // NaN, subnormal
        numbers[i] = std::bit_cast<float>(bits);
        BOOST_TEST(!widened(), bits << " at " << i);
      }
      numbers[i] = before;
    }
  });
}

BOOST_AUTO_TEST_SUITE_END()
