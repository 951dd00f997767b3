// Distances between rows: of their differences, so that nothing cancels where they are close. Each lane sums a few squares of
// float32, which are then added up in float64.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/distance.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <type_traits>

#include "../base/dispatch.h"
#include "distance.h"
#include "rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

constexpr std::size_t kChain = 8;  // squares of float32 that a lane sums
// Between these no square of float32 that counts has overflowed, or lost digits below the normal range.
constexpr double kLeastSum = 1e-25, kMostSum = 1e38;

/// sum_k (a[k] - b[k])^2 in float64 throughout, for squares beyond float32.
template <class T>
HWY_NOINLINE double WideSquaredDistance(const T* a, const T* b, std::size_t m) {
  double sum = 0;
  for (std::size_t k = 0; k < m; ++k) {
    const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    sum += difference * difference;
  }
  return sum;
}

/// sum_k (a[k] - b[row][k])^2 for `count` rows at once, which share the loads of a.
template <std::size_t count, class T>
HWY_INLINE void SquaredDistances(const T* a, const T* b, std::size_t m, double* sums) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d), chain = std::is_same_v<T, float> ? kChain * lanes : m + 1;
  double total[count] = {};
  for (std::size_t begin = 0; begin < m; begin += chain) {
    const std::size_t end = m - begin < chain ? m : begin + chain;
    V sum[count];
    for (std::size_t row = 0; row < count; ++row) sum[row] = hn::Zero(d);
    std::size_t k = begin;
    for (; k + lanes <= end; k += lanes) {
      const V x = hn::LoadU(d, a + k);
      for (std::size_t row = 0; row < count; ++row) {
        const V difference = hn::Sub(x, hn::LoadU(d, b + row * m + k));
        sum[row] = hn::MulAdd(difference, difference, sum[row]);
      }
    }
    if (k < end) {
      const V x = LoadFirst(d, a + k, end - k);
      for (std::size_t row = 0; row < count; ++row) {
        const V difference = hn::Sub(x, LoadFirst(d, b + row * m + k, end - k));
        sum[row] = hn::MulAdd(difference, difference, sum[row]);
      }
    }
    for (std::size_t row = 0; row < count; ++row) {
      const hn::ScalableTag<double> wide;
      total[row] += hn::GetLane(hn::SumOfLanes(wide, AddLanes(wide, hn::Zero(wide), sum[row])));
    }
  }
  for (std::size_t row = 0; row < count; ++row) {
    const bool within = std::is_same_v<T, double> || (total[row] > kLeastSum && total[row] < kMostSum);
    sums[row] = HWY_LIKELY(within) ? total[row] : WideSquaredDistance(a, b + row * m, m);
  }
}

#if HWY_MAX_BYTES >= 32 && HWY_TARGET != HWY_SCALAR
/// In each 128-bit block of the result one lane for each of four rows: what the block of the row's vector sums to.
template <class D, class V>
HWY_INLINE V SumsOfBlocks(D d, V r0, V r1, V r2, V r3) {
  const hn::Repartition<double, D> pairs;
  const V first = hn::Add(hn::InterleaveLower(d, r0, r1), hn::InterleaveUpper(d, r0, r1));
  const V second = hn::Add(hn::InterleaveLower(d, r2, r3), hn::InterleaveUpper(d, r2, r3));
  const auto f = hn::BitCast(pairs, first), g = hn::BitCast(pairs, second);
  return hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, f, g)), hn::BitCast(d, hn::InterleaveUpper(pairs, f, g)));
}

