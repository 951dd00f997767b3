// Kernels of pooling. A vector holds neighbouring outputs of a row; the loops over the window step through its rows of
// inputs and its columns. Outputs whose windows reach into padding go one by one.
//
// Rows are often shorter than a vector, or no multiple of one. Where memory goes on behind a row, its last vector does,
// too: what it computes there from whatever is read means nothing, and is written again with the next row. Rows whose
// windows lie in the same way are a run: what is found out once for it, a row of few vectors need not pay for; and only
// the run's last rows must ask before each load and store whether memory goes on.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/pooling.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "../base/dispatch.h"
#include "pooling.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// buffer[i] = from[i stride] for i < lanes: nothing at or behind `end` is read.
template <class T>
HWY_NOINLINE void CopyStrided(const T* from, std::int64_t stride, const T* end, std::int64_t lanes, T* buffer) {
  for (std::int64_t i = 0; i < lanes; ++i) buffer[i] = i * stride < end - from ? from[i * stride] : T{0};
}

/// The columns of a row of a window, and from one window to the next.
struct Columns {
  explicit Columns(const PoolGrid& g) : count(g.kernel[2]), step(g.dilation[2]), stride(g.stride[2]) {}
  std::int64_t count, step, stride;
};

/// f(vector) for all columns of a row of the windows, the first of which begins at `from`: a vector holds one column of
/// neighbouring windows. `Stride` is the columns', or 0 for any; of 2, two columns are the even and the odd lanes of the
/// same two vectors. Unless the vectors are known to be `whole`, nothing at or behind `end` is read.
template <int Stride, bool whole, class D, class F, class T = hn::TFromD<D>>
HWY_INLINE void ForColumns(D d, const Columns& columns, const T* from, const T* end, F f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t k = 0;
#if HWY_TARGET != HWY_SCALAR
  if (Stride == 2 && columns.step == 1) {
    for (; k + 2 <= columns.count && (whole || 2 * lanes <= end - from); k += 2, from += 2) {
      const auto low = hn::LoadU(d, from), high = hn::LoadU(d, from + lanes);
      f(hn::ConcatEven(d, high, low));
      f(hn::ConcatOdd(d, high, low));
    }
  }
#endif
  for (; k < columns.count; ++k, from += columns.step) {
    if (Stride == 1 && (whole || lanes <= end - from)) {
      f(hn::LoadU(d, from));
      continue;
    }
#if HWY_TARGET != HWY_SCALAR
    if (Stride == 2 && (whole || 2 * lanes <= end - from)) {
      f(hn::ConcatEven(d, hn::LoadU(d, from + lanes), hn::LoadU(d, from)));
      continue;
    }
#endif
    HWY_ALIGN T buffer[kMaxLanes<T>];
    if (whole) {
      for (std::int64_t i = 0; i < lanes; ++i) buffer[i] = from[i * columns.stride];
    } else {
      CopyStrided(from, columns.stride, end, lanes, buffer);
    }
    f(hn::Load(d, buffer));
  }
}

/// f(the stride as a constant): 1, 2, or 0 for any other.
template <class F>
auto WithStep(std::int64_t stride, F f) {
  if (stride == 1) return f(std::integral_constant<int, 1>());
  if (stride == 2) return f(std::integral_constant<int, 2>());
  return f(std::integral_constant<int, 0>());
}

/// All lanes, but for those at or behind `end` unless the vector is known to be `whole`.
template <bool whole, class D, class T = hn::TFromD<D>>
HWY_INLINE void StoreBefore(const T* end, hn::Vec<D> v, D d, T* to) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (whole || hn::MaxLanes(d) == 1 || lanes <= end - to) {
    hn::StoreU(v, d, to);
  } else {
    StoreFirst(v, d, to, static_cast<std::size_t>(end - to));
  }
}

