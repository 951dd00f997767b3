// Elementary functions of float32, vectorised.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "math-inl.h"
#include "pointwise.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

struct ExpOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Exp(d, x);
  }
};
struct Expm1Op {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Expm1(d, x);
  }
};
struct LogOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Log(d, x);
  }
};
struct Log1pOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Log1p(d, x);
  }
};
struct TanhOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Tanh(d, x);
  }
};
struct SigmoidOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Sigmoid(d, x);
  }
};
struct ErfOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Erf(d, x);
  }
};

/// Beyond 2^20 (and for infinities and NaN) the C library, number by number.
template <bool cosine>
HWY_NOINLINE void LargeArguments(const float* x, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (std::abs(x[i]) < 1048576.0f) continue;
    const double value = static_cast<double>(x[i]);
    y[i] = static_cast<float>(cosine ? std::cos(value) : std::sin(value));
  }
}

template <bool cosine>
void Trigonometric(void* out, const void* const* in, std::size_t n, const void*) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  const std::size_t lanes = hn::Lanes(d);
  const float* x = static_cast<const float*>(in[0]);
  float* y = static_cast<float*>(out);
  HWY_ALIGN float argument[kMaxLanes<double>], result[kMaxLanes<double>];  // x may be overwritten by y
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const auto v = count < lanes ? LoadFirst(df, x + i, count) : hn::LoadU(df, x + i);
    auto w = hn::DemoteTo(df, SineOrCosine<cosine>(d, hn::PromoteTo(d, v)));
    const auto large = hn::Not(hn::Lt(hn::Abs(v), hn::Set(df, 1048576.0f)));
    if (HWY_UNLIKELY(!hn::AllFalse(df, large))) {
      hn::Store(v, df, argument);
      hn::Store(w, df, result);
      LargeArguments<cosine>(argument, result, lanes);
      w = hn::Load(df, result);
    }
    if (count < lanes) {
      StoreFirst(w, df, y + i, count);
    } else {
      hn::StoreU(w, df, y + i);
    }
  }
}

Kernel FindMath(Unary op) {
  switch (op) {
    case Unary::Exp:
      return UnaryKernel<ExpOp, float>;
    case Unary::Expm1:
      return UnaryKernel<Expm1Op, float>;
    case Unary::Log:
      return UnaryKernel<LogOp, float>;
    case Unary::Log1p:
      return UnaryKernel<Log1pOp, float>;
    case Unary::Sin:
      return Trigonometric<false>;
    case Unary::Cos:
      return Trigonometric<true>;
    case Unary::Tanh:
      return UnaryKernel<TanhOp, float>;
    case Unary::Sigmoid:
      return UnaryKernel<SigmoidOp, float>;
    case Unary::Erf:
      return UnaryKernel<ErfOp, float>;
    default:
      return nullptr;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindMath);
Kernel float32_math_kernel(Unary op) { return HWY_DYNAMIC_DISPATCH(FindMath)(op); }

}  // namespace gradus::core::kernels
#endif
