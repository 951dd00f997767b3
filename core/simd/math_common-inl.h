// What the elementary functions of both floating-point types are made of.
#if defined(GRADUS_CORE_KERNELS_MATH_COMMON_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_MATH_COMMON_INL_H_
#undef GRADUS_CORE_KERNELS_MATH_COMMON_INL_H_
#else
#define GRADUS_CORE_KERNELS_MATH_COMMON_INL_H_
#endif

#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// c0 + c1 x + c2 x^2 + ... by Horner's rule in x^2, with coefficients c0 + c1 x, c2 + c3 x, ...: half as many steps wait
/// for each other, and no higher power is formed, which might be subnormal.
template <class D, class V>
HWY_INLINE V PolynomialOfPairs(D d, V /*x*/, V /*x2*/, hn::TFromD<D> c0) {
  return hn::Set(d, c0);
}
template <class D, class V>
HWY_INLINE V PolynomialOfPairs(D d, V x, V /*x2*/, hn::TFromD<D> c0, hn::TFromD<D> c1) {
  return hn::MulAdd(hn::Set(d, c1), x, hn::Set(d, c0));
}
template <class D, class V, class... C>
HWY_INLINE V PolynomialOfPairs(D d, V x, V x2, hn::TFromD<D> c0, hn::TFromD<D> c1, C... higher) {
  return hn::MulAdd(PolynomialOfPairs(d, x, x2, higher...), x2, PolynomialOfPairs(d, x, x2, c0, c1));
}
template <class D, class V, class... C>
HWY_INLINE V Polynomial(D d, V x, C... coefficients) {
  return PolynomialOfPairs(d, x, hn::Mul(x, x), coefficients...);
}

/// Whether a vector of numbers for which a shorter computation is right, with the same bits, takes that. AVX-512 has
/// instructions that make it hardly shorter.
inline constexpr bool kShortWays = HWY_TARGET != HWY_AVX3 && HWY_TARGET != HWY_AVX3_DL;

/// Each float64 rounded to float32; numbers too large become infinities.
template <class DF, class V>
HWY_INLINE hn::Vec<DF> ToFloat32(DF df, V v) {
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  // Highway's portable code gives the largest number there.
  const hn::Rebind<double, DF> d;
  HWY_ALIGN double wide[kMaxLanes<double>];
  HWY_ALIGN float lanes[kMaxLanes<double>];
  hn::Store(v, d, wide);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) lanes[i] = static_cast<float>(wide[i]);
  return hn::Load(df, lanes);
#else
  return hn::DemoteTo(df, v);
#endif
}

/// The smallest number that FlushTiny lets pass on every instruction set, to bound sizes from below by.
template <class T>
inline constexpr T kNotTiny = static_cast<T>(sizeof(T) == 4 ? 9.3132257461547852e-10
                                                            : 8.6736173798840355e-19);  // 2^-30, 2^-60

/// x, or 0 where it is so small that it changes nothing beside 1: arithmetic on subnormal numbers, or with subnormal
/// results, takes some machines a hundred times as long. NaN stays.
template <class D, class V>
HWY_INLINE V FlushTiny(D d, V x) {
  using T = hn::TFromD<D>;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  // In two instructions: below 2^-63, where the two upper bits of the exponent are 0.
  if constexpr (std::is_same_v<V, hn::Vec512<float>>) {
    const auto kept = _mm512_test_epi32_mask(_mm512_castps_si512(x.raw), _mm512_set1_epi32(0x60000000));
    return V{_mm512_maskz_mov_ps(kept, x.raw)};
  }
#endif
  return hn::IfThenZeroElse(hn::Lt(hn::Abs(x), hn::Set(d, kNotTiny<T>)), x);
}

/// Whether Min(bound, x) and Max(bound, x), in this order of operands, let a NaN in x pass: x86's instructions give the
/// second operand then, Arm's the one that is a number, and so does Highway's portable code.
inline constexpr bool kBoundsPassNaN = HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR;

/// y, but NaN where x is, for functions that bound x.
template <class D, class V>
HWY_INLINE V PassNaN(D /*d*/, V x, V y) {
  if constexpr (kBoundsPassNaN) return y;
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// What a logarithm gives outside (0, inf): -inf at 0, inf at inf, NaN below 0 and of NaN.
template <class D, class V>
HWY_INLINE V LogSpecial(D d, V x, V y) {
  const V infinity = hn::Inf(d);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), y);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  return hn::IfThenElse(hn::Ge(x, hn::Zero(d)), y, hn::NaN(d));
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
