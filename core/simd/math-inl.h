// Elementary functions on vectors, right over the whole range: NaN stays NaN, and infinities, zeros with their signs,
// subnormals, overflow and underflow give what the C library gives. Bounds in ULP hold on every instruction set;
// tests/core/test_math.cpp asserts them against the C library in float64 and long double. Here is what float32 and float64
// have in common: exp(x) - 1, sigmoid, and what is made of the normal law's distribution function.
#if defined(GRADUS_CORE_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_MATH_INL_H_
#undef GRADUS_CORE_KERNELS_MATH_INL_H_
#else
#define GRADUS_CORE_KERNELS_MATH_INL_H_
#endif

#include "gelu_table-inl.h"
#include "math32-inl.h"
#include "math64-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// exp(x) - 1 for x in [-18, 88.9] (float64: [-38, 709.8]).
template <class D, class V>
HWY_INLINE V Expm1Bounded(D d, V x) {
  using T = hn::TFromD<D>;
  V n;
  const V p = ExpReduced(d, ReduceLn2(d, x, &n));
  // 2^n p + (2^n - 1), all halved, so that 2^128 (2^1024) is reached.
  const V s = PowerOf2(d, hn::Sub(n, hn::Set(d, T{1})));
  const V y = hn::MulAdd(s, p, hn::Sub(s, hn::Set(d, static_cast<T>(0.5))));
  return hn::Add(y, y);
}

/// exp(x) - 1, within 2 ULP.
template <class D, class V>
HWY_INLINE V Expm1(D d, V x) {
  using T = hn::TFromD<D>;
  constexpr bool single = sizeof(T) == 4;
  constexpr T least = single ? -18 : -38, most = static_cast<T>(single ? 88.9 : 709.8);
  const V y = Expm1Bounded(d, hn::Min(hn::Max(x, hn::Set(d, least)), hn::Set(d, most)));
  // Below 2^-25 (2^-54) the result is x itself, subnormal and negative zero included; so it is for NaN.
  constexpr T tiny = static_cast<T>(single ? 0x1p-25 : 0x1p-54);
  return hn::IfThenElse(hn::Ge(hn::Abs(x), hn::Set(d, tiny)), y, x);
}

/// tanh(x) of float64 = t / (t + 2) with t = exp(2|x|) - 1, within 2.5 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Tanh(D d, V x) {
  const V a = hn::Min(hn::Abs(x), hn::Set(d, 22.0));  // from 19.1 on the result is 1
  const V t = Expm1Bounded(d, hn::Add(a, a));
  const V y = hn::CopySign(hn::Div(t, hn::Add(t, hn::Set(d, 2.0))), x);
  // Doubling and halving a subnormal number may lose a bit: tanh is x there.
  return hn::IfThenElse(hn::Ge(hn::Abs(x), hn::Set(d, 7.4505805969238281e-09)), y, x);
}

/// 1 / (1 + exp(-x)), within 2.5 ULP; for negative x as exp(x) / (1 + exp(x)), so that small results keep their digits.
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = hn::Set(d, hn::TFromD<D>{1});
  const V e = ExpOfMinusSize(d, x);
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

/// x sigmoid(x), within 3.5 ULP. -0, its limit, at -inf.
template <class D, class V>
HWY_INLINE V Silu(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T{1}), flushed = FlushTiny(d, x);
  // Below the bound the result is 0 already. exp(-|x|) = m 2^n, and 2^n comes last: results may be subnormal.
  const V least = hn::Set(d, static_cast<T>(sizeof(T) == 4 ? -110 : -760)), bounded = hn::Max(flushed, least);
  V n;
  const V m = ExpOfRest(d, ReduceLn2(d, hn::Max(hn::Neg(hn::Abs(x)), least), &n));
  const V sum = hn::Add(one, Scale(d, m, n));
  const V negative = Scale(d, hn::Div(hn::Mul(bounded, m), sum), n);
  const V y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), negative, hn::Div(flushed, sum));
  // Tiny numbers, signs of zeros and NaN: x / 2.
  return hn::IfThenElse(hn::Gt(hn::Abs(flushed), hn::Zero(d)), y, hn::Mul(x, hn::Set(d, static_cast<T>(0.5))));
}

