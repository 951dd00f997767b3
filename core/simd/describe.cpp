#include "describe.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/describe.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
Described DescribeNumbers(const void* data, std::size_t n) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d), block = 64 * lanes;
  const T* const x = static_cast<const T*>(data);
  const auto origin = hn::Set(d, x[0]);
  auto least = origin, largest = origin;
  Described all{0, 0, 0, 0};
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t end = std::min(n, begin + block);
    auto sum = hn::Zero(d), squares = hn::Zero(d);
    const auto add = [&](auto value) {
      const auto distance = hn::Sub(value, origin);
      least = hn::Min(least, value);
      largest = hn::Max(largest, value);
      sum = hn::Add(sum, distance);
      squares = hn::Add(squares, hn::Mul(distance, distance));
    };
    std::size_t i = begin;
    for (; i + lanes <= end; i += lanes) add(hn::LoadU(d, x + i));
    for (; i < end; ++i) {  // the others of the vector add nothing
      add(hn::IfThenElse(hn::FirstN(d, 1), hn::Set(d, x[i]), origin));
    }
    all.distances += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, sum)));
    all.squares += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, squares)));
  }
  all.least = static_cast<double>(hn::GetLane(hn::MinOfLanes(d, least)));
  all.largest = static_cast<double>(hn::GetLane(hn::MaxOfLanes(d, largest)));
  return all;
}

Described Describe(const void* x, std::size_t n, DType dtype) {
  return dtype == kFloat32 ? DescribeNumbers<float>(x, n) : DescribeNumbers<double>(x, n);
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(Describe);

Described describe(const void* x, std::size_t n, DType dtype) { return HWY_DYNAMIC_DISPATCH(Describe)(x, n, dtype); }

}  // namespace gradus::core::kernels
#endif
