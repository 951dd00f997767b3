// Activations, and gradients of pointwise operations in one pass.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/activation.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "activation.h"
#include "math-inl.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

struct GeluOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Gelu(d, x); }
};
struct SiluOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return Silu(d, x); }
};

struct GeluBackwardOp {
  HWY_INLINE auto operator()(auto d, auto dy, auto x) const { return hn::Mul(dy, GeluSlope(d, x)); }
};
/// s + w s (1 - s), s the sigmoid of v: by the smaller one of s and 1 - s, for 1 - s of a rounded s has lost its digits.
template <class D, class V>
HWY_INLINE V GatedSlope(D d, V v, V w) {
  const V one = hn::Set(d, hn::TFromD<D>{1}), t = Sigmoid(d, hn::Neg(hn::Abs(v))), rest = hn::Sub(one, t);
  return hn::MulAdd(hn::Mul(t, rest), w, hn::IfThenElse(hn::Gt(v, hn::Zero(d)), rest, t));
}
/// x s(v) with v = k (x + c x^3):  s + x s (1 - s) k (1 + 3 c x^2)
struct GeluTanhBackwardOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V x) const {
    using T = hn::TFromD<D>;
    const V one = hn::Set(d, T{1}), k = hn::Set(d, static_cast<T>(1.5957691216057308));
    // Beyond the bound the slope is 0 or 1.
    const V bound = hn::Set(d, T{40});
    const V a = hn::IfThenElse(hn::Lt(hn::Abs(x), bound), x, hn::CopySign(bound, x));
    const V square = hn::Mul(a, a), ka = hn::Mul(k, a);
    const V v = hn::Mul(ka, hn::MulAdd(square, hn::Set(d, static_cast<T>(0.044715)), one));
    const V inner = hn::MulAdd(square, hn::Set(d, static_cast<T>(3 * 0.044715)), one);
    const V slope = GatedSlope(d, v, hn::Mul(ka, inner));
    return hn::Mul(dy, hn::IfThenElse(hn::Eq(x, x), slope, x));
  }
};
/// s + x s (1 - s)
struct SiluBackwardOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V x) const {
    using T = hn::TFromD<D>;
    const V bound = hn::Set(d, T{1000});
    const V a = hn::IfThenElse(hn::Lt(hn::Abs(x), bound), x, hn::CopySign(bound, x));  // no inf times 0
    const V slope = GatedSlope(d, a, a);
    return hn::Mul(dy, hn::IfThenElse(hn::Eq(x, x), slope, x));
  }
};
struct TanhBackwardOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V y) const {
    return hn::Mul(dy, hn::Sub(hn::Set(d, hn::TFromD<D>{1}), hn::Mul(y, y)));
  }
};
struct SigmoidBackwardOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V y) const {
    return hn::Mul(dy, hn::Mul(y, hn::Sub(hn::Set(d, hn::TFromD<D>{1}), y)));
  }
};

/// GELU's tanh form of float32, on float64 on the way: it needs more digits than float32 has.
struct GeluTanhOfFloat32 {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V one = hn::Set(d, 1.0), a = hn::Min(hn::Abs(x), hn::Set(d, 22.0));
    const V argument =
        hn::Mul(hn::Mul(a, hn::Set(d, 1.5957691216057308)), hn::MulAdd(hn::Mul(a, a), hn::Set(d, 0.044715), one));
    const V e = Exp(d, hn::Neg(argument)), sum = hn::Add(one, e);
    const V y = hn::Div(hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Neg(hn::Mul(a, e))), sum);
    return hn::IfThenElse(hn::Gt(hn::Abs(x), hn::Zero(d)), y, x);
  }
};
struct GeluTanhOp {
  HWY_INLINE auto operator()(auto d, auto x) const { return GeluTanh(d, x); }
};

// Operations with numbers of their own, which are made of those that `param` points to.
template <class T>
struct SoftplusOp {
  explicit SoftplusOp(const T* param) : beta(param[0]), threshold(param[1]) {}
  T beta, threshold;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    const V scaled = hn::Mul(x, hn::Set(d, beta));
    const V y = hn::Div(Softplus(d, scaled), hn::Set(d, beta));
    return hn::IfThenElse(hn::Gt(scaled, hn::Set(d, threshold)), x, y);
  }
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V x) const {
    const V scaled = hn::Mul(x, hn::Set(d, beta));
    const V s = hn::IfThenElse(hn::Eq(scaled, scaled), Sigmoid(d, scaled), scaled);
    return hn::IfThenElse(hn::Gt(scaled, hn::Set(d, threshold)), dy, hn::Mul(dy, s));
  }
};
template <class T>
struct EluOp {
  explicit EluOp(const T* param) : alpha(*param) {}
  T alpha;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), hn::Mul(Expm1(d, x), hn::Set(d, alpha)), x);
  }
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V x) const {
    return hn::IfThenElse(hn::Le(x, hn::Zero(d)), hn::Mul(dy, hn::Mul(Exp(d, x), hn::Set(d, alpha))), dy);
  }
};
/// op(x), and the backward pass op(dy, x).
template <template <class> class Op, class T>
void ForwardWith(void* out, const void* const* in, std::size_t n, const void* param) {
  Map(Op<T>(static_cast<const T*>(param)), static_cast<T*>(out), static_cast<const T*>(in[0]), n);
}
template <template <class> class Op, class T>
void BackwardWith(void* out, const void* const* in, std::size_t n, const void* param) {
  Map(Op<T>(static_cast<const T*>(param)), static_cast<T*>(out), static_cast<const T*>(in[0]),
      static_cast<const T*>(in[1]), n);
}

