// Layer and group normalisation of one row, and their gradients.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/layer_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "../base/dispatch.h"
#include "rows-inl.h"
#include "rows.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// (x - mean) inv_std. What rounding the mean loses is subtracted as well: |mean| may exceed the deviation by far.
template <class T>
struct Standardize {
  explicit Standardize(const RowStatistics& of)
      : mean(static_cast<T>(of.mean)),
        rest(static_cast<T>(of.mean - static_cast<double>(mean))),
        inv_std(static_cast<T>(of.inv_std)) {}
  template <class D, class V>
  HWY_INLINE V Centred(D d, V x) const {
    return hn::Sub(hn::Sub(x, hn::Set(d, mean)), hn::Set(d, rest));
  }
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Mul(Centred(d, x), hn::Set(d, inv_std));
  }
  T mean, rest, inv_std;
};

/// 1 / sqrt(variance + eps) of a row whose squares overflow: they are taken in units of the largest deviation.
template <class T>
double InvStdOfLarge(const T* x, std::size_t n, double mean, double eps) {
  const auto deviation = [&](std::size_t i) { return static_cast<double>(x[i]) - mean; };
  double largest = 0, squares = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(deviation(i)));
  for (std::size_t i = 0; i < n; ++i) squares += deviation(i) / largest * (deviation(i) / largest);
  return 1 / largest / std::sqrt(squares / static_cast<double>(n) + eps / largest / largest);
}

template <class T>
HWY_INLINE RowStatistics Statistics(const T* x, std::size_t n, double eps) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  RowStatistics of{SumRow(x, n) / static_cast<double>(n), 1};
  if constexpr (sizeof(T) == 8) {
    // The mean is rounded to the very digits that a row of nearly equal numbers has: what is left of their deviations
    // corrects it.
    const Standardize<T> rough(of);
    double rest[2] = {};
    TwoSums<T>(n, rest, [&](std::size_t i, std::size_t count, auto& a, auto&) GRADUS_INLINED {
      auto v = rough.Centred(d, LoadUpTo(d, x + i, count));
      if (count < lanes) v = hn::IfThenElseZero(hn::FirstN(d, count), v);
      a = hn::Add(a, v);
    });
    if (std::isfinite(rest[0])) of.mean += rest[0] / static_cast<double>(n);
  }
  const Standardize<T> centre(of);
  double squares[2] = {};
  TwoSums<T>(n, squares, [&](std::size_t i, std::size_t count, auto& a, auto&) GRADUS_INLINED {
    AskForNextRow(x + i, n);
    // Absent lanes have the value 0, not the mean: they are left out.
    auto v = centre.Centred(d, LoadUpTo(d, x + i, count));
    if (count < lanes) v = hn::IfThenElseZero(hn::FirstN(d, count), v);
    a = hn::MulAdd(v, v, a);
  });
  of.inv_std = 1 / std::sqrt(squares[0] / static_cast<double>(n) + eps);
  if (std::isinf(squares[0]) && std::isfinite(of.mean)) of.inv_std = InvStdOfLarge(x, n, of.mean, eps);
  return of;
}

template <class T>
RowStatistics LayerNorm(const void* in, const void* weight, const void* bias, double eps, void* out, std::size_t n) {
  const T *x = static_cast<const T*>(in), *w = static_cast<const T*>(weight), *b = static_cast<const T*>(bias);
  T* y = static_cast<T*>(out);
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const RowStatistics of = Statistics(x, n, eps);
  const Standardize<T> standardize(of);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    auto v = standardize(d, LoadUpTo(d, x + i, count));
    if (w != nullptr) v = hn::Mul(v, LoadUpTo(d, w + i, count));
    if (b != nullptr) v = hn::Add(v, LoadUpTo(d, b + i, count));
    StoreUpTo(v, d, y + i, count);
  }
  return of;
}

template <class T>
RowStatistics GroupNorm(const void* in, const void* weight, const void* bias, double eps, void* out,
                        std::size_t channels, std::size_t positions) {
  const T *x = static_cast<const T*>(in), *w = static_cast<const T*>(weight), *b = static_cast<const T*>(bias);
  T* y = static_cast<T*>(out);
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const RowStatistics of = Statistics(x, channels * positions, eps);
  const Standardize<T> standardize(of);
  for (std::size_t c = 0; c < channels; ++c, x += positions, y += positions) {
    const auto scale = hn::Set(d, w != nullptr ? w[c] : T(1)), shift = hn::Set(d, b != nullptr ? b[c] : T(0));
    for (std::size_t i = 0; i < positions; i += lanes) {
      const std::size_t count = positions - i < lanes ? positions - i : lanes;
      StoreUpTo(hn::MulAdd(standardize(d, LoadUpTo(d, x + i, count)), scale, shift), d, y + i, count);
    }
  }
  return of;
}

