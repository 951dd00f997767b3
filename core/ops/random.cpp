#include "random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <random>
#include <utility>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/fail.h"
#include "../base/floating.h"
#include "../loops/copy.h"
#include "../simd/random.h"
#include "generator_scope.h"
#include "pointwise.h"

namespace gradus {
namespace core {
namespace {

__extension__ using UInt128 = unsigned __int128;

/// A word below it counts as true.
std::uint64_t limit_of(double p) { return static_cast<std::uint64_t>(p * 0x1p32); }

/// `from_words(out, words, n)` for a freshly made array whose elements take one word (float32) or two.
template <class T, class FromWords>
void draw(const Array& out, RandomPosition at, FromWords from_words) {
  constexpr std::int64_t words_each = sizeof(T) / 4;
  T* const data = static_cast<T*>(out.data());
  const std::int64_t n = out.numel();
  kernels::for_random_words(at, (n + 1) / 2 * 2 * words_each,  // normal ones come in pairs
                            [&](const std::uint32_t* words, std::int64_t first, std::int64_t count) {
                              const std::int64_t begin = first / words_each;
                              const std::int64_t end = std::min((first + count) / words_each, n);
                              from_words(data + begin, words, static_cast<std::size_t>(end - begin));
                            });
}

}  // namespace

PhiloxBlock philox(std::uint64_t seed, std::uint64_t counter) {
  std::uint32_t x[4] = {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0};
  std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int turn = 0; turn < 10; ++turn, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * x[0], p1 = std::uint64_t{0xCD9E8D57} * x[2];
    const std::uint32_t next[4] = {static_cast<std::uint32_t>(p1 >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(p1),
                                   static_cast<std::uint32_t>(p0 >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(p0)};
    for (int i = 0; i < 4; ++i) x[i] = next[i];
  }
  return {{x[0], x[1], x[2], x[3]}};
}

struct Generator::State {
  std::mutex mutex;
  RandomPosition at;
};

Generator::Generator(std::uint64_t seed) : state_(std::make_shared<State>()) { state_->at = {seed, 0}; }

Generator Generator::clone() const {
  Generator other;
  other.set_position(position());
  return other;
}

void Generator::set_current_seed(std::uint64_t seed) { set_position({seed, 0}); }
std::uint64_t Generator::current_seed() const { return position().seed; }
std::uint64_t Generator::seed() {
  std::random_device entropy;
  const std::uint64_t chosen = (std::uint64_t{entropy()} << 32) | entropy();
  set_current_seed(chosen);
  return chosen;
}

Array Generator::get_state() const {
  const RandomPosition at = position();
  Array state = empty({16}, kUInt8);
  std::uint8_t* const bytes = state.data_ptr<std::uint8_t>();
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(at.seed >> (8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(at.offset >> (8 * i));
  }
  return state;
}

void Generator::set_state(const Array& state) {
  expect_defined("set_state", "the state", state);
  if (state.dtype() != kUInt8) fail<DTypeError>("set_state: the state must be of uint8: {}", state.dtype());
  if (state.shape() != Shape{16}) {
    fail<ShapeError>("set_state: the state must have 16 bytes, as get_state makes it: shape {}", state.shape());
  }
  const Array contiguous = state.contiguous();
  const std::uint8_t* const bytes = contiguous.data_ptr<std::uint8_t>();
  RandomPosition at;
  for (int i = 0; i < 8; ++i) {
    at.seed |= std::uint64_t{bytes[i]} << (8 * i);
    at.offset |= std::uint64_t{bytes[8 + i]} << (8 * i);
  }
  set_position(at);
}

RandomPosition Generator::take(std::int64_t words) {
  if (words < 0) fail<ValueError>("take: the number of words must not be negative: {}", words);
  const std::lock_guard lock(state_->mutex);
  const RandomPosition at = state_->at;
  state_->at.offset += (static_cast<std::uint64_t>(words) + 3) / 4;
  return at;
}

RandomPosition Generator::position() const {
  const std::lock_guard lock(state_->mutex);
  return state_->at;
}

void Generator::set_position(RandomPosition position) {
  const std::lock_guard lock(state_->mutex);
  state_->at = position;
}

namespace {
thread_local Generator* in_place_of_default = nullptr;
}

UseGenerator::UseGenerator(Generator& generator) noexcept : before_(std::exchange(in_place_of_default, &generator)) {}
UseGenerator::~UseGenerator() { in_place_of_default = before_; }

Generator& default_generator() {
  if (in_place_of_default != nullptr) return *in_place_of_default;
  static Generator& generator = *new Generator;  // never destroyed: threads may outlive main
  return generator;
}

namespace {

std::int64_t words(std::int64_t numbers, bool two, const char* op) {
  if (two && numbers > std::numeric_limits<std::int64_t>::max() / 2) {
    fail<ShapeError>("{}: the number of random words must fit into 64 bits: {} numbers of 2", op, numbers);
  }
  return two ? 2 * numbers : numbers;
}

template <class F>
Array drawn(const char* op, IntArrayRef shape, DType dtype, RandomPosition at, F numbers_from_words) {
  expect_floating(op, "the dtype", dtype);
  Array out = empty(shape, compute_dtype(dtype));
  out.dtype() == kFloat32 ? draw<float>(out, at, numbers_from_words) : draw<double>(out, at, numbers_from_words);
  return out.to(dtype);
}

}  // namespace

std::int64_t words_of(IntArrayRef shape, DType dtype) {
  return words(checked_numel(shape, "words_of"), dtype == kFloat64, "words_of");
}

std::int64_t words_of_randint(std::int64_t low, std::int64_t high, IntArrayRef shape) {
  if (low >= high) fail<ValueError>("randint: low must be below high: {} and {}", low, high);
  const bool wide = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) > std::uint64_t{1} << 32;
  return words(checked_numel(shape, "randint"), wide, "randint");
}

Array rand(IntArrayRef shape, DType dtype, RandomPosition at) {
  if (is_storage_type(dtype) && is_floating_point(dtype)) {  // cut, not rounded: below 1
    const double places = std::ldexp(1.0, digits_of(dtype));
    return (floor(rand(shape, kFloat32, at) * Scalar(places)) / Scalar(places)).to(dtype);
  }
  return drawn("rand", shape, dtype, at, [](auto... args) { kernels::uniform_from_words(args...); });
}

Array randn(IntArrayRef shape, DType dtype, RandomPosition at) {
  return drawn("randn", shape, dtype, at, [](auto... args) { kernels::normal_from_words(args...); });
}

Array randint(std::int64_t low, std::int64_t high, IntArrayRef shape, DType dtype, RandomPosition at) {
  const std::int64_t count = words_of_randint(low, high, shape);
  const bool real = is_floating_point(dtype);
  const std::int64_t count_to = static_cast<std::int64_t>((std::uint64_t{1} << digits_of(dtype)) - 1) + real;
  const std::int64_t least = dtype == kBool || dtype == kUInt8 ? 0 : real ? -count_to : -count_to - 1;
  if (size_of(dtype) < 8 && dtype != kFloat32 && (low < least || high - 1 > count_to)) {
    fail<ValueError>("randint: the dtype must hold the numbers: [{}, {}) as {}", low, high, dtype);
  }
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const bool wide = range > std::uint64_t{1} << 32;
  Array out = empty(shape, dtype);
  const kernels::TileCopy store = kernels::tile_copy(dtype, kInt64);
  char* const data = static_cast<char*>(out.data());
  const std::int64_t size = out.element_size();
  kernels::for_random_words(at, count, [&](const std::uint32_t* words, std::int64_t first, std::int64_t n) {
    std::int64_t values[kernels::kRandomPiece];
    const std::int64_t begin = wide ? first / 2 : first, numbers = wide ? n / 2 : n;
    for (std::int64_t i = 0; i < numbers; ++i) {
      const std::uint64_t word = wide ? words[2 * i] + (std::uint64_t{words[2 * i + 1]} << 32) : words[i];
      const auto scaled = static_cast<std::uint64_t>((UInt128{word} * range) >> (wide ? 64 : 32));
      values[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + scaled);
    }
    store(data + begin * size, 0, size, reinterpret_cast<const char*>(values), 0, 8, 1, numbers);
  });
  return out;
}

Array randperm(std::int64_t n, DType dtype, RandomPosition at) {
  if (n < 0 || n > std::int64_t{1} << 32) fail<ValueError>("randperm: n must be in [0, 2^32]: {}", n);
  const std::int64_t most = std::min(digits_of(dtype), 32) == 32
                                ? std::int64_t{1} << 32
                                : (std::int64_t{1} << digits_of(dtype)) + is_floating_point(dtype);
  if (n > most) fail<ValueError>("randperm: the dtype must hold the numbers: [0, {}) as {}", n, dtype);
  Array order = arange(0, n, 1, kInt64);
  std::int64_t* const values = order.data_ptr<std::int64_t>();
  PhiloxBlock block{};
  for (std::int64_t i = 0; i + 1 < n; ++i) {
    if (i % 4 == 0) block = philox(at.seed, at.offset + static_cast<std::uint64_t>(i / 4));
    const auto step = (std::uint64_t{block.word[i % 4]} * static_cast<std::uint64_t>(n - i)) >> 32;
    std::swap(values[i], values[i + static_cast<std::int64_t>(step)]);
  }
  return order.to(dtype);
}

Array bernoulli_mask(IntArrayRef shape, double p, RandomPosition at) {
  expect_probability("bernoulli_mask", "p", p);
  Array out = empty(shape, kBool);
  bool* const data = static_cast<bool*>(out.data());
  const std::uint64_t limit = limit_of(p);
  kernels::for_random_words(at, out.numel(), [&](const std::uint32_t* words, std::int64_t first, std::int64_t n) {
    kernels::bernoulli_from_words(data + first, words, static_cast<std::size_t>(n), limit);
  });
  return out;
}

void bernoulli_out(const Array& out, double p, RandomPosition at) {
  expect_probability("bernoulli_out", "p", p);
  expect_defined("bernoulli_out", "the output", out);
  if (!out.is_contiguous() || out.dtype() != kFloat32) {
    out.copy_(bernoulli_mask(out.shape(), p, at));
    return;
  }
  float* const data = static_cast<float*>(out.data());
  const std::uint64_t limit = limit_of(p);
  kernels::for_random_words(at, out.numel(), [&](const std::uint32_t* words, std::int64_t first, std::int64_t n) {
    kernels::bernoulli_from_words(data + first, words, static_cast<std::size_t>(n), limit);
  });
  out.mark_written("bernoulli_out");
}

Array bernoulli(const Array& p, RandomPosition at) {
  expect_floating("bernoulli", "p", p);
  const Array chance = p.to(kFloat64).contiguous();
  const double* const probabilities = chance.data_ptr<double>();
  Array out = empty(p.shape(), kBool);
  bool* const data = static_cast<bool*>(out.data());
  kernels::for_random_words(at, out.numel(), [&](const std::uint32_t* words, std::int64_t first, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) {
      expect_probability("bernoulli", "p", probabilities[first + i]);
      data[first + i] = words[i] < limit_of(probabilities[first + i]);
    }
  });
  return out.to(p.dtype());
}

}  // namespace core

void manual_seed(std::uint64_t seed) { core::default_generator().set_current_seed(seed); }

}  // namespace gradus
