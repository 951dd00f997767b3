// Operations that are exact or correctly rounded: sums, products, quotients, roots, roundings, extremes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/arithmetic.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <functional>

#include "loops-inl.h"
#include "pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// Integers wrap around, as unsigned ones do.
template <class T>
using Unsigned = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
template <class F, class T>
HWY_INLINE T Wrapping(F f, T a, T b) {
  return static_cast<T>(f(static_cast<Unsigned<T>>(a), static_cast<Unsigned<T>>(b)));
}

struct Add {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Add(a, b); }
  HWY_INLINE auto operator()(auto a, auto b) const { return Wrapping(std::plus<>(), a, b); }
  HWY_INLINE bool operator()(bool a, bool b) const { return a | b; }
};
struct Sub {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Sub(a, b); }
  HWY_INLINE auto operator()(auto a, auto b) const { return Wrapping(std::minus<>(), a, b); }
};
struct Mul {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Mul(a, b); }
  HWY_INLINE auto operator()(auto a, auto b) const { return Wrapping(std::multiplies<>(), a, b); }
  HWY_INLINE bool operator()(bool a, bool b) const { return a & b; }
};
struct Div {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Div(a, b); }
};
/// The hardware's maximum drops NaN on one side or the other; here it wins.
struct Maximum {
  HWY_INLINE auto operator()(auto, auto a, auto b) const {
    return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  }
  HWY_INLINE auto operator()(auto a, auto b) const { return a > b ? a : b; }
};
struct Minimum {
  HWY_INLINE auto operator()(auto, auto a, auto b) const {
    return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::IsNaN(a)), a, b);
  }
  HWY_INLINE auto operator()(auto a, auto b) const { return a < b ? a : b; }
};

struct Neg {
  HWY_INLINE auto operator()(auto, auto x) const { return hn::Neg(x); }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return static_cast<T>(Unsigned<T>{0} - static_cast<Unsigned<T>>(x));
  }
};
struct Abs {
  HWY_INLINE auto operator()(auto, auto x) const { return hn::Abs(x); }
  HWY_INLINE auto operator()(auto x) const { return x < decltype(x){0} ? Neg()(x) : x; }
};
/// 0 of NaN, as PyTorch's.
struct Sign {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, hn::TFromD<D>{1}), zero = hn::Zero(d);
    return hn::IfThenElse(hn::Gt(x, zero), one, hn::IfThenElse(hn::Lt(x, zero), hn::Neg(one), zero));
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return static_cast<T>((x > T{0}) - (x < T{0}));
  }
};
struct Square {
  HWY_INLINE auto operator()(auto, auto x) const { return hn::Mul(x, x); }
  HWY_INLINE auto operator()(auto x) const { return Mul()(x, x); }
};
struct Relu {
  HWY_INLINE auto operator()(auto d, auto x) const {
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);  // NaN is not below 0: it stays
  }
  HWY_INLINE auto operator()(auto x) const { return x < decltype(x){0} ? decltype(x){0} : x; }
};

// Highway's roundings; that of halves goes to even.
struct Floor {
  HWY_INLINE auto operator()(auto x) const { return hn::Floor(x); }
};
struct Ceil {
  HWY_INLINE auto operator()(auto x) const { return hn::Ceil(x); }
};
struct Round {
  HWY_INLINE auto operator()(auto x) const { return hn::Round(x); }
};
struct Trunc {
  HWY_INLINE auto operator()(auto x) const { return hn::Trunc(x); }
};
/// One of them with x's sign, because Highway's portable code loses that of a zero. Integers are whole already.
template <class Rounding>
struct Whole {
  HWY_INLINE auto operator()(auto, auto x) const { return hn::CopySign(Rounding()(x), x); }
  HWY_INLINE auto operator()(auto x) const { return x; }
};

