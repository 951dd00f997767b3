// Elementary functions on vectors of float32. Polynomials and their quotients are minimax fits (Remez, or
// Lawson's weighted least squares, for relative error) whose coefficients were rounded to float32 one after the other,
// the rest fitted again.
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

/// 1.5 2^23: x + kToInteger32 has the nearest integer to x in its low bits.
inline constexpr float kToInteger32 = 12582912.0f;
// ln 2 in two parts; the first has 15 significant bits, so that its products with exponents are exact. Both are
// positive: so are their sums times an infinite exponent.
inline constexpr float kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f;

/// x = n ln 2 + r with |r| <= ln 2 / 2 for |x| up to some hundreds, x not tiny (FlushTiny).
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ReduceFlushed(D d, V x, V* n) {
  const V to_integer = hn::Set(d, kToInteger32);
  *n = hn::Sub(hn::MulAdd(x, hn::Set(d, 1.44269504f), to_integer), to_integer);
  return hn::NegMulAdd(*n, hn::Set(d, kLn2Low), hn::NegMulAdd(*n, hn::Set(d, kLn2High), x));
}

/// Of any x of that range.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ReduceLn2(D d, V x, V* n) {
  return ReduceFlushed(d, FlushTiny(d, x), n);
}

/// x + low = n ln 2 + r for a low that is small beside ln 2, x not tiny.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ReduceLn2(D d, V x, V low, V* n) {
  const V to_integer = hn::Set(d, kToInteger32);
  *n = hn::Sub(hn::MulAdd(x, hn::Set(d, 1.44269504f), to_integer), to_integer);
  return hn::Add(hn::NegMulAdd(*n, hn::Set(d, kLn2High), x), hn::NegMulAdd(*n, hn::Set(d, kLn2Low), low));
}

/// 2^n for whole n in [-126, 128]; 128 gives infinity.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V PowerOf2(D d, V n) {
  const hn::RebindToUnsigned<D> du;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(du, hn::Add(n, hn::Set(d, kToInteger32 + 127)))));
}

/// exp(r) for |r| <= ln 2 / 2.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ExpOfRest(D d, V r) {
  const V q = Polynomial(d, r, 0.5f, 0.16666542f, 0.0416664444f, 0.00836669654f, 0.00139368954f);
#if HWY_NATIVE_FMA
  const V one = hn::Set(d, 1.0f);
  return hn::MulAdd(hn::MulAdd(q, r, one), r, one);
#else
  return hn::Add(hn::MulAdd(hn::Mul(r, r), q, r), hn::Set(d, 1.0f));  // here products are rounded: small ones alone
#endif
}

/// y 2^n in two steps, so that 2^128 is reached, and subnormal results with one rounding; whole n in [-252, 256].
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Scale(D d, V y, V n) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  if constexpr (std::is_same_v<V, hn::Vec512<float>>) return V{_mm512_scalef_ps(y.raw, n.raw)};
#endif
  const V to_integer = hn::Set(d, kToInteger32);
  const V half = hn::Sub(hn::MulAdd(n, hn::Set(d, 0.5f), to_integer), to_integer);
  return hn::Mul(hn::Mul(y, PowerOf2(d, half)), PowerOf2(d, hn::Sub(n, half)));
}

/// exp(x) where that is a normal number, x not tiny. Adding 1.5 2^23 + 127 to x / ln 2 rounds it to a whole number n, and
/// leaves the exponent of 2^n in the last bits.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ExpOrdinary(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  const V round = hn::Set(d, kToInteger32 + 127), shifted = hn::MulAdd(x, hn::Set(d, 1.44269504f), round);
  const V n = hn::Sub(shifted, round);
  const V r = hn::NegMulAdd(n, hn::Set(d, kLn2Low), hn::NegMulAdd(n, hn::Set(d, kLn2High), x));
  return hn::Mul(ExpOfRest(d, r), hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(du, shifted))));
}
/// Sizes up to here have an ordinary exponential.
inline constexpr float kOrdinary = 86.0f;

/// exp(x) for x in [-104, 89], not tiny; NaN may pass.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ExpBounded(D d, V x) {
  V n;
  const V r = ReduceFlushed(d, x, &n);
  return Scale(d, ExpOfRest(d, r), n);
}

