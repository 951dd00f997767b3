// Elementary functions on vectors of float32. Polynomials are minimax fits (Remez, weighted for relative error) whose
// coefficients were rounded to float32 one after the other, the rest fitted again.
#if defined(GRADUS_CORE_KERNELS_MATH32_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_MATH32_INL_H_
#undef GRADUS_CORE_KERNELS_MATH32_INL_H_
#else
#define GRADUS_CORE_KERNELS_MATH32_INL_H_
#endif

#include "math_common-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class D>
using IfFloat32 = std::enable_if_t<std::is_same_v<hn::TFromD<D>, float>>;

// ln 2 in two parts; the first has 9 significant bits, so that its products with exponents are exact.
inline constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

/// x = n ln 2 + r with |r| <= ln 2 / 2 for |x| up to some hundreds.
template <class D, class V, class VI, IfFloat32<D>* = nullptr>
HWY_INLINE V ReduceLn2(D d, V x, VI* n) {
  x = FlushTiny(d, x);
  *n = hn::NearestInt(hn::Mul(x, hn::Set(d, 1.44269504f)));
  const V nf = hn::ConvertTo(d, *n);
  return hn::NegMulAdd(nf, hn::Set(d, kLn2Low), hn::NegMulAdd(nf, hn::Set(d, kLn2High), x));
}

/// x + low = n ln 2 + r, where x - n ln 2 loses nothing of low.
template <class D, class V, class VI, IfFloat32<D>* = nullptr>
HWY_INLINE V ReduceLn2(D d, V x, V low, VI* n) {
  *n = hn::NearestInt(hn::Mul(hn::Add(x, low), hn::Set(d, 1.44269504f)));
  const V nf = hn::ConvertTo(d, *n);
  return hn::Add(hn::NegMulAdd(nf, hn::Set(d, kLn2Low), hn::NegMulAdd(nf, hn::Set(d, kLn2High), x)), low);
}

/// 2^n for n in [-126, 128]; 128 gives infinity.
template <class D, class VI, IfFloat32<D>* = nullptr>
HWY_INLINE hn::Vec<D> PowerOf2(D d, VI n) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127))));
}

/// exp(r) - 1 for |r| <= ln 2 / 2, for exponentials whose 1 is added next.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ExpReduced(D d, V r) {
  const V q = Polynomial(d, r, 0.5f, 0.16666542f, 0.0416664444f, 0.00836669654f, 0.00139368954f);
  return hn::MulAdd(hn::Mul(r, r), q, r);
}

/// y 2^n in two steps, so that 2^128 is reached, and subnormal results with one rounding; n in [-252, 256].
template <class D, class V, class VI, IfFloat32<D>* = nullptr>
HWY_INLINE V Scale(D d, V y, VI n) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  if constexpr (std::is_same_v<V, hn::Vec512<float>>) return V{_mm512_scalef_ps(y.raw, hn::ConvertTo(d, n).raw)};
#endif
  const auto half = hn::ShiftRight<1>(n);
  return hn::Mul(hn::Mul(y, PowerOf2(d, half)), PowerOf2(d, hn::Sub(n, half)));
}

/// exp(x), within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Exp(D d, V x) {
  // Beyond these the result is 0 or infinity already. In this order the bounds let NaN pass, but for portable code,
  // where it comes out as anything and is put back at the end.
  const V bounded = hn::Min(hn::Set(d, 89.0f), hn::Max(hn::Set(d, -104.0f), x));
  hn::Vec<hn::RebindToSigned<D>> n;
  const V r = ReduceLn2(d, bounded, &n);
  const V y = Scale(d, hn::Add(ExpReduced(d, r), hn::Set(d, 1.0f)), n);
#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Eq(x, x), y, x);
#else
  return y;
#endif
}

/// exp(x) - 1 for x in [-18, 88.9].
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Expm1Bounded(D d, V x) {
  hn::Vec<hn::RebindToSigned<D>> n;
  const V r = ReduceLn2(d, x, &n);
  const V q = Polynomial(d, r, 0.5f, 0.166666672f, 0.0416664779f, 0.00833319128f, 0.00139337103f, 0.000199593167f);
  const V p = hn::MulAdd(hn::Mul(r, r), q, r);  // exp(r) - 1
  // 2^n p + (2^n - 1), all halved, so that 2^128 is reached.
  const V s = PowerOf2(d, hn::Sub(n, hn::Set(hn::RebindToSigned<D>(), 1)));
  const V y = hn::MulAdd(s, p, hn::Sub(s, hn::Set(d, 0.5f)));
  return hn::Add(y, y);
}

/// exp(x) - 1, within 2 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Expm1(D d, V x) {
  const V y = Expm1Bounded(d, hn::Min(hn::Max(x, hn::Set(d, -18.0f)), hn::Set(d, 88.9f)));
  // Below 2^-25 the result is x itself, subnormal and negative zero included; so it is for NaN.
  return hn::IfThenElse(hn::Ge(hn::Abs(x), hn::Set(d, 2.98023224e-8f)), y, x);
}

