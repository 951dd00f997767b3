// One pass over a parameter, its gradient and the optimizer's state.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/optimizer_step.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "../fail.h"
#include "../optimizer_step.h"
#include "../parallel.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// Calls body(i, load, store) for whole vectors and once more for the rest: the same arithmetic for every element.
template <class D, class Body>
HWY_INLINE void ForVectors(D d, std::size_t n, Body body) {
  using T = hn::TFromD<D>;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    body(
        i, [d](const T* p) HWY_ATTR { return hn::LoadU(d, p); }, [d](auto v, T* p) HWY_ATTR { hn::StoreU(v, d, p); });
  }
  if (i < n) {
    const std::size_t rest = n - i;
    body(
        i, [d, rest](const T* p) HWY_ATTR { return LoadFirst(d, p, rest); },
        [d, rest](auto v, T* p) HWY_ATTR { StoreFirst(v, d, p, rest); });
  }
}

template <class T>
void Sgd(T* w, const T* g, T* velocity, std::size_t n, const SgdStep& s) {
  const hn::ScalableTag<T> d;
  const auto set = [d](double value) HWY_ATTR { return hn::Set(d, static_cast<T>(value)); };
  const auto lr = set(-s.lr), decay = set(s.weight_decay), momentum = set(s.momentum), fresh = set(1 - s.dampening);
  ForVectors(d, n, [&](std::size_t i, auto load, auto store) HWY_ATTR {
    const auto weight = load(w + i);
    auto step = load(g + i);
    if (s.weight_decay != 0) step = hn::MulAdd(decay, weight, step);
    if (velocity != nullptr) {
      const auto v = s.first ? step : hn::MulAdd(momentum, load(velocity + i), hn::Mul(fresh, step));
      store(v, velocity + i);
      step = s.nesterov ? hn::MulAdd(momentum, v, step) : v;
    }
    store(hn::MulAdd(lr, step, weight), w + i);
  });
}

template <class T>
void Adam(T* w, const T* g, T* m, T* v, T* largest, std::size_t n, const AdamStep& s) {
  const hn::ScalableTag<T> d;
  const auto set = [d](double value) HWY_ATTR { return hn::Set(d, static_cast<T>(value)); };
  const auto decay = set(s.weight_decay), shrink = set(1 - s.lr * s.weight_decay), eps = set(s.eps);
  const auto beta2 = set(s.beta2), rest1 = set(1 - s.beta1), rest2 = set(1 - s.beta2);
  const auto size = set(-s.lr / s.correction1), scale = set(1 / std::sqrt(s.correction2));
  ForVectors(d, n, [&](std::size_t i, auto load, auto store) HWY_ATTR {
    auto weight = load(w + i), gradient = load(g + i);
    if (s.decoupled_decay) {
      weight = hn::Mul(weight, shrink);
    } else if (s.weight_decay != 0) {
      gradient = hn::MulAdd(decay, weight, gradient);
    }
    const auto before = load(m + i);
    const auto mean = hn::MulAdd(rest1, hn::Sub(gradient, before), before);
    auto square = hn::MulAdd(hn::Mul(rest2, gradient), gradient, hn::Mul(beta2, load(v + i)));
    store(mean, m + i);
    store(square, v + i);
    if (largest != nullptr) {
      square = hn::Max(square, load(largest + i));
      store(square, largest + i);
    }
    const auto root = hn::MulAdd(hn::Sqrt(square), scale, eps);
    store(hn::MulAdd(size, hn::Div(mean, root), weight), w + i);
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
namespace gradus::core {
namespace kernels {

HWY_EXPORT(SgdFloat);
HWY_EXPORT(SgdDouble);
HWY_EXPORT(AdamFloat);
HWY_EXPORT(AdamDouble);

}  // namespace kernels

namespace {

// About 20 us of work a block.
constexpr std::int64_t kBlock = 1 << 16;

void check(const char* op, const Array& parameter, std::initializer_list<const Array*> others) {
  if (!parameter.is_contiguous()) {
    fail<ValueError>("{}: the parameter must be contiguous: strides {} for {}", op, parameter.strides(),
                     parameter.shape());
  }
  for (const Array* other : others) {
    if (!other->defined()) continue;
    if (other->shape() != parameter.shape() || other->dtype() != parameter.dtype()) {
      fail<ShapeError>("{}: gradient and state must have the parameter's shape and dtype: {} {} for {} {}", op,
                       other->shape(), other->dtype(), parameter.shape(), parameter.dtype());
    }
    if (!other->is_contiguous()) {
      fail<ValueError>("{}: gradient and state must be contiguous: strides {} for {}", op, other->strides(),
                       other->shape());
    }
  }
}

template <class T>
T* at(const Array& a, std::int64_t i) {
  return a.defined() ? a.data_ptr<T>() + i : nullptr;
}

}  // namespace

void sgd_step(const Array& parameter, const Array& gradient, const Array& velocity, const SgdStep& step) {
  check("sgd_step", parameter, {&gradient, &velocity});
  parallel_for(parameter.numel(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    const auto n = static_cast<std::size_t>(end - begin);
    if (parameter.dtype() == kFloat32) {
      HWY_DYNAMIC_DISPATCH(kernels::SgdFloat)
      (at<float>(parameter, begin), at<float>(gradient, begin), at<float>(velocity, begin), n, step);
    } else {
      HWY_DYNAMIC_DISPATCH(kernels::SgdDouble)
      (at<double>(parameter, begin), at<double>(gradient, begin), at<double>(velocity, begin), n, step);
    }
  });
}

void adam_step(const Array& parameter, const Array& gradient, const Array& exp_avg, const Array& exp_avg_sq,
               const Array& max_exp_avg_sq, const AdamStep& step) {
  check("adam_step", parameter, {&gradient, &exp_avg, &exp_avg_sq, &max_exp_avg_sq});
  parallel_for(parameter.numel(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    const auto n = static_cast<std::size_t>(end - begin);
    if (parameter.dtype() == kFloat32) {
      HWY_DYNAMIC_DISPATCH(kernels::AdamFloat)
      (at<float>(parameter, begin), at<float>(gradient, begin), at<float>(exp_avg, begin), at<float>(exp_avg_sq, begin),
       at<float>(max_exp_avg_sq, begin), n, step);
    } else {
      HWY_DYNAMIC_DISPATCH(kernels::AdamDouble)
      (at<double>(parameter, begin), at<double>(gradient, begin), at<double>(exp_avg, begin),
       at<double>(exp_avg_sq, begin), at<double>(max_exp_avg_sq, begin), n, step);
    }
  });
}

}  // namespace gradus::core
#endif  // HWY_ONCE
