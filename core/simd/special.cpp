// Functions of the C library, and such as it lacks, of float32 by way of float64: rounded once, so that approximations with
// a relative error of 1e-11 give the nearest number nearly always.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/special.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "math-inl.h"
#include "pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

constexpr double kHalfPi = 1.57079632679489661923;

/// On two operands, as ThroughFloat64 on one.
template <class Op>
void ThroughFloat64Of2(void* out, const void* const* in, std::size_t n, const void*) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const std::size_t lanes = hn::Lanes(d);
  const float *a = static_cast<const float*>(in[0]), *b = static_cast<const float*>(in[1]);
  float* y = static_cast<float*>(out);
  const auto of = [&](auto u, auto v) { return ToFloat32(df, Op()(d, hn::PromoteTo(d, u), hn::PromoteTo(d, v))); };
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(of(hn::LoadU(df, a + i), hn::LoadU(df, b + i)), df, y + i);
  if (i < n) StoreFirst(of(LoadFirst(df, a + i, n - i), LoadFirst(df, b + i, n - i)), df, y + i, n - i);
}

/// atan(x) for x >= 0, infinity included (Moshier's Cephes, 1995: atan.c).
template <class D, class V>
HWY_INLINE V AtanOfSize(D d, V x) {
  const V one = hn::Set(d, 1.0);
  const auto large = hn::Gt(x, hn::Set(d, 2.41421356237309504880)), middle = hn::Gt(x, hn::Set(d, 0.66));
  const V over = hn::IfThenElse(large, hn::Set(d, -1.0), hn::IfThenElse(middle, hn::Sub(x, one), x));
  const V under = hn::IfThenElse(large, x, hn::IfThenElse(middle, hn::Add(x, one), one));
  const V base =
      hn::IfThenElse(large, hn::Set(d, kHalfPi), hn::IfThenElse(middle, hn::Set(d, kHalfPi / 2), hn::Zero(d)));
  const V r = hn::Div(over, under), z = hn::Mul(r, r);
  const V p = Polynomial(d, z, -6.485021904942025371773e+01, -1.228866684490136173410e+02, -7.500855792314704667340e+01,
                         -1.615753718733365076637e+01, -8.750608600031904122785e-01);
  const V q = Polynomial(d, z, 1.945506571482613964425e+02, 4.853903996359136964868e+02, 4.328810604912902668951e+02,
                         1.650270098316988542046e+02, 2.485846490142306297962e+01, 1.0);
  return hn::Add(base, hn::MulAdd(hn::Mul(r, z), hn::Div(p, q), r));
}
struct AtanOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::CopySign(AtanOfSize(d, hn::Abs(x)), x);
  }
};
struct AsinOp {  // atan(x / sqrt(1 - x^2))
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V size = hn::Abs(x), one = hn::Set(d, 1.0);
    const V root = hn::Sqrt(hn::Mul(hn::Sub(one, size), hn::Add(one, size)));
    return hn::CopySign(AtanOfSize(d, hn::Div(size, root)), x);
  }
};
struct AcosOp {  // 2 atan(sqrt((1 - x) / (1 + x)))
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1.0), y = AtanOfSize(d, hn::Sqrt(hn::Div(hn::Sub(one, x), hn::Add(one, x))));
    return hn::Add(y, y);
  }
};
struct Atan2Op {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V y, V x) const {
    const V a = hn::Abs(y), b = hn::Abs(x), one = hn::Set(d, 1.0);
    const V low = hn::Min(a, b), high = hn::Max(a, b);
    V t = hn::IfThenElse(hn::Eq(low, hn::Inf(d)), one, hn::Div(low, high));
    t = hn::IfThenElse(hn::Eq(high, hn::Zero(d)), hn::Zero(d), t);
    V r = AtanOfSize(d, t);
    r = hn::IfThenElse(hn::Gt(a, b), hn::Sub(hn::Set(d, kHalfPi), r), r);
    r = hn::IfThenElse(hn::Lt(hn::CopySign(one, x), hn::Zero(d)), hn::Sub(hn::Set(d, 2 * kHalfPi), r), r);
    const V sum = hn::Add(x, y);  // NaN where one is, or for infinities of two signs
    return hn::IfThenElse(hn::And(hn::Eq(x, x), hn::Eq(y, y)), hn::CopySign(r, y), sum);
  }
};
struct HypotOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const V y = hn::Sqrt(hn::MulAdd(a, a, hn::Mul(b, b))), infinity = hn::Inf(d);
    return hn::IfThenElse(hn::Or(hn::Eq(hn::Abs(a), infinity), hn::Eq(hn::Abs(b), infinity)), infinity, y);
  }
};

