// Kernels of pooling. A vector holds neighbouring outputs of a row; the loops over the window step through its rows of
// inputs and its columns. Outputs whose windows reach into padding go one by one.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/pooling.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "../base/dispatch.h"
#include "loops-inl.h"
#include "pooling.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// from[0], from[stride], ... for n lanes; nothing behind `end` is read.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadStrided(D d, const T* from, std::int64_t stride, std::size_t n, const T* end) {
  const std::size_t lanes = hn::Lanes(d);
  if (stride == 1) return n == lanes ? hn::LoadU(d, from) : LoadFirst(d, from, n);
#if HWY_TARGET != HWY_SCALAR
  if (stride == 2) {
    const std::size_t span = 2 * n - 1;
    const auto low = span >= lanes ? hn::LoadU(d, from) : LoadFirst(d, from, span);
    if (from + 2 * lanes <= end) return hn::ConcatEven(d, hn::LoadU(d, from + lanes), low);
    return hn::ConcatEven(d, span > lanes ? LoadFirst(d, from + lanes, span - lanes) : hn::Zero(d), low);
  }
#else
  static_cast<void>(end);
#endif
  HWY_ALIGN T buffer[kMaxLanes<T>] = {};
  for (std::size_t i = 0; i < n; ++i) buffer[i] = from[static_cast<std::int64_t>(i) * stride];
  return hn::Load(d, buffer);
}

template <class V>
void StorePositions(hn::ScalableTag<float>, V v, std::int32_t* to, std::size_t n) {
  const hn::ScalableTag<std::int32_t> d;
  if (n == hn::Lanes(d))
    hn::StoreU(v, d, to);
  else
    StoreFirst(v, d, to, n);
}
template <class V>
void StorePositions(hn::ScalableTag<double>, V v, std::int32_t* to, std::size_t n) {
  HWY_ALIGN std::int64_t lanes[kMaxLanes<std::int64_t>];
  hn::Store(v, hn::ScalableTag<std::int64_t>(), lanes);
  for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<std::int32_t>(lanes[i]);
}

/// The columns of a window that are not padding: kernel indices [begin, end).
struct Columns {
  HWY_INLINE Columns(const PoolRow& at, std::int64_t o) : first(o * at.stride - at.padding), end(at.kernel) {
    if (first < 0) begin = (-first + at.dilation - 1) / at.dilation;
    const std::int64_t room = at.in - first;  // > 0: no window begins behind the input
    if ((at.kernel - 1) * at.dilation >= room) end = (room - 1) / at.dilation + 1;
  }
  std::int64_t first, begin = 0, end;
};

template <class T>
void MaxRow(const void* plane, const std::int64_t* rows, std::int64_t count, const PoolRow& at, void* out,
            std::int32_t* positions) {
  const T* const x = static_cast<const T*>(plane);
  T* const y = static_cast<T*>(out);

  const auto one = [&](std::int64_t o) {
    const Columns columns(at, o);
    T best = -std::numeric_limits<T>::infinity();
    std::int64_t position = -1;
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t k = columns.begin; k < columns.end; ++k) {
        const std::int64_t p = rows[r] + columns.first + k * at.dilation;
        if (position < 0 || x[p] > best || x[p] != x[p]) {
          best = x[p];
          position = p;
        }
      }
    }
    y[o] = best;
    positions[o] = static_cast<std::int32_t>(position);
  };
  if (count == 0) {
    for (std::int64_t o = 0; o < at.out; ++o) one(o);
    return;
  }

  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  using Int = hn::TFromD<decltype(di)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  HWY_ALIGN Int offsets[kMaxLanes<Int>];
  for (std::int64_t i = 0; i < lanes; ++i) offsets[i] = static_cast<Int>(i * at.stride);
  const auto lane_offset = hn::Load(di, offsets);

  for (std::int64_t o = 0; o < at.inner_begin; ++o) one(o);
  for (std::int64_t o = at.inner_begin; o < at.inner_end; o += lanes) {
    // The last vector takes some outputs again rather than going by parts.
    if (o + lanes > at.inner_end && at.inner_end - lanes >= at.inner_begin) o = at.inner_end - lanes;
    const auto n = static_cast<std::size_t>(std::min(lanes, at.inner_end - o));
    const std::int64_t first = o * at.stride - at.padding;
    auto best = hn::Zero(d);
    auto position = hn::Zero(di);
    for (std::int64_t r = 0; r < count; ++r) {
      const T* const row = x + rows[r];
      for (std::int64_t k = 0; k < at.kernel; ++k) {
        const std::int64_t p = first + k * at.dilation;
        const auto v = LoadStrided(d, row + p, at.stride, n, row + at.in);
        const auto here = hn::Add(lane_offset, hn::Set(di, static_cast<Int>(rows[r] + p)));
        if (r == 0 && k == 0) {
          best = v;
          position = here;
        } else {
          const auto wins = hn::Or(hn::Gt(v, best), hn::IsNaN(v));
          best = hn::IfThenElse(wins, v, best);
          position = hn::IfThenElse(hn::RebindMask(di, wins), here, position);
        }
      }
    }
    if (n == static_cast<std::size_t>(lanes))
      hn::StoreU(best, d, y + o);
    else
      StoreFirst(best, d, y + o, n);
    StorePositions(d, position, positions + o, n);
  }
  for (std::int64_t o = std::max(at.inner_begin, at.inner_end); o < at.out; ++o) one(o);
}

