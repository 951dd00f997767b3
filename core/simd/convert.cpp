#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/convert.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "../base/half_bits.h"
#include "convert.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

// Each conversion has two forms: of a number, and of as many as Tag's vectors have.

#if HWY_TARGET != HWY_SCALAR

using D = hn::ScalableTag<float>;
using D64 = hn::ScalableTag<double>;
using DU = hn::RebindToUnsigned<D>;
using DI = hn::RebindToSigned<D>;
using D16 = hn::Rebind<std::uint16_t, D>;
using Floats = hn::Vec<D>;
using Bits = hn::Vec<DU>;
using Bits16 = hn::Vec<D16>;

// Whether processors convert float16 themselves. They quiet a signalling NaN, and keep of a NaN what half_bits drops.
constexpr bool kHasHalf = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL ||
                          (HWY_TARGET == HWY_NEON && HWY_ARCH_ARM_A64);

HWY_INLINE Bits bits(std::uint32_t x) { return hn::Set(DU(), x); }
/// a < b, both below 2^31.
HWY_INLINE auto below(Bits a, std::uint32_t b) {
  return hn::RebindMask(DU(), hn::Lt(hn::BitCast(DI(), a), hn::Set(DI(), static_cast<std::int32_t>(b))));
}

/// half_value.
HWY_INLINE Floats half_values(Bits16 from) {
  const Bits h = hn::PromoteTo(DU(), from);
  const Bits size = hn::ShiftLeft<13>(hn::And(h, bits(0x7fff))), sign = hn::ShiftLeft<16>(hn::And(h, bits(0x8000)));
  const Bits normal = hn::Add(size, bits(0x38000000)), special = hn::Add(size, bits(0x70000000));
  const Floats shifted = hn::BitCast(D(), hn::Add(size, bits(0x38800000)));
  const Bits small = hn::BitCast(DU(), hn::Sub(shifted, hn::Set(D(), 0x1p-14f)));
  const Bits large = hn::IfThenElse(below(size, 0x0f800000), normal, special);
  return hn::BitCast(D(), hn::Or(sign, hn::IfThenElse(below(size, 0x00800000), small, large)));
}
/// half_bits.
HWY_INLINE Bits16 half_bits_of(Floats from) {
  const Bits x = hn::BitCast(DU(), from), size = hn::And(x, bits(0x7fffffff));
  const Bits sign = hn::ShiftRight<16>(hn::Xor(x, size));
  const Floats shifted = hn::Add(hn::BitCast(D(), size), hn::Set(D(), 0.5f));
  const Bits small = hn::Sub(hn::BitCast(DU(), shifted), bits(0x3f000000));
  const Bits odd = hn::And(hn::ShiftRight<13>(size), bits(1));
  const Bits normal = hn::ShiftRight<13>(hn::Add(hn::Add(size, bits(0xfffu - 0x38000000u)), odd));
  const Bits special = hn::IfThenElse(below(size, 0x7f800001), bits(0x7c00), bits(0x7e00));
  const Bits large = hn::IfThenElse(below(size, 0x47800000), normal, special);
  return hn::TruncateTo(D16(), hn::Or(sign, hn::IfThenElse(below(size, 0x38800000), small, large)));
}

#endif

struct FromHalf {
  static float number(Half x) { return half_value(x.x); }
#if HWY_TARGET != HWY_SCALAR
  using Tag = D;
  static HWY_INLINE Floats vector(Bits16 x) {
    if constexpr (kHasHalf) {
      const Floats y = hn::PromoteTo(D(), hn::BitCast(hn::Rebind<hwy::float16_t, D>(), x));
      return HWY_LIKELY(hn::AllFalse(D(), hn::IsNaN(y))) ? y : half_values(x);
    } else {
      return half_values(x);
    }
  }
#endif
};

struct ToHalf {
  static Half number(float x) { return Half::from_bits(half_bits(x)); }
#if HWY_TARGET != HWY_SCALAR
  using Tag = D;
  static HWY_INLINE Bits16 vector(Floats x) {
    if constexpr (kHasHalf) {
      const Floats nan = hn::CopySignToAbs(hn::BitCast(D(), bits(0x7fc00000)), x);
      const auto y = hn::DemoteTo(hn::Rebind<hwy::float16_t, D>(), hn::IfThenElse(hn::IsNaN(x), nan, x));
      return hn::BitCast(D16(), y);
    } else {
      return half_bits_of(x);
    }
  }
#endif
};

