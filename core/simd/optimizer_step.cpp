// One pass over a parameter, its gradient and the optimizer's state.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/optimizer_step.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "optimizer_step.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// Streams of n elements side by side, some of which may be null. body(x) changes a vector of each; the first stream, the
/// gradient, is only read. Two vectors at a time, as in Map.
template <int kStreams, class T, class Body>
HWY_INLINE void ForVectors(T* const (&streams)[kStreams], std::size_t n, Body body) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  const auto load = [&](std::size_t i, std::size_t count, V* x) HWY_ATTR {
    for (int k = 0; k < kStreams; ++k) x[k] = streams[k] == nullptr ? hn::Zero(d) : LoadUpTo(d, streams[k] + i, count);
  };
  const auto store = [&](std::size_t i, std::size_t count, const V* x) HWY_ATTR {
    for (int k = 1; k < kStreams; ++k) {
      if (streams[k] != nullptr) StoreUpTo(x[k], d, streams[k] + i, count);
    }
  };
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    V x[kStreams], y[kStreams];
    load(i, lanes, x);
    load(i + lanes, lanes, y);
    body(x);
    body(y);
    store(i, lanes, x);
    store(i + lanes, lanes, y);
  }
  for (; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    V x[kStreams];
    load(i, count, x);
    body(x);
    store(i, count, x);
  }
}

template <class T>
void Sgd(T* w, const T* g, T* velocity, std::size_t n, const SgdStep& s) {
  const hn::ScalableTag<T> d;
  const auto set = [d](double value) HWY_ATTR { return hn::Set(d, static_cast<T>(value)); };
  const auto lr = set(-s.lr), decay = set(s.weight_decay), momentum = set(s.momentum), fresh = set(1 - s.dampening);
  T* const streams[] = {const_cast<T*>(g), w, velocity};
  ForVectors(streams, n, [&](auto* x) HWY_ATTR {
    auto step = x[0];
    if (s.weight_decay != 0) step = hn::MulAdd(decay, x[1], step);
    if (velocity != nullptr) {
      x[2] = s.first ? step : hn::MulAdd(momentum, x[2], hn::Mul(fresh, step));
      step = s.nesterov ? hn::MulAdd(momentum, x[2], step) : x[2];
    }
    x[1] = hn::MulAdd(lr, step, x[1]);
  });
}

template <class T>
void Adam(T* w, const T* g, T* m, T* v, T* largest, std::size_t n, const AdamStep& s) {
  const hn::ScalableTag<T> d;
  const auto set = [d](double value) HWY_ATTR { return hn::Set(d, static_cast<T>(value)); };
  const auto decay = set(s.weight_decay), shrink = set(1 - s.lr * s.weight_decay), eps = set(s.eps);
  const auto beta1 = set(s.beta1), beta2 = set(s.beta2), rest1 = set(1 - s.beta1), rest2 = set(1 - s.beta2);
  const auto size = set(-s.lr / s.correction1), scale = set(1 / std::sqrt(s.correction2));
  T* const streams[] = {const_cast<T*>(g), w, m, v, largest};
  ForVectors(streams, n, [&](auto* x) HWY_ATTR {
    auto gradient = x[0];
    if (s.decoupled_decay) {
      x[1] = hn::Mul(x[1], shrink);
    } else if (s.weight_decay != 0) {
      gradient = hn::MulAdd(decay, x[1], gradient);
    }
    // Not m + (1 - beta1) (g - m), where a large m swallows g.
    x[2] = hn::MulAdd(beta1, x[2], hn::Mul(rest1, gradient));
    x[3] = hn::MulAdd(hn::Mul(rest2, gradient), gradient, hn::Mul(beta2, x[3]));
    auto square = x[3];
    if (largest != nullptr) square = x[4] = hn::Max(square, x[4]);
    const auto root = hn::MulAdd(hn::Sqrt(square), scale, eps);
    x[1] = hn::MulAdd(size, hn::Div(x[2], root), x[1]);
  });
}

void SgdFloat(float* w, const float* g, float* v, std::size_t n, const SgdStep& s) { Sgd(w, g, v, n, s); }
void SgdDouble(double* w, const double* g, double* v, std::size_t n, const SgdStep& s) { Sgd(w, g, v, n, s); }
void AdamFloat(float* w, const float* g, float* m, float* v, float* x, std::size_t n, const AdamStep& s) {
  Adam(w, g, m, v, x, n, s);
}
void AdamDouble(double* w, const double* g, double* m, double* v, double* x, std::size_t n, const AdamStep& s) {
  Adam(w, g, m, v, x, n, s);
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(SgdFloat);
HWY_EXPORT(SgdDouble);
HWY_EXPORT(AdamFloat);
HWY_EXPORT(AdamDouble);

// In the namespace of the kernels: where Highway has one target only, it finds them by their bare names.
void sgd(float* w, const float* g, float* velocity, std::size_t n, const SgdStep& s) {
  HWY_DYNAMIC_DISPATCH(SgdFloat)(w, g, velocity, n, s);
}
void sgd(double* w, const double* g, double* velocity, std::size_t n, const SgdStep& s) {
  HWY_DYNAMIC_DISPATCH(SgdDouble)(w, g, velocity, n, s);
}
void adam(float* w, const float* g, float* m, float* v, float* largest, std::size_t n, const AdamStep& s) {
  HWY_DYNAMIC_DISPATCH(AdamFloat)(w, g, m, v, largest, n, s);
}
void adam(double* w, const double* g, double* m, double* v, double* largest, std::size_t n, const AdamStep& s) {
  HWY_DYNAMIC_DISPATCH(AdamDouble)(w, g, m, v, largest, n, s);
}

}  // namespace gradus::core::kernels
#endif  // HWY_ONCE