/// The distances of two rows of a from four of b, or of one (the second is the first then).
template <std::size_t left>
HWY_INLINE void FourDistances(float* y, std::size_t stride, const float* a, const float* b, std::size_t m) {
  constexpr std::size_t right = 4;
  const hn::ScalableTag<float> d;
  const hn::FixedTag<double, right> wide;
  const hn::FixedTag<float, right> narrow;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d), chain = kChain * lanes;
  hn::Vec<decltype(wide)> total[left];
  for (std::size_t i = 0; i < left; ++i) total[i] = hn::Zero(wide);
  for (std::size_t begin = 0; begin < m; begin += chain) {
    const std::size_t end = m - begin < chain ? m : begin + chain;
    V sum[left][right];
    for (std::size_t i = 0; i < left; ++i) {
      for (std::size_t j = 0; j < right; ++j) sum[i][j] = hn::Zero(d);
    }
    const auto add = [&](const auto& load, std::size_t k) {
      V x[left];
      for (std::size_t i = 0; i < left; ++i) x[i] = load(a + i * m + k);
      for (std::size_t j = 0; j < right; ++j) {
        const V other = load(b + j * m + k);
        for (std::size_t i = 0; i < left; ++i) {
          const V difference = hn::Sub(x[i], other);
          sum[i][j] = hn::MulAdd(difference, difference, sum[i][j]);
        }
      }
    };
    std::size_t k = begin;
    for (; k + lanes <= end; k += lanes) add([&](const float* from) { return hn::LoadU(d, from); }, k);
    if (k < end) add([&](const float* from) { return LoadFirst(d, from, end - k); }, k);
    for (std::size_t i = 0; i < left; ++i) {
      HWY_ALIGN float blocks[kMaxLanes<float>];
      hn::Store(SumsOfBlocks(d, sum[i][0], sum[i][1], sum[i][2], sum[i][3]), d, blocks);
      for (std::size_t block = 0; block < lanes; block += right) {
        total[i] = hn::Add(total[i], hn::PromoteTo(wide, hn::Load(narrow, blocks + block)));
      }
    }
  }
  for (std::size_t i = 0; i < left; ++i) {
    const auto within = hn::And(hn::Gt(total[i], hn::Set(wide, kLeastSum)), hn::Lt(total[i], hn::Set(wide, kMostSum)));
    hn::StoreU(hn::DemoteTo(narrow, hn::Sqrt(total[i])), narrow, y + i * stride);
    if (HWY_LIKELY(hn::AllTrue(wide, within))) continue;
    for (std::size_t j = 0; j < right; ++j) {
      y[i * stride + j] = static_cast<float>(__builtin_sqrt(WideSquaredDistance(a + i * m, b + j * m, m)));
    }
  }
}
#endif

/// Of as many rows of a as there is a way for: how many.
template <class T>
HWY_INLINE std::size_t ByFours([[maybe_unused]] T* y, [[maybe_unused]] std::size_t stride, [[maybe_unused]] const T* a,
                               [[maybe_unused]] std::size_t left_rows, [[maybe_unused]] const T* b,
                               [[maybe_unused]] std::size_t m) {
  std::size_t i = 0;
#if HWY_MAX_BYTES >= 32 && HWY_TARGET != HWY_SCALAR
  if constexpr (std::is_same_v<T, float>) {
    for (; i + 2 <= left_rows; i += 2) FourDistances<2>(y + i * stride, stride, a + i * m, b, m);
    for (; i < left_rows; ++i) FourDistances<1>(y + i * stride, stride, a + i * m, b, m);
  }
#endif
  return i;
}

template <class T>
void Distances(void* out, std::size_t stride, const void* left, std::size_t left_rows, const void* right,
               std::size_t right_rows, std::size_t m) {
  T* const y = static_cast<T*>(out);
  const T *const a = static_cast<const T*>(left), *const b = static_cast<const T*>(right);
  std::size_t j = 0;
  const auto next = [&](auto together) {
    constexpr std::size_t count = decltype(together)::value;
    std::size_t i = 0;
    if constexpr (count == 4) i = ByFours(y + j, stride, a, left_rows, b + j * m, m);
    for (; i < left_rows; ++i) {
      double sums[count];
      SquaredDistances<count>(a + i * m, b + j * m, m, sums);
      for (std::size_t row = 0; row < count; ++row) y[i * stride + j + row] = static_cast<T>(__builtin_sqrt(sums[row]));
    }
    j += count;
  };
  while (j + 4 <= right_rows) next(std::integral_constant<std::size_t, 4>());
  while (j < right_rows) next(std::integral_constant<std::size_t, 1>());
}
DistanceKernel FindDistance(DType dtype) { return dtype == kFloat32 ? Distances<float> : Distances<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(FindDistance);
DistanceKernel distance_kernel(DType dtype) { return HWY_DYNAMIC_DISPATCH(FindDistance)(computed(dtype)); }

}  // namespace gradus::core::kernels
#endif
