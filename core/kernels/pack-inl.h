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

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using std::int64_t;

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using Vec = hn::Vec<Tag<T>>;
template <class T>
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(Tag<T>()));

// Whether a load or store under a mask leaves alone what is masked out. (Highway's macro is about 8-bit lanes, too.)
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
constexpr bool kMasks = true;
#else
constexpr bool kMasks = false;
#endif

// columns[q] = element p + q of each of the `lanes` rows, for q < kBlock.
#if HWY_TARGET == HWY_SCALAR
template <class T>
constexpr int64_t kBlock = 1;

template <class T>
HWY_INLINE void load_transposed(const T* const* rows, int64_t p, Vec<T>* columns) {
  columns[0] = hn::LoadU(Tag<T>(), rows[0] + p);
}
#else
// A block is 128 bits of a vector: 4 floats or 2 doubles.
template <class T>
constexpr int64_t kBlock = 16 / static_cast<int64_t>(sizeof(T));

// Block i of the result is loaded from rows[i kBlock] + p.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_blocks(D d, const T* const* rows, int64_t p) {
  if constexpr (hn::MaxLanes(D()) <= static_cast<std::size_t>(kBlock<T>)) {
    return hn::LoadU(d, rows[0] + p);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_blocks(half, rows + hn::MaxLanes(half), p), load_blocks(half, rows, p));
  }
}

// With the blocks laid out so, transposing each within itself transposes the whole.
template <class T>
HWY_INLINE void load_transposed(const T* const* rows, int64_t p, Vec<T>* columns) {
  const Tag<T> d;
  const Vec<T> row0 = load_blocks(d, rows, p), row1 = load_blocks(d, rows + 1, p);
  if constexpr (sizeof(T) == 8) {
    columns[0] = hn::InterleaveLower(d, row0, row1);
    columns[1] = hn::InterleaveUpper(d, row0, row1);
  } else {
    const Vec<T> row2 = load_blocks(d, rows + 2, p), row3 = load_blocks(d, rows + 3, p);
    const hn::RepartitionToWide<Tag<T>> pairs;
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, row0, row1));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, row2, row3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, row0, row1));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, row2, row3));
    columns[0] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
    columns[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
    columns[2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
    columns[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
  }
}
#endif

// Where a vector is a line of the cache and 16 of them leave registers free.
#undef GRADUS_TILES_OF_16
#define GRADUS_TILES_OF_16 (HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL)
#if GRADUS_TILES_OF_16
// The 16 x 16 matrix of 16 vectors, transposed in place.
HWY_INLINE void transpose(Vec<float>* rows) {
  const Tag<float> d;
  const hn::RepartitionToWide<Tag<float>> pairs;
  // Fours of rows within blocks of 128 bits: block b of quads[i][q] is element 4 b + q of rows 4 i to 4 i + 3.
  Vec<float> quads[4][4];
  for (int64_t i = 0; i < 4; ++i) {
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, rows[4 * i], rows[4 * i + 1]));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, rows[4 * i + 2], rows[4 * i + 3]));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, rows[4 * i], rows[4 * i + 1]));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, rows[4 * i + 2], rows[4 * i + 3]));
    quads[i][0] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
    quads[i][1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
    quads[i][2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
    quads[i][3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
  }
  // Then the blocks as a 4 x 4 matrix.
  for (int64_t q = 0; q < 4; ++q) {
    const __m512 a = quads[0][q].raw, b = quads[1][q].raw, c = quads[2][q].raw, e = quads[3][q].raw;
    const __m512 ab_low = _mm512_shuffle_f32x4(a, b, 0x44), ab_high = _mm512_shuffle_f32x4(a, b, 0xEE);
    const __m512 ce_low = _mm512_shuffle_f32x4(c, e, 0x44), ce_high = _mm512_shuffle_f32x4(c, e, 0xEE);
    rows[q] = Vec<float>{_mm512_shuffle_f32x4(ab_low, ce_low, 0x88)};
    rows[4 + q] = Vec<float>{_mm512_shuffle_f32x4(ab_low, ce_low, 0xDD)};
    rows[8 + q] = Vec<float>{_mm512_shuffle_f32x4(ab_high, ce_high, 0x88)};
    rows[12 + q] = Vec<float>{_mm512_shuffle_f32x4(ab_high, ce_high, 0xDD)};
  }
}
#endif

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
  constexpr int64_t lanes = kLanes<T>, block = kBlock<T>;
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
        load_transposed(rows[g], p, columns);
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