/// log of m 2^e with m = 1 + f in [sqrt(1/2), sqrt(2)], plus a small correction.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V LogOfParts(D d, V f, V e, V correction) {
  const V q = Polynomial(d, f, 0.333333313f, -0.250008196f, 0.200012445f, -0.166234121f, 0.14201501f, -0.131594956f,
                         0.127627388f, -0.0763739944f);
  const V f2 = hn::Mul(f, f);
  V y = hn::MulAdd(hn::Mul(f2, f), q, correction);
  y = hn::MulAdd(e, hn::Set(d, kLn2Low), y);
  y = hn::NegMulAdd(f2, hn::Set(d, 0.5f), y);
  return hn::MulAdd(e, hn::Set(d, kLn2High), hn::Add(f, y));
}

/// x = (1 + f) 2^e for positive normal x.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V SplitExponent(D d, V x, V* e) {
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(di, x);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3f3504f3)));  // sqrt(1/2)
  *e = hn::ConvertTo(d, exponent);
  return hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent))), hn::Set(d, 1.0f));
}

/// log(x), within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Log(D d, V x) {
  const auto tiny = hn::Lt(x, hn::Set(d, 1.17549435e-38f));  // subnormal: by 2^25 into the normal range
  const V normal = hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, 33554432.0f)), x);
  V e;
  const V f = SplitExponent(d, normal, &e);
  e = hn::IfThenElse(tiny, hn::Sub(e, hn::Set(d, 25.0f)), e);
  return LogSpecial(d, x, LogOfParts(d, f, e, hn::Zero(d)));
}

/// log(1 + x), within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Log1p(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V u = hn::Add(one, x);
  const V lost = hn::Sub(x, hn::Sub(u, one));  // what the sum rounded away; log(u + lost) = log(u) + lost / u
  V e;
  const V f = SplitExponent(d, u, &e);
  const V y = LogSpecial(d, u, LogOfParts(d, f, e, hn::Div(lost, u)));
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, y);
}

/// tanh(x) = t / (t + 2) with t = exp(2|x|) - 1, within 2.5 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Tanh(D d, V x) {
  const V a = hn::Min(hn::Abs(x), hn::Set(d, 10.0f));  // from 9.02 on the result is 1
  const V t = Expm1Bounded(d, hn::Add(a, a));
  const V y = hn::CopySign(hn::Div(t, hn::Add(t, hn::Set(d, 2.0f))), x);
  // Below 2^-12 the result is x itself, subnormal and negative zero included; so it is for NaN.
  return hn::IfThenElse(hn::Ge(hn::Abs(x), hn::Set(d, 2.44140625e-4f)), y, x);
}

/// erf(x), within 1.5 ULP: x + x P(x^2) up to 1, 1 - exp(Q(|x|)) beyond, where Q fits log(erfc).
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Erf(D d, V x) {
  const V a = hn::Min(hn::Abs(x), hn::Set(d, 4.0f));
  const V q = Polynomial(d, FlushTiny(d, a), -0.00035371838f, -1.12704003f, -0.638225734f, -0.103037253f, 0.0218052156f,
                         -0.00293956557f, 0.000185567696f);
  const V large = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), Exp(d, q)), x);
  const V b = FlushTiny(d, a);
  const V p = Polynomial(d, hn::Mul(b, b), 0.128379166f, -0.37612626f, 0.112835832f, -0.0268536918f, 0.00518807443f,
                         -0.000800788926f, 7.84617296e-05f);
  const V small = hn::MulAdd(x, p, x);
  const V y = hn::IfThenElse(hn::Lt(a, hn::Set(d, 1.0f)), small, large);
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// sin(x), or cos(x), of float32 numbers held in float64, within 0.6 ULP once rounded to float32. Good for |x| < 2^20;
/// the caller sees to the rest.
template <bool cosine, class D, class V>
HWY_INLINE V SineOrCosine(D d, V x) {
  const hn::RebindToSigned<D> di;
  // x = q pi/2 + r; the first part of pi/2 has 33 significant bits, so that its products with q are exact.
  const V q = hn::Round(hn::Mul(x, hn::Set(d, 0.63661977236758134308)));
  V r = hn::NegMulAdd(q, hn::Set(d, 1.57079632673412561417), x);
  r = hn::NegMulAdd(q, hn::Set(d, 6.07710050650619224932e-11), r);
  const V r2 = hn::Mul(r, r);
  const V sine = hn::MulAdd(hn::Mul(r2, r),
                            Polynomial(d, r2, -0.1666665493669561, 0.0083321776864938683, -0.00019517234694674655), r);
  const V cosine_of_r = hn::MulAdd(
      hn::Mul(r2, r2), Polynomial(d, r2, 0.041666646854604555, -0.0013887366910037497, 2.4438379476915276e-05),
      hn::NegMulAdd(r2, hn::Set(d, 0.5), hn::Set(d, 1.0)));
  // q + 1.5 2^52 has q's low bits at its end: bit 0 chooses between sine and cosine, bit 1 is the sign.
  const auto quadrant =
      hn::Add(hn::BitCast(di, hn::Add(q, hn::Set(d, 6755399441055744.0))), hn::Set(di, cosine ? 1 : 0));
  const auto odd = hn::TestBit(quadrant, hn::Set(di, 1));
  const V y = hn::IfThenElse(hn::RebindMask(d, odd), cosine_of_r, sine);
  const auto sign = hn::ShiftLeft<62>(hn::And(quadrant, hn::Set(di, 2)));
  const V signed_y = hn::Xor(y, hn::BitCast(d, sign));
  return cosine ? signed_y : hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, signed_y);  // -0 stays
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
