#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/blend_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "../base/dispatch.h"
#include "blend_rows.h"
#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class T>
void Blend(const void* const* rows, const void* weights, std::int64_t count, std::int64_t n, void* y) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const T* const w = static_cast<const T*>(weights);
  T* const out = static_cast<T*>(y);
  const auto row = [&](std::int64_t k) { return static_cast<const T*>(rows[k]); };
  std::int64_t j = 0;
  // Multiplied and added, not fused: the same bits on every instruction set, and in the rest below.
  for (; j + lanes <= n; j += lanes) {
    auto sum = hn::Zero(d);
    if (count > 0) sum = hn::Mul(hn::Set(d, w[0]), hn::LoadU(d, row(0) + j));
    for (std::int64_t k = 1; k < count; ++k) sum = hn::Add(sum, hn::Mul(hn::Set(d, w[k]), hn::LoadU(d, row(k) + j)));
    hn::StoreU(sum, d, out + j);
  }
  for (; j < n; ++j) {
    T sum = count > 0 ? w[0] * row(0)[j] : T(0);
    for (std::int64_t k = 1; k < count; ++k) sum += w[k] * row(k)[j];
    out[j] = sum;
  }
}

BlendRows FindBlend(DType dtype) { return dtype == kFloat32 ? Blend<float> : Blend<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindBlend);
BlendRows blend_rows_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindBlend)(computed(dtype)); }

}  // namespace gradus::core::kernels
#endif