template <class T>
void AvgRow(const void* plane, const std::int64_t* rows, std::int64_t count, const PoolRow& at, const void* divisors,
            void* out) {
  const T* const x = static_cast<const T*>(plane);
  const T* const divisor = static_cast<const T*>(divisors);
  T* const y = static_cast<T*>(out);
  const auto one = [&](std::int64_t o) {
    const Columns columns(at, o);
    T sum = 0;
    for (std::int64_t r = 0; r < count; ++r) {
      T row_sum = 0;
      for (std::int64_t k = columns.begin; k < columns.end; ++k) row_sum += x[rows[r] + columns.first + k];
      sum += row_sum;
    }
    y[o] = sum / divisor[o];
  };
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t o = 0; o < at.inner_begin; ++o) one(o);
  for (std::int64_t o = at.inner_begin; o < at.inner_end; o += lanes) {
    if (o + lanes > at.inner_end && at.inner_end - lanes >= at.inner_begin) o = at.inner_end - lanes;
    const auto n = static_cast<std::size_t>(std::min(lanes, at.inner_end - o));
    auto sum = hn::Zero(d);
    for (std::int64_t r = 0; r < count; ++r) {
      const T* const row = x + rows[r];
      auto row_sum = hn::Zero(d);
      for (std::int64_t k = 0; k < at.kernel; ++k) {
        row_sum = hn::Add(row_sum, LoadStrided(d, row + o * at.stride - at.padding + k, at.stride, n, row + at.in));
      }
      sum = hn::Add(sum, row_sum);
    }
    if (n == static_cast<std::size_t>(lanes))
      hn::StoreU(hn::Div(sum, hn::LoadU(d, divisor + o)), d, y + o);
    else
      StoreFirst(hn::Div(sum, LoadFirst(d, divisor + o, n)), d, y + o, n);
  }
  for (std::int64_t o = std::max(at.inner_begin, at.inner_end); o < at.out; ++o) one(o);
}

struct Divide {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Div(a, b); }
};
struct Plus {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Add(a, b); }
};

template <class T>
void AvgRowBackward(const void* dy, const std::int64_t* rows, std::int64_t count, const PoolRow& at,
                    const void* divisors, void* scratch, void* plane) {
  T* const share = static_cast<T*>(scratch);
  T* const dx = static_cast<T*>(plane);
  Map(Divide(), share, static_cast<const T*>(dy), static_cast<const T*>(divisors), static_cast<std::size_t>(at.out));
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t k = 0; k < at.kernel; ++k) {
      // The outputs whose windows have this column inside: [begin, end).
      const std::int64_t shift = at.padding - k;  // column = o stride - shift
      const std::int64_t begin = shift > 0 ? (shift + at.stride - 1) / at.stride : 0;
      const std::int64_t last = at.in - 1 + shift;  // o stride <= last
      const std::int64_t end = last < 0 ? 0 : std::min(at.out, last / at.stride + 1);
      if (begin >= end) continue;
      T* const to = dx + rows[r] + begin * at.stride - shift;
      if (at.stride == 1) {
        Map(Plus(), to, to, share + begin, static_cast<std::size_t>(end - begin));
      } else {
        for (std::int64_t o = begin; o < end; ++o) to[(o - begin) * at.stride] += share[o];
      }
    }
  }
}

MaxPoolRow FindMaxPool(DType dtype) { return dtype == kFloat32 ? MaxRow<float> : MaxRow<double>; }
AvgPoolRow FindAvgPool(DType dtype) { return dtype == kFloat32 ? AvgRow<float> : AvgRow<double>; }
AvgPoolRowBackward FindAvgPoolBackward(DType dtype) {
  return dtype == kFloat32 ? AvgRowBackward<float> : AvgRowBackward<double>;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindMaxPool);
HWY_EXPORT(FindAvgPool);
HWY_EXPORT(FindAvgPoolBackward);

MaxPoolRow max_pool_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindMaxPool)(computed(dtype)); }
AvgPoolRow avg_pool_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindAvgPool)(computed(dtype)); }
AvgPoolRowBackward avg_pool_backward_kernel(DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindAvgPoolBackward)(computed(dtype));
}

}  // namespace gradus::core::kernels
#endif
