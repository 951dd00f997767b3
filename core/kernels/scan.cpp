// Running sums and products: sixteen scans at once, so that no addition waits for the one before it.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/scan.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "loops-inl.h"
#include "pack-inl.h"
#include "scan.h"

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

#if GRADUS_TILES_OF_16
/// Sixteen rows, `side` apart, forwards (step 1) or backwards (-1): tiles of 16 x 16 are transposed, scanned down and
/// transposed again, each element's sum formed as in Together.
template <Scan op>
HWY_INLINE void RowsTogether(float* y, const float* a, const float* b, std::int64_t n, std::int64_t step,
                             std::int64_t side) {
  const hn::ScalableTag<float> d;
  const hn::Half<decltype(d)> half;
  const hn::ScalableTag<double> dd;
  using V = hn::Vec<decltype(d)>;
  auto low = hn::Set(dd, op == Scan::Prod ? 1.0 : 0.0), high = low;
  const auto next = [&](auto acc, auto x, auto z) HWY_ATTR {
    if constexpr (op == Scan::Sum) return hn::Add(acc, hn::PromoteTo(dd, x));
    if constexpr (op == Scan::Prod) return hn::Mul(acc, hn::PromoteTo(dd, x));
    return hn::Add(hn::PromoteTo(dd, z), hn::Mul(hn::PromoteTo(dd, x), acc));
  };
  const std::int64_t whole = n / 16 * 16;
  for (std::int64_t k = 0; k < whole; k += 16) {
    const std::int64_t at = step > 0 ? k : -k - 15;  // of the tile in memory
    V tile[16], second[op == Scan::Recurrence ? 16 : 1];
    for (std::int64_t i = 0; i < 16; ++i) tile[i] = hn::LoadU(d, a + at + i * side);
    transpose(tile);
    if constexpr (op == Scan::Recurrence) {
      for (std::int64_t i = 0; i < 16; ++i) second[i] = hn::LoadU(d, b + at + i * side);
      transpose(second);
    }
    const auto down = [&](std::int64_t q) HWY_ATTR {
      const V z = op == Scan::Recurrence ? second[op == Scan::Recurrence ? q : 0] : tile[q];
      low = next(low, hn::LowerHalf(half, tile[q]), hn::LowerHalf(half, z));
      high = next(high, hn::UpperHalf(half, tile[q]), hn::UpperHalf(half, z));
      tile[q] = hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
    };
    if (step > 0) {
      for (std::int64_t q = 0; q < 16; ++q) down(q);
    } else {
      for (std::int64_t q = 16; q-- > 0;) down(q);
    }
    transpose(tile);
    for (std::int64_t i = 0; i < 16; ++i) hn::StoreU(tile[i], d, y + at + i * side);
  }
  HWY_ALIGN double acc[16];
  hn::Store(low, dd, acc);
  hn::Store(high, dd, acc + 8);
  for (std::int64_t k = whole; k < n; ++k) {
    for (std::int64_t c = 0; c < 16; ++c) {
      acc[c] = Step<op>(acc[c], a, b, k * step + c * side);
      y[k * step + c * side] = static_cast<float>(acc[c]);
    }
  }
}
#endif

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
#if GRADUS_TILES_OF_16
    if constexpr (std::is_same_v<T, float>) {
      if (step == 1 || step == -1) {
        for (; c + 16 <= width; c += 16) {
          RowsTogether<op>(y + c * side, a + c * side, b + c * side, n, step, side);
        }
      }
    }
#endif
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
ScanKernel scan_kernel(Scan op, DType dtype) { return HWY_DYNAMIC_DISPATCH(FindScan)(op, dtype); }

}  // namespace gradus::core::kernels
#endif
