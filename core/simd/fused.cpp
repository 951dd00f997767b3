// Inner loops of core/nn/dropout.h, batch_norm.h and activation.h.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/fused.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <type_traits>

#include "../base/dispatch.h"
#include "fused.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class T>
void MaskedScale(void* out, const void* const* in, std::size_t n, const void* param) {
  using Bits = hwy::MakeUnsigned<T>;
  const T scale = *static_cast<const T*>(param);
  const T* x = static_cast<const T*>(in[0]);
  const unsigned char* mask = static_cast<const unsigned char*>(in[1]);
  T* y = static_cast<T*>(out);
  GRADUS_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) {
    // By bits, so that nothing of an infinity or a NaN is left where the mask is false.
    y[i] = std::bit_cast<T>(static_cast<Bits>(std::bit_cast<Bits>(x[i] * scale) & (Bits{0} - Bits{mask[i]})));
  }
}

struct ReluBackward {
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V y) const {
    return hn::IfThenZeroElse(hn::Le(y, hn::Zero(d)), dy);
  }
};

struct Normalize {
  static constexpr int inputs = 1, coefficients = 4;
  template <class D, class V>
  HWY_INLINE V operator()(D, const V* x, const V* c) const {
    return hn::MulAdd(hn::Sub(hn::Sub(x[0], c[0]), c[1]), c[2], c[3]);
  }
};
struct NormalizeBackward {
  static constexpr int inputs = 2, coefficients = 5;
  template <class D, class V>
  HWY_INLINE V operator()(D, const V* x, const V* c) const {
    const V centred = hn::Sub(hn::Sub(x[1], c[0]), c[1]);
    return hn::Mul(hn::NegMulAdd(centred, c[3], hn::Sub(x[0], c[2])), c[4]);
  }
};

template <class Op, class T>
void MapOneChannel(void* out, const void* const* in, const void* const* coefficients, std::size_t n) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  T* y = static_cast<T*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[Op::inputs - 1]);
  V c[Op::coefficients];
  for (int k = 0; k < Op::coefficients; ++k) c[k] = hn::Set(d, *static_cast<const T*>(coefficients[k]));
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {  // two at a time, as in Map
    const V x0[2] = {hn::LoadU(d, a + i), hn::LoadU(d, b + i)};
    const V x1[2] = {hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes)};
    const V y0 = Op()(d, x0, c), y1 = Op()(d, x1, c);
    hn::StoreU(y0, d, y + i);
    hn::StoreU(y1, d, y + i + lanes);
  }
  for (; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const V x[2] = {LoadUpTo(d, a + i, count), LoadUpTo(d, b + i, count)};
    StoreUpTo(Op()(d, x, c), d, y + i, count);
  }
}

template <class Op, class T>
void MapEachChannel(void* out, const void* const* in, const void* const* coefficients, std::size_t n,
                    std::size_t rows) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  T* y = static_cast<T*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[Op::inputs - 1]);
  ForRows<2>(rows, [&](std::size_t r, auto count) GRADUS_INLINED {
    const auto columns = [&](std::size_t i, std::size_t present) GRADUS_INLINED {
      V c[Op::coefficients], results[decltype(count)::value];
      for (int k = 0; k < Op::coefficients; ++k) {
        c[k] = LoadUpTo(d, static_cast<const T*>(coefficients[k]) + i, present);
      }
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t at = (r + k) * n + i;
        const V x[2] = {LoadUpTo(d, a + at, present), LoadUpTo(d, b + at, present)};
        results[k] = Op()(d, x, c);
      }
      for (std::size_t k = 0; k < count; ++k) StoreUpTo(results[k], d, y + (r + k) * n + i, present);
    };
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) columns(i, lanes);
    if (lanes > 1 && i < n) columns(i, n - i);
  });
}

template <class T>
void ProductOfChannels(const double* a, const double* b, void* row, std::size_t n) {
  T* const out = static_cast<T*>(row);
  if (b == nullptr) {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(a[i]);
  } else {
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(a[i] * b[i]);
  }
}
template <class T>
void SplitOfChannels(const double* a, void* row, void* rest, std::size_t n) {
  T *const out = static_cast<T*>(row), *const lost = static_cast<T*>(rest);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<T>(a[i]);
    lost[i] = std::is_same_v<T, float> ? static_cast<T>(a[i] - static_cast<double>(static_cast<T>(a[i]))) : T{0};
  }
}

template <class Op>
ChannelKernels OfChannels(DType dtype) {
  return dtype == kFloat32 ? ChannelKernels{MapOneChannel<Op, float>, MapEachChannel<Op, float>}
                           : ChannelKernels{MapOneChannel<Op, double>, MapEachChannel<Op, double>};
}

Kernel FindMaskedScale(DType dtype) { return dtype == kFloat32 ? MaskedScale<float> : MaskedScale<double>; }
Kernel FindReluBackward(DType dtype) {
  return dtype == kFloat32 ? BinaryKernel<ReluBackward, float> : BinaryKernel<ReluBackward, double>;
}
ChannelProduct FindChannelProduct(DType dtype) {
  return dtype == kFloat32 ? ProductOfChannels<float> : ProductOfChannels<double>;
}
ChannelSplit FindChannelSplit(DType dtype) {
  return dtype == kFloat32 ? SplitOfChannels<float> : SplitOfChannels<double>;
}
ChannelKernels FindNormalize(DType dtype) { return OfChannels<Normalize>(dtype); }
ChannelKernels FindNormalizeBackward(DType dtype) { return OfChannels<NormalizeBackward>(dtype); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindMaskedScale);
HWY_EXPORT(FindReluBackward);
HWY_EXPORT(FindChannelProduct);
HWY_EXPORT(FindChannelSplit);
HWY_EXPORT(FindNormalize);
HWY_EXPORT(FindNormalizeBackward);

Kernel masked_scale_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindMaskedScale)(computed(dtype)); }
Kernel relu_backward_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindReluBackward)(computed(dtype)); }
ChannelProduct channel_product_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindChannelProduct)(computed(dtype)); }
ChannelSplit channel_split_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindChannelSplit)(computed(dtype)); }
ChannelKernels normalize_kernels(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindNormalize)(computed(dtype)); }
ChannelKernels normalize_backward_kernels(DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindNormalizeBackward)(computed(dtype));
}

}  // namespace gradus::core::kernels
#endif
