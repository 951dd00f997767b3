// Index arrays. They are twice as large as what they pick from float32, so that to check one takes as long as memory does: what
// is wrong with an entry shows in signs, which are collected for all of them without a branch.
#include "places.h"

#include <algorithm>
#include <array>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/places.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "loops-inl.h"
#include "math_common-inl.h"

#ifndef GRADUS_PLACES_ONCE
#define GRADUS_PLACES_ONCE
namespace gradus::core::kernels {

// Which of eight lanes a mask of eight bits selects: four bits each, the first one lowest.
inline constexpr std::array<std::uint32_t, 256> kSelected = [] {
  std::array<std::uint32_t, 256> all{};
  for (std::uint32_t mask = 0; mask < 256; ++mask) {
    std::uint32_t count = 0;
    for (std::uint32_t lane = 0; lane < 8; ++lane) {
      if ((mask >> lane & 1) != 0) all[mask] |= lane << (4 * count++);
    }
  }
  return all;
}();

}  // namespace gradus::core::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

// Whether entries are outside [0, size): by the signs of v and of what is left to the last one. Two vectors at a time, asked for
// before: the prefetcher alone brings them from the last cache at two thirds of the speed.
bool AnyOdd(const std::int64_t* index, std::int64_t n, std::int64_t size) {
  const hn::ScalableTag<std::int64_t> d;
  const auto last = hn::Set(d, size - 1);
  const auto signs = [&](auto v) { return hn::Or(v, hn::Sub(last, v)); };
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto even = hn::Zero(d), odd = hn::Zero(d);
  constexpr std::int64_t line = 64 / sizeof(std::int64_t), ahead = 16 * line;
  std::int64_t i = 0;
  for (; i + 2 * line <= n; i += 2 * line) {
    __builtin_prefetch(index + std::min(i + ahead, n - 1));
    for (std::int64_t at = i; at < i + 2 * line; at += 2 * lanes) {
      even = hn::Or(even, signs(hn::LoadU(d, index + at)));
      odd = hn::Or(odd, signs(hn::LoadU(d, index + at + lanes)));
    }
  }
  for (; i + lanes <= n; i += lanes) even = hn::Or(even, signs(hn::LoadU(d, index + i)));
  if (i < n) odd = hn::Or(odd, signs(LoadFirst(d, index + i, static_cast<std::size_t>(n - i))));
  return !hn::AllFalse(d, hn::Lt(hn::Or(even, odd), hn::Zero(d)));
}

OddPlaces FindOddPlaces(const std::int64_t* index, std::int64_t n, std::int64_t size) {
  if (!AnyOdd(index, n, size)) return {false, false};
  const hn::ScalableTag<std::int64_t> d;
  const auto sizes = hn::Set(d, size), last = hn::Set(d, size - 1);
  auto negative = hn::Zero(d), outside = hn::Zero(d);
  // By signs: of v, of what is left to the last one, and of what there is from the first one that counts from the end.
  const auto collect = [&](auto v) {
    negative = hn::Or(negative, v);
    outside = hn::Or(outside, hn::Or(hn::And(hn::Add(v, sizes), v), hn::AndNot(v, hn::Sub(last, v))));
  };
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) collect(hn::LoadU(d, index + i));
  if (i < n) collect(LoadFirst(d, index + i, static_cast<std::size_t>(n - i)));
  const auto any = [&](auto signs) { return !hn::AllFalse(d, hn::Lt(signs, hn::Zero(d))); };
  return {any(negative), any(outside)};
}

// The lanes of two vectors that a mask selects, stored one after the other; how many.
#if HWY_TARGET == HWY_AVX2
template <class D, class V, class M>
HWY_INLINE std::size_t StoreSelected(D d, M mask, V a, std::uint32_t* to_a, V b, std::uint32_t* to_b) {
  // Highway 1.0.3's Compress has such a table, too, which GCC copies at each call.
  std::uint8_t bits[8];
  hn::StoreMaskBits(d, mask, bits);
  const auto lanes =
      hn::And(hn::Shr(hn::Set(d, kSelected[bits[0]]), hn::Mul(hn::Iota(d, 0), hn::Set(d, 4))), hn::Set(d, 7));
  const auto order = hn::IndicesFromVec(d, lanes);
  hn::StoreU(hn::TableLookupLanes(a, order), d, to_a);
  hn::StoreU(hn::TableLookupLanes(b, order), d, to_b);
  return hn::CountTrue(d, mask);
}
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
template <class D, class V, class M>
HWY_INLINE std::size_t StoreSelected(D d, M mask, V a, std::uint32_t* to_a, V b, std::uint32_t* to_b) {
  // Not CompressStore: to compress into memory takes Zen 4 a hundred cycles.
  hn::StoreU(hn::Compress(a, mask), d, to_a);
  hn::StoreU(hn::Compress(b, mask), d, to_b);
  return hn::CountTrue(d, mask);
}
#endif