template <class T>
void GroupNormBackward(const void* above, const void* in, const void* weight, RowStatistics of, void* dx, double* sums,
                       std::size_t channels, std::size_t positions) {
  const T *dy = static_cast<const T*>(above), *x = static_cast<const T*>(in), *w = static_cast<const T*>(weight);
  T* to = static_cast<T*>(dx);
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d), n = channels * positions;
  const Standardize<T> standardize(of);
  double dx_hat = 0, dx_hat_x_hat = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const T *g = dy + c * positions, *v = x + c * positions;
    double both[2] = {};
    TwoSums<T>(positions, both, [&](std::size_t i, std::size_t count, auto& a, auto& b) GRADUS_INLINED {
      AskForNextRow(v + i, n);
      AskForNextRow(g + i, n);
      auto x_hat = standardize(d, LoadUpTo(d, v + i, count));
      // Absent lanes have the value 0, and 0 times an infinite distance from the mean would be NaN.
      if (count < lanes) x_hat = hn::IfThenElseZero(hn::FirstN(d, count), x_hat);
      const auto here = LoadUpTo(d, g + i, count);
      a = hn::MulAdd(here, x_hat, a);
      b = hn::Add(b, here);
    });
    sums[2 * c] = both[0];
    sums[2 * c + 1] = both[1];
    const double scale = w != nullptr ? static_cast<double>(w[c]) : 1;
    dx_hat_x_hat += scale * both[0];
    dx_hat += scale * both[1];
  }
  if (to == nullptr) return;
  const auto mean_1 = hn::Set(d, static_cast<T>(dx_hat / static_cast<double>(n)));
  const auto mean_2 = hn::Set(d, static_cast<T>(dx_hat_x_hat / static_cast<double>(n)));
  const auto inv_std = hn::Set(d, standardize.inv_std);
  for (std::size_t c = 0; c < channels; ++c) {
    const auto scale = hn::Set(d, w != nullptr ? w[c] : T(1));
    for (std::size_t i = c * positions; i < (c + 1) * positions; i += lanes) {
      const std::size_t left = (c + 1) * positions - i, count = left < lanes ? left : lanes;
      const auto x_hat = standardize(d, LoadUpTo(d, x + i, count));
      const auto g = hn::Sub(hn::Mul(LoadUpTo(d, dy + i, count), scale), mean_1);  // 0 in a row of one element
      StoreUpTo(hn::Mul(inv_std, hn::NegMulAdd(x_hat, mean_2, g)), d, to + i, count);
    }
  }
}

template <class T>
void LayerNormBackward(const void* above, const void* in, const void* weight, RowStatistics of, void* dx, void* dweight,
                       void* dbias, std::size_t n) {
  const T *dy = static_cast<const T*>(above), *x = static_cast<const T*>(in), *w = static_cast<const T*>(weight);
  T *to = static_cast<T*>(dx), *dw = static_cast<T*>(dweight), *db = static_cast<T*>(dbias);
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const Standardize<T> standardize(of);
  const auto add = [&](T* sum, auto v, std::size_t count)
                       GRADUS_INLINED { StoreUpTo(hn::Add(LoadUpTo(d, sum, count), v), d, sum, count); };
  double sums[2] = {};
  TwoSums<T>(n, sums, [&](std::size_t i, std::size_t count, auto& a, auto& b) GRADUS_INLINED {
    AskForNextRow(x + i, n);
    AskForNextRow(dy + i, n);
    auto x_hat = standardize(d, LoadUpTo(d, x + i, count));
    // Absent lanes have the value 0, and 0 times an infinite distance from the mean would be NaN.
    if (count < lanes) x_hat = hn::IfThenElseZero(hn::FirstN(d, count), x_hat);
    const auto g = LoadUpTo(d, dy + i, count);
    if (dw != nullptr) add(dw + i, hn::Mul(g, x_hat), count);
    if (db != nullptr) add(db + i, g, count);
    const auto dx_hat = w != nullptr ? hn::Mul(g, LoadUpTo(d, w + i, count)) : g;
    a = hn::Add(a, dx_hat);
    b = hn::MulAdd(dx_hat, x_hat, b);
  });
  if (to == nullptr) return;
  const auto mean_1 = hn::Set(d, static_cast<T>(sums[0] / static_cast<double>(n)));
  const auto mean_2 = hn::Set(d, static_cast<T>(sums[1] / static_cast<double>(n)));
  const auto inv_std = hn::Set(d, standardize.inv_std);
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t count = n - i < lanes ? n - i : lanes;
    const auto x_hat = standardize(d, LoadUpTo(d, x + i, count));
    auto dx_hat = LoadUpTo(d, dy + i, count);
    if (w != nullptr) dx_hat = hn::Mul(dx_hat, LoadUpTo(d, w + i, count));
    const auto v = hn::Mul(inv_std, hn::NegMulAdd(x_hat, mean_2, hn::Sub(dx_hat, mean_1)));
    StoreUpTo(v, d, to + i, count);
  }
}

LayerNormRow FindLayerNorm(DType dtype) { return dtype == kFloat32 ? LayerNorm<float> : LayerNorm<double>; }
LayerNormRowBackward FindLayerNormBackward(DType dtype) {
  return dtype == kFloat32 ? LayerNormBackward<float> : LayerNormBackward<double>;
}

GroupNormRow FindGroupNorm(DType dtype) { return dtype == kFloat32 ? GroupNorm<float> : GroupNorm<double>; }
GroupNormRowBackward FindGroupNormBackward(DType dtype) {
  return dtype == kFloat32 ? GroupNormBackward<float> : GroupNormBackward<double>;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindLayerNorm);
HWY_EXPORT(FindLayerNormBackward);
HWY_EXPORT(FindGroupNorm);
HWY_EXPORT(FindGroupNormBackward);

LayerNormRow layer_norm_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindLayerNorm)(computed(dtype)); }
LayerNormRowBackward layer_norm_backward_kernel(DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindLayerNormBackward)(computed(dtype));
}

GroupNormRow group_norm_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindGroupNorm)(computed(dtype)); }
GroupNormRowBackward group_norm_backward_kernel(DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindGroupNormBackward)(computed(dtype));
}

}  // namespace gradus::core::kernels
#endif