/// log(1 + exp(x)), within 3 ULP.
template <class D, class V>
HWY_INLINE V Softplus(D d, V x) {
  const V zero = hn::Zero(d);
  const V y = hn::Add(hn::IfThenElse(hn::Gt(x, zero), x, zero), Log1p(d, ExpOfMinusSize(d, x)));
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// exp(a^2 / 2) Phi(-a) (Phi the distribution function of the normal law) for a in [0, 14.6], as P(a) / Q(a): P, and Q
/// through the pointer.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V NormalRatio(D d, V a, V* q) {
#if HWY_NATIVE_FMA
  *q = Polynomial(d, a, 1.0f, 1.67347717f, 1.20089626f, 0.468389064f, 0.101488844f, 0.0102548609f);
  return Polynomial(d, a, 0.5f, 0.437796175f, 0.182829201f, 0.0404856056f, 0.00409114547f);
#else  // there the products of those are rounded, which this form minds less
  const V four = hn::Set(d, 4.0f);
  *q = hn::Add(a, four);
  return Polynomial(d, hn::Div(hn::Sub(a, four), *q), 0.755285144f, -0.607896626f, 0.387136668f, -0.186523005f,
                    0.0604064688f, -0.00752721308f, -0.00352357398f, 0.0015693137f, 0.000194801847f, -0.000122983154f);
#endif
}
/// For any a >= 0: P(t) / (a + 4) with t = (a - 4) / (a + 4), P a Chebyshev interpolation; the quotient itself.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V NormalRatio(D d, V a) {
  const V four = hn::Set(d, 4.0), sum = hn::Add(a, four);
  const V p = Polynomial(
      d, hn::Div(hn::Sub(a, four), sum), 0.75528513041575152, -0.60789664197189208, 0.38713740074221453,
      -0.1865218579596572, 0.060396574890936201, -0.0075401889667287714, -0.0034796923673873254, 0.0016308184576210975,
      0.0001333443123583318, -0.00023109493545740259, -1.9082582831354833e-06, 3.5144687570134536e-05,
      7.1666615916404732e-07, -5.9201782416799919e-06, -6.2969800303082325e-07, 1.0215638215212544e-06,
      2.7181051051035561e-07, -1.5497619102357669e-07, -8.5418850451686146e-08, 1.328693942556704e-08,
      1.9628553467234974e-08, 1.9182109244726687e-09, -2.5251787017671715e-09, -7.2721385243530131e-10);
  return hn::Div(p, sum);
}

/// The first half of a's significant bits, so that its square is exact.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V UpperHalf(D d, V a) {
  return hn::And(a, hn::BitCast(d, hn::Set(hn::RebindToUnsigned<D>(), 0xfffff000u)));
}
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V UpperHalf(D d, V a) {
  return hn::And(a, hn::BitCast(d, hn::Set(hn::RebindToUnsigned<D>(), 0xfffffffff8000000u)));
}

/// exp(-scale a^2) = m 2^n, without the error that rounding a^2 would bring; scale is 1/2 or 1. A float32 a is
/// not tiny.
template <class D, class V>
HWY_INLINE V GaussParts(D d, V a, double scale, V* n) {
  const V minus_scale = hn::Set(d, static_cast<hn::TFromD<D>>(-scale));
#if HWY_NATIVE_FMA
  const V scaled = hn::Mul(a, minus_scale), main = hn::Mul(a, scaled), low = hn::MulSub(a, scaled, main);
#else
  const V upper = UpperHalf(d, a), main = hn::Mul(hn::Mul(upper, upper), minus_scale);  // exact
  const V low = hn::Mul(hn::Mul(hn::Sub(a, upper), hn::Add(a, upper)), minus_scale);
#endif
  return ExpOfRest(d, ReduceLn2(d, main, low, n));
}

/// y 2^n, where 2^n is about exp(-a^2 / 2).
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ScaleTail(D d, V a, V y, V n) {
  const bool ordinary = kShortWays && hn::AllTrue(d, hn::Lt(a, hn::Set(d, 13.0f)));
  return ordinary ? hn::Mul(y, PowerOf2(d, n)) : Scale(d, y, n);
}

