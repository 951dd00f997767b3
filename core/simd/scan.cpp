// Running sums and products: sixteen scans at once, so that no addition waits for the one before it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/scan.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "../base/dispatch.h"
#include "math_common-inl.h"
#include "scan.h"
#include "tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

/// Integers wrap around, as unsigned ones do.
template <class T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
template <class T>
using Result = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;

template <Scan op, class T>
HWY_INLINE Accumulator<T> Step(Accumulator<T> acc, const T* a, const T* b, std::ptrdiff_t at) {
  using A = Accumulator<T>;
  if constexpr (op == Scan::Sum) return acc + static_cast<A>(a[at]);
  if constexpr (op == Scan::Prod) return acc * static_cast<A>(a[at]);
  return static_cast<A>(b[at]) + static_cast<A>(a[at]) * acc;
}

/// Scans side by side, all `columns` of them at once; `side` as a constant lets the compiler use vectors.
template <Scan op, class T, class Columns, class Side>
HWY_INLINE void Together(Result<T>* y, const T* a, const T* b, std::int64_t n, std::int64_t step, Columns columns,
                         Side side) {
  Accumulator<T> acc[kScanWidth];
  for (std::int64_t c = 0; c < columns; ++c) acc[c] = op == Scan::Prod ? 1 : 0;
  for (std::int64_t k = 0, at = 0; k < n; ++k, at += step) {
    // All is read before anything is written, which frees the compiler of asking whether y overlaps the operands.
    for (std::int64_t c = 0; c < columns; ++c) acc[c] = Step<op>(acc[c], a, b, at + c * side);
    for (std::int64_t c = 0; c < columns; ++c) y[at + c * side] = static_cast<Result<T>>(acc[c]);
  }
}

/// Sixteen rows of float32, `side` apart, forwards (step 1) or backwards (-1): tiles of 16 x 16 are transposed, scanned
/// down and transposed again, each element's sum formed as in Together.
template <Scan op>
HWY_INLINE void RowsTogether(float* y, const float* a, const float* b, std::int64_t n, std::int64_t step,
                             std::int64_t side) {
  constexpr std::int64_t edge = kTileEdge<float>;
  static_assert(edge == kScanWidth);
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  constexpr std::int64_t lanes = hn::MaxLanes(d);
  hn::Vec<decltype(d)> acc[edge / lanes];
  for (auto& sum : acc) sum = hn::Set(d, op == Scan::Prod ? 1.0 : 0.0);
  HWY_ALIGN float columns[edge * edge], second[op == Scan::Recurrence ? edge * edge : 1], rows[edge * edge];
  const std::int64_t whole = n / edge * edge;
  for (std::int64_t k = 0; k < whole; k += edge) {
    const std::int64_t at = step > 0 ? k : -k - (edge - 1);  // of the tile in memory
    transpose_lines(a + at, side, columns);
    if constexpr (op == Scan::Recurrence) transpose_lines(b + at, side, second);
    for (std::int64_t q = 0; q < edge; ++q) {
      float* const column = columns + (step > 0 ? q : edge - 1 - q) * edge;
      for (std::int64_t c = 0; c < edge / lanes; ++c) {
        const auto x = hn::PromoteTo(d, hn::Load(df, column + c * lanes));
        if constexpr (op == Scan::Sum) acc[c] = hn::Add(acc[c], x);
        if constexpr (op == Scan::Prod) acc[c] = hn::Mul(acc[c], x);
        if constexpr (op == Scan::Recurrence) {
          const auto z = hn::PromoteTo(d, hn::Load(df, second + (column - columns) + c * lanes));
          acc[c] = hn::Add(z, hn::Mul(x, acc[c]));
        }
        hn::Store(ToFloat32(df, acc[c]), df, column + c * lanes);
      }
    }
    transpose_lines(columns, edge, rows);
    for (std::int64_t i = 0; i < edge; ++i) std::memcpy(y + at + i * side, rows + i * edge, edge * sizeof(float));
  }
  HWY_ALIGN double sums[edge];
  for (std::int64_t c = 0; c < edge / lanes; ++c) hn::Store(acc[c], d, sums + c * lanes);
  for (std::int64_t k = whole; k < n; ++k) {
    for (std::int64_t c = 0; c < edge; ++c) {
      sums[c] = Step<op>(sums[c], a, b, k * step + c * side);
      y[k * step + c * side] = static_cast<float>(sums[c]);
    }
  }
}

template <Scan op, class T>
void ScanColumns(void* out, const void* const* in, std::int64_t n, std::int64_t step, std::int64_t width,
                 std::int64_t side) {
  auto* y = static_cast<Result<T>*>(out);
  const T *a = static_cast<const T*>(in[0]), *b = static_cast<const T*>(op == Scan::Recurrence ? in[1] : in[0]);
  using std::integral_constant;
  std::int64_t c = 0;
  const auto whole = [&](auto count, auto distance) {
    for (; c + count <= width; c += count) {
      Together<op, T>(y + c * side, a + c * side, b + c * side, n, step, count, distance);
    }
  };
  if (side == 1) {
    whole(integral_constant<std::int64_t, kScanWidth>(), integral_constant<std::int64_t, 1>());
  } else {
    if constexpr (std::is_same_v<T, float>) {
      if (step == 1 || step == -1) {
        for (; c + kScanWidth <= width; c += kScanWidth) {
          RowsTogether<op>(y + c * side, a + c * side, b + c * side, n, step, side);
        }
      }
    }
    whole(integral_constant<std::int64_t, 8>(), side);
  }
  for (; c < width; ++c) {
    Together<op, T>(y + c * side, a + c * side, b + c * side, n, step, integral_constant<std::int64_t, 1>(), side);
  }
}

template <Scan op>
ScanKernel OfNumbers(DType dtype) {
  constexpr ScanKernel table[kDTypeCount] = {ScanColumns<op, std::uint8_t>, ScanColumns<op, std::uint8_t>,
                                             ScanColumns<op, std::int32_t>, ScanColumns<op, std::int64_t>,
                                             ScanColumns<op, float>,        ScanColumns<op, double>};
  return table[static_cast<int>(dtype)];
}

ScanKernel FindScan(Scan op, DType dtype) {
  switch (op) {
    case Scan::Sum:
      return OfNumbers<Scan::Sum>(dtype);
    case Scan::Prod:
      return OfNumbers<Scan::Prod>(dtype);
    case Scan::Recurrence:
      return dtype == kFloat32   ? ScanColumns<Scan::Recurrence, float>
             : dtype == kFloat64 ? ScanColumns<Scan::Recurrence, double>
                                 : nullptr;
  }
  return nullptr;
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindScan);
ScanKernel scan_kernel(Scan op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindScan)(op, computed(dtype)); }

}  // namespace gradus::core::kernels
#endif