/// exp(x), within 1 ULP. Beyond the bounds the result is 0 or infinity already.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Exp(D d, V x) {
  if (kShortWays && hn::AllTrue(d, hn::Lt(hn::Abs(x), hn::Set(d, kOrdinary)))) return ExpOrdinary(d, FlushTiny(d, x));
  const V bounded = hn::Min(hn::Set(d, 89.0f), hn::Max(hn::Set(d, -104.0f), x));
  return PassNaN(d, x, ExpBounded(d, FlushTiny(d, bounded)));
}

/// exp(x) for x <= 0, within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ExpOfNegative(D d, V x) {
  const V not_tiny = hn::Set(d, -kNotTiny<float>);
  if (kShortWays && hn::AllTrue(d, hn::Gt(x, hn::Set(d, -kOrdinary)))) return ExpOrdinary(d, hn::Min(not_tiny, x));
  return PassNaN(d, x, ExpBounded(d, hn::Min(not_tiny, hn::Max(hn::Set(d, -104.0f), x))));
}

/// exp(-|x|), within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ExpOfMinusSize(D d, V x) {
  return ExpOfNegative(d, hn::Or(x, hn::Set(d, -0.0f)));
}

/// exp(r) - 1 for |r| <= ln 2 / 2.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V ExpReduced(D d, V r) {
  const V q = Polynomial(d, r, 0.5f, 0.166666672f, 0.0416664779f, 0.00833319128f, 0.00139337103f, 0.000199593167f);
  return hn::MulAdd(hn::Mul(r, r), q, r);
}

/// log of m 2^e with m = 1 + f in [0.75, 1.5], plus a small correction: `low` is that and e kLn2Low.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V LogOfParts(D d, V f, V e, V low) {
  const V q = Polynomial(d, f, 0.333334506f, -0.250001073f, 0.199908286f, -0.166468933f, 0.144779518f, -0.13164565f,
                         0.104726367f, -0.0451478995f);
  const V f2 = hn::Mul(f, f);
  V y = hn::MulAdd(hn::Mul(f2, f), q, low);
  y = hn::NegMulAdd(f2, hn::Set(d, 0.5f), y);
  return hn::MulAdd(e, hn::Set(d, kLn2High), hn::Add(f, y));
}

/// x = (1 + f) 2^e for positive normal x.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V SplitExponent(D d, V x, V* e) {
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(di, x);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, 0x3f400000)));  // 0.75
  *e = hn::ConvertTo(d, exponent);
  return hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent))), hn::Set(d, 1.0f));
}

/// log(x) of positive, finite, normal numbers, within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V LogOrdinary(D d, V x) {
  V e;
  const V f = SplitExponent(d, x, &e);
  return LogOfParts(d, f, e, hn::Mul(e, hn::Set(d, kLn2Low)));
}

/// log(x), within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Log(D d, V x) {
  V e, f;
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  if constexpr (std::is_same_v<V, hn::Vec512<float>>) {
    // Right everywhere: of 0 and infinity the exponent is infinite and 1 the mantissa, which is NaN below 0.
    const __m512 one = _mm512_set1_ps(1.0f);
    const __m512 m = _mm512_getmant_ps(x.raw, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_nan);
    const __m512 floor = _mm512_getexp_ps(x.raw);
    e = V{_mm512_mask_add_ps(floor, _mm512_cmp_ps_mask(m, one, _CMP_LT_OQ), floor, one)};
    return LogOfParts(d, V{_mm512_sub_ps(m, one)}, e, hn::Mul(e, hn::Set(d, kLn2Low)));
  }
#endif
  if (kShortWays) {
    // All of them normal, positive and finite: as unsigned numbers, bits - 0x00800000 < 0x7f000000.
    const hn::RebindToSigned<D> di;
    const auto bits = hn::Add(hn::BitCast(di, x), hn::Set(di, 0x7f800000));
    if (hn::AllTrue(di, hn::Lt(bits, hn::Set(di, static_cast<std::int32_t>(0xff000000))))) return LogOrdinary(d, x);
  }
  const auto tiny = hn::Lt(x, hn::Set(d, 1.17549435e-38f));  // subnormal: by 2^25 into the normal range
  f = SplitExponent(d, hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, 33554432.0f)), x), &e);
  e = hn::IfThenElse(tiny, hn::Sub(e, hn::Set(d, 25.0f)), e);
  return LogSpecial(d, x, LogOfParts(d, f, e, hn::Mul(e, hn::Set(d, kLn2Low))));
}

