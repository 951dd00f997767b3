// Sums of rows of float32: as many columns at a time as there are accumulators in registers.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/sum_of_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "math_common-inl.h"
#include "rows-inl.h"
#include "sum_of_rows.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// Columns [0, vectors * lanes) of the rows, or the first `left` of one vector; added to those of `out`, or in their place.
template <int vectors, bool added>
HWY_INLINE void SumColumns(const float* x, const std::int64_t* rows, std::int64_t count, std::int64_t step, float* out,
                           std::size_t left) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> narrow;
  const std::size_t lanes = hn::Lanes(d);
  constexpr std::int64_t ahead = 4;  // no prefetcher foresees where the rows lie
  hn::Vec<decltype(d)> sums[vectors];
  for (int v = 0; v < vectors; ++v) {
    if constexpr (added) {
      const float* const from = out + static_cast<std::size_t>(v) * lanes;
      sums[v] = left < lanes ? LoadFirstAs(d, from, left) : LoadAs(d, from);
    } else {
      sums[v] = hn::Zero(d);
    }
  }
  for (std::int64_t k = 0; k < count; ++k) {
    const float* const row = x + rows[k] * step;
    if (k + ahead < count) {
      const float* const later = x + rows[k + ahead] * step;
      for (std::size_t at = 0; at < vectors * lanes; at += 16) __builtin_prefetch(later + at);
    }
    for (int v = 0; v < vectors; ++v) {
      const float* const from = row + static_cast<std::size_t>(v) * lanes;
      sums[v] = hn::Add(sums[v], left < lanes ? LoadFirstAs(d, from, left) : LoadAs(d, from));
    }
  }
  for (int v = 0; v < vectors; ++v) {
    float* const to = out + static_cast<std::size_t>(v) * lanes;
    if (left < lanes)
      StoreFirst(ToFloat32(narrow, sums[v]), narrow, to, left);
    else
      hn::StoreU(ToFloat32(narrow, sums[v]), narrow, to);
  }
}

template <bool added>
HWY_INLINE void Sum(void* out, const void* from, const std::int64_t* rows, std::int64_t count, std::int64_t step,
                    std::int64_t n) {
  constexpr int group = 8;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<double>()));
  const float* const x = static_cast<const float*>(from);
  float* const to = static_cast<float*>(out);
  const auto all = static_cast<std::size_t>(lanes);
  std::int64_t j = 0;
  for (; j + group * lanes <= n; j += group * lanes) SumColumns<group, added>(x + j, rows, count, step, to + j, all);
  for (; j + lanes <= n; j += lanes) SumColumns<1, added>(x + j, rows, count, step, to + j, all);
  if (j < n) SumColumns<1, added>(x + j, rows, count, step, to + j, static_cast<std::size_t>(n - j));
}
void SumRows(const void* from, const std::int64_t* rows, std::int64_t count, std::int64_t n, void* out) {
  Sum<false>(out, from, rows, count, n, n);
}
void AddTo(void* out, const void* from, const std::int64_t* rows, std::int64_t count, std::int64_t step,
           std::int64_t n) {
  if (count == 1) {  // one sum is rounded once in float32, too
    float* const to = static_cast<float*>(out);
    const float* const row = static_cast<const float*>(from) + rows[0] * step;
    return Map([](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); }, to, to, row, static_cast<std::size_t>(n));
  }
  Sum<true>(out, from, rows, count, step, n);
}
AddRows FindAddRows() { return AddTo; }

SumOfRows FindSumOfRows(DType dtype) { return dtype == kFloat32 ? SumRows : nullptr; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindSumOfRows);
HWY_EXPORT(FindAddRows);
AddRows add_rows_kernel() { return HWY_DYNAMIC_DISPATCH(FindAddRows)(); }
SumOfRows sum_of_rows_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindSumOfRows)(dtype); }

}  // namespace gradus::core::kernels
#endif
