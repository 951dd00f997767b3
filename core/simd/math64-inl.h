// Elementary functions on vectors of float64, under the names of those of float32. Logarithms, sine and cosine follow fdlibm (Sun Microsystems, 1993: e_log.c, s_log1p.c, k_sin.c, k_cos.c, and
// FreeBSD's e_log2.c and e_log10.c), branches made selections; exponentials are Taylor series after reduction.
#if defined(GRADUS_CORE_KERNELS_MATH64_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_MATH64_INL_H_
#undef GRADUS_CORE_KERNELS_MATH64_INL_H_
#else
#define GRADUS_CORE_KERNELS_MATH64_INL_H_
#endif

#include "math_common-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class D>
using IfFloat64 = std::enable_if_t<std::is_same_v<hn::TFromD<D>, double>>;

/// 1.5 2^52: x + kToInteger has the nearest integer to x in its low bits.
inline constexpr double kToInteger = 6755399441055744.0;
// ln 2 in two parts; the first has 33 significant bits, so that its products with exponents are exact.
inline constexpr double kLn2High64 = 6.93147180369123816490e-01, kLn2Low64 = 1.90821492927058770002e-10;

/// The nearest integer to x, |x| < 2^51.
template <class D, class V>
HWY_INLINE V NearestWhole(D d, V x) {
  const V c = hn::Set(d, kToInteger);
  return hn::Sub(hn::Add(x, c), c);
}

/// 2^n for whole n in [-1022, 1024]; 1024 gives infinity.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V PowerOf2(D d, V n) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, hn::Add(n, hn::Set(d, kToInteger)));
  return hn::BitCast(d, hn::ShiftLeft<52>(hn::Add(bits, hn::Set(du, 1023))));
}

/// x = n ln 2 + r with |r| <= ln 2 / 2.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V ReduceLn2(D d, V x, V* n) {
  x = FlushTiny(d, x);
  *n = NearestWhole(d, hn::Mul(x, hn::Set(d, 1.4426950408889634)));
  return hn::NegMulAdd(*n, hn::Set(d, kLn2Low64), hn::NegMulAdd(*n, hn::Set(d, kLn2High64), x));
}

/// x + low = n ln 2 + r for a low that is small beside ln 2.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V ReduceLn2(D d, V x, V low, V* n) {
  return hn::Add(ReduceLn2(d, x, n), low);
}

/// exp(r) - 1 for |r| <= 0.4.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V ExpReduced(D d, V r) {
  const V q = Polynomial(d, r, 0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
                         1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800);
  return hn::MulAdd(hn::Mul(r, r), q, r);
}

/// exp(r) for |r| <= 0.4.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V ExpOfRest(D d, V r) {
  return hn::Add(ExpReduced(d, r), hn::Set(d, 1.0));
}

/// y 2^n with one rounding where the result is subnormal; n in [-2044, 2048].
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Scale(D d, V y, V n) {
  const V half = NearestWhole(d, hn::Mul(n, hn::Set(d, 0.5)));
  return hn::Mul(hn::Mul(y, PowerOf2(d, half)), PowerOf2(d, hn::Sub(n, half)));
}

/// exp(x), within 1 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Exp(D d, V x) {
  V n;
  const V r = ReduceLn2(d, hn::Min(hn::Max(x, hn::Set(d, -746.0)), hn::Set(d, 710.0)), &n);
  const V y = Scale(d, ExpOfRest(d, r), n);
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// exp(x) for x <= 0.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V ExpOfNegative(D d, V x) {
  return Exp(d, x);
}

/// exp(-|x|), within 1 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V ExpOfMinusSize(D d, V x) {
  return Exp(d, hn::Neg(hn::Abs(x)));
}

