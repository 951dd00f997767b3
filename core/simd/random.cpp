// Philox4x32-10 on vectors of counters, and numbers from its words.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/random.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "../threads/parallel.h"
#include "math-inl.h"
#include "random.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

// Salmon et al. (2011), table 2 and section 3.3.
inline constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
inline constexpr int kAtOnce = 3;
inline constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;

#if HWY_TARGET != HWY_SCALAR
// `Vectors` vectors of counters at once: the rounds of one depend on each other, those of another fill the waiting.
template <int Vectors>
std::size_t RandomBlocks(std::uint32_t* words, std::size_t b, std::size_t blocks, std::uint64_t seed,
                         std::uint64_t counter) {
  // A lane of 64 bits holds one word of one counter in its low half; what is left in the high half is never read.
  const hn::ScalableTag<std::uint64_t> d;
  const hn::Repartition<std::uint32_t, decltype(d)> d32;
  using V = hn::Vec<decltype(d)>;
  const V m0 = hn::Set(d, kMultiplier0), m1 = hn::Set(d, kMultiplier1);
  const auto multiply = [&](V x, V m) HWY_ATTR { return hn::MulEven(hn::BitCast(d32, x), hn::BitCast(d32, m)); };
  const std::size_t lanes = hn::Lanes(d);
  // Neighbouring lanes count half a vector apart: so the words come out in their order where two vectors' halves of 128
  // bits are interleaved.
  HWY_ALIGN std::uint64_t numbers[kMaxLanes<std::uint64_t>];
  for (std::size_t i = 0; i < lanes; ++i) numbers[i] = i % 2 * (lanes / 2) + i / 2;
  const V order = hn::Load(d, numbers);
  for (; b + Vectors * lanes <= blocks; b += Vectors * lanes) {
    V x0[Vectors], x1[Vectors], x2[Vectors], x3[Vectors];
    for (int v = 0; v < Vectors; ++v) {
      x0[v] = hn::Add(order, hn::Set(d, counter + b + static_cast<std::size_t>(v) * lanes));
      x1[v] = hn::ShiftRight<32>(x0[v]);
      x2[v] = x3[v] = hn::Zero(d);
    }
    std::uint32_t k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, k0 += kWeyl0, k1 += kWeyl1) {
      const V key0 = hn::Set(d, std::uint64_t{k0}), key1 = hn::Set(d, std::uint64_t{k1});
      for (int v = 0; v < Vectors; ++v) {
        const V p0 = multiply(x0[v], m0), p1 = multiply(x2[v], m1);
        x0[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), x1[v]), key0);
        x2[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), x3[v]), key1);
        x1[v] = p1;
        x3[v] = p0;
      }
    }
    for (int v = 0; v < Vectors; ++v) {
      const auto pair = [&](V low, V high) HWY_ATTR {
        return hn::BitCast(d, hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(high)), hn::BitCast(d32, low)));
      };
      const V first = pair(x0[v], x1[v]), second = pair(x2[v], x3[v]);
      std::uint32_t* const to = words + 4 * (b + static_cast<std::size_t>(v) * lanes);
      hn::StoreU(hn::BitCast(d32, hn::InterleaveLower(d, first, second)), d32, to);
      hn::StoreU(hn::BitCast(d32, hn::InterleaveUpper(d, first, second)), d32, to + 2 * lanes);
    }
  }
  return b;
}
#endif

void RandomWords(std::uint32_t* words, std::size_t blocks, std::uint64_t seed, std::uint64_t counter) {
  std::size_t b = 0;
#if HWY_TARGET != HWY_SCALAR
  b = RandomBlocks<kAtOnce>(words, b, blocks, seed, counter);
  b = RandomBlocks<1>(words, b, blocks, seed, counter);
#endif
  for (; b < blocks; ++b) {
    const PhiloxBlock block = philox(seed, counter + b);
    for (std::size_t i = 0; i < 4; ++i) words[4 * b + i] = block.word[i];
  }
}

void UniformFloat(float* out, const std::uint32_t* words, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(static_cast<std::int32_t>(words[i] >> 8)) * 0x1p-24f;
}

void UniformDouble(double* out, const std::uint32_t* words, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto high = static_cast<std::int32_t>(words[2 * i] >> 5);
    const auto low = static_cast<std::int32_t>(words[2 * i + 1] >> 6);
    out[i] = (static_cast<double>(high) * 0x1p26 + static_cast<double>(low)) * 0x1p-53;
  }
}

