// Strips of matrices as the tiles of a product read them, packed from any strides; one copy for each instruction set
// (Highway's foreach_target).
#if defined(GRADUS_CORE_KERNELS_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_PACK_INL_H_
#undef GRADUS_CORE_KERNELS_PACK_INL_H_
#else
#define GRADUS_CORE_KERNELS_PACK_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/simd/loops-inl.h"
#include "core/simd/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

// Rows beyond the last repeat it: what is computed of them is thrown away.
template <class T>
HWY_INLINE void row_pointers(const T* x, int64_t step, int64_t first, int64_t count, const T** rows) {
  for (int64_t i = 0; i < kLanes<T>; ++i) {
    const int64_t row = first + i;
    rows[i] = x + (row < count ? row : count - 1) * step;
  }
}

template <class T, int64_t width>
void pack(int64_t k, int64_t filled, const T* x, int64_t x_width, int64_t x_k, T* packed) {
  constexpr int64_t lanes = kLanes<T>, block = kBlockLanes<T>;
  if (x_k == 1 && x_width != 1 && k >= block) {
    constexpr int64_t groups = (width + lanes - 1) / lanes;
    const T* rows[groups][lanes];
    for (int64_t g = 0; g < groups; ++g) row_pointers(x, x_width, g * lanes, filled, rows[g]);
    int64_t p = 0;
    Vec<T> columns[block];
    // The last group may reach beyond the width, into where the first one's next column goes: it is stored before. The
    // last column has nothing behind it that is ours.
    constexpr int64_t beyond = groups * lanes > width;
    for (; p + block + beyond <= k; p += block) {
      for (int64_t g = groups - 1; g >= 0; --g) {
        load_transposed<T>(rows[g], p, columns);
        for (int64_t q = 0; q < block; ++q) hn::StoreU(columns[q], Tag<T>(), packed + (p + q) * width + g * lanes);
      }
    }
    for (; p < k; ++p) {
      for (int64_t i = 0; i < width; ++i) packed[p * width + i] = rows[i / lanes][i % lanes][p];
    }
  } else if (x_width == 1 && filled == width) {
    for (int64_t p = 0; p < k; ++p) std::memcpy(packed + p * width, x + p * x_k, width * sizeof(T));
  } else if (kMasks && x_width == 1 && width % lanes == 0) {
    const Tag<T> d;
    for (int64_t i = 0; i < width; i += lanes) {
      const auto mask = hn::FirstN(d, static_cast<std::size_t>(std::clamp<int64_t>(filled - i, 0, lanes)));
      for (int64_t p = 0; p < k; ++p) hn::StoreU(hn::MaskedLoad(mask, d, x + p * x_k + i), d, packed + p * width + i);
    }
  } else {
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t i = 0; i < filled; ++i) packed[p * width + i] = x[i * x_width + p * x_k];
      for (int64_t i = filled; i < width; ++i) packed[p * width + i] = 0;
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