/// sin / cos; numbers from 2^20 on, infinities and NaN by the C library.
void Tan(void* out, const void* const* in, std::size_t n, const void*) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const std::size_t lanes = hn::Lanes(d);
  const float* x = static_cast<const float*>(in[0]);
  float* y = static_cast<float*>(out);
  HWY_ALIGN float argument[kMaxLanes<double>], result[kMaxLanes<double>];  // x may be overwritten by y
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const auto v = count < lanes ? LoadFirst(df, x + i, count) : hn::LoadU(df, x + i);
    const auto wide = hn::PromoteTo(d, v);
    auto w = ToFloat32(df, hn::Div(SineOrCosine64<false>(d, wide), SineOrCosine64<true>(d, wide)));
    if (HWY_UNLIKELY(!hn::AllTrue(df, hn::Lt(hn::Abs(v), hn::Set(df, 1048576.0f))))) {
      hn::Store(v, df, argument);
      hn::Store(w, df, result);
      for (std::size_t k = 0; k < lanes; ++k) {
        if (!(std::abs(argument[k]) < 1048576.0f)) result[k] = std::tan(argument[k]);
      }
      w = hn::Load(df, result);
    }
    if (count < lanes) {
      StoreFirst(w, df, y + i, count);
    } else {
      hn::StoreU(w, df, y + i);
    }
  }
}

struct SinhOp {  // (u + u / (u + 1)) / 2, u = exp(|x|) - 1
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1.0), u = Expm1(d, hn::Abs(x));
    const V small = hn::IfThenElse(hn::Gt(u, hn::Set(d, 1e20)), one, hn::Div(u, hn::Add(u, one)));
    return hn::CopySign(hn::Mul(hn::Add(u, small), hn::Set(d, 0.5)), x);
  }
};
struct CoshOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V e = Exp(d, hn::Abs(x));
    return hn::Mul(hn::Add(e, hn::Div(hn::Set(d, 1.0), e)), hn::Set(d, 0.5));
  }
};
struct AsinhOp {  // log1p(|x| + x^2 / (1 + sqrt(1 + x^2)))
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1.0), size = hn::Abs(x), square = hn::Mul(x, x);
    const V rest = hn::Div(square, hn::Add(one, hn::Sqrt(hn::Add(one, square))));
    const V y = Log1p(d, hn::Add(size, rest));
    return hn::CopySign(hn::IfThenElse(hn::Eq(size, hn::Inf(d)), size, y), x);
  }
};
struct AcoshOp {  // log1p(t + sqrt(2 t + t^2)), t = x - 1
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1.0), t = hn::Sub(x, one);
    const V y = Log1p(d, hn::Add(t, hn::Sqrt(hn::Mul(t, hn::Add(t, hn::Set(d, 2.0))))));
    return hn::IfThenElse(hn::Lt(x, one), hn::NaN(d), y);  // below -1 the sum would cancel
  }
};
struct AtanhOp {  // log1p(2 |x| / (1 - |x|)) / 2
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V size = hn::Abs(x), t = hn::Div(hn::Add(size, size), hn::Sub(hn::Set(d, 1.0), size));
    return hn::CopySign(hn::Mul(Log1p(d, t), hn::Set(d, 0.5)), x);
  }
};

/// erfc(|x|) = exp(-x^2) p(t) / (1 + 2 |x|), t = (|x| - 4) / (|x| + 4), p fitted at Chebyshev's nodes; 2 less that for x < 0.
struct ErfcOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V size = hn::Min(hn::Abs(x), hn::Set(d, 26.0)), four = hn::Set(d, 4.0), one = hn::Set(d, 1.0);
    const V t = hn::Div(hn::Sub(size, four), hn::Add(size, four));
    const V p = Polynomial(d, t, 1.2329951186256596, -0.13962111671902194, 0.015379652084633454, 0.0680970483680642,
                           -0.10103906553541567, 0.09373291837549823, -0.06633037124306614, 0.03716698319737111,
                           -0.016197704081939674, 0.00503378404106403, -0.0007578685192770594, -0.00020280345026696392,
                           0.0001508064893401491, -2.035933277081376e-05, -1.1445931355847933e-05,
                           3.1290745114553037e-06, 4.6165909969594385e-07);
    const V y = hn::Div(hn::Mul(Exp(d, hn::Neg(hn::Mul(size, size))), p), hn::MulAdd(hn::Set(d, 2.0), size, one));
    const V both = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(hn::Set(d, 2.0), y), y);
    return hn::IfThenElse(hn::Eq(x, x), both, x);
  }
};

