// The inner loops of reductions. Sums and products of float32 are accumulated in float64.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/fold_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

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

/// Asks for as many elements a kilobyte further on. Widened numbers come in halves of a line of the cache, and fewer
/// lines are on their way at once than memory could serve: hence they are asked for early. Places that do not exist do
/// no harm.
template <class T>
HWY_INLINE void AskAhead(const T* x, std::size_t elements) {
  constexpr std::size_t line = 64 / sizeof(T), ahead = 1024 / sizeof(T);
  for (std::size_t at = 0; at < elements; at += line) __builtin_prefetch(x + at + ahead);
}

/// The row in four chains, so that one step need not wait for the step before; `join` makes one vector of them.
template <class D, class T, class Step, class Join>
HWY_INLINE hn::Vec<D> FoldRow(D d, const T* x, std::size_t n, hn::Vec<D> start, Step step, Join join) {
  const std::size_t lanes = hn::Lanes(d);
  auto a0 = start, a1 = start, a2 = start, a3 = start;
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    AskAhead(x + i, 4 * lanes);
    a0 = step(d, a0, LoadAs(d, x + i));
    a1 = step(d, a1, LoadAs(d, x + i + lanes));
    a2 = step(d, a2, LoadAs(d, x + i + 2 * lanes));
    a3 = step(d, a3, LoadAs(d, x + i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) a0 = step(d, a0, LoadAs(d, x + i));
  if (i < n) a1 = hn::IfThenElse(hn::FirstN(d, n - i), step(d, a1, LoadFirstAs(d, x + i, n - i)), a1);
  return join(d, join(d, a0, a1), join(d, a2, a3));
}

template <class Step, class T, class A>
void Row(const void* const* in, std::size_t stride, std::size_t rows, std::size_t n, const double*, void* acc_out) {
  const T* x = static_cast<const T*>(in[0]);
  A* acc = static_cast<A*>(acc_out);
  const Step step;
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    if constexpr (std::is_floating_point_v<A>) {
      const hn::ScalableTag<A> d;
      const auto start = hn::Set(d, Step::template start<A>);
      acc[r] = step(acc[r], FoldLanes(d, FoldRow(d, x, n, start, step, step), step));
    } else {
      A sum = acc[r];
      for (std::size_t i = 0; i < n; ++i) sum = step(sum, x[i]);
      acc[r] = sum;
    }
  }
}

template <class Step, class T, class A>
void Column(const void* const* in, std::size_t stride, std::size_t rows, std::size_t cols, const double*, void* acc_out,
            std::size_t) {
  const T* x = static_cast<const T*>(in[0]);
  A* acc = static_cast<A*>(acc_out);
  const Step step;
  if constexpr (std::is_floating_point_v<A>) {
    const hn::ScalableTag<A> d;
    const std::size_t lanes = hn::Lanes(d);
    constexpr std::size_t group = 8;  // rows for each time an accumulator is loaded and stored
    std::size_t r = 0;
    const auto add_rows = [&](auto count) HWY_ATTR {
      std::size_t c = 0;
      for (; c + lanes <= cols; c += lanes) {
        auto a = hn::LoadU(d, acc + c);
        for (std::size_t k = 0; k < count; ++k) a = step(d, a, LoadAs(d, x + (r + k) * stride + c));
        hn::StoreU(a, d, acc + c);
      }
      if (c == cols) return;
      auto a = LoadFirst(d, acc + c, cols - c);
      for (std::size_t k = 0; k < count; ++k) a = step(d, a, LoadFirstAs(d, x + (r + k) * stride + c, cols - c));
      StoreFirst(a, d, acc + c, cols - c);
    };
    for (; r + group <= rows; r += group) add_rows(std::integral_constant<std::size_t, group>());
    for (; r < rows; ++r) add_rows(std::integral_constant<std::size_t, 1>());
  } else {
    for (std::size_t r = 0; r < rows; ++r) {
      GRADUS_INDEPENDENT
      for (std::size_t c = 0; c < cols; ++c) acc[c] = step(acc[c], x[r * stride + c]);
    }
  }
}

template <class V>
struct AddSquareOfDistance {
  V centre;
  HWY_INLINE V operator()(auto, V acc, V x) const {
    const V distance = hn::Sub(x, centre);
    return hn::MulAdd(distance, distance, acc);
  }
};
template <class T>
void CentredSquaresRow(const void* const* in, std::size_t stride, std::size_t rows, std::size_t n, const double* centre,
                       void* acc_out) {
  const T* x = static_cast<const T*>(in[0]);
  double* acc = static_cast<double*>(acc_out);
  const hn::ScalableTag<double> d;
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    const AddSquareOfDistance<hn::Vec<decltype(d)>> step{hn::Set(d, centre[r])};
    acc[r] += FoldLanes(d, FoldRow(d, x, n, hn::Zero(d), step, SumStep()), SumStep());
  }
}