void NormalFloat(float* out, const std::uint32_t* words, std::size_t n) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::RebindToUnsigned<decltype(d)> du;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < n; i += 2 * lanes) {
    HWY_ALIGN std::uint32_t in[2 * kMaxLanes<float>];
    const std::size_t left = n - i, take = left < 2 * lanes ? (left + 1) / 2 * 2 : 2 * lanes;
    const std::uint32_t* from = words + i;
    if (take < 2 * lanes) {
      for (std::size_t k = 0; k < 2 * lanes; ++k) in[k] = k < take ? from[k] : 0;
      from = in;
    }
    hn::Vec<decltype(du)> a, b;
    hn::LoadInterleaved2(du, from, a, b);
    const V count = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<1>(a)));
    const V u = hn::Mul(hn::Add(count, hn::Set(d, 0.5f)), hn::Set(d, 0x1p-31f));
    const V radius = hn::Sqrt(hn::Mul(hn::Set(d, -2.0f), LogOrdinary(d, u)));
    // t = pi s, s in [-1, 1]: s = q/2 + f with |f| <= 1/4.
    const V s = hn::Mul(hn::ConvertTo(d, hn::BitCast(di, b)), hn::Set(d, 0x1p-31f));
    const V q = hn::Round(hn::Add(s, s));
    const V f = hn::NegMulAdd(q, hn::Set(d, 0.5f), s), f2 = hn::Mul(f, f);
    const V sine = hn::Mul(f, Polynomial(d, f2, 3.14159274f, -5.16771984f, 2.55014443f, -0.592484415f));
    const V cosine =
        hn::MulAdd(f2, Polynomial(d, f2, -4.93480206f, 4.05869818f, -1.33481622f, 0.229549706f), hn::Set(d, 1.0f));
    // By the quarter q, (cos, sin) of t is (c, s), (-s, c), (-c, -s) or (s, -c).
    const auto quarter = hn::ConvertTo(di, q);
    const auto odd = hn::RebindMask(d, hn::TestBit(quarter, hn::Set(di, 1)));
    const auto sine_sign = hn::ShiftLeft<30>(hn::And(quarter, hn::Set(di, 2)));
    const auto cosine_sign = hn::ShiftLeft<30>(hn::And(hn::Add(quarter, hn::Set(di, 1)), hn::Set(di, 2)));
    const V y_cosine = hn::Xor(hn::IfThenElse(odd, sine, cosine), hn::BitCast(d, cosine_sign));
    const V y_sine = hn::Xor(hn::IfThenElse(odd, cosine, sine), hn::BitCast(d, sine_sign));
    if (left >= 2 * lanes) {
      hn::StoreInterleaved2(hn::Mul(radius, y_cosine), hn::Mul(radius, y_sine), d, out + i);
    } else {
      HWY_ALIGN float result[2 * kMaxLanes<float>];
      hn::StoreInterleaved2(hn::Mul(radius, y_cosine), hn::Mul(radius, y_sine), d, result);
      for (std::size_t k = 0; k < left; ++k) out[i + k] = result[k];
    }
  }
}

void Bernoulli(bool* out, const std::uint32_t* words, std::size_t n, std::uint64_t limit) {
  const bool always = limit >> 32 != 0;
  const std::uint32_t below = static_cast<std::uint32_t>(limit);
  for (std::size_t i = 0; i < n; ++i) out[i] = (words[i] < below) | always;
}

void BernoulliFloat(float* out, const std::uint32_t* words, std::size_t n, std::uint64_t limit) {
  const bool always = limit >> 32 != 0;
  const std::uint32_t below = static_cast<std::uint32_t>(limit);
  for (std::size_t i = 0; i < n; ++i) out[i] = ((words[i] < below) | always) ? 1.0f : 0.0f;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(RandomWords);
HWY_EXPORT(UniformFloat);
HWY_EXPORT(UniformDouble);
HWY_EXPORT(NormalFloat);
HWY_EXPORT(Bernoulli);
HWY_EXPORT(BernoulliFloat);

void random_words(std::uint32_t* words, std::size_t blocks, std::uint64_t seed, std::uint64_t counter) {
  HWY_DYNAMIC_DISPATCH(RandomWords)(words, blocks, seed, counter);
}
void uniform_from_words(float* out, const std::uint32_t* words, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(UniformFloat)(out, words, n);
}
void uniform_from_words(double* out, const std::uint32_t* words, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(UniformDouble)(out, words, n);
}
void normal_from_words(float* out, const std::uint32_t* words, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(NormalFloat)(out, words, n);
}
void normal_from_words(double* out, const std::uint32_t* words, std::size_t n) {
  for (std::size_t i = 0; i < n; i += 2) {
    double u[2];
    uniform_from_words(u, words + 2 * i, 2);
    const double radius = std::sqrt(-2 * std::log(1 - u[0])), angle = 2 * 3.14159265358979323846 * u[1];
    out[i] = radius * std::cos(angle);
    if (i + 1 < n) out[i + 1] = radius * std::sin(angle);
  }
}
void bernoulli_from_words(bool* out, const std::uint32_t* words, std::size_t n, std::uint64_t limit) {
  HWY_DYNAMIC_DISPATCH(Bernoulli)(out, words, n, limit);
}
void bernoulli_from_words(float* out, const std::uint32_t* words, std::size_t n, std::uint64_t limit) {
  HWY_DYNAMIC_DISPATCH(BernoulliFloat)(out, words, n, limit);
}

void for_random_words(RandomPosition at, std::int64_t count,
                      FunctionRef<void(const std::uint32_t* words, std::int64_t first, std::int64_t n)> body) {
  constexpr std::int64_t block = 16;  // pieces
  const std::int64_t pieces = (count + kRandomPiece - 1) / kRandomPiece;
  parallel_for(pieces, pieces <= 2 * block ? pieces : block, [&](std::int64_t begin, std::int64_t end) {
    alignas(64) std::uint32_t words[kRandomPiece];
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t first = piece * kRandomPiece, left = count - first;
      const std::int64_t n = left < kRandomPiece ? left : kRandomPiece;
      random_words(words, static_cast<std::size_t>((n + 3) / 4), at.seed,
                   at.offset + static_cast<std::uint64_t>(first / 4));
      body(words, first, n);
    }
  });
}

}  // namespace gradus::core::kernels
#endif