/// Giles' approximation (2010), to the digits of float32.
struct ErfinvOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1.0), size = hn::Abs(x);
    const V w = hn::Neg(Log(d, hn::Mul(hn::Sub(one, size), hn::Add(one, size))));
    const auto near = hn::Lt(w, hn::Set(d, 5.0));
    const V n = hn::Sub(w, hn::Set(d, 2.5)), f = hn::Sub(hn::Sqrt(w), hn::Set(d, 3.0));
    V p = Polynomial(d, n, 1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-06,
                     -3.5233877e-06, 3.43273939e-07, 2.81022636e-08);
    if (HWY_UNLIKELY(!hn::AllTrue(d, near))) {
      const V far = Polynomial(d, f, 2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773,
                               -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257);
      p = hn::IfThenElse(near, p, far);
    }
    const V y = hn::IfThenElse(hn::Eq(size, one), hn::Inf(d), hn::Mul(p, size));
    return hn::IfThenElse(hn::Le(size, one), hn::CopySign(y, x), hn::NaN(d));
  }
};

/// I_order(x) = exp(|x|) p(|x| / 4 - 1) up to 8, |x| times that for order 1, and exp(|x|) q(16 / |x| - 1) / sqrt(|x|) beyond; p and q
/// fitted at Chebyshev's nodes. Even for order 0, odd for 1.
template <int order>
struct BesselOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V size = hn::Min(hn::Abs(x), hn::Set(d, 700.0)), one = hn::Set(d, 1.0);  // float32 has no room for exp(100)
    const V n = hn::MulSub(size, hn::Set(d, 0.25), one);
    const auto near = hn::Le(size, hn::Set(d, 8.0));
    V y = Near(d, n);
    if constexpr (order == 1) y = hn::Mul(y, size);
    if (HWY_UNLIKELY(!hn::AllTrue(d, near))) {
      const V f = hn::Sub(hn::Div(hn::Set(d, 16.0), hn::Max(size, one)), one);
      y = hn::IfThenElse(near, y, hn::Div(Far(d, f), hn::Sqrt(size)));
    }
    y = hn::Mul(Exp(d, size), y);
    if constexpr (order == 1) y = hn::CopySign(y, x);
    return hn::IfThenElse(hn::Eq(x, x), y, x);
  }
  template <class D, class V>
  static HWY_INLINE V Near(D d, V t) {
    if constexpr (order == 0) {
      return Polynomial(d, t, 0.20700192122391162, -0.11300432689708961, 0.0945156285614917, -0.0890434404074181,
                        0.08734341515335661, -0.08496340556489496, 0.07927524488525937, -0.06954090184029336,
                        0.05677685021171628, -0.042987891415718744, 0.030178937909636574, -0.019674831145387994,
                        0.01195641689424457, -0.006812568063553966, 0.003625696977081449, -0.0017780021747176471,
                        0.0008430036403237446, -0.0004196492999118043, 0.00017593374136098277, -4.098517603733985e-05,
                        1.664453536114556e-05, -1.810708605374621e-05, 6.1971946025876505e-06);
    } else {
      return Polynomial(d, t, 0.04468770987560138, -0.06112433803079891, 0.06805759991164917, -0.06848260610657846,
                        0.06376740361193495, -0.055280041794345265, 0.044674574506091906, -0.033671324903352624,
                        0.023685998891311132, -0.015571511791736816, 0.009584064162981668, -0.0055337510396800136,
                        0.003005398061240384, -0.001540983012037646, 0.0007453662875810667, -0.0003376268289921194,
                        0.0001470928301213064, -6.528420186914936e-05, 2.5586903747874807e-05, -6.546111825695594e-06,
                        2.4347100545341915e-06, -2.0803479381107735e-06, 6.760784704979494e-07);
    }
  }
  template <class D, class V>
  static HWY_INLINE V Far(D d, V t) {
    if constexpr (order == 0) {
      return Polynomial(d, t, 0.40217650944431715, 0.0033605519582285553, 0.0001362161229999245, 1.1143595558447005e-05,
                        1.483304322614683e-06, 2.9372465233078765e-07, 9.083409390175824e-08, 4.9763374485708075e-08,
                        1.8438049985577417e-08, -8.063786311585899e-09, -6.766495662309229e-09);
    } else {
      return Polynomial(d, t, 0.3893984590265585, -0.009749577164822434, -0.00021923581189286684,
                        -1.5039171153820777e-05, -1.8343770480442902e-06, -3.4437864124709445e-07,
                        -1.0205367874223077e-07, -5.450935479622735e-08, -2.0509828158674332e-08, 8.32666517251965e-09,
                        7.232413407546256e-09);
    }
  }
};

