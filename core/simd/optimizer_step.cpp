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
HWY_INLINE void ForVectors(T* const* all, std::size_t n, Body body) {
  T* streams[kStreams];  // as locals: the compiler need not read them again after each store
  for (int k = 0; k < kStreams; ++k) streams[k] = all[k];
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

/// The numbers of a step as vectors.
template <class T>
HWY_INLINE auto Set(double value) {
  return hn::Set(hn::ScalableTag<T>(), static_cast<T>(value));
}

template <class T>
void Step(const SgdStep& s, T* const* streams, std::size_t n) {
  const auto lr = Set<T>(-s.lr), decay = Set<T>(s.weight_decay), momentum = Set<T>(s.momentum),
             fresh = Set<T>(1 - s.dampening);
  const bool has_velocity = streams[2] != nullptr;
  ForVectors<3>(streams, n, [&](auto* x) HWY_ATTR {
    auto step = x[0];
    if (s.weight_decay != 0) step = hn::MulAdd(decay, x[1], step);
    if (has_velocity) {
      x[2] = s.first ? step : hn::MulAdd(momentum, x[2], hn::Mul(fresh, step));
      step = s.nesterov ? hn::MulAdd(momentum, x[2], step) : x[2];
    }
    x[1] = hn::MulAdd(lr, step, x[1]);
  });
}

template <class T>
void Step(const AdamStep& s, T* const* streams, std::size_t n) {
  const auto decay = Set<T>(s.weight_decay), shrink = Set<T>(1 - s.lr * s.weight_decay), eps = Set<T>(s.eps);
  const auto beta1 = Set<T>(s.beta1), beta2 = Set<T>(s.beta2), rest1 = Set<T>(1 - s.beta1), rest2 = Set<T>(1 - s.beta2);
  const auto size = Set<T>(-s.lr / s.correction1), scale = Set<T>(1 / std::sqrt(s.correction2));
  const bool is_amsgrad = streams[4] != nullptr;
  ForVectors<5>(streams, n, [&](auto* x) HWY_ATTR {
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
    if (is_amsgrad) {  // not Max: NaN stays
      square = x[4] = hn::IfThenElse(hn::Or(hn::Gt(x[4], square), hn::IsNaN(x[4])), x[4], square);
    }
    const auto root = hn::MulAdd(hn::Sqrt(square), scale, eps);
    x[1] = hn::MulAdd(size, hn::Div(x[2], root), x[1]);
  });
}

template <class T>
void Step(const RmspropStep& s, T* const* streams, std::size_t n) {
  const auto lr = Set<T>(-s.lr), decay = Set<T>(s.weight_decay), eps = Set<T>(s.eps);
  const auto alpha = Set<T>(s.alpha), rest = Set<T>(1 - s.alpha), momentum = Set<T>(s.momentum), zero = Set<T>(0);
  const bool has_momentum = streams[3] != nullptr, is_centered = streams[4] != nullptr;
  ForVectors<5>(streams, n, [&](auto* x) HWY_ATTR {
    auto g = x[0];
    if (s.weight_decay != 0) g = hn::MulAdd(decay, x[1], g);
    x[2] = hn::MulAdd(hn::Mul(rest, g), g, hn::Mul(alpha, x[2]));
    auto square = x[2];
    if (is_centered) {
      x[4] = hn::MulAdd(alpha, x[4], hn::Mul(rest, g));
      square = hn::NegMulAdd(x[4], x[4], square);
      square = hn::IfThenElse(hn::Lt(square, zero), zero, square);  // not Max: NaN stays
    }
    auto step = hn::Div(g, hn::Add(hn::Sqrt(square), eps));
    if (has_momentum) step = x[3] = hn::MulAdd(momentum, x[3], step);
    x[1] = hn::MulAdd(lr, step, x[1]);
  });
}

template <class T>
void Step(const AdagradStep& s, T* const* streams, std::size_t n) {
  const auto lr = Set<T>(-s.lr), decay = Set<T>(s.weight_decay), eps = Set<T>(s.eps);
  ForVectors<3>(streams, n, [&](auto* x) HWY_ATTR {
    auto g = x[0];
    if (s.weight_decay != 0) g = hn::MulAdd(decay, x[1], g);
    x[2] = hn::MulAdd(g, g, x[2]);
    x[1] = hn::MulAdd(lr, hn::Div(g, hn::Add(hn::Sqrt(x[2]), eps)), x[1]);
  });
}

template <class T>
void Step(const NadamStep& s, T* const* streams, std::size_t n) {
  const auto decay = Set<T>(s.weight_decay), shrink = Set<T>(1 - s.lr * s.weight_decay), eps = Set<T>(s.eps);
  const auto beta1 = Set<T>(s.beta1), beta2 = Set<T>(s.beta2), rest1 = Set<T>(1 - s.beta1), rest2 = Set<T>(1 - s.beta2);
  const auto fresh = Set<T>(-s.gradient_part), average = Set<T>(-s.average_part);
  const auto scale = Set<T>(1 / std::sqrt(s.correction2));
  ForVectors<4>(streams, n, [&](auto* x) HWY_ATTR {
    auto g = x[0];
    if (s.decoupled_decay) {
      x[1] = hn::Mul(x[1], shrink);
    } else if (s.weight_decay != 0) {
      g = hn::MulAdd(decay, x[1], g);
    }
    x[2] = hn::MulAdd(beta1, x[2], hn::Mul(rest1, g));
    x[3] = hn::MulAdd(hn::Mul(rest2, g), g, hn::Mul(beta2, x[3]));
    const auto root = hn::MulAdd(hn::Sqrt(x[3]), scale, eps);
    x[1] = hn::Add(x[1], hn::Div(hn::MulAdd(fresh, g, hn::Mul(average, x[2])), root));
  });
}

template <class T>
void Step(const RadamStep& s, T* const* streams, std::size_t n) {
  const auto decay = Set<T>(s.weight_decay), shrink = Set<T>(1 - s.lr * s.weight_decay), eps = Set<T>(s.eps);
  const auto beta1 = Set<T>(s.beta1), beta2 = Set<T>(s.beta2), rest1 = Set<T>(1 - s.beta1), rest2 = Set<T>(1 - s.beta2);
  const auto size = Set<T>(-s.size);
  ForVectors<4>(streams, n, [&](auto* x) HWY_ATTR {
    auto g = x[0];
    if (s.decoupled_decay) {
      x[1] = hn::Mul(x[1], shrink);
    } else if (s.weight_decay != 0) {
      g = hn::MulAdd(decay, x[1], g);
    }
    x[2] = hn::MulAdd(beta1, x[2], hn::Mul(rest1, g));
    x[3] = hn::MulAdd(hn::Mul(rest2, g), g, hn::Mul(beta2, x[3]));
    const auto step = s.is_rectified ? hn::Div(x[2], hn::Add(hn::Sqrt(x[3]), eps)) : x[2];
    x[1] = hn::MulAdd(size, step, x[1]);
  });
}

template <class T>
void Step(const AdamaxStep& s, T* const* streams, std::size_t n) {
  const auto lr = Set<T>(-s.lr), decay = Set<T>(s.weight_decay), eps = Set<T>(s.eps);
  const auto beta1 = Set<T>(s.beta1), beta2 = Set<T>(s.beta2), rest1 = Set<T>(1 - s.beta1);
  ForVectors<4>(streams, n, [&](auto* x) HWY_ATTR {
    auto g = x[0];
    if (s.weight_decay != 0) g = hn::MulAdd(decay, x[1], g);
    x[2] = hn::MulAdd(beta1, x[2], hn::Mul(rest1, g));
    const auto kept = hn::Mul(beta2, x[3]), now = hn::Add(hn::Abs(g), eps);
    x[3] = hn::IfThenElse(hn::Or(hn::Gt(kept, now), hn::IsNaN(kept)), kept, now);  // not Max: NaN stays
    x[1] = hn::MulAdd(lr, hn::Div(x[2], x[3]), x[1]);
  });
}

template <class T>
void Step(const AdadeltaStep& s, T* const* streams, std::size_t n) {
  const auto lr = Set<T>(-s.lr), decay = Set<T>(s.weight_decay), eps = Set<T>(s.eps);
  const auto rho = Set<T>(s.rho), rest = Set<T>(1 - s.rho);
  ForVectors<4>(streams, n, [&](auto* x) HWY_ATTR {
    auto g = x[0];
    if (s.weight_decay != 0) g = hn::MulAdd(decay, x[1], g);
    x[2] = hn::MulAdd(hn::Mul(rest, g), g, hn::Mul(rho, x[2]));
    const auto delta = hn::Mul(hn::Div(hn::Sqrt(hn::Add(x[3], eps)), hn::Sqrt(hn::Add(x[2], eps))), g);
    x[3] = hn::MulAdd(hn::Mul(rest, delta), delta, hn::Mul(rho, x[3]));
    x[1] = hn::MulAdd(lr, delta, x[1]);
  });
}

template <class T>
void Step(const AsgdStep& s, T* const* streams, std::size_t n) {
  const auto eta = Set<T>(-s.eta), decay = Set<T>(s.weight_decay), shrink = Set<T>(1 - s.lambd * s.eta);
  const auto mu = Set<T>(s.mu);
  ForVectors<3>(streams, n, [&](auto* x) HWY_ATTR {
    auto g = x[0];
    if (s.weight_decay != 0) g = hn::MulAdd(decay, x[1], g);
    x[1] = hn::MulAdd(eta, g, hn::Mul(x[1], shrink));
    x[2] = s.mu == 1 ? x[1] : hn::MulAdd(hn::Sub(x[1], x[2]), mu, x[2]);
  });
}

template <class T>
void Step(const RpropStep& s, T* const* streams, std::size_t n) {
  const auto minus = Set<T>(s.minus), plus = Set<T>(s.plus), zero = Set<T>(0);
  const auto smallest = Set<T>(s.smallest), largest = Set<T>(s.largest);
  ForVectors<4>(streams, n, [&](auto* x) HWY_ATTR {
    const auto turn = hn::Mul(x[0], x[2]);
    const auto grows = hn::Gt(turn, zero), shrinks = hn::Lt(turn, zero);
    auto size = x[3];
    size = hn::IfThenElse(grows, hn::Mul(size, plus), hn::IfThenElse(shrinks, hn::Mul(size, minus), size));
    size = hn::Min(hn::Max(size, smallest), largest);
    const auto g = hn::IfThenZeroElse(shrinks, x[0]);
    x[1] = hn::IfThenElse(hn::Gt(g, zero), hn::Sub(x[1], size),
                          hn::IfThenElse(hn::Lt(g, zero), hn::Add(x[1], size), x[1]));
    x[2] = g;
    x[3] = size;
  });
}

template <class T>
void Step(const LionStep& s, T* const* streams, std::size_t n) {
  const auto lr = Set<T>(s.lr), shrink = Set<T>(1 - s.lr * s.weight_decay), zero = Set<T>(0);
  const auto beta1 = Set<T>(s.beta1), beta2 = Set<T>(s.beta2), rest1 = Set<T>(1 - s.beta1), rest2 = Set<T>(1 - s.beta2);
  ForVectors<3>(streams, n, [&](auto* x) HWY_ATTR {
    const auto direction = hn::MulAdd(beta1, x[2], hn::Mul(rest1, x[0]));
    const auto w = s.weight_decay == 0 ? x[1] : hn::Mul(x[1], shrink);
    x[1] = hn::IfThenElse(hn::Gt(direction, zero), hn::Sub(w, lr),
                          hn::IfThenElse(hn::Lt(direction, zero), hn::Add(w, lr), w));
    x[2] = hn::MulAdd(beta2, x[2], hn::Mul(rest2, x[0]));
  });
}

template <class T>
void Dispatch(const OptimizerStep& step, T* const* streams, std::size_t n) {
  std::visit([&](const auto& s) HWY_ATTR { Step(s, streams, n); }, step);
}
void StepFloat(const OptimizerStep& step, float* const* streams, std::size_t n) { Dispatch(step, streams, n); }
void StepDouble(const OptimizerStep& step, double* const* streams, std::size_t n) { Dispatch(step, streams, n); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(StepFloat);
HWY_EXPORT(StepDouble);

// In the namespace of the kernels: where Highway has one target only, it finds them by their bare names.
void optimizer_step(const OptimizerStep& step, float* const* streams, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(StepFloat)(step, streams, n);
}
void optimizer_step(const OptimizerStep& step, double* const* streams, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(StepDouble)(step, streams, n);
}

}  // namespace gradus::core::kernels
#endif  // HWY_ONCE
