// The inner loops of reductions. Sums and products of float32 are accumulated in float64.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/fold_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "../base/dispatch.h"
#include "fold_kernels.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

// One step of each fold, on vectors and on single numbers; `start` is what changes nothing in a vector. A step's
// base says in which type numbers of type T are folded.
struct Total {
  template <class T>
  using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;
};
struct Extreme {
  template <class T>
  using Accumulator = T;
};
struct Truth {
  template <class T>
  using Accumulator = bool;
};

/// Integers wrap around, as unsigned ones do.
template <class F>
HWY_INLINE std::int64_t Wrapping(F f, std::int64_t acc, auto x) {
  return static_cast<std::int64_t>(f(static_cast<std::uint64_t>(acc), static_cast<std::uint64_t>(x)));
}
struct SumStep : Total {
  template <class A>
  static constexpr A start = 0;
  HWY_INLINE auto operator()(auto, auto acc, auto x) const { return hn::Add(acc, x); }
  HWY_INLINE double operator()(double acc, double x) const { return acc + x; }
  HWY_INLINE std::int64_t operator()(std::int64_t acc, auto x) const { return Wrapping(std::plus<>(), acc, x); }
};
struct SquaresStep : SumStep {
  HWY_INLINE auto operator()(auto, auto acc, auto x) const { return hn::MulAdd(x, x, acc); }
};
struct ProdStep : Total {
  template <class A>
  static constexpr A start = 1;
  HWY_INLINE auto operator()(auto, auto acc, auto x) const { return hn::Mul(acc, x); }
  HWY_INLINE double operator()(double acc, double x) const { return acc * x; }
  HWY_INLINE std::int64_t operator()(std::int64_t acc, auto x) const { return Wrapping(std::multiplies<>(), acc, x); }
};
/// NaN once met stays: it compares as nothing, and only NaN replaces it.
struct MaxStep : Extreme {
  template <class A>
  static constexpr A start = -std::numeric_limits<A>::infinity();
  HWY_INLINE auto operator()(auto, auto acc, auto x) const {
    return hn::IfThenElse(hn::Or(hn::Gt(x, acc), hn::IsNaN(x)), x, acc);
  }
  HWY_INLINE auto operator()(auto acc, auto x) const { return x > acc || x != x ? x : acc; }
};
struct MinStep : Extreme {
  template <class A>
  static constexpr A start = std::numeric_limits<A>::infinity();
  HWY_INLINE auto operator()(auto, auto acc, auto x) const {
    return hn::IfThenElse(hn::Or(hn::Lt(x, acc), hn::IsNaN(x)), x, acc);
  }
  HWY_INLINE auto operator()(auto acc, auto x) const { return x < acc || x != x ? x : acc; }
};
struct AllStep : Truth {
  HWY_INLINE bool operator()(bool acc, auto x) const { return acc & (x != decltype(x){0}); }
};
struct AnyStep : Truth {
  HWY_INLINE bool operator()(bool acc, auto x) const { return acc | (x != decltype(x){0}); }
};

/// So many elements before they are read: a page and a half, for no prefetcher follows from one page into the next. Widened
/// numbers come in halves of a line of the cache, and fewer lines are on their way at once than memory could serve.
template <class T>
constexpr std::size_t kAhead = 6144 / sizeof(T);
/// f(i, ahead) for i = 0, count, 2 count, .. while all of `count` elements from i on lie in a row of n, of those that follow
/// each other after `stride`; about kAhead elements later what lies `ahead` beyond i is read. The first i that is left.
template <class T, class F>
HWY_INLINE std::size_t ForBlocks(std::size_t count, std::size_t n, std::size_t stride, F f) {
  const std::size_t here = kAhead<T>,
                    later = n < here ? here / std::max<std::size_t>(n, 1) * stride : here - n + stride;
  std::size_t i = 0;
  for (; i + here < n && i + count <= n; i += count) f(i, here);
  for (; i + count <= n; i += count) f(i, later);
  return i;
}

