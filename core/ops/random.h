// Random numbers from a counter-based generator: element i of a stream is the same whoever computes it, and when.
#pragma once

#include <cstdint>
#include <memory>

#include "../array/array.h"
#include "../base/random_position.h"

namespace gradus {
namespace core {

/// A seed and how far its stream has been used. Thread-safe: each draw takes its own span of the stream.
class GRADUS_API Generator {
 public:
  explicit Generator(std::uint64_t seed = kDefaultSeed);
  Generator(const Generator&) = default;  ///< the same stream, not a second one
  Generator& operator=(const Generator&) = default;
  /// A second stream that goes on where this one stands.
  Generator clone() const;

  /// Goes to the start of a seed's stream.
  void set_current_seed(std::uint64_t seed);
  std::uint64_t current_seed() const;
  /// Goes to the start of a stream whose seed the system's entropy chooses, and returns it.
  std::uint64_t seed();

  /// 16 bytes (uint8): the seed and then the offset, least significant byte first; to be kept with a checkpoint.
  Array get_state() const;
  /// ShapeError or DTypeError unless it is 16 of uint8.
  void set_state(const Array& state);

  /// Takes the span for that many 32-bit words, in whole blocks of the generator, and moves on.
  RandomPosition take(std::int64_t words);
  RandomPosition position() const;
  void set_position(RandomPosition position);

  static constexpr std::uint64_t kDefaultSeed = 67280421310721ull;  // PyTorch's default

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared by copies
};
/// What draws that name no generator draw from.
GRADUS_API Generator& default_generator();

// Each of these is a function of its position alone.
/// Uniform in [0, 1). float32: (word i >> 8) 2^-24. float64: ((word 2i >> 5) 2^26 + (word 2i+1 >> 6)) 2^-53.
/// DTypeError for other dtypes, here and in randn.
GRADUS_API Array rand(IntArrayRef shape, DType dtype, RandomPosition at);
/// Standard normal by Box and Muller: elements 2k and 2k+1 are r cos(t) and r sin(t). float32, from words a and b at 2k
/// and 2k+1: r = sqrt(-2 log(((a >> 1) + 1/2) 2^-31)), t = pi 2^-31 b with b as a signed number. float64, from the
/// uniform numbers u and v at 2k and 2k+1 of rand's: r = sqrt(-2 log(1 - u)), t = 2 pi v.
GRADUS_API Array randn(IntArrayRef shape, DType dtype, RandomPosition at);
/// Uniform integers in [low, high): low + (word i (high - low) >> 32), each value's probability within 2^-32 of equal;
/// for ranges above 2^32, low + (w (high - low) >> 64) with w = word 2i + word 2i+1 2^32. ValueError when low >= high or
/// when the dtype cannot hold them.
GRADUS_API Array randint(std::int64_t low, std::int64_t high, IntArrayRef shape, DType dtype, RandomPosition at);
/// A permutation of 0..n-1 by Fisher and Yates: for i = 0, 1, ..., n-2, entry i changes places with entry
/// i + (word i (n - i) >> 32). ValueError when n is negative or above 2^32.
GRADUS_API Array randperm(std::int64_t n, DType dtype, RandomPosition at);
/// True with probability p: element i is (word i) < floor(p 2^32), and p = 1 is always true. ValueError outside [0, 1].
GRADUS_API Array bernoulli_mask(IntArrayRef shape, double p, RandomPosition at);
/// Element i is 1 with probability p[i], else 0, by the same rule; the dtype of p. ValueError when a probability is
/// outside [0, 1].
GRADUS_API Array bernoulli(const Array& p, RandomPosition at);
/// 1 where bernoulli_mask is true, else 0, written over an array of any strides and dtype.
GRADUS_API void bernoulli_out(const Array& out, double p, RandomPosition at);
/// Exponentially distributed with density lambda e^(-lambda x): -log(1 - u) / lambda, computed in float64 whatever the
/// dtype is, with u the uniform numbers of float64's rand (so two words an element). ValueError unless lambda > 0.
GRADUS_API Array exponential(IntArrayRef shape, double lambda, DType dtype, RandomPosition at);
/// `count` draws of an index with chances in proportion to `weights`, floating-point of shape [n] or [m, n] with m
/// independent rows: int64 of shape [count] or [m, count]. For row r:
/// - with replacement, draw j is the least index k with c_k > u c_{n-1}, where c is the row's cumulative sum in float64
///   and u the uniform number r count + j of float64's rand;
/// - without, the indices of the `count` least of the keys -log(1 - u_k) / weight_k, least first, with u_k the uniform
///   number r n + k (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006): as if drawn one after
///   the other, each among those left. An index of weight 0 is never drawn.
/// ShapeError for another shape or for no categories. ValueError when count < 1, when a weight is negative, infinite or
/// NaN, when a row sums to 0 or, without replacement, has fewer than `count` weights above 0.
GRADUS_API Array multinomial(const Array& weights, std::int64_t count, bool replacement, RandomPosition at);
/// Words that multinomial uses.
GRADUS_API std::int64_t words_of_multinomial(const Array& weights, std::int64_t count, bool replacement);
/// Words of a stream that `shape` elements of a dtype use in rand and randn.
GRADUS_API std::int64_t words_of(IntArrayRef shape, DType dtype);
/// Words that `shape` elements use in randint.
GRADUS_API std::int64_t words_of_randint(std::int64_t low, std::int64_t high, IntArrayRef shape);

}  // namespace core

using core::default_generator;
using core::Generator;
/// `make_generator(seed)`: a stream of its own.
inline Generator make_generator(std::uint64_t seed = Generator::kDefaultSeed) { return Generator(seed); }

/// Sets the default generator to the start of a seed's stream.
GRADUS_API void manual_seed(std::uint64_t seed);

}  // namespace gradus