/// For any a >= 0, a Phi(-a), GELU's tail, or Phi(-a) - a phi(a), that of its slope.
template <bool slope, class D, class V>
HWY_INLINE V GeluTail(D d, V size) {
  const V a = hn::Min(hn::Set(d, 14.6f), size), b = hn::Max(hn::Set(d, kNotTiny<float>), a);
  V n, q;
  const V m = GaussParts(d, b, 0.5, &n), p = NormalRatio(d, b, &q);
  const V inner = slope ? hn::NegMulAdd(hn::Mul(b, hn::Set(d, 0.398942280f)), q, p) : hn::Mul(p, a);
  return ScaleTail(d, a, hn::Mul(m, hn::Div(inner, q)), n);
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
template <bool slope>
HWY_INLINE __m512 GeluTailFar(__m512 a) {
  return GeluTail<slope>(hn::Full512<float>(), hn::Vec512<float>{a}).raw;
}
#endif

/// The tail of |x|. By the table, but where this ends and the tail counts, far below 0: there as above, whatever stands
/// beside it.
template <bool slope, class D, class V>
HWY_INLINE V GeluTailOf(D d, V x) {
  const V a = hn::Abs(x);
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  if constexpr (std::is_same_v<V, hn::Vec512<float>>) {
    __m512 tail = TailByTable(slope ? kGeluSlopeTail : kNormalTail, a.raw);
    if (!slope) tail = _mm512_mul_ps(tail, _mm512_min_ps(_mm512_set1_ps(31 * kTailStep), a.raw));
    const __mmask16 far = _mm512_cmp_ps_mask(x.raw, _mm512_set1_ps(-kTailEnd), _CMP_LT_OQ);
    if (HWY_UNLIKELY(far != 0)) tail = _mm512_mask_mov_ps(tail, far, GeluTailFar<slope>(a.raw));
    return V{tail};
  }
#endif
  return GeluTail<slope>(d, a);
}

/// x Phi(x), the exact form of GELU, within 6 ULP: 5.5 at most were seen. -0, its limit, at -inf.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Gelu(D d, V x) {
  const V tail = GeluTailOf<false>(d, x);
  if constexpr (!kBoundsPassNaN) {
    return PassNaN(d, x, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Neg(tail), hn::Sub(x, tail)));
  }
  // Of two zeros Max gives the second: x, with its sign; from -0 nothing is left of +0 but -0.
  return hn::Sub(hn::Max(hn::Set(d, -0.0f), x), tail);
}
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Gelu(D d, V x) {
  const V zero = hn::Zero(d), size = hn::Abs(x);
  const V a = hn::Min(size, hn::Set(d, 38.7));  // beyond, Phi(-a) is 0
  V n;
  const V b = FlushTiny(d, a), m = GaussParts(d, b, 0.5, &n);
  const V tail = Scale(d, hn::Mul(a, hn::Mul(NormalRatio(d, b), m)), n);  // |x| Phi(-|x|)
  const V y = hn::IfThenElse(hn::Gt(x, zero), hn::Sub(x, tail), hn::Neg(tail));
  return hn::IfThenElse(hn::Gt(size, zero), y, x);  // zeros keep their sign; NaN stays
}

/// Its slope, Phi(x) + x phi(x): the tail of -a, 1 minus that of a.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V GeluSlope(D d, V x) {
  const V tail = GeluTailOf<true>(d, x);
  return PassNaN(d, x, hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(hn::Set(d, 1.0f), tail), tail));
}
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V GeluSlope(D d, V x) {
  const V a = FlushTiny(d, hn::Min(hn::Abs(x), hn::Set(d, 38.7)));
  V n;
  const V m = GaussParts(d, a, 0.5, &n);
  // Of -a: exp(-a^2 / 2) (ratio - a / sqrt(2 pi)); of a: 1 minus that.
  const V inner = hn::NegMulAdd(a, hn::Set(d, 0.398942280401432677940), NormalRatio(d, a));
  const V tail = Scale(d, hn::Mul(inner, m), n);
  const V y = hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(hn::Set(d, 1.0), tail), tail);
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// erf(x) of float64, within 2 ULP: x + x P(x^2) up to 1, 1 - 2 Phi(-sqrt(2) |x|) beyond.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Erf(D d, V x) {
  const V a = FlushTiny(d, hn::Min(hn::Abs(x), hn::Set(d, 6.0))), one = hn::Set(d, 1.0);
  V n;
  const V m = GaussParts(d, a, 1, &n);
  const V ratio = NormalRatio(d, hn::Mul(a, hn::Set(d, 1.41421356237309504880)));
  const V large = hn::CopySign(hn::Sub(one, Scale(d, hn::Mul(hn::Add(ratio, ratio), m), n)), x);
  const V p = Polynomial(d, hn::Mul(a, a), 0.12837916709551259, -0.37612638903183748, 0.11283791670954879,
                         -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379, 0.0001205533111164271,
                         -1.4925595266831182e-05, 1.6461000484121368e-06, -1.6350312701054695e-07,
                         1.4659775274047436e-08, -1.1372848856791674e-09, 5.9571761477489113e-11);
  const V y = hn::IfThenElse(hn::Lt(a, one), hn::MulAdd(x, p, x), large);
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// a b = product + error, exactly, short of overflow and underflow (Dekker, 1971).
template <class D, class V>
HWY_INLINE V TwoProduct(D d, V a, V b, V* error) {
  const V product = hn::Mul(a, b);
  const V ah = UpperHalf(d, a), al = hn::Sub(a, ah), bh = UpperHalf(d, b), bl = hn::Sub(b, bh);
  const V low = hn::Add(hn::Add(hn::Sub(hn::Mul(ah, bh), product), hn::Mul(ah, bl)), hn::Mul(al, bh));
  *error = hn::Add(low, hn::Mul(al, bl));
  return product;
}

