// Kernels that see a whole row at once: the place of an extreme, softmax and its kin.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "../base/dispatch.h"
#include "math-inl.h"
#include "rows-inl.h"
#include "rows.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// Where a or b is NaN: one instruction of AVX-512.
template <class D, class V>
HWY_INLINE auto IsAnyNaN(D d, V a, V b) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  if constexpr (std::is_same_v<V, hn::Vec512<float>>) {
    return hn::Mask512<float>{_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_UNORD_Q)};
  }
#endif
  (void)d;
  return hn::Or(hn::IsNaN(a), hn::IsNaN(b));
}

/// The extreme of a row, NaN if there is one: the hardware's maximum knows nothing of NaN, which is looked for beside it.
template <bool largest, class T>
HWY_INLINE T Extreme(const T* x, std::size_t n) {
  T best = x[0];
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto step = [](auto, auto acc, auto v) HWY_ATTR { return largest ? hn::Max(acc, v) : hn::Min(acc, v); };
    auto a0 = hn::Set(d, best), a1 = a0, a2 = a0, a3 = a0;
    auto nan = hn::IsNaN(a0);
    std::size_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      AskForNextRow(x + i, n);
      const auto v0 = hn::LoadU(d, x + i), v1 = hn::LoadU(d, x + i + lanes);
      const auto v2 = hn::LoadU(d, x + i + 2 * lanes), v3 = hn::LoadU(d, x + i + 3 * lanes);
      a0 = step(d, a0, v0);
      a1 = step(d, a1, v1);
      a2 = step(d, a2, v2);
      a3 = step(d, a3, v3);
      nan = hn::Or(nan, hn::Or(IsAnyNaN(d, v0, v1), IsAnyNaN(d, v2, v3)));
    }
    for (; i < n; i += lanes) {
      const std::size_t count = n - i < lanes ? n - i : lanes;
      const auto v =
          count < lanes ? hn::IfThenElse(hn::FirstN(d, count), LoadFirst(d, x + i, count), a1) : hn::LoadU(d, x + i);
      nan = hn::Or(nan, hn::IsNaN(v));
      a1 = step(d, a1, v);
    }
    if (!hn::AllFalse(d, nan)) return std::numeric_limits<T>::quiet_NaN();
    best = FoldLanes(d, step(d, step(d, a0, a1), step(d, a2, a3)), step);
  } else {
    for (std::size_t i = 1; i < n; ++i) best = (largest ? x[i] > best : x[i] < best) ? x[i] : best;
  }
  return best;
}

/// The first element equal to one that is there; the first NaN for NaN.
template <class T>
HWY_INLINE std::size_t FindFirst(const T* x, T value, std::size_t n) {
  std::size_t i = 0;
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto v = hn::Set(d, value);
    const bool nan = value != value;
    const auto is = [&](std::size_t at) HWY_ATTR {
      const auto y = hn::LoadU(d, x + at);
      return nan ? hn::IsNaN(y) : hn::Eq(y, v);
    };
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      const auto any = hn::Or(hn::Or(is(i), is(i + lanes)), hn::Or(is(i + 2 * lanes), is(i + 3 * lanes)));
      if (!hn::AllFalse(d, any)) break;
    }
    for (; i + lanes <= n; i += lanes) {
      const auto here = is(i);
      if (!hn::AllFalse(d, here)) return i + static_cast<std::size_t>(hn::FindFirstTrue(d, here));
    }
  }
  while (i + 1 < n && x[i] != value && x[i] == x[i]) ++i;
  return i;
}

template <bool largest, class T>
std::size_t IndexOfExtreme(const void* x, std::size_t n) {
  const T* row = static_cast<const T*>(x);
  return FindFirst(row, Extreme<largest>(row, n), n);
}