/// Rows in four chains, so that one step need not wait for the step before; `join` makes one vector of them.
template <class D, class T, class Step, class Join>
HWY_INLINE hn::Vec<D> FoldRows(D d, const T* x, std::size_t stride, std::size_t rows, std::size_t n, hn::Vec<D> start,
                               Step step, Join join) {
  const std::size_t lanes = hn::Lanes(d);
  auto a0 = start, a1 = start, a2 = start, a3 = start;
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    std::size_t i = ForBlocks<T>(4 * lanes, n, stride, [&](std::size_t at, std::size_t ahead) GRADUS_INLINED {
      AskFor(x + at + ahead, 4 * lanes);
      a0 = step(d, a0, LoadAs(d, x + at));
      a1 = step(d, a1, LoadAs(d, x + at + lanes));
      a2 = step(d, a2, LoadAs(d, x + at + 2 * lanes));
      a3 = step(d, a3, LoadAs(d, x + at + 3 * lanes));
    });
    for (; i + lanes <= n; i += lanes) a0 = step(d, a0, LoadAs(d, x + i));
    if (i < n) a1 = hn::IfThenElse(hn::FirstN(d, n - i), step(d, a1, LoadFirstAs(d, x + i, n - i)), a1);
  }
  return join(d, join(d, a0, a1), join(d, a2, a3));
}

/// `Join` makes one of what two steps have folded.
template <class Step, class T, class A, class Join>
void Row(const void* const* in, std::size_t stride, std::size_t results, std::size_t each, std::size_t n, const double*,
         void* acc_out) {
  const T* x = static_cast<const T*>(in[0]);
  A* acc = static_cast<A*>(acc_out);
  const Step step;
  const Join join;
  for (std::size_t r = 0; r < results; ++r, x += each * stride) {
    if constexpr (std::is_floating_point_v<A>) {
      const hn::ScalableTag<A> d;
      const auto start = hn::Set(d, Step::template start<A>);
      acc[r] = join(acc[r], FoldLanes(d, FoldRows(d, x, stride, each, n, start, step, join), join));
    } else {
      A sum = acc[r];
      for (std::size_t k = 0; k < each; ++k) {
        for (std::size_t i = 0; i < n; ++i) sum = step(sum, x[k * stride + i]);
      }
      acc[r] = sum;
    }
  }
}

/// f(column, vectors, lanes) for columns [0, cols): two vectors at a time, then one, of which the last may lack lanes.
/// Two vectors of float64 come from a whole line of the cache where a vector is 64 bytes.
template <class F>
HWY_INLINE void ForColumns(std::size_t lanes, std::size_t cols, F f) {
  std::size_t c = 0;
  for (; c + 2 * lanes <= cols; c += 2 * lanes) f(c, std::integral_constant<std::size_t, 2>(), lanes);
  for (; c + lanes <= cols; c += lanes) f(c, std::integral_constant<std::size_t, 1>(), lanes);
  if (lanes > 1 && c < cols) f(c, std::integral_constant<std::size_t, 1>(), cols - c);
}

/// Rows that are added to the accumulators at once: of short ones many, for each group has its cost. Long ones begin pages of
/// their own, which the prefetchers see too late: the next group is asked for while one is added. Where rows are a power of
/// two apart, the lines of both groups fall into one set of the first cache, and so few find room.
constexpr std::size_t kShort = 128, kLong = 384;  // bytes
constexpr std::size_t kShortRows = 8, kRows = 4, kLongRows = 3;