template <bool whole, class V>
HWY_INLINE void StorePositions(const std::int32_t* end, V v, hn::ScalableTag<std::int32_t> d, std::int32_t* to) {
  StoreBefore<whole>(end, v, d, to);
}
template <bool whole, class V>
HWY_INLINE void StorePositions(const std::int32_t* end, V v, hn::ScalableTag<std::int64_t> d, std::int32_t* to) {
  HWY_ALIGN std::int64_t lanes[kMaxLanes<std::int64_t>];
  hn::Store(v, d, lanes);
  const std::int64_t n = std::min<std::int64_t>(static_cast<std::int64_t>(hn::Lanes(d)), end - to);
  for (std::int64_t i = 0; i < n; ++i) to[i] = static_cast<std::int32_t>(lanes[i]);
}

/// The indices along one dimension that the window of output o reads, without padding.
struct Reads {
  Reads(const PoolGrid& g, std::size_t dim, std::int64_t o)
      : first(o * g.stride[dim] - g.padding[dim]), step(g.dilation[dim]), end(first + g.kernel[dim] * step) {
    if (first < 0) first += (-first + step - 1) / step * step;
    end = std::min(end, g.in[dim]);
  }
  std::int64_t first, step, end;
};

/// Rows of outputs whose windows lie in the same way: the first one's read the rows of inputs that begin at inputs[..] in
/// the plane, the next one's those `step` further. They lie below each other, or, where planes have one row, are all of
/// a plane of their own: `shift` is from one to the next in the plane, `step` or 0.
struct Run {
  std::int64_t plane, row;  ///< and the first row's index in it
  std::int64_t rows, step, shift;
  const std::int64_t* inputs;
  std::int64_t count;
  std::int64_t row_of(std::int64_t r) const { return shift == 0 ? 0 : row + r; }  ///< in its plane
};

/// f(run) for rows [begin, end) of all planes.
template <class F>
HWY_INLINE void ForRuns(const PoolGrid& g, std::int64_t begin, std::int64_t end, std::int64_t* scratch, F f) {
  const std::int64_t rows = g.out[1], below = g.stride[1] * g.in[2];
  const bool planes = g.rows() == 1;
  std::int64_t plane = begin / g.rows(), d = begin % g.rows() / rows, h = begin % rows;
  for (std::int64_t left = end - begin; left > 0;) {
    const bool inner = h >= g.inner_begin[1] && h < g.inner_end[1];
    Run run{plane, d * rows + h, 1, planes ? g.plane() : below, planes ? 0 : below, scratch, 0};
    if (planes || inner) run.rows = planes ? left : std::min(g.inner_end[1] - h, left);
    const Reads depth(g, 0, d), height(g, 1, h);
    for (std::int64_t j = depth.first; j < depth.end; j += depth.step) {
      for (std::int64_t k = height.first; k < height.end; k += height.step) {
        scratch[run.count++] = (j * g.in[1] + k) * g.in[2];
      }
    }
    f(run);
    left -= run.rows;
    h += run.rows;
    if (h < rows) continue;
    h = 0;
    if (++d < g.out[0]) continue;
    d = 0;
    ++plane;
  }
}

/// Output o of a row, wherever its window lies; `shift` is where x lies in its plane.
template <class T>
HWY_NOINLINE void MaxOne(const PoolGrid& g, const Run& run, const T* x, std::int64_t shift, std::int64_t o, T* y,
                         std::int32_t* where) {
  const Reads columns(g, 2, o);
  T best = -std::numeric_limits<T>::infinity();
  std::int64_t position = -1;
  for (std::int64_t i = 0; i < run.count; ++i) {
    for (std::int64_t c = columns.first; c < columns.end; c += columns.step) {
      const std::int64_t p = run.inputs[i] + c;
      if (position < 0 || x[p] > best || x[p] != x[p]) {
        best = x[p];
        position = p + shift;
      }
    }
  }
  y[o] = best;
  where[o] = static_cast<std::int32_t>(position);
}

