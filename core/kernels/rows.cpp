// Kernels that see a whole row at once: the place of an extreme, softmax and its kin.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstdint>
#include <limits>

#include "math-inl.h"
#include "rows.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// The extreme of a row, NaN if there is one.
template <bool largest, class T>
HWY_INLINE T Extreme(const T* x, std::size_t n) {
  const auto better = [](T a, T b) { return largest ? a > b : a < b; };
  T best = x[0];
  if constexpr (std::is_floating_point_v<T>) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto step = [](auto acc, auto v) HWY_ATTR {
      const auto wins = largest ? hn::Gt(v, acc) : hn::Lt(v, acc);
      return hn::IfThenElse(hn::Or(wins, hn::IsNaN(v)), v, acc);
    };
    auto a0 = hn::Set(d, best), a1 = a0, a2 = a0, a3 = a0;
    std::size_t i = 0;
    for (; i + 4 * lanes <= n; i += 4 * lanes) {
      a0 = step(a0, hn::LoadU(d, x + i));
      a1 = step(a1, hn::LoadU(d, x + i + lanes));
      a2 = step(a2, hn::LoadU(d, x + i + 2 * lanes));
      a3 = step(a3, hn::LoadU(d, x + i + 3 * lanes));
    }
    for (; i + lanes <= n; i += lanes) a0 = step(a0, hn::LoadU(d, x + i));
    if (i < n) a1 = hn::IfThenElse(hn::FirstN(d, n - i), step(a1, LoadFirst(d, x + i, n - i)), a1);
    HWY_ALIGN T lane[kMaxLanes<T>];
    hn::Store(step(step(a0, a1), step(a2, a3)), d, lane);
    for (std::size_t k = 0; k < lanes; ++k) {
      if (better(lane[k], best) || lane[k] != lane[k]) best = lane[k];
    }
  } else {
    for (std::size_t i = 1; i < n; ++i) best = better(x[i], best) ? x[i] : best;
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
    for (; i + lanes <= n; i += lanes) {
      const auto at = hn::LoadU(d, x + i);
      if (!hn::AllFalse(d, nan ? hn::IsNaN(at) : hn::Eq(at, v))) break;
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

template <class T>
HWY_INLINE double SumRow(const T* x, std::size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<T, decltype(d)> dt;
  const std::size_t lanes = hn::Lanes(d);
  const auto load = [&](auto v) HWY_ATTR {
    if constexpr (std::is_same_v<T, double>)
      return v;
    else
      return hn::PromoteTo(d, v);
  };
  auto a0 = hn::Zero(d), a1 = a0;
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a0 = hn::Add(a0, load(hn::LoadU(dt, x + i)));
    a1 = hn::Add(a1, load(hn::LoadU(dt, x + i + lanes)));
  }
  for (; i < n; i += lanes) a0 = hn::Add(a0, load(LoadFirst(dt, x + i, n - i < lanes ? n - i : lanes)));
  HWY_ALIGN double lane[kMaxLanes<double>];
  hn::Store(hn::Add(a0, a1), d, lane);
  double sum = 0;
  for (std::size_t k = 0; k < lanes; ++k) sum += lane[k];
  return sum;
}

/// x - shift, then exp of it.
template <class T>
struct ShiftedExp {
  T shift;
  template <class D, class V>
  HWY_INLINE V operator()(D d, V x) const {
    return Exp(d, hn::Sub(x, hn::Set(d, shift)));
  }
};
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
  Map(ShiftedExp<T>{Extreme<true>(x, n)}, y, x, n);
  Map(Times<T>{static_cast<T>(1 / SumRow(y, n))}, y, y, n);
}

template <class T>
void LogSoftmax(const void* in, void* out, std::size_t n) {
  if (n == 0) return;
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  const T largest = Extreme<true>(x, n);
  Map(ShiftedExp<T>{largest}, y, x, n);
  Map(MinusBoth<T>{largest, static_cast<T>(std::log(SumRow(y, n)))}, y, x, n);
}

template <class T>
double LogSumExp(const void* in, void* scratch, std::size_t n) {
  if (n == 0) return -std::numeric_limits<double>::infinity();
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(scratch);
  const T largest = Extreme<true>(x, n);
  if (!(largest - largest == 0)) return static_cast<double>(largest);  // infinite, or NaN
  Map(ShiftedExp<T>{largest}, y, x, n);
  return static_cast<double>(largest) + std::log(SumRow(y, n));
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
HWY_EXPORT(FindLogSumExp);

RowIndex argmax_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindArgmax)(dtype); }
RowIndex argmin_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindArgmin)(dtype); }
RowMap softmax_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindSoftmax)(dtype); }
RowMap log_softmax_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindLogSoftmax)(dtype); }
RowNumber logsumexp_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindLogSumExp)(dtype); }

}  // namespace gradus::core::kernels
#endif