struct ExpTimesOp {
  HWY_INLINE auto operator()(auto d, auto dy, auto x) const { return hn::Mul(dy, Exp(d, x)); }
};

/// out = op(x, t, b)
template <class Op, class T>
void TernaryKernel(void* out, const void* const* in, std::size_t n, const void*) {
  const T *x = static_cast<const T*>(in[0]), *t = static_cast<const T*>(in[1]), *b = static_cast<const T*>(in[2]);
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const auto y = Op()(d, LoadUpTo(d, x + i, count), LoadUpTo(d, t + i, count), LoadUpTo(d, b + i, count));
    StoreUpTo(y, d, static_cast<T*>(out) + i, count);
  }
}
/// (1 - t) log(1 + exp(x)) + b log(1 + exp(-x)); a factor of 0 counts for more than an infinity.
struct LogitLossOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x, V t, V b) const {
    const V zero = hn::Zero(d), a = hn::Sub(hn::Set(d, hn::TFromD<D>{1}), t);
    const V both = Log1p(d, ExpOfMinusSize(d, x));
    const V up = hn::Add(hn::IfThenElse(hn::Gt(x, zero), x, zero), both);
    const V down = hn::Add(hn::IfThenElse(hn::Lt(x, zero), hn::Neg(x), zero), both);
    const V y = hn::Add(hn::IfThenZeroElse(hn::Eq(a, zero), hn::Mul(a, up)),
                        hn::IfThenZeroElse(hn::Eq(b, zero), hn::Mul(b, down)));
    return hn::IfThenElse(hn::Eq(x, x), y, x);
  }
};
/// Its slope, (1 - t) sigmoid(x) - b sigmoid(-x).
struct LogitLossSlopeOp {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x, V t, V b) const {
    const V one = hn::Set(d, hn::TFromD<D>{1}), zero = hn::Zero(d);
    const V e = ExpOfMinusSize(d, x), large = hn::Div(one, hn::Add(one, e)), small = hn::Mul(e, large);
    const auto negative = hn::Lt(x, zero);
    const V up = hn::IfThenElse(negative, small, large), down = hn::IfThenElse(negative, large, small);
    const V y = hn::NegMulAdd(b, down, hn::Mul(hn::Sub(one, t), up));
    return hn::IfThenElse(hn::Eq(x, x), y, x);
  }
};
template <class Op>
Kernel Ternary(bool single) {
  return single ? TernaryKernel<Op, float> : TernaryKernel<Op, double>;
}

template <class Op>
Kernel Forward(bool single) {
  return single ? UnaryKernel<Op, float> : UnaryKernel<Op, double>;
}
template <class Op>
Kernel Backward(bool single) {
  return single ? BinaryKernel<Op, float> : BinaryKernel<Op, double>;
}

Kernel FindActivation(Activation which, DType dtype) {
  if (dtype != kFloat32 && dtype != kFloat64) return nullptr;
  const bool single = dtype == kFloat32;
  switch (which) {
    case Activation::Gelu:
      return Forward<GeluOp>(single);
    case Activation::GeluTanh:
      return single ? ThroughFloat64<GeluTanhOfFloat32> : UnaryKernel<GeluTanhOp, double>;
    case Activation::Silu:
      return Forward<SiluOp>(single);
    case Activation::Softplus:
      return single ? ForwardWith<SoftplusOp, float> : ForwardWith<SoftplusOp, double>;
    case Activation::GeluBackward:
      return Backward<GeluBackwardOp>(single);
    case Activation::GeluTanhBackward:
      return Backward<GeluTanhBackwardOp>(single);
    case Activation::SiluBackward:
      return Backward<SiluBackwardOp>(single);
    case Activation::SoftplusBackward:
      return single ? BackwardWith<SoftplusOp, float> : BackwardWith<SoftplusOp, double>;
    case Activation::TanhBackward:
      return Backward<TanhBackwardOp>(single);
    case Activation::SigmoidBackward:
      return Backward<SigmoidBackwardOp>(single);
    case Activation::ExpTimes:
      return Backward<ExpTimesOp>(single);
    case Activation::Elu:
      return single ? ForwardWith<EluOp, float> : ForwardWith<EluOp, double>;
    case Activation::EluBackward:
      return single ? BackwardWith<EluOp, float> : BackwardWith<EluOp, double>;
    case Activation::LogitLoss:
      return Ternary<LogitLossOp>(single);
    case Activation::LogitLossSlope:
      return Ternary<LogitLossSlopeOp>(single);
  }
  return nullptr;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindActivation);
Kernel activation_kernel(Activation which, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindActivation)(which, dtype); }

}  // namespace gradus::core::kernels
#endif