/// How many of the run's rows have all their vectors before the ends of what is read and written.
HWY_INLINE std::int64_t WholeRows(const PoolGrid& g, const Run& run, std::int64_t lanes, std::int64_t readable,
                                  std::int64_t writable) {
  if (run.count == 0 || g.inner_begin[2] == g.inner_end[2]) return run.rows;
  const std::int64_t last = g.inner_end[2] - 1 - (g.inner_end[2] - 1 - g.inner_begin[2]) % lanes;  // the last vector's
  const std::int64_t first_read = run.inputs[run.count - 1] + last * g.stride[2] - g.padding[2];
  const std::int64_t read = first_read + (g.kernel[2] - 1) * g.dilation[2] + lanes * g.stride[2],
                     written = last + lanes;
  if (read > readable || written > writable) return 0;
  return std::min({run.rows, (readable - read) / run.step + 1, (writable - written) / g.out[2] + 1});
}

template <class T, int Stride, bool whole>
HWY_NOINLINE void MaxRun(const PoolGrid& g, const Run& run, std::int64_t begin, std::int64_t end, const T* x,
                         const T* x_end, T* y, const T* y_end, std::int32_t* where) {
  const hn::ScalableTag<T> d;
  const hn::RebindToSigned<decltype(d)> di;
  using Int = hn::TFromD<decltype(di)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto lane_offset = hn::Mul(hn::Iota(di, 0), hn::Set(di, static_cast<Int>(g.stride[2])));
  const Columns columns(g);
  const auto next_column = hn::Set(di, static_cast<Int>(columns.step));
  const std::int32_t* const where_end = where + (y_end - y);
  const std::int64_t inner_begin = g.inner_begin[2], inner_end = run.count == 0 ? inner_begin : g.inner_end[2];
  const std::int64_t out = g.out[2], count = run.count, *const inputs = run.inputs;
  std::int64_t shift = begin * run.shift;
  x += begin * run.step;
  y += begin * out;
  where += begin * out;
  for (std::int64_t r = begin; r < end; ++r, x += run.step, shift += run.shift, y += out, where += out) {
    for (std::int64_t o = 0; o < inner_begin; ++o) MaxOne(g, run, x, shift, o, y, where);
    for (std::int64_t o = inner_begin; o < inner_end; o += lanes) {
      const std::int64_t first = o * columns.stride - g.padding[2];
      const auto begins = hn::Add(lane_offset, hn::Set(di, static_cast<Int>(first + shift)));
      auto best = hn::Set(d, -std::numeric_limits<T>::infinity());
      auto position = hn::Add(begins, hn::Set(di, static_cast<Int>(inputs[0])));
      for (std::int64_t i = 0; i < count; ++i) {
        auto here = hn::Add(begins, hn::Set(di, static_cast<Int>(inputs[i])));
        ForColumns<Stride, whole>(d, columns, x + inputs[i] + first, x_end, [&](auto v) HWY_ATTR {
          const auto wins = hn::Or(hn::Gt(v, best), hn::IsNaN(v));
          best = hn::IfThenElse(wins, v, best);
          position = hn::IfThenElse(hn::RebindMask(di, wins), here, position);
          here = hn::Add(here, next_column);
        });
      }
      StoreBefore<whole>(y_end, best, d, y + o);
      StorePositions<whole>(where_end, position, di, where + o);
    }
    for (std::int64_t o = inner_end; o < out; ++o) MaxOne(g, run, x, shift, o, y, where);
  }
}

