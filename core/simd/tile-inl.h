// Rows of a matrix read as columns, through registers; one copy for each instruction set (Highway's foreach_target). Rows
// are often a power of two bytes apart, and lines of the cache that far apart push each other out of it: what reads or
// writes along columns had better visit each line once.
#if defined(GRADUS_CORE_KERNELS_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_TILE_INL_H_
#undef GRADUS_CORE_KERNELS_TILE_INL_H_
#else
#define GRADUS_CORE_KERNELS_TILE_INL_H_
#endif

#include <cstddef>
#include <cstdint>

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

// columns[q] = element p + q of each of the `lanes` rows, for q < kBlockLanes.
#if HWY_TARGET == HWY_SCALAR
template <class T>
constexpr int64_t kBlockLanes = 1;

template <class T, class Rows>
HWY_INLINE void load_transposed(const Rows& rows, int64_t p, Vec<T>* columns) {
  columns[0] = hn::LoadU(Tag<T>(), rows[0] + p);
}
#else
// A block is 128 bits of a vector: 4 floats or 2 doubles.
template <class T>
constexpr int64_t kBlockLanes = 16 / static_cast<int64_t>(sizeof(T));

// Block i of the result is loaded from rows[first + i kBlockLanes] + p.
template <class D, class Rows, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_blocks(D d, const Rows& rows, int64_t first, int64_t p) {
  if constexpr (hn::MaxLanes(D()) <= static_cast<std::size_t>(kBlockLanes<T>)) {
    return hn::LoadU(d, rows[first] + p);
  } else {
    const hn::Half<D> half;
    constexpr auto count = static_cast<int64_t>(hn::MaxLanes(half));
    return hn::Combine(d, load_blocks(half, rows, first + count, p), load_blocks(half, rows, first, p));
  }
}

// The square within each block: block b of columns[q] = element q of block b of each of kBlockLanes rows.
template <class T>
HWY_INLINE void transpose_within_blocks(const Vec<T>* rows, Vec<T>* columns) {
  const Tag<T> d;
  if constexpr (sizeof(T) == 8) {
    columns[0] = hn::InterleaveLower(d, rows[0], rows[1]);
    columns[1] = hn::InterleaveUpper(d, rows[0], rows[1]);
  } else {
    const hn::RepartitionToWide<Tag<T>> pairs;
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, rows[0], rows[1]));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, rows[2], rows[3]));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, rows[0], rows[1]));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, rows[2], rows[3]));
    columns[0] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
    columns[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
    columns[2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
    columns[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
  }
}

// With the blocks loaded so, transposing each within itself transposes the whole.
template <class T, class Rows>
HWY_INLINE void load_transposed(const Rows& rows, int64_t p, Vec<T>* columns) {
  Vec<T> blocks[kBlockLanes<T>];
  for (int64_t i = 0; i < kBlockLanes<T>; ++i) blocks[i] = load_blocks(Tag<T>(), rows, i, p);
  transpose_within_blocks<T>(blocks, columns);
}
#endif

/// Elements of a line: rows and columns of a tile.
template <class T>
constexpr int64_t kTileEdge = 64 / static_cast<int64_t>(sizeof(T));

#if HWY_TARGET != HWY_SCALAR
/// The square matrix of as many vectors as one has lanes, transposed in place: within blocks of 128 bits, then the blocks.
template <class T>
HWY_INLINE void transpose(Vec<T>* rows) {
  const Tag<T> d;
  constexpr int64_t block = kBlockLanes<T>, blocks = kLanes<T> / block;
  Vec<T> part[blocks][block];
  for (int64_t i = 0; i < blocks; ++i) transpose_within_blocks<T>(rows + i * block, part[i]);
  for (int64_t q = 0; q < block; ++q) {
    if constexpr (blocks == 1) {
      rows[q] = part[0][q];
    } else if constexpr (blocks == 2) {
      rows[q] = hn::ConcatLowerLower(d, part[1][q], part[0][q]);
      rows[block + q] = hn::ConcatUpperUpper(d, part[1][q], part[0][q]);
    } else {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
      const Tag<float> df;
      const auto raw = [&](int64_t i) HWY_ATTR { return hn::BitCast(df, part[i][q]).raw; };
      const auto put = [&](int64_t b, __m512 v) HWY_ATTR { rows[b * block + q] = hn::BitCast(d, Vec<float>{v}); };
      const __m512 low01 = _mm512_shuffle_f32x4(raw(0), raw(1), 0x44);
      const __m512 high01 = _mm512_shuffle_f32x4(raw(0), raw(1), 0xEE);
      const __m512 low23 = _mm512_shuffle_f32x4(raw(2), raw(3), 0x44);
      const __m512 high23 = _mm512_shuffle_f32x4(raw(2), raw(3), 0xEE);
      put(0, _mm512_shuffle_f32x4(low01, low23, 0x88));
      put(1, _mm512_shuffle_f32x4(low01, low23, 0xDD));
      put(2, _mm512_shuffle_f32x4(high01, high23, 0x88));
      put(3, _mm512_shuffle_f32x4(high01, high23, 0xDD));
#else
      static_assert(blocks <= 2, "a transposition of four blocks is to be written for this target");
#endif
    }
  }
}
#endif

/// to[r][c] = from[c][r] for a tile; its rows are so many elements apart; by default `to` is dense.
template <class T>
HWY_INLINE void transpose_lines(const T* from, int64_t from_step, T* HWY_RESTRICT to, int64_t to_step = kTileEdge<T>) {
  constexpr int64_t edge = kTileEdge<T>;
#if HWY_TARGET == HWY_SCALAR
  for (int64_t c = 0; c < edge; ++c) {
    for (int64_t r = 0; r < edge; ++r) to[r * to_step + c] = from[c * from_step + r];
  }
#else
  constexpr int64_t lanes = kLanes<T>, groups = edge / lanes;
  for (int64_t c = 0; c < edge; c += lanes) {
    Vec<T> part[groups][lanes];
    for (int64_t i = 0; i < lanes; ++i) {
      for (int64_t g = 0; g < groups; ++g) part[g][i] = hn::LoadU(Tag<T>(), from + (c + i) * from_step + g * lanes);
    }
    for (int64_t g = 0; g < groups; ++g) {
      transpose<T>(part[g]);
      for (int64_t q = 0; q < lanes; ++q) hn::StoreU(part[g][q], Tag<T>(), to + (g * lanes + q) * to_step + c);
    }
  }
#endif
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