std::int64_t PlacesWithin(std::uint32_t* places, std::uint32_t* payloads, const std::int64_t* index, const void* all,
                          std::int64_t n, std::int64_t first, std::int64_t size) {
  const auto* const bytes = static_cast<const unsigned char*>(all);
  std::int64_t i = 0;
  std::size_t count = 0;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  const hn::ScalableTag<std::uint32_t> d;
  const hn::Repartition<std::uint8_t, decltype(d)> d8;
  const hn::Repartition<std::int64_t, decltype(d)> d64;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto begin = hn::Set(d, static_cast<std::uint32_t>(first)),
             sizes = hn::Set(d, static_cast<std::uint32_t>(size));
  const auto halves = [&](std::int64_t at) { return hn::BitCast(d, hn::LoadU(d64, index + at)); };
  for (; i + lanes <= n; i += lanes) {  // no more are found than were looked at: there is room for a whole vector
    const auto place = hn::Sub(hn::ConcatEven(d, halves(i + lanes / 2), halves(i)), begin);
    const auto within = hn::Lt(place, sizes);  // what lies before the first has wrapped around
    const auto payload = hn::BitCast(d, hn::LoadU(d8, bytes + 4 * i));
    count += StoreSelected(d, within, place, places + count, payload, payloads + count);
  }
#endif
  for (; i < n; ++i) {
    places[count] = static_cast<std::uint32_t>(index[i] - first);
    std::memcpy(payloads + count, bytes + 4 * i, 4);
    count += places[count] < static_cast<std::uint32_t>(size);
  }
  return static_cast<std::int64_t>(count);
}

// A store for each value is what takes the time, and so do loads of two operands: values are widened four at a time, or two.
void AddAt(double* sums, const std::int64_t* index, const float* values, std::int64_t n) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<double, 2> d;
  const auto two = [&](std::int64_t at, auto pair) {
    const std::int64_t p = index[at], q = index[at + 1];
    sums[p] += hn::GetLane(pair);
    sums[q] += hn::GetLane(hn::Reverse(d, pair));
  };
  const auto four = [&](std::int64_t at) {
#if HWY_CAP_GE256
    const hn::FixedTag<double, 4> all;
    const auto widened = hn::PromoteTo(all, hn::LoadU(hn::Rebind<float, decltype(all)>(), values + at));
    two(at, hn::LowerHalf(d, widened));
    two(at + 2, hn::UpperHalf(d, widened));
#else
    const hn::Rebind<float, decltype(d)> narrow;
    two(at, hn::PromoteTo(d, hn::LoadU(narrow, values + at)));
    two(at + 2, hn::PromoteTo(d, hn::LoadU(narrow, values + at + 2)));
#endif
  };
  for (; i + 8 <= n; i += 8) {
    four(i);
    four(i + 4);
  }
#endif
  for (; i < n; ++i) sums[index[i]] += static_cast<double>(values[i]);
}

bool Widen(double* wide, const float* x, std::int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const hn::ScalableTag<std::uint32_t> bits;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d)), all = static_cast<std::int64_t>(hn::Lanes(bits));
  // Of the numbers without their signs, as integers: the largest, and the smallest but 0.
  const auto number = hn::Set(bits, 0x7fffffffu), one = hn::Set(bits, 1u);
  auto largest = hn::Zero(bits), below = hn::Set(bits, 0xffffffffu);
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    for (std::int64_t k = i; k < i + 2 * lanes; k += all) {
      const auto magnitude = hn::And(hn::BitCast(bits, hn::LoadU(hn::ScalableTag<float>(), x + k)), number);
      largest = hn::Max(largest, magnitude);
      below = hn::Min(below, hn::Sub(magnitude, one));
    }
    const auto a = hn::PromoteTo(d, hn::LoadU(half, x + i)), b = hn::PromoteTo(d, hn::LoadU(half, x + i + lanes));
    hn::StoreU(a, d, wide + i);
    hn::StoreU(b, d, wide + i + lanes);
  }
  bool plain = hn::AllFalse(
      bits, hn::Or(hn::Gt(largest, hn::Set(bits, 0x7f800000u)), hn::Lt(below, hn::Set(bits, 0x007fffffu))));
  for (; i < n; ++i) {
    plain = plain && !changes_when_widened(x[i]);
    wide[i] = static_cast<double>(x[i]);
  }
  return plain;
}
void Narrow(float* x, const double* wide, std::int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a = ToFloat32(half, hn::LoadU(d, wide + i)), b = ToFloat32(half, hn::LoadU(d, wide + i + lanes));
    hn::StoreU(a, half, x + i);
    hn::StoreU(b, half, x + i + lanes);
  }
  for (; i + lanes <= n; i += lanes) hn::StoreU(ToFloat32(half, hn::LoadU(d, wide + i)), half, x + i);
  for (; i < n; ++i) x[i] = static_cast<float>(wide[i]);
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindOddPlaces);
HWY_EXPORT(AddAt);
OddPlaces odd_places(const std::int64_t* index, std::int64_t n, std::int64_t size) {
  return HWY_DYNAMIC_DISPATCH(FindOddPlaces)(index, n, size);
}
HWY_EXPORT(PlacesWithin);
std::int64_t places_within(std::uint32_t* places, std::uint32_t* payloads, const std::int64_t* index, const void* all,
                           std::int64_t n, std::int64_t first, std::int64_t size) {
  return HWY_DYNAMIC_DISPATCH(PlacesWithin)(places, payloads, index, all, n, first, size);
}
HWY_EXPORT(Widen);
HWY_EXPORT(Narrow);
bool widen(double* wide, const float* x, std::int64_t n) { return HWY_DYNAMIC_DISPATCH(Widen)(wide, x, n); }
void narrow(float* x, const double* wide, std::int64_t n) { HWY_DYNAMIC_DISPATCH(Narrow)(x, wide, n); }
void add_at(double* sums, const std::int64_t* index, const float* values, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(AddAt)(sums, index, values, n);
}

}  // namespace gradus::core::kernels
#endif