/// f(whole, run, begin, end, plane, at) for rows [begin, end) of each run: its plane begins at `plane` of x, its outputs at `at`
/// of y. `whole` is a constant, true of rows all of whose vectors lie before the ends of x and of what is written.
template <class T, class F>
HWY_INLINE void ForWholeAndOtherRows(const PoolGrid& g, std::int64_t begin, std::int64_t end, std::int64_t* scratch,
                                     F f) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  ForRuns(g, begin, end, scratch, [&](const Run& run) {
    const std::int64_t plane = run.plane * g.plane(), at = (run.plane * g.rows() + run.row) * g.out[2];
    const std::int64_t whole = WholeRows(g, run, lanes, g.planes * g.plane() - plane, end * g.out[2] - at);
    f(std::true_type(), run, 0, whole, plane, at);
    f(std::false_type(), run, whole, run.rows, plane, at);
  });
}

template <class T, int Stride>
void MaxRows(const void* in, const PoolGrid& g, std::int64_t begin, std::int64_t end, std::int64_t* scratch, void* out,
             std::int32_t* positions) {
  const T *const x = static_cast<const T*>(in), *const x_end = x + g.planes * g.plane();
  T *const y = static_cast<T*>(out), *const y_end = y + end * g.out[2];
  ForWholeAndOtherRows<T>(g, begin, end, scratch,
                          [&](auto whole, const Run& run, auto r0, auto r1, auto plane, auto at) {
                            MaxRun<T, Stride, whole()>(g, run, r0, r1, x + plane, x_end, y + at, y_end, positions + at);
                          });
}

template <class T>
HWY_NOINLINE void AvgOne(const PoolGrid& g, const Run& run, const T* x, const T* divisor, std::int64_t o, T* y) {
  const Reads columns(g, 2, o);
  T sum = 0;
  for (std::int64_t i = 0; i < run.count; ++i) {
    T row_sum = 0;
    for (std::int64_t c = columns.first; c < columns.end; ++c) row_sum += x[run.inputs[i] + c];
    sum += row_sum;
  }
  y[o] = sum / divisor[o];
}

template <class T, int Stride, bool whole>
HWY_NOINLINE void AvgRun(const PoolGrid& g, const Run& run, std::int64_t begin, std::int64_t end, const T* x,
                         const T* x_end, const T* divisors, T* y, const T* y_end) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const Columns columns(g);
  const std::int64_t inner_begin = g.inner_begin[2], inner_end = run.count == 0 ? inner_begin : g.inner_end[2];
  const std::int64_t out = g.out[2];
  x += begin * run.step;
  y += begin * out;
  for (std::int64_t r = begin; r < end; ++r, x += run.step, y += out) {
    const T* const divisor = divisors + run.row_of(r) * out;
    for (std::int64_t o = 0; o < inner_begin; ++o) AvgOne(g, run, x, divisor, o, y);
    for (std::int64_t o = inner_begin; o < inner_end; o += lanes) {
      auto sum = hn::Zero(d);
      for (std::int64_t i = 0; i < run.count; ++i) {
        auto row_sum = hn::Zero(d);
        ForColumns<Stride, whole>(d, columns, x + run.inputs[i] + o * columns.stride - g.padding[2], x_end,
                                  [&](auto v) HWY_ATTR { row_sum = hn::Add(row_sum, v); });
        sum = hn::Add(sum, row_sum);
      }
      const auto count = static_cast<std::size_t>(std::min(lanes, divisors + g.outputs() - (divisor + o)));
      StoreBefore<whole>(y_end, hn::Div(sum, LoadUpTo(d, divisor + o, count)), d, y + o);
    }
    for (std::int64_t o = inner_end; o < out; ++o) AvgOne(g, run, x, divisor, o, y);
  }
}

template <class T, int Stride>
void AvgRows(const void* in, const PoolGrid& g, std::int64_t begin, std::int64_t end, std::int64_t* scratch,
             const void* divisors, void* out) {
  const T *const x = static_cast<const T*>(in), *const x_end = x + g.planes * g.plane();
  T *const y = static_cast<T*>(out), *const y_end = y + end * g.out[2];
  ForWholeAndOtherRows<T>(
      g, begin, end, scratch, [&](auto whole, const Run& run, auto r0, auto r1, auto plane, auto at) {
        AvgRun<T, Stride, whole()>(g, run, r0, r1, x + plane, x_end, static_cast<const T*>(divisors), y + at, y_end);
      });
}

