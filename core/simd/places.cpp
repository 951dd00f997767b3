// Index arrays. They are twice as large as what they pick from float32, so that to check one takes as long as memory does: what
// is wrong with an entry shows in signs, which are collected for all of them without a branch.
#include "places.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/places.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "loops-inl.h"
#include "math_common-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

OddPlaces FindOddPlaces(const std::int64_t* index, std::int64_t n, std::int64_t size) {
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

// A store for each value is what takes the time, and so are loads of two operands: values are widened two at a time.
void AddAt(double* sums, const std::int64_t* index, const float* values, std::int64_t n) {
  std::int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<double, 2> d;
  const hn::Rebind<float, decltype(d)> narrow;
  for (; i + 4 <= n; i += 4) {
    const auto a = hn::PromoteTo(d, hn::LoadU(narrow, values + i)),
               b = hn::PromoteTo(d, hn::LoadU(narrow, values + i + 2));
    const std::int64_t p = index[i], q = index[i + 1], r = index[i + 2], s = index[i + 3];
    sums[p] += hn::GetLane(a);
    sums[q] += hn::GetLane(hn::Reverse(d, a));
    sums[r] += hn::GetLane(b);
    sums[s] += hn::GetLane(hn::Reverse(d, b));
  }
#endif
  for (; i < n; ++i) sums[index[i]] += static_cast<double>(values[i]);
}

void Widen(double* wide, const float* x, std::int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::PromoteTo(d, hn::LoadU(half, x + i)), d, wide + i);
  for (; i < n; ++i) wide[i] = static_cast<double>(x[i]);
}
void Narrow(float* x, const double* wide, std::int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
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
HWY_EXPORT(Widen);
HWY_EXPORT(Narrow);
void widen(double* wide, const float* x, std::int64_t n) { HWY_DYNAMIC_DISPATCH(Widen)(wide, x, n); }
void narrow(float* x, const double* wide, std::int64_t n) { HWY_DYNAMIC_DISPATCH(Narrow)(x, wide, n); }
void add_at(double* sums, const std::int64_t* index, const float* values, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(AddAt)(sums, index, values, n);
}

}  // namespace gradus::core::kernels
#endif