/// The largest number of a row, for the sake of scale: what it says of a row with a NaN is left open.
template <class T>
HWY_INLINE T Level(const T* x, std::size_t n) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  auto a0 = hn::Set(d, x[0]), a1 = a0, a2 = a0, a3 = a0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a0 = hn::Max(a0, hn::LoadU(d, x + i));
    a1 = hn::Max(a1, hn::LoadU(d, x + i + lanes));
    a2 = hn::Max(a2, hn::LoadU(d, x + i + 2 * lanes));
    a3 = hn::Max(a3, hn::LoadU(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) a0 = hn::Max(a0, hn::LoadU(d, x + i));
  if (i < n) a1 = hn::Max(a1, hn::IfThenElse(hn::FirstN(d, n - i), LoadFirst(d, x + i, n - i), a1));
  const auto larger = [](auto, auto a, auto b) HWY_ATTR { return hn::Max(a, b); };
  return FoldLanes(d, hn::Max(hn::Max(a0, a1), hn::Max(a2, a3)), larger);
}

/// The sum of exp(x - level); the terms are kept unless y is null.
template <class T>
HWY_INLINE double SumExp(const T* x, T level, T* y, std::size_t n) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  double sums[2] = {};
  const auto add = [&](std::size_t i, std::size_t count, auto& a, auto&) GRADUS_INLINED {
    AskForNextRow(x + i, n);
    auto e = ExpOfNegative(d, hn::Sub(LoadUpTo(d, x + i, count), hn::Set(d, level)));
    if (count < lanes) {
      e = hn::IfThenElseZero(hn::FirstN(d, count), e);  // absent lanes hold 0, whose exp is not
      if (y != nullptr) StoreFirst(e, d, y + i, count);
    } else if (y != nullptr) {
      hn::StoreU(e, d, y + i);
    }
    a = hn::Add(a, e);
  };
  TwoSums<T>(n, sums, add);
  return sums[0];
}

/// The sum of exp(x - level) over all x but those that are the level.
template <class T>
HWY_NOINLINE double SumExpBelow(const T* x, T level, std::size_t n) {
  const hn::ScalableTag<T> d;
  const auto top = hn::Set(d, level);
  double others[2] = {};
  TwoSums<T>(n, others, [&](std::size_t i, std::size_t count, auto& a, auto&) GRADUS_INLINED {
    const auto v = count < hn::Lanes(d) ? hn::IfThenElse(hn::FirstN(d, count), LoadFirst(d, x + i, count), top)
                                        : hn::LoadU(d, x + i);
    a = hn::Add(a, hn::IfThenZeroElse(hn::Eq(v, top), ExpOfNegative(d, hn::Sub(v, top))));
  });
  return others[0];
}

/// log of the sum of exp(x - level), where level is the largest x. With one term of 1 and little beside it, the others are
/// summed again for themselves: beside the 1 they had few digits. From 1/32 on,
/// they lose five bits to it at most.
template <class T>
HWY_INLINE double LogOfSumExp(const T* x, T level, std::size_t n) {
  const double sum = SumExp<T>(x, level, nullptr, n);
  return sum < 1.03125 ? std::log1p(SumExpBelow(x, level, n)) : std::log(sum);
}

template <class T>
struct Times {
  T factor;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Mul(x, hn::Set(d, factor));
  }
};
template <class T>
struct MinusBoth {
  T first, second;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return hn::Sub(hn::Sub(x, hn::Set(d, first)), hn::Set(d, second));
  }
};

template <class T>
void Softmax(const void* in, void* out, std::size_t n) {
  if (n == 0) return;
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  Map(Times<T>{static_cast<T>(1 / SumExp(x, Level(x, n), y, n))}, y, y, n);
}

template <class T>
void LogSoftmax(const void* in, void* out, std::size_t n) {
  if (n == 0) return;
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const T largest = Level(x, n);
  Map(MinusBoth<T>{largest, static_cast<T>(LogOfSumExp(x, largest, n))}, y, x, n);
}

/// y (dy - s)
template <class T>
struct SoftmaxGradient {
  T s;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V y) const {
    return hn::Mul(y, hn::Sub(dy, hn::Set(d, s)));
  }
};
/// dy - exp(y) s
template <class T>
struct LogSoftmaxGradient {
  T s;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V dy, V y) const {
    return hn::NegMulAdd(ExpOfNegative(d, y), hn::Set(d, s), dy);
  }
};