struct FromBFloat16 {
  static float number(BFloat16 x) { return bfloat16_value(x.x); }
#if HWY_TARGET != HWY_SCALAR
  using Tag = D;
  static HWY_INLINE Floats vector(Bits16 x) { return hn::BitCast(D(), hn::ShiftLeft<16>(hn::PromoteTo(DU(), x))); }
#endif
};

struct ToBFloat16 {
  static BFloat16 number(float x) { return BFloat16::from_bits(bfloat16_bits(x)); }
#if HWY_TARGET != HWY_SCALAR
  using Tag = D;
  static HWY_INLINE Bits16 vector(Floats from) {
    const Bits x = hn::BitCast(DU(), from), odd = hn::And(hn::ShiftRight<16>(x), bits(1));
    const Bits rounded = hn::Add(hn::Add(x, bits(0x7fff)), odd);
    const Bits nan = hn::Or(hn::And(x, bits(0x80000000)), bits(0x7fc00000));
    const auto is_number = below(hn::And(x, bits(0x7fffffff)), 0x7f800001);
    return hn::TruncateTo(D16(), hn::ShiftRight<16>(hn::IfThenElse(is_number, rounded, nan)));
  }
#endif
};

template <class To, class From>
struct ToInteger {
  static To number(From x) { return truncated<To>(x); }
#if HWY_TARGET != HWY_SCALAR
  using Tag = std::conditional_t<sizeof(To) == 4 && sizeof(From) == 4, D, D64>;
  using DTo = hn::Rebind<To, Tag>;
  using DFrom = hn::Rebind<From, Tag>;
  static HWY_INLINE hn::Vec<DTo> vector(hn::Vec<DFrom> x) {
    const hn::Rebind<std::int32_t, Tag> di;
    // As nearly always. (Of a double beyond -(2^31 - 1) Highway's emulation of vectors makes -2^31.)
    if (HWY_LIKELY(hn::AllTrue(DFrom(), hn::Lt(hn::Abs(x), hn::Set(DFrom(), static_cast<From>(2147483647)))))) {
      if constexpr (sizeof(To) == 4 && sizeof(From) == 4) {
        return hn::ConvertTo(di, x);
      } else if constexpr (sizeof(To) == 4) {
        return hn::DemoteTo(di, x);
      } else if constexpr (sizeof(From) == 4) {
        return hn::PromoteTo(DTo(), hn::ConvertTo(di, x));
      } else {
        return hn::PromoteTo(DTo(), hn::DemoteTo(di, x));
      }
    }
    HWY_ALIGN From from[kMaxLanes<From>];
    HWY_ALIGN To to[kMaxLanes<To>];
    hn::Store(x, DFrom(), from);
    for (std::size_t i = 0; i < hn::Lanes(DTo()); ++i) to[i] = number(from[i]);
    return hn::Load(DTo(), to);
  }
#endif
};

#if HWY_TARGET != HWY_SCALAR
template <class Tag, class T>
HWY_INLINE auto load(Tag, const T* from) {
  if constexpr (sizeof(T) == 2) {
    return hn::LoadU(D16(), reinterpret_cast<const std::uint16_t*>(from));
  } else {
    return hn::LoadU(hn::Rebind<T, Tag>(), from);
  }
}
template <class Tag, class V, class T>
HWY_INLINE void store(V v, Tag, T* to) {
  if constexpr (sizeof(T) == 2) {
    hn::StoreU(v, D16(), reinterpret_cast<std::uint16_t*>(to));
  } else {
    hn::StoreU(v, hn::Rebind<T, Tag>(), to);
  }
}
#endif

