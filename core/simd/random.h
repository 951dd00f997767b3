// The generator's inner loops: internal to core.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../base/function_ref.h"
#include "../base/random_position.h"

namespace gradus::core::kernels {

/// Words of whole blocks of the generator, 4 each, from a counter on.
void random_words(std::uint32_t* words, std::size_t blocks, std::uint64_t seed, std::uint64_t counter);

// From words to n numbers, by the formulas of core/ops/random.h. Normal ones are made in pairs: when n is odd, the words of
// the last one's partner are read too.
void uniform_from_words(float* out, const std::uint32_t* words, std::size_t n);
void uniform_from_words(double* out, const std::uint32_t* words, std::size_t n);
void normal_from_words(float* out, const std::uint32_t* words, std::size_t n);
void normal_from_words(double* out, const std::uint32_t* words, std::size_t n);
/// words[i] < limit, where limit may be 2^32.
void bernoulli_from_words(bool* out, const std::uint32_t* words, std::size_t n, std::uint64_t limit);
/// 1 and 0.
void bernoulli_from_words(float* out, const std::uint32_t* words, std::size_t n, std::uint64_t limit);

/// Calls body(words, first, n) for each piece of a span of `count` words from a position on, several at once: `words`
/// holds the stream's words first .. first + n. Pieces are cut at multiples of kRandomPiece.
inline constexpr std::int64_t kRandomPiece = 1024;
void for_random_words(RandomPosition at, std::int64_t count,
                      FunctionRef<void(const std::uint32_t* words, std::int64_t first, std::int64_t n)> body);

}  // namespace gradus::core::kernels