/// The gradient of a row sums up to 0. One entry may be a small difference of large numbers, that of a probability near 1:
/// it becomes what the others lack. Above 7/8 there is no second one, and below, 1 - p loses three bits at
/// most. y is the row that the probabilities belong to, above the bound at that place alone.
template <class T>
HWY_NOINLINE void BalanceWhereAbove(T bound, const T* y, T* dx, std::size_t n) {
  const hn::ScalableTag<T> d;
  std::size_t at = 0;
  while (!(y[at] > bound)) ++at;
  dx[at] = 0;
  double sums[2] = {};
  TwoSums<T>(n, sums, [&](std::size_t i, std::size_t count, auto& a, auto&) GRADUS_INLINED {
    a = hn::Add(a, LoadUpTo(d, dx + i, count));
  });
  dx[at] = static_cast<T>(0 - sums[0]);
}

template <class T>
void SoftmaxBackward(const void* above, const void* out, void* in, std::size_t n) {
  const T *dy = static_cast<const T*>(above), *y = static_cast<const T*>(out);
  const hn::ScalableTag<T> d;
  const auto bound = hn::Set(d, T(0.875));
  auto confident = hn::FirstN(d, 0);
  double sums[2] = {};
  TwoSums<T>(n, sums, [&](std::size_t i, std::size_t count, auto& a, auto&) GRADUS_INLINED {
    AskForNextRow(dy + i, n);
    AskForNextRow(y + i, n);
    const auto p = LoadUpTo(d, y + i, count);
    confident = hn::Or(confident, hn::Gt(p, bound));
    a = hn::MulAdd(LoadUpTo(d, dy + i, count), p, a);
  });
  Map(SoftmaxGradient<T>{static_cast<T>(sums[0])}, static_cast<T*>(in), dy, y, n);
  if (!hn::AllFalse(d, confident)) BalanceWhereAbove(T(0.875), y, static_cast<T*>(in), n);
}

template <class T>
void LogSoftmaxBackward(const void* above, const void* out, void* in, std::size_t n) {
  const T *dy = static_cast<const T*>(above), *y = static_cast<const T*>(out);
  T* dx = static_cast<T*>(in);
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  const LogSoftmaxGradient<T> gradient{static_cast<T>(SumRow(dy, n))};
  const auto bound = hn::Set(d, T(-0.125));
  auto confident = hn::FirstN(d, 0);
  const auto see = [&](auto v) HWY_ATTR {
    confident = hn::Or(confident, hn::Gt(v, bound));
    return v;
  };
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    const auto a0 = hn::LoadU(d, dy + i), a1 = hn::LoadU(d, dy + i + lanes);
    const auto y0 = see(hn::LoadU(d, y + i)), y1 = see(hn::LoadU(d, y + i + lanes));
    const auto g0 = gradient(d, a0, y0), g1 = gradient(d, a1, y1);
    hn::StoreU(g0, d, dx + i);
    hn::StoreU(g1, d, dx + i + lanes);
  }
  for (; i + lanes <= n; i += lanes) hn::StoreU(gradient(d, hn::LoadU(d, dy + i), see(hn::LoadU(d, y + i))), d, dx + i);
  if (i < n) {
    const auto first = hn::FirstN(d, n - i);
    const auto v = see(hn::IfThenElse(first, LoadFirst(d, y + i, n - i), bound));
    StoreFirst(gradient(d, LoadFirst(d, dy + i, n - i), v), d, dx + i, n - i);
  }
  if (!hn::AllFalse(d, confident)) BalanceWhereAbove(T(-0.125), y, dx, n);
}

template <class T>
double LogSumExp(const void* in, std::size_t n) {
  if (n == 0) return -std::numeric_limits<double>::infinity();
  const T* x = static_cast<const T*>(in);
  const T largest = Extreme<true>(x, n);
  if (!(largest - largest == 0)) return static_cast<double>(largest);  // infinite, or NaN
  return static_cast<double>(largest) + LogOfSumExp(x, largest, n);
}

