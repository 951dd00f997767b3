#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/contiguous.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstring>

#include "contiguous.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

void FillPattern(void* to, std::size_t bytes, std::uint64_t pattern) {
  auto* const out = static_cast<std::uint8_t*>(to);
  std::size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint64_t> d;
  const hn::Repartition<std::uint8_t, decltype(d)> db;
  const auto v = hn::BitCast(db, hn::Set(d, pattern));
  const std::size_t step = hn::Lanes(db);
  for (; i + 2 * step <= bytes; i += 2 * step) {
    hn::StoreU(v, db, out + i);
    hn::StoreU(v, db, out + i + step);
  }
#endif
  for (; i + 8 <= bytes; i += 8) std::memcpy(out + i, &pattern, 8);
  std::memcpy(out + i, &pattern, bytes - i);
}

void CopyBytes(void* to, const void* from, std::size_t bytes) {
  const hn::ScalableTag<std::uint8_t> d;
  const std::size_t step = hn::Lanes(d);
  auto* const out = static_cast<std::uint8_t*>(to);
  const auto* const in = static_cast<const std::uint8_t*>(from);
  std::size_t i = 0;
  for (; i + 2 * step <= bytes; i += 2 * step) {
    const auto first = hn::LoadU(d, in + i), second = hn::LoadU(d, in + i + step);
    hn::StoreU(first, d, out + i);
    hn::StoreU(second, d, out + i + step);
  }
  std::memcpy(out + i, in + i, bytes - i);
}

template <class T>
HWY_INLINE void Reverse(T* to, const T* from, std::size_t n) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Reverse(d, hn::LoadU(d, from + (n - i - lanes))), d, to + i);
  for (; i < n; ++i) to[i] = from[n - 1 - i];
}
void Reverse32(std::uint32_t* to, const std::uint32_t* from, std::size_t n) { Reverse(to, from, n); }
void Reverse64(std::uint64_t* to, const std::uint64_t* from, std::size_t n) { Reverse(to, from, n); }

template <class T>
HWY_INLINE void Ramp(T* to, std::int64_t begin, std::size_t n, double first, double by) {
  const auto base = static_cast<double>(begin);
  const auto count = static_cast<std::int32_t>(n);
  GRADUS_INDEPENDENT
  for (std::int32_t i = 0; i < count; ++i) {
    to[i] = static_cast<T>(__builtin_fma(by, base + static_cast<double>(i), first));
  }
}
void Ramp32(float* to, std::int64_t begin, std::size_t n, double first, double by) { Ramp(to, begin, n, first, by); }
void Ramp64(double* to, std::int64_t begin, std::size_t n, double first, double by) { Ramp(to, begin, n, first, by); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FillPattern);
HWY_EXPORT(CopyBytes);
HWY_EXPORT(Reverse32);
HWY_EXPORT(Reverse64);
HWY_EXPORT(Ramp32);
HWY_EXPORT(Ramp64);

void fill_pattern(void* to, std::size_t bytes, std::uint64_t pattern) {
  HWY_DYNAMIC_DISPATCH(FillPattern)(to, bytes, pattern);
}
void copy_bytes(void* to, const void* from, std::size_t bytes) { HWY_DYNAMIC_DISPATCH(CopyBytes)(to, from, bytes); }
void reverse(std::uint32_t* to, const std::uint32_t* from, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(Reverse32)(to, from, n);
}
void reverse(std::uint64_t* to, const std::uint64_t* from, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(Reverse64)(to, from, n);
}
void ramp(float* to, std::int64_t begin, std::size_t n, double first, double by) {
  HWY_DYNAMIC_DISPATCH(Ramp32)(to, begin, n, first, by);
}
void ramp(double* to, std::int64_t begin, std::size_t n, double first, double by) {
  HWY_DYNAMIC_DISPATCH(Ramp64)(to, begin, n, first, by);
}

}  // namespace gradus::core::kernels
#endif