struct Divide {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Div(a, b); }
};
struct Plus {
  HWY_INLINE auto operator()(auto, auto a, auto b) const { return hn::Add(a, b); }
};

/// Adds the shares of a row of outputs to one of the rows of inputs that their windows read.
template <class T>
void AddShares(const PoolGrid& g, const T* share, T* row) {
  for (std::int64_t k = 0; k < g.kernel[2]; ++k) {
    // The outputs whose windows have this column inside: [begin, end).
    const std::int64_t shift = g.padding[2] - k;  // column = o stride - shift
    const std::int64_t begin = shift > 0 ? (shift + g.stride[2] - 1) / g.stride[2] : 0;
    const std::int64_t last = g.in[2] - 1 + shift;  // o stride <= last
    const std::int64_t end = last < 0 ? 0 : std::min(g.out[2], last / g.stride[2] + 1);
    if (begin >= end) continue;
    T* const to = row + begin * g.stride[2] - shift;
    if (g.stride[2] == 1) {
      Map(Plus(), to, to, share + begin, static_cast<std::size_t>(end - begin));
    } else {
      for (std::int64_t o = begin; o < end; ++o) to[(o - begin) * g.stride[2]] += share[o];
    }
  }
}

template <class T>
void AvgPlanesBackward(const void* above, const PoolGrid& g, std::int64_t begin, std::int64_t end,
                       std::int64_t* scratch, const void* divisors, void* shares, void* below) {
  T* const share = static_cast<T*>(shares);
  T* const dx = static_cast<T*>(below);
  std::fill(dx + begin * g.plane(), dx + end * g.plane(), T{0});
  ForRuns(g, begin * g.rows(), end * g.rows(), scratch, [&](const Run& run) {
    for (std::int64_t r = 0; r < run.rows; ++r) {
      const T* const dy = static_cast<const T*>(above) + (run.plane * g.rows() + run.row + r) * g.out[2];
      const T* const divisor = static_cast<const T*>(divisors) + run.row_of(r) * g.out[2];
      Map(Divide(), share, dy, divisor, static_cast<std::size_t>(g.out[2]));
      for (std::int64_t i = 0; i < run.count; ++i) {
        AddShares(g, share, dx + run.plane * g.plane() + run.inputs[i] + r * run.step);
      }
    }
  });
}

MaxPool FindMaxPool(DType dtype, std::int64_t stride) {
  return WithStep(stride, [&](auto step) -> MaxPool {
    return dtype == kFloat32 ? MaxRows<float, step()> : MaxRows<double, step()>;
  });
}
AvgPool FindAvgPool(DType dtype, std::int64_t stride) {
  return WithStep(stride, [&](auto step) -> AvgPool {
    return dtype == kFloat32 ? AvgRows<float, step()> : AvgRows<double, step()>;
  });
}
AvgPoolBackward FindAvgPoolBackward(DType dtype) {
  return dtype == kFloat32 ? AvgPlanesBackward<float> : AvgPlanesBackward<double>;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindMaxPool);
HWY_EXPORT(FindAvgPool);
HWY_EXPORT(FindAvgPoolBackward);

MaxPool max_pool_kernel(DType dtype, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(FindMaxPool)(computed(dtype), stride);
}
AvgPool avg_pool_kernel(DType dtype, std::int64_t stride) {
  return HWY_DYNAMIC_DISPATCH(FindAvgPool)(computed(dtype), stride);
}
AvgPoolBackward avg_pool_backward_kernel(DType dtype) {
  return HWY_DYNAMIC_DISPATCH(FindAvgPoolBackward)(computed(dtype));
}

}  // namespace gradus::core::kernels
#endif
