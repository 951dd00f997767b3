// Elementary functions, vectorised.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "math-inl.h"
#include "pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

struct ExpOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Exp(d, x); }
};
struct Exp2Op {
  HWY_INLINE auto operator()(auto d, auto x) const { return Exp2(d, x); }
};
struct Expm1Op {
  HWY_INLINE auto operator()(auto d, auto x) const { return Expm1(d, x); }
};
struct LogOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Log(d, x); }
};
struct Log1pOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Log1p(d, x); }
};
struct Log2Op {
  HWY_INLINE auto operator()(auto d, auto x) const { return Log2(d, x); }
};
struct Log10Op {
  HWY_INLINE auto operator()(auto d, auto x) const { return Log10(d, x); }
};
struct TanhOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Tanh(d, x); }
};
struct SigmoidOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Sigmoid(d, x); }
};
struct ErfOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Erf(d, x); }
};

/// a^b of float32 by way of float64, rounded once.
void PowFloat32(void* out, const void* const* in, std::size_t n, const void*) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const std::size_t lanes = hn::Lanes(d);
  const float *a = static_cast<const float*>(in[0]), *b = static_cast<const float*>(in[1]);
  float* y = static_cast<float*>(out);
  const auto zero = hn::Zero(d), one = hn::Set(d, 1.0), half = hn::Set(d, 0.5), infinity = hn::Inf(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const auto base = hn::PromoteTo(d, count < lanes ? LoadFirst(df, a + i, count) : hn::LoadU(df, a + i));
    const auto exponent = hn::PromoteTo(d, count < lanes ? LoadFirst(df, b + i, count) : hn::LoadU(df, b + i));
    const auto size = hn::Abs(base), halved = hn::Mul(exponent, half);
    auto power = Exp2(d, hn::Mul(exponent, Log2(d, size)));
    const auto whole = hn::Eq(hn::Round(exponent), exponent);  // infinities are whole, and even
    const auto odd = hn::AndNot(hn::Eq(hn::Round(halved), halved), whole);
    power = hn::IfThenElse(odd, hn::CopySign(power, base), power);
    // No real power: a finite number below 0 to the power of no whole number.
    const auto negative = hn::And(hn::Lt(base, zero), hn::Lt(size, infinity));
    power = hn::IfThenElse(hn::AndNot(whole, negative), hn::NaN(d), power);
    // 1 to the power of anything, -1 to that of an infinity, anything to that of 0: NaN included.
    const auto endless = hn::And(hn::Eq(size, one), hn::Eq(hn::Abs(exponent), infinity));
    const auto unit = hn::Or(hn::Eq(base, one), hn::Eq(exponent, zero));
    const auto result = ToFloat32(df, hn::IfThenElse(hn::Or(unit, endless), one, power));
    if (count < lanes) {
      StoreFirst(result, df, y + i, count);
    } else {
      hn::StoreU(result, df, y + i);
    }
  }
}

/// Beyond 2^20 (and for infinities and NaN) the C library, number by number.
template <bool cosine, class T>
HWY_NOINLINE void LargeArguments(const T* x, T* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (std::abs(x[i]) < T{1048576}) continue;
    const double value = static_cast<double>(x[i]);
    y[i] = static_cast<T>(cosine ? std::cos(value) : std::sin(value));
  }
}

template <bool cosine, class T>
void Trigonometric(void* out, const void* const* in, std::size_t n, const void*) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<T, decltype(d)> dt;
  const std::size_t lanes = hn::Lanes(d);
  const T* x = static_cast<const T*>(in[0]);
  T* y = static_cast<T*>(out);
  HWY_ALIGN T argument[kMaxLanes<double>], result[kMaxLanes<double>];  // x may be overwritten by y
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const auto v = count < lanes ? LoadFirst(dt, x + i, count) : hn::LoadU(dt, x + i);
    hn::Vec<decltype(dt)> w;
    if constexpr (sizeof(T) == 4) {
      w = ToFloat32(dt, SineOrCosine<cosine>(d, hn::PromoteTo(d, v)));
    } else {
      w = SineOrCosine64<cosine>(d, v);
    }
    const auto large = hn::Not(hn::Lt(hn::Abs(v), hn::Set(dt, T{1048576})));
    if (HWY_UNLIKELY(!hn::AllFalse(dt, large))) {
      hn::Store(v, dt, argument);
      hn::Store(w, dt, result);
      LargeArguments<cosine>(argument, result, lanes);
      w = hn::Load(dt, result);
    }
    if (count < lanes) {
      StoreFirst(w, dt, y + i, count);
    } else {
      hn::StoreU(w, dt, y + i);
    }
  }
}

template <class Op>
Kernel Both(DType dtype) {
  return dtype == kFloat32 ? UnaryKernel<Op, float> : UnaryKernel<Op, double>;
}
template <class Op>
Kernel Rounded(DType dtype) {
  return dtype == kFloat32 ? ThroughFloat64<Op> : UnaryKernel<Op, double>;
}

Kernel FindMath(OperationKey op, DType dtype) {
  if (dtype != kFloat32 && dtype != kFloat64) return nullptr;
  switch (op) {
    case "exp"_key:
      return Both<ExpOp>(dtype);
    case "exp2"_key:
      return Rounded<Exp2Op>(dtype);
    case "expm1"_key:
      return Both<Expm1Op>(dtype);
    case "log"_key:
      return Both<LogOp>(dtype);
    case "log1p"_key:
      return Both<Log1pOp>(dtype);
    case "log2"_key:
      return Rounded<Log2Op>(dtype);
    case "log10"_key:
      return Rounded<Log10Op>(dtype);
    case "sin"_key:
      return dtype == kFloat32 ? Trigonometric<false, float> : Trigonometric<false, double>;
    case "cos"_key:
      return dtype == kFloat32 ? Trigonometric<true, float> : Trigonometric<true, double>;
    case "tanh"_key:
      return Both<TanhOp>(dtype);
    case "sigmoid"_key:
      return Both<SigmoidOp>(dtype);
    case "erf"_key:
      return Both<ErfOp>(dtype);
    default:
      return nullptr;
  }
}

Kernel FindPow() { return PowFloat32; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindMath);
Kernel math_unary(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindMath)(op, dtype); }

HWY_EXPORT(FindPow);
Kernel float32_pow_kernel() { return HWY_DYNAMIC_DISPATCH(FindPow)(); }

}  // namespace gradus::core::kernels
#endif