struct Sqrt {
  HWY_INLINE auto operator()(auto, auto x) const { return hn::Sqrt(x); }
};
struct Reciprocal {
  HWY_INLINE auto operator()(auto d, auto x) const { return hn::Div(hn::Set(d, hn::TFromD<decltype(d)>{1}), x); }
};
struct Rsqrt {
  HWY_INLINE auto operator()(auto d, auto x) const { return Reciprocal()(d, hn::Sqrt(x)); }
};
/// pow(x, 0.5), which differs from the root at -0 and at -inf.
struct HalfPower {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V infinity = hn::Inf(d), root = hn::Sqrt(hn::Add(x, hn::Zero(d)));
    return hn::IfThenElse(hn::Eq(x, hn::Neg(infinity)), infinity, root);
  }
};
/// pow(x, 3) within 1.5 ULP. x^2 overflows, or loses digits below the normal range, only where x^3 is infinite or 0.
struct Cube {
  HWY_INLINE auto operator()(auto, auto x) const { return hn::Mul(hn::Mul(x, x), x); }
};

template <class T>
void AddScaled(void* out, const void* const* in, std::size_t n, const void* param) {
  const T alpha = *static_cast<const T*>(param);
  T* y = static_cast<T*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const auto scale = hn::Set(d, alpha);
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    // The product is rounded before the sum, so that every machine agrees and the composed form does too.
    const auto sum_at = [&](std::size_t at) {
      return hn::Add(hn::LoadU(d, a + at), hn::Mul(scale, hn::LoadU(d, b + at)));
    };
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const auto first = sum_at(i), second = sum_at(i + lanes);
      hn::StoreU(first, d, y + i);
      hn::StoreU(second, d, y + i + lanes);
    }
    for (; i + lanes <= n; i += lanes) hn::StoreU(sum_at(i), d, y + i);
    if (i < n) {
      const auto sum = hn::Add(LoadFirst(d, a + i, n - i), hn::Mul(scale, LoadFirst(d, b + i, n - i)));
      StoreFirst(sum, d, y + i, n - i);
    }
  } else {
    GRADUS_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) y[i] = Add()(a[i], Mul()(alpha, b[i]));
  }
}

template <class T>
void Clamp(void* out, const void* const* in, std::size_t n, const void* param) {
  const T low = static_cast<const T*>(param)[0], high = static_cast<const T*>(param)[1];
  T* y = static_cast<T*>(out);
  const T* x = static_cast<const T*>(in[0]);
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const auto lo = hn::Set(d, low), hi = hn::Set(d, high);
    const auto clamp = [&](auto v) HWY_ATTR {
      v = hn::IfThenElse(hn::Lt(v, lo), lo, v);
      return hn::IfThenElse(hn::Gt(v, hi), hi, v);
    };
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) hn::StoreU(clamp(hn::LoadU(d, x + i)), d, y + i);
    if (i < n) StoreFirst(clamp(LoadFirst(d, x + i, n - i)), d, y + i, n - i);
  } else {
    GRADUS_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) {
      const T v = x[i] < low ? low : x[i];
      y[i] = v > high ? high : v;
    }
  }
}

// In the order of DType: Bool, UInt8, Int32, Int64, Float32, Float64.
template <class Op>
struct Numbers {
  static constexpr Kernel unary[kDTypeCount] = {nullptr,
                                                UnaryKernel<Op, std::uint8_t>,
                                                UnaryKernel<Op, std::int32_t>,
                                                UnaryKernel<Op, std::int64_t>,
                                                UnaryKernel<Op, float>,
                                                UnaryKernel<Op, double>};
  static constexpr Kernel binary[kDTypeCount] = {nullptr,
                                                 BinaryKernel<Op, std::uint8_t>,
                                                 BinaryKernel<Op, std::int32_t>,
                                                 BinaryKernel<Op, std::int64_t>,
                                                 BinaryKernel<Op, float>,
                                                 BinaryKernel<Op, double>};
};
template <class Op>
struct Floats {
  static constexpr Kernel unary[kDTypeCount] = {
      nullptr, nullptr, nullptr, nullptr, UnaryKernel<Op, float>, UnaryKernel<Op, double>};
};

