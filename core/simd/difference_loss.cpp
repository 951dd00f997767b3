// Losses of differences: their sum, and their slope.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/difference_loss.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "difference_loss.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// |d|, and its slope, the sign.
template <class D>
struct Size {
  using V = hn::Vec<D>;
  Size(D, double, double) {}
  HWY_INLINE V Loss(V d) const { return hn::Abs(d); }
  HWY_INLINE V Slope(V d) const {
    const V one = hn::Set(D(), hn::TFromD<D>{1});
    return hn::IfThenZeroElse(hn::Eq(d, hn::Zero(D())), hn::IfThenElse(hn::IsNaN(d), d, hn::CopySign(one, d)));
  }
};
/// q (d - q / 2), and its slope, q: d held within the bound. Both over the unit, where that is not 1.
template <class D, bool divided>
struct HeldOver {
  using V = hn::Vec<D>;
  HeldOver(D d, double at, double over)
      : bound(hn::Set(d, static_cast<hn::TFromD<D>>(at))), unit(hn::Set(d, static_cast<hn::TFromD<D>>(over))) {}
  HWY_INLINE V Held(V d) const {  // NaN is neither above nor below
    const V high = hn::IfThenElse(hn::Gt(d, bound), bound, d);
    return hn::IfThenElse(hn::Lt(high, hn::Neg(bound)), hn::Neg(bound), high);
  }
  HWY_INLINE V Over(V q) const {
    if constexpr (divided) return hn::Div(q, unit);
    return q;
  }
  HWY_INLINE V Loss(V d) const {
    const V q = Held(d);
    return hn::Mul(Over(q), hn::Sub(d, hn::Mul(q, hn::Set(D(), hn::TFromD<D>{0.5}))));
  }
  HWY_INLINE V Slope(V d) const { return Over(Held(d)); }
  V bound, unit;
};
template <class D>
using Held = HeldOver<D, false>;
template <class D>
using HeldInUnits = HeldOver<D, true>;

template <template <class> class Op, class T>
double SumOf(const T* x, const T* t, double bound, double unit, std::size_t n) {
  const hn::ScalableTag<T> d;
  const hn::ScalableTag<double> dd;
  const std::size_t lanes = hn::Lanes(d);
  const Op<decltype(d)> op(d, bound, unit);
  const auto loss = [&](std::size_t i) HWY_ATTR { return op.Loss(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, t + i))); };
  auto a0 = hn::Zero(dd), a1 = a0, a2 = a0, a3 = a0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a0 = AddLanes(dd, a0, loss(i));
    a1 = AddLanes(dd, a1, loss(i + lanes));
    a2 = AddLanes(dd, a2, loss(i + 2 * lanes));
    a3 = AddLanes(dd, a3, loss(i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) a0 = AddLanes(dd, a0, loss(i));
  if (i < n) {  // lanes beyond the end are 0 and have no loss
    const auto rest = hn::Sub(LoadFirst(d, x + i, n - i), LoadFirst(d, t + i, n - i));
    a1 = AddLanes(dd, a1, op.Loss(rest));
  }
  return hn::GetLane(hn::SumOfLanes(dd, hn::Add(hn::Add(a0, a1), hn::Add(a2, a3))));
}
template <class T>
double Sum(const void* x, const void* t, double bound, double unit, std::size_t n) {
  const T *a = static_cast<const T*>(x), *b = static_cast<const T*>(t);
  if (bound == 0) return SumOf<Size>(a, b, bound, unit, n);
  return unit == 1 ? SumOf<Held>(a, b, bound, unit, n) : SumOf<HeldInUnits>(a, b, bound, unit, n);
}

template <template <class> class Op, class T>
void SlopeOf(const T* x, const T* t, double bound, double unit, double factor, T* out, std::size_t n) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const Op<decltype(d)> op(d, bound, unit);
  const auto by = hn::Set(d, static_cast<T>(factor));
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::Mul(by, op.Slope(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, t + i)))), d, out + i);
  }
  if (i < n) {
    const auto rest = hn::Sub(LoadFirst(d, x + i, n - i), LoadFirst(d, t + i, n - i));
    StoreFirst(hn::Mul(by, op.Slope(rest)), d, out + i, n - i);
  }
}
template <class T>
void Slope(const void* x, const void* t, double bound, double unit, double factor, void* out, std::size_t n) {
  const T *a = static_cast<const T*>(x), *b = static_cast<const T*>(t);
  T* to = static_cast<T*>(out);
  if (bound == 0) return SlopeOf<Size>(a, b, bound, unit, factor, to, n);
  unit == 1 ? SlopeOf<Held>(a, b, bound, unit, factor, to, n) : SlopeOf<HeldInUnits>(a, b, bound, unit, factor, to, n);
}

DifferenceLossSum FindSum(DType dtype) { return dtype == kFloat32 ? Sum<float> : Sum<double>; }
DifferenceLossSlope FindSlope(DType dtype) { return dtype == kFloat32 ? Slope<float> : Slope<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindSum);
HWY_EXPORT(FindSlope);
DifferenceLossSum difference_loss_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindSum)(dtype); }
DifferenceLossSlope difference_loss_slope_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindSlope)(dtype); }

}  // namespace gradus::core::kernels
#endif