struct EntrOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V zero = hn::Zero(d), y = hn::Mul(hn::Neg(x), Log(d, x));
    const V edge = hn::IfThenElse(hn::Lt(x, zero), hn::Neg(hn::Inf(d)), y);
    return hn::IfThenElse(hn::Eq(x, zero), zero, hn::IfThenElse(hn::Eq(x, x), edge, x));
  }
};
/// x log(y), or x log(1 + y): 0 where x is 0 and y is not NaN.
template <bool plus_one>
struct XLogYOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x, V y) const {
    V log;
    if constexpr (plus_one) {
      log = Log1p(d, y);
    } else {
      log = Log(d, y);
    }
    const auto nothing = hn::And(hn::Eq(x, hn::Zero(d)), hn::Eq(y, y));
    return hn::IfThenElse(nothing, hn::Zero(d), hn::Mul(x, log));
  }
};
/// log(1 + u) for u in [0, 1]: 2 artanh(s), s = u / (2 + u) <= 1 / 3, by its series.
template <class D, class V>
HWY_INLINE V Log1pOfFraction(D d, V u) {
  const V s = hn::Div(u, hn::Add(u, hn::Set(d, 2.0))), z = hn::Mul(s, s);
  return hn::Mul(s, Polynomial(d, z, 2.0, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15, 2.0 / 17,
                               2.0 / 19, 2.0 / 21));
}
/// The larger and log(1 + exp(-|a - b|)), or with 2 in the place of e; of equal ones, infinite ones too, one more log(2).
template <bool base2>
struct LogAddExpOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const V below = hn::Neg(hn::Abs(hn::Sub(a, b)));
    V rest;
    if constexpr (base2) {
      rest = hn::Mul(Log1pOfFraction(d, Exp2(d, below)), hn::Set(d, 1.44269504088896340736));
    } else {
      rest = Log1pOfFraction(d, Exp(d, below));
    }
    const V equal = hn::Add(a, hn::Set(d, base2 ? 1.0 : 0.693147180559945309417));
    const V y = hn::IfThenElse(hn::Eq(a, b), equal, hn::Add(hn::Max(a, b), rest));
    return hn::IfThenElse(hn::And(hn::Eq(a, a), hn::Eq(b, b)), y, hn::NaN(d));
  }
};

Kernel FindSpecial(OperationKey op, DType dtype) {
  if (dtype != kFloat32) return nullptr;
  switch (op) {
    case "asin"_key:
      return ThroughFloat64<AsinOp>;
    case "acos"_key:
      return ThroughFloat64<AcosOp>;
    case "atan"_key:
      return ThroughFloat64<AtanOp>;
    case "tan"_key:
      return Tan;
    case "sinh"_key:
      return ThroughFloat64<SinhOp>;
    case "cosh"_key:
      return ThroughFloat64<CoshOp>;
    case "asinh"_key:
      return ThroughFloat64<AsinhOp>;
    case "acosh"_key:
      return ThroughFloat64<AcoshOp>;
    case "atanh"_key:
      return ThroughFloat64<AtanhOp>;
    case "erfc"_key:
      return ThroughFloat64<ErfcOp>;
    case "erfinv"_key:
      return ThroughFloat64<ErfinvOp>;
    case "i0"_key:
      return ThroughFloat64<BesselOp<0>>;
    case "i1"_key:
      return ThroughFloat64<BesselOp<1>>;
    case "entr"_key:
      return ThroughFloat64<EntrOp>;
    case "atan2"_key:
      return ThroughFloat64Of2<Atan2Op>;
    case "hypot"_key:
      return ThroughFloat64Of2<HypotOp>;
    case "xlogy"_key:
      return ThroughFloat64Of2<XLogYOp<false>>;
    case "xlog1py"_key:
      return ThroughFloat64Of2<XLogYOp<true>>;
    case "logaddexp"_key:
      return ThroughFloat64Of2<LogAddExpOp<false>>;
    case "logaddexp2"_key:
      return ThroughFloat64Of2<LogAddExpOp<true>>;
    default:
      return nullptr;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindSpecial);
Kernel special_function(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindSpecial)(op, dtype); }

}  // namespace gradus::core::kernels
#endif
