// Loads that widen: for each instruction set, like all -inl.h files.
#if defined(GRADUS_KERNELS_LOAD_AS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_KERNELS_LOAD_AS_INL_H_
#undef GRADUS_KERNELS_LOAD_AS_INL_H_
#else
#define GRADUS_KERNELS_LOAD_AS_INL_H_
#endif

#include <hwy/highway.h>

#include "loops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

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

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif
