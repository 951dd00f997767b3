// Formulas of a few steps and choices, on plain numbers: the compiler makes vectors of these loops.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/elementwise.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "elementwise.h"
#include "modulo.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class Op, class T>
void Of1(void* out, const void* const* in, std::size_t n, const void* param) {
  T* y = static_cast<T*>(out);
  const T* x = static_cast<const T*>(in[0]);
  const T p = static_cast<const T*>(param)[0], q = static_cast<const T*>(param)[1], r = static_cast<const T*>(param)[2];
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) y[i] = Op::of(x[i], p, q, r);
}
template <class Op, class T>
void Of2(void* out, const void* const* in, std::size_t n, const void* param) {
  T* y = static_cast<T*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
  const T p = static_cast<const T*>(param)[0], q = static_cast<const T*>(param)[1];
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) y[i] = Op::of(a[i], b[i], p, q);
}
template <class Op, class T>
void Of3(void* out, const void* const* in, std::size_t n, const void* param) {
  T* y = static_cast<T*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]), *c = static_cast<const T*>(in[2]);
  const T p = static_cast<const T*>(param)[0];
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) y[i] = Op::of(a[i], b[i], c[i], p);
}

template <class Op, class T>
void Of3Number(void* out, const void* const* in, std::size_t n, const void* param) {
  T* y = static_cast<T*>(out);
  const T *a = static_cast<const T*>(in[0]), *c = static_cast<const T*>(in[2]);
  const T b = *static_cast<const T*>(in[1]), p = static_cast<const T*>(param)[0];
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) y[i] = Op::of(a[i], b, c[i], p);
}

struct Frac {
  template <class T>
  static HWY_INLINE T of(T x, T, T, T) {
    return x - __builtin_trunc(x);
  }
  static HWY_INLINE float of(float x, float, float, float) { return x - __builtin_truncf(x); }
};
struct NanToNum {
  template <class T>
  static HWY_INLINE T of(T x, T nan, T above, T below) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    const T y = x == infinity ? above : x, z = x == -infinity ? below : y;
    return x != x ? nan : z;
  }
};
// NaN stays, here and in what follows: comparisons are written so that it falls on the side that keeps it.
struct Hardshrink {
  template <class T>
  static HWY_INLINE T of(T x, T lambda, T, T) {
    return ((x >= -lambda) & (x <= lambda)) ? T{0} : x;
  }
};
struct Softshrink {
  template <class T>
  static HWY_INLINE T of(T x, T lambda, T, T) {
    const T y = x > lambda ? x - lambda : x * T{0};
    return x < -lambda ? x + lambda : y;
  }
};
struct Threshold {
  template <class T>
  static HWY_INLINE T of(T x, T threshold, T value, T) {
    return x <= threshold ? value : x;
  }
};
template <class T>
HWY_INLINE T Within(T x, T low, T high) {
  const T y = x < low ? low : x;
  return y > high ? high : y;
}
struct Hardsigmoid {
  template <class T>
  static HWY_INLINE T of(T x, T, T, T) {
    return Within(x + T{3}, T{0}, T{6}) / T{6};
  }
};
struct Hardswish {
  template <class T>
  static HWY_INLINE T of(T x, T, T, T) {
    return x * Within(x + T{3}, T{0}, T{6}) / T{6};
  }
};
struct Copysign {
  template <class T>
  static HWY_INLINE T of(T a, T b, T, T) {
    return __builtin_copysign(a, b);
  }
  static HWY_INLINE float of(float a, float b, float, float) { return __builtin_copysignf(a, b); }
};
struct Fmax {
  template <class T>
  static HWY_INLINE T of(T a, T b, T, T) {
    const T larger = a < b ? b : a;
    return a != a ? b : larger;
  }
};
struct Fmin {
  template <class T>
  static HWY_INLINE T of(T a, T b, T, T) {
    const T smaller = a > b ? b : a;
    return a != a ? b : smaller;
  }
};
struct Prelu {
  template <class T>
  static HWY_INLINE T of(T x, T weight, T, T) {
    return x > T{0} ? x : weight * x;
  }
};
// Gradients: 0 where the function is flat, whatever dy is there, and elsewhere dy times its slope.
struct HardtanhBackward {
  template <class T>
  static HWY_INLINE T of(T dy, T x, T low, T high) {
    return ((x <= low) | (x >= high)) ? T{0} : dy;
  }
};
struct HardshrinkBackward {
  template <class T>
  static HWY_INLINE T of(T dy, T x, T lambda, T) {
    return ((x >= -lambda) & (x <= lambda)) ? T{0} : dy;
  }
};
struct ThresholdBackward {
  template <class T>
  static HWY_INLINE T of(T dy, T x, T threshold, T) {
    return x <= threshold ? T{0} : dy;
  }
};
struct HardsigmoidBackward {
  template <class T>
  static HWY_INLINE T of(T dy, T x, T, T) {
    return ((x > T{-3}) & (x < T{3})) ? dy / T{6} : T{0};
  }
};
struct HardswishBackward {
  template <class T>
  static HWY_INLINE T of(T dy, T x, T, T) {
    const T bent = dy * (x / T{3} + static_cast<T>(0.5)), rising = x >= T{3} ? dy : bent;
    return x <= T{-3} ? T{0} : rising;
  }
};
struct PreluBackward {
  template <class T>
  static HWY_INLINE T of(T dy, T x, T weight, T) {
    return x > T{0} ? dy : dy * weight;
  }
};
struct PreluBackwardWeight {
  template <class T>
  static HWY_INLINE T of(T dy, T x, T, T) {
    return x > T{0} ? T{0} : dy * x;
  }
};
/// From the nearer end, so that both ends are met exactly.
struct Lerp {
  template <class T>
  static HWY_INLINE T of(T a, T b, T weight, T) {
    const T size = weight < T{0} ? -weight : weight, d = b - a;
    return size < static_cast<T>(0.5) ? a + weight * d : b - d * (T{1} - weight);
  }
};
struct LerpNumber {
  template <class T>
  static HWY_INLINE T of(T a, T b, T weight, T) {
    return Lerp::of(a, b, weight, weight);
  }
};
struct Addcmul {
  template <class T>
  static HWY_INLINE T of(T x, T a, T b, T value) {
    return x + value * a * b;
  }
};
struct Addcdiv {
  template <class T>
  static HWY_INLINE T of(T x, T a, T b, T value) {
    return x + value * a / b;
  }
};