template <class Step, class T, class A>
void Column(const void* const* in, std::size_t stride, std::size_t rows, std::size_t cols, const double*, void* acc_out,
            std::size_t) {
  const T* x = static_cast<const T*>(in[0]);
  A* acc = static_cast<A*>(acc_out);
  const Step step;
  if constexpr (std::is_floating_point_v<A>) {
    const hn::ScalableTag<A> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto add = [&](auto group, auto ask) GRADUS_INLINED {
      ForRows<group>(rows, [&](std::size_t r, auto count) GRADUS_INLINED {
        ForColumns(lanes, cols, [&](std::size_t c, auto vectors, std::size_t present) GRADUS_INLINED {
          hn::Vec<decltype(d)> a[decltype(vectors)::value];
          for (std::size_t v = 0; v < vectors; ++v) a[v] = LoadUpTo(d, acc + c + v * lanes, present);
          for (std::size_t k = 0; k < count; ++k) {
            const T* const at = x + (r + k) * stride + c;
            if (ask) AskFor(at + count * stride, vectors * lanes);
            for (std::size_t v = 0; v < vectors; ++v) a[v] = step(d, a[v], LoadUpToAs(d, at + v * lanes, present));
          }
          for (std::size_t v = 0; v < vectors; ++v) StoreUpTo(a[v], d, acc + c + v * lanes, present);
        });
      });
    };
    if (cols * sizeof(T) >= kLong) return add(std::integral_constant<std::size_t, kLongRows>(), std::true_type());
    if (cols * sizeof(T) >= kShort) return add(std::integral_constant<std::size_t, kRows>(), std::false_type());
    add(std::integral_constant<std::size_t, kShortRows>(), std::false_type());
  } else {
    for (std::size_t r = 0; r < rows; ++r) {
      GRADUS_INDEPENDENT
      for (std::size_t c = 0; c < cols; ++c) acc[c] = step(acc[c], x[r * stride + c]);
    }
  }
}

// Two sums, of t and of t u: t and u of an element, or of two inputs' elements, and of the result's centre.
struct CentredMoments {
  static constexpr int inputs = 1;
  template <class V>
  HWY_INLINE void operator()(V x, V, V centre, V* t, V* u) const {
    *t = *u = hn::Sub(x, centre);
  }
};
struct CentredProducts {
  static constexpr int inputs = 2;
  template <class V>
  HWY_INLINE void operator()(V a, V b, V centre, V* t, V* u) const {
    *t = a;
    *u = hn::Sub(b, centre);
  }
};

template <class Terms, class T>
void PairRow(const void* const* in, std::size_t stride, std::size_t results, std::size_t each, std::size_t n,
             const double* centres, void* acc_out) {
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[Terms::inputs - 1]);
  double* acc = static_cast<double*>(acc_out);
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr std::size_t chains = 4;
  for (std::size_t r = 0; r < results; ++r, acc += 2) {
    const auto centre = hn::Set(d, centres[r]);
    hn::Vec<decltype(d)> first[chains], second[chains];
    for (std::size_t k = 0; k < chains; ++k) first[k] = second[k] = hn::Zero(d);
    const auto add = [&](std::size_t k, std::size_t i, std::size_t present) GRADUS_INLINED {
      auto t = hn::Zero(d), u = t;
      Terms()(LoadUpToAs(d, a + i, present), LoadUpToAs(d, b + i, present), centre, &t, &u);
      if (present < lanes) {  // both: 0 times an infinite centre is NaN
        t = hn::IfThenElseZero(hn::FirstN(d, present), t);
        u = hn::IfThenElseZero(hn::FirstN(d, present), u);
      }
      first[k] = hn::Add(first[k], t);
      second[k] = hn::MulAdd(t, u, second[k]);
    };
    for (std::size_t row = 0; row < each; ++row, a += stride, b += stride) {
      std::size_t i = ForBlocks<T>(chains * lanes, n, stride, [&](std::size_t at, std::size_t ahead) GRADUS_INLINED {
        AskFor(a + at + ahead, chains * lanes);
        if (Terms::inputs == 2) AskFor(b + at + ahead, chains * lanes);
        for (std::size_t k = 0; k < chains; ++k) add(k, at + k * lanes, lanes);
      });
      for (; i + lanes <= n; i += lanes) add(0, i, lanes);
      if (i < n) add(1, i, n - i);
    }
    const SumStep sum;
    acc[0] += FoldLanes(d, hn::Add(hn::Add(first[0], first[1]), hn::Add(first[2], first[3])), sum);
    acc[1] += FoldLanes(d, hn::Add(hn::Add(second[0], second[1]), hn::Add(second[2], second[3])), sum);
  }
}

