// What kernels of whole rows are made of, one copy for each instruction set (Highway's foreach_target).
#if defined(GRADUS_CORE_KERNELS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_ROWS_INL_H_
#undef GRADUS_CORE_KERNELS_ROWS_INL_H_
#else
#define GRADUS_CORE_KERNELS_ROWS_INL_H_
#endif

#include <cstddef>
#include <type_traits>

#include "loops-inl.h"

// Of lambdas: always inlined, so that constants among their arguments are such within. Left to itself the compiler may call
// them for every vector, depending on what else is in the file.
#undef GRADUS_INLINED
#define GRADUS_INLINED HWY_ATTR __attribute__((always_inline))

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// f(row, rows) for [0, rows), a few together, so that what all rows share is loaded once for them. Of many streams at once the
/// prefetchers lose sight.
template <std::size_t group, class F>
HWY_INLINE void ForRows(std::size_t rows, F f) {
  std::size_t r = 0;
  for (; r + group <= rows; r += group) f(r, std::integral_constant<std::size_t, group>());
  for (; r < rows; ++r) f(r, std::integral_constant<std::size_t, 1>());
}

/// The first n lanes of a vector, 0 in the others.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> LoadUpTo(D d, const T* from, std::size_t n) {
  return n == hn::Lanes(d) ? hn::LoadU(d, from) : LoadFirst(d, from, n);
}

template <class D, class V, class T = hn::TFromD<D>>
HWY_INLINE void StoreUpTo(V v, D d, T* to, std::size_t n) {
  if (n == hn::Lanes(d))
    hn::StoreU(v, d, to);
  else
    StoreFirst(v, d, to, n);
}

/// Vectors of the accumulating type from memory of the stored type.
template <class D, class T>
HWY_INLINE hn::Vec<D> LoadAs(D d, const T* from) {
  if constexpr (std::is_same_v<T, hn::TFromD<D>>) {
    return hn::LoadU(d, from);
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<T, D>(), from));
  }
}
template <class D, class T>
HWY_INLINE hn::Vec<D> LoadFirstAs(D d, const T* from, std::size_t n) {
  if constexpr (std::is_same_v<T, hn::TFromD<D>>) {
    return LoadFirst(d, from, n);
  } else {
    return hn::PromoteTo(d, LoadFirst(hn::Rebind<T, D>(), from, n));
  }
}

template <class D, class T>
HWY_INLINE hn::Vec<D> LoadUpToAs(D d, const T* from, std::size_t n) {
  return n == hn::Lanes(d) ? LoadAs(d, from) : LoadFirstAs(d, from, n);
}

/// The lanes of the upper half with those of the lower, until one is left.
template <class D, class V, class Step>
HWY_INLINE hn::TFromD<D> FoldLanes(D d, V v, Step step) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(D()) > 1) {
    const hn::Half<D> half;
    return FoldLanes(half, step(half, hn::LowerHalf(half, v), hn::UpperHalf(half, v)), step);
  }
#endif
  (void)d;
  (void)step;
  return hn::GetLane(v);
}

/// Adds the lanes of a vector to a vector of float64 sums.
template <class DD, class V>
HWY_INLINE V AddLanes(DD, V sum, V v) {
  return hn::Add(sum, v);
}
template <class DD, class VD, class V, std::enable_if_t<!std::is_same_v<VD, V>>* = nullptr>
HWY_INLINE VD AddLanes(DD d, VD sum, V v) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Add(sum, hn::PromoteTo(d, v));
#else
  const hn::ScalableTag<float> df;
  const hn::Half<decltype(df)> half;
  return hn::Add(sum, hn::Add(hn::PromoteTo(d, hn::LowerHalf(half, v)), hn::PromoteTo(d, hn::UpperHalf(half, v))));
#endif
}

/// The sum of the row in float64.
template <class T>
HWY_INLINE double SumRow(const T* x, std::size_t n) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a0 = hn::Add(a0, LoadAs(d, x + i));
    a1 = hn::Add(a1, LoadAs(d, x + i + lanes));
    a2 = hn::Add(a2, LoadAs(d, x + i + 2 * lanes));
    a3 = hn::Add(a3, LoadAs(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) a0 = hn::Add(a0, LoadAs(d, x + i));
  if (i < n) a0 = hn::Add(a0, LoadFirstAs(d, x + i, n - i));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a0, a1), hn::Add(a2, a3))));
}

/// Asks memory for elements that are needed soon, line by line. Places that do not exist do no harm.
template <class T>
HWY_INLINE void AskFor(const T* x, std::size_t elements) {
  constexpr std::size_t line = 64 / sizeof(T);
  for (std::size_t at = 0; at < elements; at += line) __builtin_prefetch(x + at);
}
/// For the same place in the next row, which mostly follows in memory: it comes while this row, in the first cache by then, is
/// computed with.
template <class T>
HWY_INLINE void AskForNextRow(const T* at, std::size_t n) {
  AskFor(at + n, 1);
}

/// Two sums over a row at once. f(i, n, a, b) adds to a and b what the n elements from i on give; the dtype holds the sums
/// of a few vectors, in four chains, so that a step need not wait for the one before; vectors of float64 hold those of
/// all, and their lanes are added at the end alone.
template <class T, class F>
HWY_INLINE void TwoSums(std::size_t n, double* sums, F f) {
  const hn::ScalableTag<T> d;
  const hn::ScalableTag<double> dd;
  const std::size_t lanes = hn::Lanes(d), block = 32 * lanes;
  auto a_total = hn::Zero(dd), b_total = a_total;
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t end = begin + block < n ? begin + block : n;
    auto a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    std::size_t i = begin;
    for (; i + 4 * lanes <= end; i += 4 * lanes) {
      f(i, lanes, a0, b0);
      f(i + lanes, lanes, a1, b1);
      f(i + 2 * lanes, lanes, a2, b2);
      f(i + 3 * lanes, lanes, a3, b3);
    }
    for (; i + lanes <= end; i += lanes) f(i, lanes, a0, b0);
    if (lanes > 1 && i < end) f(i, end - i, a1, b1);
    a_total = AddLanes(dd, a_total, hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)));
    b_total = AddLanes(dd, b_total, hn::Add(hn::Add(b0, b1), hn::Add(b2, b3)));
  }
  sums[0] += hn::GetLane(hn::SumOfLanes(dd, a_total));
  sums[1] += hn::GetLane(hn::SumOfLanes(dd, b_total));
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