// a - q b, q the quotient cut off. In float64 both are exact for float32 as long as q has no more than 29 bits; a q that rounding
// has put one too high is put right. What is beyond goes by the C library, a block at a time.
enum class Modulo { Fmod, Remainder, FloorDivide, FmodQuotient, RemainderQuotient };
template <Modulo op>
HWY_INLINE double FromRest(double a, double b, double rest, double q) {
  if constexpr (op == Modulo::Fmod) return rest;
  if constexpr (op == Modulo::FmodQuotient) return q + 0.0;  // never -0
  const bool apart = (rest != 0) & ((rest < 0) != (b < 0));
  if constexpr (op == Modulo::Remainder) return apart ? rest + b : rest;
  // Not q: of it the compiler makes no vectors here.
  const double whole = __builtin_rint((a - rest) / b) - (apart ? 1.0 : 0.0);
  if constexpr (op == Modulo::RemainderQuotient) return whole + 0.0;
  return whole == 0 ? __builtin_copysign(0.0, a / b) : whole;
}
template <Modulo op>
float ByLibrary(float a, float b) {
  switch (op) {
    case Modulo::Fmod:
      return fmod_of(a, b);
    case Modulo::Remainder:
      return remainder_of(a, b);
    case Modulo::FloorDivide:
      return floor_divide_of(a, b);
    case Modulo::FmodQuotient:
      return fmod_quotient_of(a, b);
    case Modulo::RemainderQuotient:
      return remainder_quotient_of(a, b);
  }
}
template <Modulo op>
void ModuloOf(void* out, const void* const* in, std::size_t n, const void*) {
  constexpr std::size_t block = 64;
  float* const y = static_cast<float*>(out);
  const float *const a = static_cast<const float*>(in[0]), *const b = static_cast<const float*>(in[1]);
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t count = n - begin < block ? n - begin : block;
    float result[block];
    int beyond = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto u = static_cast<double>(a[begin + i]), v = static_cast<double>(b[begin + i]);
      const double q = __builtin_trunc(u / v), size = v < 0 ? -v : v, least = u < 0 ? -u : u;
      double rest = u - q * v;
      const bool over = ((u < 0) & (rest > 0)) | ((u > 0) & (rest < 0));
      rest = over ? rest + (u < 0 ? -size : size) : rest;
      rest = __builtin_copysign(rest, u);  // a zero's sign
      beyond |= static_cast<int>(!(least < size * 5e8)) | static_cast<int>(!(size < 1e38));
      result[i] = static_cast<float>(FromRest<op>(u, v, rest, over ? q - __builtin_copysign(1.0, q) : q));
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (beyond == 0) {
        y[begin + i] = result[i];
      } else {
        y[begin + i] = ByLibrary<op>(a[begin + i], b[begin + i]);
      }
    }
  }
}
template <class T>
void TruncDivide(void* out, const void* const* in, std::size_t n, const void*) {
  T* const y = static_cast<T*>(out);
  const T *const a = static_cast<const T*>(in[0]), *const b = static_cast<const T*>(in[1]);
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (sizeof(T) == 4) {
      y[i] = __builtin_truncf(a[i] / b[i]);
    } else {
      y[i] = __builtin_trunc(a[i] / b[i]);
    }
  }
}
Kernel FindModulo(OperationKey op, DType dtype) {
  if (op == "trunc_divide"_key && is_floating_point(dtype)) {
    return dtype == kFloat32 ? TruncDivide<float> : TruncDivide<double>;
  }
  if (dtype != kFloat32) return nullptr;
  switch (op) {
    case "fmod"_key:
      return ModuloOf<Modulo::Fmod>;
    case "remainder"_key:
      return ModuloOf<Modulo::Remainder>;
    case "floor_divide"_key:
      return ModuloOf<Modulo::FloorDivide>;
    case "fmod_quotient"_key:
      return ModuloOf<Modulo::FmodQuotient>;
    case "remainder_quotient"_key:
      return ModuloOf<Modulo::RemainderQuotient>;
    default:
      return nullptr;
  }
}

