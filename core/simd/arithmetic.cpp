// Operations that are exact or correctly rounded: sums, products, quotients, roots, roundings, extremes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/arithmetic.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "loops-inl.h"
#include "pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// Integers wrap around, as unsigned ones do.
template <class T>
using Wrapping = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

struct Add {
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Add(a, b);
  }
  template <class T>
  HWY_INLINE T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) + Wrapping<T>(b));
  }
  HWY_INLINE bool operator()(bool a, bool b) const { return a | b; }
};
struct Sub {
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Sub(a, b);
  }
  template <class T>
  HWY_INLINE T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) - Wrapping<T>(b));
  }
};
struct Mul {
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Mul(a, b);
  }
  template <class T>
  HWY_INLINE T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) * Wrapping<T>(b));
  }
  HWY_INLINE bool operator()(bool a, bool b) const { return a & b; }
};
struct Div {
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::Div(a, b);
  }
};
/// The hardware's maximum drops NaN on one side or the other; here it wins.
struct Maximum {
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  }
  template <class T>
  HWY_INLINE T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};
struct Minimum {
  template <class D, class V>
  HWY_INLINE V operator()(D, V a, V b) const {
    return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::IsNaN(a)), a, b);
  }
  template <class T>
  HWY_INLINE T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};

struct Neg {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Neg(x);
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return static_cast<T>(Wrapping<T>(0) - Wrapping<T>(x));
  }
};
struct Abs {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Abs(x);
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return x < T{0} ? Neg()(x) : x;
  }
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
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Mul(x, x);
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return Mul()(x, x);
  }
};
struct Relu {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);  // NaN is not below 0: it stays
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return x < T{0} ? T{0} : x;
  }
};
/// The sign is put back because Highway's portable code loses that of a zero, here and in the three that follow.
struct Floor {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::CopySign(hn::Floor(x), x);
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return x;
  }
};
struct Ceil {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::CopySign(hn::Ceil(x), x);
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return x;
  }
};
/// Halves to even.
struct Round {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::CopySign(hn::Round(x), x);
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return x;
  }
};
struct Trunc {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::CopySign(hn::Trunc(x), x);
  }
  template <class T>
  HWY_INLINE T operator()(T x) const {
    return x;
  }
};
struct Sqrt {
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Sqrt(x);
  }
};
struct Rsqrt {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Div(hn::Set(d, hn::TFromD<D>{1}), hn::Sqrt(x));
  }
};
struct Reciprocal {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Div(hn::Set(d, hn::TFromD<D>{1}), x);
  }
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
  template <class D, class V>
  HWY_INLINE V operator()(D, V x) const {
    return hn::Mul(hn::Mul(x, x), x);
  }
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
      return dtype == kBool ? UnaryKernel<Floor, bool> : Numbers<Sign>::unary[t];
    case "square"_key:
      return Numbers<Square>::unary[t];
    case "relu"_key:
      return Numbers<Relu>::unary[t];
    case "floor"_key:
      return Numbers<Floor>::unary[t];
    case "ceil"_key:
      return Numbers<Ceil>::unary[t];
    case "round"_key:
      return Numbers<Round>::unary[t];
    case "trunc"_key:
      return Numbers<Trunc>::unary[t];
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