/// 2^x, within 1.1 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Exp2(D d, V x) {
  const V bounded = FlushTiny(d, hn::Min(hn::Max(x, hn::Set(d, -1076.0)), hn::Set(d, 1025.0)));
  const V n = NearestWhole(d, bounded);
  const V r = hn::Mul(hn::Sub(bounded, n), hn::Set(d, 0.69314718055994529));
  const V y = Scale(d, ExpOfRest(d, r), n);
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

/// x = (1 + f) 2^e with 1 + f in [sqrt(1/2), sqrt(2)], for positive normal x. Returns f.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V SplitExponent(D d, V x, V* e) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, x);
  // The exponent with its bias of 1023, once sqrt(1/2) and not 1/2 begins a binade.
  const auto biased = hn::ShiftRight<52>(hn::Add(bits, hn::Set(du, 0x3ff0000000000000u - 0x3fe6a09e667f3bcdu)));
  const V offset = hn::Set(d, 4503599627370496.0);  // 2^52: its low bits take an integer
  *e = hn::Sub(hn::Sub(hn::BitCast(d, hn::Or(biased, hn::BitCast(du, offset))), offset), hn::Set(d, 1023.0));
  const auto mantissa = hn::Add(hn::Sub(bits, hn::ShiftLeft<52>(biased)), hn::Set(du, 0x3ff0000000000000u));
  return hn::Sub(hn::BitCast(d, mantissa), hn::Set(d, 1.0));
}

/// A logarithm's parts: log(1 + f) = f - (f^2 / 2 - rest).
template <class V>
struct LogParts {
  V f, e, half_square, rest;
};
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE LogParts<V> PartsOfLog(D d, V f, V e) {
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, 2.0))), z = hn::Mul(s, s);
  const V half_square = hn::Mul(hn::Mul(f, f), hn::Set(d, 0.5));
  const V r = hn::Mul(z, Polynomial(d, z, 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                                    2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                                    1.479819860511658591e-01));
  return {f, e, half_square, hn::Mul(s, hn::Add(half_square, r))};
}

/// The same for positive x, subnormal ones too.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE LogParts<V> PartsOfLog(D d, V x) {
  const auto tiny = hn::Lt(x, hn::Set(d, 2.2250738585072014e-308));
  V e;
  const V f = SplitExponent(d, hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, 18014398509481984.0)), x), &e);
  return PartsOfLog(d, f, hn::IfThenElse(tiny, hn::Sub(e, hn::Set(d, 54.0)), e));
}

template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V SumOfLog(D d, const LogParts<V>& p, V correction) {
  const V low = hn::Add(p.rest, hn::MulAdd(p.e, hn::Set(d, kLn2Low64), correction));
  return hn::MulAdd(p.e, hn::Set(d, kLn2High64), hn::Sub(p.f, hn::Sub(p.half_square, low)));
}

/// log(x), within 1 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Log(D d, V x) {
  return LogSpecial(d, x, SumOfLog(d, PartsOfLog(d, x), hn::Zero(d)));
}

/// log(1 + x), within 1 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Log1p(D d, V x) {
  const V one = hn::Set(d, 1.0), u = hn::Add(one, x);
  const V lost = hn::Sub(x, hn::Sub(u, one));  // what the sum rounded away; log(u + lost) = log(u) + lost / u
  V e;
  const V f = SplitExponent(d, u, &e);
  const V y = LogSpecial(d, u, SumOfLog(d, PartsOfLog(d, f, e), hn::Div(lost, u)));
  // A sum of 1 has lost all of x.
  return hn::IfThenElse(hn::Eq(u, one), x, y);
}