template <class T>
struct ExpTimes {
  T factor;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V y) const {
    return hn::Mul(ExpOfNegative(d, y), hn::Set(d, factor));
  }
};
template <class T>
void ExpOfRow(const void* in, double factor, void* out, std::size_t n) {
  Map(ExpTimes<T>{static_cast<T>(factor)}, static_cast<T*>(out), static_cast<const T*>(in), n);
}

template <class T>
struct CrossEntropyGradient {
  T total, factor;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V y, V a) const {
    const V others = hn::Mul(ExpOfNegative(d, y), hn::Sub(hn::Set(d, total), a));
    return hn::Mul(hn::MulAdd(a, Expm1(d, y), others), hn::Set(d, factor));
  }
};
template <class T>
void CrossEntropyBackward(const void* in, const void* weights, double factor, void* out, std::size_t n) {
  const T *y = static_cast<const T*>(in), *a = static_cast<const T*>(weights);
  Map(CrossEntropyGradient<T>{static_cast<T>(SumRow(a, n)), static_cast<T>(factor)}, static_cast<T*>(out), y, a, n);
}

template <bool largest>
RowIndex FindIndex(DType dtype) {
  constexpr RowIndex table[kDTypeCount] = {IndexOfExtreme<largest, std::uint8_t>, IndexOfExtreme<largest, std::uint8_t>,
                                           IndexOfExtreme<largest, std::int32_t>, IndexOfExtreme<largest, std::int64_t>,
                                           IndexOfExtreme<largest, float>,        IndexOfExtreme<largest, double>};
  return table[static_cast<int>(dtype)];
}
RowIndex FindArgmax(DType dtype) { return FindIndex<true>(dtype); }
RowIndex FindArgmin(DType dtype) { return FindIndex<false>(dtype); }
RowMap FindSoftmax(DType dtype) { return dtype == kFloat32 ? Softmax<float> : Softmax<double>; }
RowMap FindLogSoftmax(DType dtype) { return dtype == kFloat32 ? LogSoftmax<float> : LogSoftmax<double>; }
RowGradient FindSoftmaxBackward(DType dtype) {
  return dtype == kFloat32 ? SoftmaxBackward<float> : SoftmaxBackward<double>;
}
RowGradient FindLogSoftmaxBackward(DType dtype) {
  return dtype == kFloat32 ? LogSoftmaxBackward<float> : LogSoftmaxBackward<double>;
}
RowScaledExp FindExpOfRow(DType dtype) { return dtype == kFloat32 ? ExpOfRow<float> : ExpOfRow<double>; }
RowPairMap FindCrossEntropyBackward(DType dtype) {
  return dtype == kFloat32 ? CrossEntropyBackward<float> : CrossEntropyBackward<double>;
}
RowNumber FindLogSumExp(DType dtype) { return dtype == kFloat32 ? LogSumExp<float> : LogSumExp<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindArgmax);
HWY_EXPORT(FindArgmin);
HWY_EXPORT(FindSoftmax);
HWY_EXPORT(FindLogSoftmax);
HWY_EXPORT(FindSoftmaxBackward);
HWY_EXPORT(FindLogSoftmaxBackward);
HWY_EXPORT(FindExpOfRow);
HWY_EXPORT(FindLogSumExp);
HWY_EXPORT(FindCrossEntropyBackward);

RowIndex argmax_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindArgmax)(computed(dtype)); }
RowIndex argmin_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindArgmin)(computed(dtype)); }
RowMap softmax_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindSoftmax)(computed(dtype)); }
RowMap log_softmax_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindLogSoftmax)(computed(dtype)); }
RowGradient softmax_backward_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindSoftmaxBackward)(computed(dtype)); }
RowGradient log_softmax_backward_kernel(DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindLogSoftmaxBackward)(computed(dtype));
}
RowScaledExp exp_of_row_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindExpOfRow)(computed(dtype)); }
RowPairMap cross_entropy_backward_kernel(DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindCrossEntropyBackward)(computed(dtype));
}
RowNumber logsumexp_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindLogSumExp)(computed(dtype)); }

}  // namespace gradus::core::kernels
#endif