template <class Terms, class T>
void PairColumn(const void* const* in, std::size_t stride, std::size_t rows, std::size_t cols, const double* centres,
                void* acc, std::size_t acc_stride) {
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[Terms::inputs - 1]);
  double *first = static_cast<double*>(acc), *second = first + acc_stride;
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  ForRows<4>(rows, [&](std::size_t r, auto count) GRADUS_INLINED {
    ForColumns(lanes, cols, [&](std::size_t c, auto vectors, std::size_t present) GRADUS_INLINED {
      hn::Vec<decltype(d)> s[decltype(vectors)::value], p[decltype(vectors)::value], m[decltype(vectors)::value];
      for (std::size_t v = 0; v < vectors; ++v) {
        s[v] = LoadUpTo(d, first + c + v * lanes, present);
        p[v] = LoadUpTo(d, second + c + v * lanes, present);
        m[v] = LoadUpTo(d, centres + c + v * lanes, present);
      }
      for (std::size_t k = 0; k < count; ++k) {
        const T *const at = a + (r + k) * stride + c, *const other = b + (r + k) * stride + c;
        for (std::size_t v = 0; v < vectors; ++v) {
          auto t = hn::Zero(d), u = t;
          Terms()(LoadUpToAs(d, at + v * lanes, present), LoadUpToAs(d, other + v * lanes, present), m[v], &t, &u);
          s[v] = hn::Add(s[v], t);
          p[v] = hn::MulAdd(t, u, p[v]);
        }
      }
      for (std::size_t v = 0; v < vectors; ++v) {
        StoreUpTo(s[v], d, first + c + v * lanes, present);
        StoreUpTo(p[v], d, second + c + v * lanes, present);
      }
    });
  });
}

template <class Step, class T, class Join = Step, class A = typename Step::template Accumulator<T>>
constexpr FoldKernels kKernels = {Row<Step, T, A, Join>, Column<Step, T, A>};
template <class Terms, class T>
constexpr FoldKernels kPairs = {PairRow<Terms, T>, PairColumn<Terms, T>};

template <class Step>
FoldKernels Of(DType dtype) {  // a bool is a byte of 0 or 1
  constexpr FoldKernels table[kDTypeCount] = {kKernels<Step, std::uint8_t>, kKernels<Step, std::uint8_t>,
                                              kKernels<Step, std::int32_t>, kKernels<Step, std::int64_t>,
                                              kKernels<Step, float>,        kKernels<Step, double>};
  return table[static_cast<int>(dtype)];
}

FoldKernels FindFold(Fold op, DType dtype) {
  switch (op) {
    case Fold::Sum:
      return Of<SumStep>(dtype);
    case Fold::Prod:
      return Of<ProdStep>(dtype);
    case Fold::Max:
      return Of<MaxStep>(dtype);
    case Fold::Min:
      return Of<MinStep>(dtype);
    case Fold::All:
      return Of<AllStep>(dtype);
    case Fold::Any:
      return Of<AnyStep>(dtype);
    case Fold::Squares:
      return dtype == kFloat32 ? kKernels<SquaresStep, float, SumStep> : kKernels<SquaresStep, double, SumStep>;
    case Fold::CentredMoments:
      return dtype == kFloat32 ? kPairs<CentredMoments, float> : kPairs<CentredMoments, double>;
    case Fold::CentredProducts:
      return dtype == kFloat32 ? kPairs<CentredProducts, float> : kPairs<CentredProducts, double>;
  }
  return {};
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindFold);
FoldKernels fold_kernels(Fold op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindFold)(op, computed(dtype)); }

}  // namespace gradus::core::kernels
#endif