template <class Conversion, class To, class From>
HWY_INLINE void Run(To* HWY_RESTRICT to, const From* HWY_RESTRICT from, std::size_t n) {
#if HWY_TARGET != HWY_SCALAR
  const typename Conversion::Tag d;
  if (const std::size_t lanes = hn::Lanes(d); n >= lanes) {
    std::size_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const auto x0 = load(d, from + i), x1 = load(d, from + i + lanes);
      const auto y0 = Conversion::vector(x0), y1 = Conversion::vector(x1);
      store(y0, d, to + i);
      store(y1, d, to + i + lanes);
    }
    for (; i < n; i += lanes) {  // the last ones together with some before them, which come out as they were
      const std::size_t at = std::min(i, n - lanes);
      store(Conversion::vector(load(d, from + at)), d, to + at);
    }
    return;
  }
#endif
  for (std::size_t i = 0; i < n; ++i) to[i] = Conversion::number(from[i]);
}

template <class From>
HWY_INLINE void Truth(bool* HWY_RESTRICT to, const From* HWY_RESTRICT from, std::size_t n) {
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) to[i] = from[i] != From{0};
}

}  // namespace

void HalfToFloat(float* to, const Half* from, std::size_t n) { Run<FromHalf>(to, from, n); }
void FloatToHalf(Half* to, const float* from, std::size_t n) { Run<ToHalf>(to, from, n); }
void BFloat16ToFloat(float* to, const BFloat16* from, std::size_t n) { Run<FromBFloat16>(to, from, n); }
void FloatToBFloat16(BFloat16* to, const float* from, std::size_t n) { Run<ToBFloat16>(to, from, n); }
template <class To, class From>
HWY_INLINE void Truncate(To* to, const From* from, std::size_t n) {
  Run<ToInteger<To, From>>(to, from, n);
}
void FloatToInt32(std::int32_t* to, const float* from, std::size_t n) { Truncate(to, from, n); }
void FloatToInt64(std::int64_t* to, const float* from, std::size_t n) { Truncate(to, from, n); }
void DoubleToInt32(std::int32_t* to, const double* from, std::size_t n) { Truncate(to, from, n); }
void DoubleToInt64(std::int64_t* to, const double* from, std::size_t n) { Truncate(to, from, n); }
void Int32ToBool(bool* to, const std::int32_t* from, std::size_t n) { Truth(to, from, n); }
void Int64ToBool(bool* to, const std::int64_t* from, std::size_t n) { Truth(to, from, n); }
void FloatToBool(bool* to, const float* from, std::size_t n) { Truth(to, from, n); }
void DoubleToBool(bool* to, const double* from, std::size_t n) { Truth(to, from, n); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(HalfToFloat);
HWY_EXPORT(FloatToHalf);
HWY_EXPORT(BFloat16ToFloat);
HWY_EXPORT(FloatToBFloat16);
HWY_EXPORT(FloatToInt32);
HWY_EXPORT(FloatToInt64);
HWY_EXPORT(DoubleToInt32);
HWY_EXPORT(DoubleToInt64);
HWY_EXPORT(Int32ToBool);
HWY_EXPORT(Int64ToBool);
HWY_EXPORT(FloatToBool);
HWY_EXPORT(DoubleToBool);

void convert(float* to, const Half* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(HalfToFloat)(to, from, n); }
void convert(Half* to, const float* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(FloatToHalf)(to, from, n); }
void convert(float* to, const BFloat16* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(BFloat16ToFloat)(to, from, n); }
void convert(BFloat16* to, const float* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(FloatToBFloat16)(to, from, n); }
void convert(std::int32_t* to, const float* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(FloatToInt32)(to, from, n); }
void convert(std::int64_t* to, const float* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(FloatToInt64)(to, from, n); }
void convert(std::int32_t* to, const double* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(DoubleToInt32)(to, from, n); }
void convert(std::int64_t* to, const double* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(DoubleToInt64)(to, from, n); }
void convert(bool* to, const std::int32_t* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(Int32ToBool)(to, from, n); }
void convert(bool* to, const std::int64_t* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(Int64ToBool)(to, from, n); }
void convert(bool* to, const float* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(FloatToBool)(to, from, n); }
void convert(bool* to, const double* from, std::size_t n) { HWY_DYNAMIC_DISPATCH(DoubleToBool)(to, from, n); }

}  // namespace gradus::core::kernels
#endif