/// log(1 + x), within 1 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Log1p(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V u = hn::Add(one, x);
  const V lost = hn::Sub(x, hn::Sub(u, one));  // what the sum rounded away; log(u + lost) = log(u) + lost / u
  V e;
  const V f = SplitExponent(d, u, &e);
  const V y = LogSpecial(d, u, LogOfParts(d, f, e, hn::MulAdd(e, hn::Set(d, kLn2Low), hn::Div(lost, u))));
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, y);
}

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
/// tanh of sizes in [0, 16) by intervals that end at quarters of powers of 2, 1/8 and more; all below is one interval.
/// A row's 32 numbers, one for each interval, fill two registers, and one instruction looks 16 of them up. Rows: the
/// middle of the interval, and the coefficients of a polynomial in the distance from it, the constant one first
/// (interpolation at Chebyshev points; next to 0, x + x^3 P(x) of least relative error). Columns go by the number
/// that exponent and first two digits of the mantissa form, modulo 32: 15 is next to 0, 16 begins at 1/8, 0 at 2.
// clang-format off
alignas(64) inline constexpr float kTanhTable[7][32] = {
    {2.25f, 2.75f, 3.25f, 3.75f, 4.5f, 5.5f, 6.5f, 7.5f, 9, 11, 13, 15, 0, 0, 0, 0, 0.140625f, 0.171875f, 0.203125f,
     0.234375f, 0.28125f, 0.34375f, 0.40625f, 0.46875f, 0.5625f, 0.6875f, 0.8125f, 0.9375f, 1.125f, 1.375f, 1.625f,
     1.875f},
    {0.978026092f, 0.991859734f, 0.996997654f, 0.998894453f, 0.999753177f, 0.999966621f, 0.99999547f, 0.999999404f,
     0.99999994f, 1, 1, 1, 0, 0, 0, 0, 0.1397053f, 0.170202315f, 0.200376719f, 0.230175704f, 0.27406159f,
     0.330821127f, 0.385283977f, 0.437188774f, 0.509829998f, 0.596373558f, 0.670967102f, 0.734071493f, 0.809301078f,
     0.879826725f, 0.925346255f, 0.954045236f},
    {0.0434649177f, 0.0162142869f, 0.0059957155f, 0.0022098925f, 0.000493520463f, 6.68049906e-05f, 9.04133412e-06f,
     1.22361632e-06f, 6.09461921e-08f, 0, 0, 0, 0, 0, 0, 1, 0.980482399f, 0.971031189f, 0.959849179f, 0.94701916f,
     0.92489022f, 0.890557408f, 0.851556242f, 0.808865964f, 0.740073383f, 0.644338608f, 0.549803197f, 0.461138994f,
     0.345031768f, 0.225904971f, 0.143734366f, 0.0897976384f},
    {-0.0425082371f, -0.0160811003f, -0.00597717939f, -0.00220723939f, -0.00049261091f, -6.66953492e-05f,
     -9.02674219e-06f, -1.22164602e-06f, -5.92317839e-08f, 0, 0, 0, 0, 0, 0, 0, -0.136978596f, -0.165271744f,
     -0.192331418f, -0.217980802f, -0.253476858f, -0.294615149f, -0.328090936f, -0.353627086f, -0.377311289f,
     -0.384266406f, -0.368899912f, -0.338509142f, -0.279237121f, -0.198758736f, -0.133004621f, -0.0856711045f},
    {0.0270876437f, 0.01054639f, 0.00396105787f, 0.00146832026f, 0.000328546972f, 4.45015576e-05f, 6.0233192e-06f,
     8.15180215e-07f, 4.01417672e-08f, 0, 0, 0, 0, 0, 0, -0.333342671f, -0.307690829f, -0.295547426f, -0.281410992f,
     -0.265499175f, -0.238828465f, -0.199387535f, -0.157443911f, -0.115020186f, -0.0543266311f, 0.0143866194f,
     0.0642517731f, 0.0947767645f, 0.11097461f, 0.0995709151f, 0.0751637444f, 0.0518016405f},
    {-0.012390377f, -0.00515112933f, -0.0019794968f, -0.000739871874f, -0.000172545857f, -2.33977644e-05f,
     -3.16739033e-06f, -4.28675179e-07f, -2.47095322e-08f, 0, 0, 0, 0, 0, 0, 0.000310495117f, 0.0886279121f,
     0.105372861f, 0.120475739f, 0.133746982f, 0.149840876f, 0.164061487f, 0.169927269f, 0.168078661f, 0.153249413f,
     0.119441003f, 0.0798982307f, 0.0433629788f, 0.00370061724f, -0.0210951641f, -0.0251212399f, -0.020848915f},
    {0.00397852808f, 0.00191317464f, 0.000769519655f, 0.000292235956f, 6.79071672e-05f, 9.22523395e-06f,
     1.24914141e-06f, 1.69064663e-07f, 9.35830613e-09f, 0, 0, 0, 0, 0, 0, 0.130617574f, 0.111953393f, 0.102143951f,
     0.0909789726f, 0.0787467733f, 0.0590575002f, 0.0319528244f, 0.0059238649f, -0.0171651114f, -0.0435074829f,
     -0.0615942068f, -0.0626845509f, -0.053066019f, -0.0320285298f, -0.00949542131f, 0.00140635262f, 0.00460564625f},
};
// clang-format on

