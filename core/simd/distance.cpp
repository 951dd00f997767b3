// Distances between rows: eight sums side by side, which the compiler makes vectors of.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/distance.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "../base/dispatch.h"
#include "distance.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class T>
void Distances(void* out, const void* left, const void* right, std::size_t rows, std::size_t m) {
  constexpr std::size_t lanes = 8;
  T* const y = static_cast<T*>(out);
  const T *const a = static_cast<const T*>(left), *b = static_cast<const T*>(right);
  for (std::size_t j = 0; j < rows; ++j, b += m) {
    double sums[lanes] = {};
    std::size_t k = 0;
    for (; k + lanes <= m; k += lanes) {
      for (std::size_t l = 0; l < lanes; ++l) {
        const double d = static_cast<double>(a[k + l]) - static_cast<double>(b[k + l]);
        sums[l] += d * d;
      }
    }
    for (std::size_t l = 0; k < m; ++k, ++l) {
      const double d = static_cast<double>(a[k]) - static_cast<double>(b[k]);
      sums[l] += d * d;
    }
    const double sum = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
    y[j] = static_cast<T>(__builtin_sqrt(sum));
  }
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