template <class T>
Kernel FindOf(Elementwise op) {
  static constexpr struct {
    Elementwise op;
    Kernel kernel;
  } rows[] = {
      {Elementwise::Frac, Of1<Frac, T>},
      {Elementwise::NanToNum, Of1<NanToNum, T>},
      {Elementwise::Hardshrink, Of1<Hardshrink, T>},
      {Elementwise::Softshrink, Of1<Softshrink, T>},
      {Elementwise::Threshold, Of1<Threshold, T>},
      {Elementwise::Hardsigmoid, Of1<Hardsigmoid, T>},
      {Elementwise::Hardswish, Of1<Hardswish, T>},
      {Elementwise::Copysign, Of2<Copysign, T>},
      {Elementwise::Fmax, Of2<Fmax, T>},
      {Elementwise::Fmin, Of2<Fmin, T>},
      {Elementwise::Prelu, Of2<Prelu, T>},
      {Elementwise::HardtanhBackward, Of2<HardtanhBackward, T>},
      {Elementwise::HardshrinkBackward, Of2<HardshrinkBackward, T>},
      {Elementwise::ThresholdBackward, Of2<ThresholdBackward, T>},
      {Elementwise::HardsigmoidBackward, Of2<HardsigmoidBackward, T>},
      {Elementwise::HardswishBackward, Of2<HardswishBackward, T>},
      {Elementwise::PreluBackwardWeight, Of2<PreluBackwardWeight, T>},
      {Elementwise::LerpNumber, Of2<LerpNumber, T>},
      {Elementwise::PreluBackward, Of3<PreluBackward, T>},
      {Elementwise::Lerp, Of3<Lerp, T>},
      {Elementwise::Addcmul, Of3<Addcmul, T>},
      {Elementwise::Addcdiv, Of3<Addcdiv, T>},
  };
  constexpr auto by_number = [] {
    std::size_t count = 0;
    for (const auto& row : rows) {
      if (static_cast<std::size_t>(row.op) != count++) return false;
    }
    return count == static_cast<std::size_t>(Elementwise::Addcdiv) + 1;
  };
  static_assert(by_number(), "a row for each of Elementwise, in its order");
  return rows[static_cast<int>(op)].kernel;
}
Kernel FindElementwise(Elementwise op, DType dtype) {
  return dtype == kFloat32 ? FindOf<float>(op) : dtype == kFloat64 ? FindOf<double>(op) : nullptr;
}
template <class T>
Kernel FindNumberOf(Elementwise op) {
  return op == Elementwise::Addcmul   ? Of3Number<Addcmul, T>
         : op == Elementwise::Addcdiv ? Of3Number<Addcdiv, T>
                                      : nullptr;
}
Kernel FindElementwiseNumber(Elementwise op, DType dtype) {
  return dtype == kFloat32 ? FindNumberOf<float>(op) : dtype == kFloat64 ? FindNumberOf<double>(op) : nullptr;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindElementwise);
HWY_EXPORT(FindElementwiseNumber);
HWY_EXPORT(FindModulo);
Kernel modulo_kernel(OperationKey op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindModulo)(op, dtype); }
Kernel elementwise_kernel(Elementwise op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindElementwise)(op, dtype); }
Kernel elementwise_number_kernel(Elementwise op, DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindElementwiseNumber)(op, dtype);
}

}  // namespace gradus::core::kernels
#endif