/// 2 sqrt(2 / pi) (x + 0.044715 x^3): GELU's tanh form is x sigmoid of it. `rest`: what its rounding lost, which
/// matters to an exponential far from 0.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V GeluTanhArgument(D d, V x, V* rest) {
  const V c = hn::Set(d, 0.044715), k = hn::Set(d, 1.5957691216057308), one = hn::Set(d, 1.0);
  V square_low, cube_low, scaled_low, low;
  const V square = TwoProduct(d, x, x, &square_low);
  const V part = TwoProduct(d, square, c, &cube_low);
  cube_low = hn::MulAdd(square_low, c, hn::MulAdd(square, hn::Set(d, 2.1960211427085595e-18), cube_low));
  // 1 + part, and what that lost.
  const V sum = hn::Add(one, part), back = hn::Sub(sum, one);
  const V sum_low = hn::Add(hn::Add(hn::Sub(one, hn::Sub(sum, back)), hn::Sub(part, back)), cube_low);
  const V scaled = TwoProduct(d, x, k, &scaled_low);
  scaled_low = hn::MulAdd(x, hn::Set(d, -9.9693088091109202e-17), scaled_low);
  const V v = TwoProduct(d, scaled, sum, &low);
  *rest = hn::Add(low, hn::MulAdd(scaled, sum_low, hn::Mul(scaled_low, sum)));
  return v;
}

/// x sigmoid(v), v GeluTanhArgument: the tanh form of GELU, within 3.5 ULP. -0, its limit, at -inf.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V GeluTanh(D d, V x) {
  const V one = hn::Set(d, 1.0), zero = hn::Zero(d), size = hn::Abs(x);
  V rest, n;
  const V a = hn::Min(size, hn::Set(d, 22.0));  // beyond, the exponential is 0
  const V v = GeluTanhArgument(d, FlushTiny(d, a), &rest);
  const V m = ExpOfRest(d, hn::Sub(ReduceLn2(d, hn::Neg(v), &n), rest));
  const V sum = hn::Add(one, Scale(d, m, n));
  const V negative = hn::Neg(Scale(d, hn::Div(hn::Mul(a, m), sum), n));
  const V y = hn::IfThenElse(hn::Gt(x, zero), hn::Div(x, sum), negative);
  return hn::IfThenElse(hn::Gt(size, zero), y, x);
}

/// A kernel on float32 by way of float64, rounded once: for functions of which few numbers are computed, and for those that
/// need more digits than float32 has.
template <class Op>
void ThroughFloat64(void* out, const void* const* in, std::size_t n, const void*) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const std::size_t lanes = hn::Lanes(d);
  const float* x = static_cast<const float*>(in[0]);
  float* y = static_cast<float*>(out);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(ToFloat32(df, Op()(d, hn::PromoteTo(d, hn::LoadU(df, x + i)))), df, y + i);
  }
  if (i < n) {
    StoreFirst(ToFloat32(df, Op()(d, hn::PromoteTo(d, LoadFirst(df, x + i, n - i)))), df, y + i, n - i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