/// log(x) in another base: its parts times 1 / ln(base), in two parts (of which the first has few significant bits, so
/// that its product with the first half of the logarithm is exact), and e log(2), likewise in two parts.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V LogOfBase(D d, V x, double scale_high, double scale_low, double log2_high, double log2_low) {
  const hn::RebindToUnsigned<D> du;
  const LogParts<V> p = PartsOfLog(d, x);
  const V whole = hn::Sub(p.f, p.half_square);
  const V high = hn::BitCast(d, hn::And(hn::BitCast(du, whole), hn::Set(du, 0xffffffff00000000u)));
  const V low = hn::Add(hn::Sub(hn::Sub(p.f, high), p.half_square), p.rest);
  const V main = hn::Mul(high, hn::Set(d, scale_high)), of_exponent = hn::Mul(p.e, hn::Set(d, log2_high));
  V small = hn::MulAdd(hn::Add(low, high), hn::Set(d, scale_low), hn::Mul(low, hn::Set(d, scale_high)));
  small = hn::MulAdd(p.e, hn::Set(d, log2_low), small);
  const V sum = hn::Add(of_exponent, main);
  small = hn::Add(small, hn::Add(hn::Sub(of_exponent, sum), main));
  return LogSpecial(d, x, hn::Add(small, sum));
}

/// log2(x), within 1 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Log2(D d, V x) {
  return LogOfBase(d, x, 1.44269504072144627571e+00, 1.67517131648865118353e-10, 1, 0);
}

/// log10(x), within 1 ULP.
template <class D, class V, IfFloat64<D>* = nullptr>
HWY_INLINE V Log10(D d, V x) {
  return LogOfBase(d, x, 4.34294481878168880939e-01, 2.50829467116452752298e-11, 3.01029995663611771306e-01,
                   3.69423907715893078616e-13);
}

/// sin(x), or cos(x), within 1 ULP for |x| < 2^20; the caller sees to the rest.
template <bool cosine, class D, class V>
HWY_INLINE V SineOrCosine64(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  // x = q pi/2 + r + rest; each of the first two parts of pi/2 has 33 significant bits: their products with q are exact.
  const V q = NearestWhole(d, hn::Mul(x, hn::Set(d, 0.63661977236758134308)));
  const V first = hn::NegMulAdd(q, hn::Set(d, 1.57079632673412561417), x);
  const V second = hn::Mul(q, hn::Set(d, 6.07710050630396597660e-11)), between = hn::Sub(first, second);
  const V lost = hn::Sub(hn::Sub(first, between), second);
  const V third = hn::MulSub(q, hn::Set(d, 2.02226624879595063154e-21), lost);
  const V r = hn::Sub(between, third), rest = hn::Sub(hn::Sub(between, r), third);

  const V z = hn::Mul(r, r), half = hn::Set(d, 0.5), cube = hn::Mul(z, r);
  const V s = Polynomial(d, z, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                         -2.50507602534068634195e-08, 1.58969099521155010221e-10);
  const V inner = hn::MulSub(z, hn::NegMulAdd(cube, s, hn::Mul(half, rest)), rest);
  const V sine = hn::Sub(r, hn::NegMulAdd(cube, hn::Set(d, -1.66666666666666324348e-01), inner));
  const V c =
      hn::Mul(z, Polynomial(d, z, 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                            -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11));
  const V half_z = hn::Mul(half, z), one = hn::Set(d, 1.0), w = hn::Sub(one, half_z);
  const V cosine_of_r = hn::Add(w, hn::Add(hn::Sub(hn::Sub(one, w), half_z), hn::MulSub(z, c, hn::Mul(r, rest))));

  const auto quadrant = hn::Add(hn::BitCast(du, hn::Add(q, hn::Set(d, kToInteger))), hn::Set(du, cosine ? 1 : 0));
  const auto odd = hn::TestBit(quadrant, hn::Set(du, 1));
  const V y = hn::IfThenElse(hn::RebindMask(d, odd), cosine_of_r, sine);
  const V signed_y = hn::Xor(y, hn::BitCast(d, hn::ShiftLeft<62>(hn::And(quadrant, hn::Set(du, 2)))));
  // Where sine is x: -0 stays, and nothing is lost of subnormal numbers.
  return cosine ? signed_y : hn::IfThenElse(hn::Lt(hn::Abs(x), hn::Set(d, 7.4505805969238281e-09)), x, signed_y);
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