Kernel FindUnary(OperationKey op, DType dtype) {
  const int t = static_cast<int>(dtype);
  switch (op) {
    case "neg"_key:
      return Numbers<Neg>::unary[t];
    case "abs"_key:
      return Numbers<Abs>::unary[t];
    case "sign"_key:
      return dtype == kBool ? UnaryKernel<Whole<Floor>, bool> : Numbers<Sign>::unary[t];
    case "square"_key:
      return Numbers<Square>::unary[t];
    case "relu"_key:
      return Numbers<Relu>::unary[t];
    case "floor"_key:
      return Numbers<Whole<Floor>>::unary[t];
    case "ceil"_key:
      return Numbers<Whole<Ceil>>::unary[t];
    case "round"_key:
      return Numbers<Whole<Round>>::unary[t];
    case "trunc"_key:
      return Numbers<Whole<Trunc>>::unary[t];
    case "sqrt"_key:
      return Floats<Sqrt>::unary[t];
    case "rsqrt"_key:
      return Floats<Rsqrt>::unary[t];
    case "reciprocal"_key:
      return Floats<Reciprocal>::unary[t];
    default:
      return nullptr;
  }
}

Kernel FindBinary(OperationKey op, DType dtype) {
  const int t = static_cast<int>(dtype);
  switch (op) {
    case "add"_key:
      return dtype == kBool ? BinaryKernel<Add, bool> : Numbers<Add>::binary[t];
    case "sub"_key:
      return Numbers<Sub>::binary[t];
    case "mul"_key:
      return dtype == kBool ? BinaryKernel<Mul, bool> : Numbers<Mul>::binary[t];
    case "div"_key:
      return dtype == kFloat32 ? BinaryKernel<Div, float> : dtype == kFloat64 ? BinaryKernel<Div, double> : nullptr;
    case "maximum"_key:
      return dtype == kBool ? BinaryKernel<Add, bool> : Numbers<Maximum>::binary[t];
    case "minimum"_key:
      return dtype == kBool ? BinaryKernel<Mul, bool> : Numbers<Minimum>::binary[t];
    default:
      return nullptr;
  }
}

template <class Op>
Kernel NumberKernelOf(DType dtype, int which) {
  if (dtype == kFloat32) return which == 0 ? NumberKernel<Op, float, 0> : NumberKernel<Op, float, 1>;
  if (dtype == kFloat64) return which == 0 ? NumberKernel<Op, double, 0> : NumberKernel<Op, double, 1>;
  return nullptr;
}
Kernel FindNumber(OperationKey op, DType dtype, int which) {
  switch (op) {
    case "add"_key:
      return NumberKernelOf<Add>(dtype, which);
    case "sub"_key:
      return NumberKernelOf<Sub>(dtype, which);
    case "mul"_key:
      return NumberKernelOf<Mul>(dtype, which);
    case "div"_key:
      return NumberKernelOf<Div>(dtype, which);
    default:
      return nullptr;
  }
}

Kernel FindAddScaled(DType dtype) {
  static constexpr Kernel table[kDTypeCount] = {AddScaled<bool>,         AddScaled<std::uint8_t>,
                                                AddScaled<std::int32_t>, AddScaled<std::int64_t>,
                                                AddScaled<float>,        AddScaled<double>};
  return table[static_cast<int>(dtype)];
}

Kernel FindClamp(DType dtype) {
  static constexpr Kernel table[kDTypeCount] = {
      nullptr, Clamp<std::uint8_t>, Clamp<std::int32_t>, Clamp<std::int64_t>, Clamp<float>, Clamp<double>};
  return table[static_cast<int>(dtype)];
}

Kernel FindPower(double exponent, DType dtype) {
  const int t = static_cast<int>(dtype);
  if (exponent == 2) return Floats<Square>::unary[t];
  if (exponent == -1) return Floats<Reciprocal>::unary[t];
  if (exponent == 0.5) return Floats<HalfPower>::unary[t];
  if (exponent == 3) return Floats<Cube>::unary[t];
  return nullptr;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindUnary);
HWY_EXPORT(FindBinary);
HWY_EXPORT(FindNumber);
HWY_EXPORT(FindAddScaled);
HWY_EXPORT(FindClamp);
HWY_EXPORT(FindPower);

Kernel exact_unary(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindUnary)(op, dtype); }
Kernel exact_binary(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindBinary)(op, dtype); }
Kernel number_kernel(OperationKey op, DType dtype, int which) {
  return HWY_DYNAMIC_DISPATCH(FindNumber)(op, dtype, which);
}
Kernel add_scaled_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindAddScaled)(dtype); }
Kernel clamp_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindClamp)(dtype); }
Kernel power_kernel(double exponent, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindPower)(exponent, dtype); }

}  // namespace gradus::core::kernels
#endif