/// tanh(x), within 1.5 ULP, in half the time of the quotient below.
HWY_INLINE __m512 TanhByTable(__m512 x) {
  const __m512 sign = _mm512_set1_ps(-0.0f), size = _mm512_andnot_ps(sign, x);
  // Below 2^-63, where the two upper bits of the exponent are 0, the result is x itself, sign of zero included. So that
  // nothing computes with subnormal numbers, such lanes are masked.
  const __mmask16 kept = _mm512_test_epi32_mask(_mm512_castps_si512(x), _mm512_set1_epi32(0x60000000));
  const __m512 a = _mm512_min_ps(_mm512_set1_ps(12.0f), size);  // from 9.02 on the result is 1; NaN passes
  const __m512i least = _mm512_set1_epi32(0x3de00000);          // the last quarter below 1/8
  const __m512i column = _mm512_srli_epi32(_mm512_max_epi32(_mm512_castps_si512(a), least), 21);
  const auto row = [column](int k) HWY_ATTR {
    return _mm512_permutex2var_ps(_mm512_load_ps(kTanhTable[k]), column, _mm512_load_ps(kTanhTable[k] + 16));
  };
  const __m512 distance = _mm512_maskz_sub_ps(kept, a, row(0));
  __m512 y = row(6);
  for (int k = 5; k > 0; --k) y = _mm512_fmadd_ps(y, distance, row(k));
  // x's sign on y, in the lanes kept: bit by bit, sign ? x : y.
  return _mm512_castsi512_ps(_mm512_mask_ternarylogic_epi32(_mm512_castps_si512(x), kept, _mm512_castps_si512(sign),
                                                            _mm512_castps_si512(y), 0xe2));
}
#endif

/// tanh(x) = t / (t + 2) with t = exp(2|x|) - 1, within 2.5 ULP.
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Tanh(D d, V x) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  if constexpr (std::is_same_v<V, hn::Vec512<float>>) return V{TanhByTable(x.raw)};
#endif
  // From 9.02 on the result is 1.
  const V size = hn::Abs(x), a = hn::Min(hn::Set(d, 10.0f), hn::Max(hn::Set(d, kNotTiny<float>), size));
  V n;
  const V p = ExpReduced(d, ReduceFlushed(d, hn::Add(a, a), &n)), s = PowerOf2(d, n);
  const V t = hn::MulAdd(s, p, hn::Sub(s, hn::Set(d, 1.0f)));
  const V y = hn::CopySign(hn::Div(t, hn::Add(t, hn::Set(d, 2.0f))), x);
  // Below 2^-12 the result is x itself, subnormal and negative zero included; so it is for NaN.
  return hn::IfThenElse(hn::Ge(size, hn::Set(d, 2.44140625e-4f)), y, x);
}

/// erf(x), within 1.5 ULP: x + x P(x^2) up to 1, 1 - exp(Q(|x|)) beyond, where Q fits log(erfc).
template <class D, class V, IfFloat32<D>* = nullptr>
HWY_INLINE V Erf(D d, V x) {
  const V a = hn::Min(hn::Abs(x), hn::Set(d, 4.0f));
  const V q = Polynomial(d, FlushTiny(d, a), -0.00035371838f, -1.12704003f, -0.638225734f, -0.103037253f, 0.0218052156f,
                         -0.00293956557f, 0.000185567696f);
  const V large = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), Exp(d, q)), x);
  const V b = FlushTiny(d, a);
  const V p = Polynomial(d, FlushTiny(d, hn::Mul(b, b)), 0.128379166f, -0.37612626f, 0.112835832f, -0.0268536918f,
                         0.00518807443f, -0.000800788926f, 7.84617296e-05f);
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