template <class T>
void CentredSquaresColumn(const void* const* in, std::size_t stride, std::size_t rows, std::size_t cols,
                          const double* centre, void* acc_out, std::size_t) {
  const T* x = static_cast<const T*>(in[0]);
  double* acc = static_cast<double*>(acc_out);
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr std::size_t group = 8;
  std::size_t r = 0;
  const auto add_rows = [&](auto count) HWY_ATTR {
    for (std::size_t c = 0; c < cols; c += lanes) {
      const bool whole = c + lanes <= cols;
      const std::size_t left = cols - c;
      auto a = whole ? hn::LoadU(d, acc + c) : LoadFirst(d, acc + c, left);
      const auto m = whole ? hn::LoadU(d, centre + c) : LoadFirst(d, centre + c, left);
      for (std::size_t k = 0; k < count; ++k) {
        const T* const at = x + (r + k) * stride + c;
        const auto t = hn::Sub(whole ? LoadAs(d, at) : LoadFirstAs(d, at, left), m);
        a = hn::MulAdd(t, t, a);
      }
      if (whole)
        hn::StoreU(a, d, acc + c);
      else
        StoreFirst(a, d, acc + c, left);
    }
  };
  for (; r + group <= rows; r += group) add_rows(std::integral_constant<std::size_t, group>());
  for (; r < rows; ++r) add_rows(std::integral_constant<std::size_t, 1>());
}

template <class T>
HWY_INLINE void CentredProductsOfRow(const T* a, const T* b, std::size_t n, double centre, double* acc) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto c = hn::Set(d, centre);
  auto sum0 = hn::Zero(d), sum1 = sum0, products0 = sum0, products1 = sum0;
  const auto add = [&](auto& sum, auto& products, auto v, auto w) HWY_ATTR {
    sum = hn::Add(sum, v);
    products = hn::MulAdd(v, hn::Sub(w, c), products);
  };
  std::size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    AskAhead(a + i, 2 * lanes);
    AskAhead(b + i, 2 * lanes);
    add(sum0, products0, LoadAs(d, a + i), LoadAs(d, b + i));
    add(sum1, products1, LoadAs(d, a + i + lanes), LoadAs(d, b + i + lanes));
  }
  for (; i < n; i += lanes) {  // the lanes behind the end are 0 in a, and add nothing
    const std::size_t left = n - i;
    if (left >= lanes)
      add(sum0, products0, LoadAs(d, a + i), LoadAs(d, b + i));
    else
      add(sum1, products1, LoadFirstAs(d, a + i, left), LoadFirstAs(d, b + i, left));
  }
  acc[0] += FoldLanes(d, hn::Add(sum0, sum1), SumStep());
  acc[1] += FoldLanes(d, hn::Add(products0, products1), SumStep());
}

template <class T>
void CentredProductsRow(const void* const* in, std::size_t stride, std::size_t rows, std::size_t n,
                        const double* centre, void* acc) {
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
  for (std::size_t r = 0; r < rows; ++r, a += stride, b += stride) {
    CentredProductsOfRow(a, b, n, centre[r], static_cast<double*>(acc) + 2 * r);
  }
}

template <class T>
void CentredProductsColumn(const void* const* in, std::size_t stride, std::size_t rows, std::size_t cols,
                           const double* centre, void* acc_out, std::size_t acc_stride) {
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(in[1]);
  double *sums = static_cast<double*>(acc_out), *products = sums + acc_stride;
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  constexpr std::size_t group = 4;
  std::size_t r = 0;
  const auto add_rows = [&](auto count) HWY_ATTR {
    for (std::size_t c = 0; c < cols; c += lanes) {
      const bool whole = c + lanes <= cols;
      const std::size_t left = cols - c;
      auto s = whole ? hn::LoadU(d, sums + c) : LoadFirst(d, sums + c, left);
      auto p = whole ? hn::LoadU(d, products + c) : LoadFirst(d, products + c, left);
      const auto m = whole ? hn::LoadU(d, centre + c) : LoadFirst(d, centre + c, left);
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t at = (r + k) * stride + c;
        const auto v = whole ? LoadAs(d, a + at) : LoadFirstAs(d, a + at, left);
        s = hn::Add(s, v);
        p = hn::MulAdd(v, hn::Sub(whole ? LoadAs(d, b + at) : LoadFirstAs(d, b + at, left), m), p);
      }
      if (whole) {
        hn::StoreU(s, d, sums + c);
        hn::StoreU(p, d, products + c);
      } else {
        StoreFirst(s, d, sums + c, left);
        StoreFirst(p, d, products + c, left);
      }
    }
  };
  for (; r + group <= rows; r += group) add_rows(std::integral_constant<std::size_t, group>());
  for (; r < rows; ++r) add_rows(std::integral_constant<std::size_t, 1>());
}

template <class Step, class T, class A = typename Step::template Accumulator<T>>
constexpr FoldKernels kKernels = {Row<Step, T, A>, Column<Step, T, A>};

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
    case Fold::CentredSquares:
      return dtype == kFloat32 ? FoldKernels{CentredSquaresRow<float>, CentredSquaresColumn<float>}
                               : FoldKernels{CentredSquaresRow<double>, CentredSquaresColumn<double>};
    case Fold::CentredProducts:
      return dtype == kFloat32 ? FoldKernels{CentredProductsRow<float>, CentredProductsColumn<float>}
                               : FoldKernels{CentredProductsRow<double>, CentredProductsColumn<double>};
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
