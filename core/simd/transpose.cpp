// Matrices whose rows and columns change places: by tiles of whole lines, the rest of 16 x 16 bytes.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/transpose.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tile-inl.h"
#include "transpose.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {

template <class T>
HWY_INLINE T* At(T* base, std::int64_t bytes) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  return reinterpret_cast<T*>(reinterpret_cast<Byte*>(base) + bytes);
}

template <class T>
HWY_INLINE void Elements(T* to, std::int64_t to_row, const T* from, std::int64_t from_col, std::int64_t rows,
                         std::int64_t cols) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) At(to, r * to_row)[c] = At(from, c * from_col)[r];
  }
}

#if HWY_TARGET != HWY_SCALAR
HWY_INLINE void Block(std::uint32_t* to, std::int64_t to_row, const std::uint32_t* from, std::int64_t from_col) {
  const hn::FixedTag<std::uint32_t, 4> d;
  const auto a = hn::LoadU(d, from), b = hn::LoadU(d, At(from, from_col));
  const auto e = hn::LoadU(d, At(from, 2 * from_col)), f = hn::LoadU(d, At(from, 3 * from_col));
  const auto ae_low = hn::InterleaveLower(d, a, e), ae_high = hn::InterleaveUpper(d, a, e);
  const auto bf_low = hn::InterleaveLower(d, b, f), bf_high = hn::InterleaveUpper(d, b, f);
  hn::StoreU(hn::InterleaveLower(d, ae_low, bf_low), d, to);
  hn::StoreU(hn::InterleaveUpper(d, ae_low, bf_low), d, At(to, to_row));
  hn::StoreU(hn::InterleaveLower(d, ae_high, bf_high), d, At(to, 2 * to_row));
  hn::StoreU(hn::InterleaveUpper(d, ae_high, bf_high), d, At(to, 3 * to_row));
}
HWY_INLINE void Block(std::uint64_t* to, std::int64_t to_row, const std::uint64_t* from, std::int64_t from_col) {
  const hn::FixedTag<std::uint64_t, 2> d;
  const auto a = hn::LoadU(d, from), b = hn::LoadU(d, At(from, from_col));
  hn::StoreU(hn::InterleaveLower(d, a, b), d, to);
  hn::StoreU(hn::InterleaveUpper(d, a, b), d, At(to, to_row));
}
#endif

template <class T>
HWY_INLINE void Blocks(T* to, std::int64_t to_row, const T* from, std::int64_t from_col, std::int64_t rows,
                       std::int64_t cols) {
#if HWY_TARGET == HWY_SCALAR
  Elements(to, to_row, from, from_col, rows, cols);
#else
  constexpr std::int64_t edge = 16 / sizeof(T);
  const std::int64_t whole_rows = rows / edge * edge, whole_cols = cols / edge * edge;
  for (std::int64_t r = 0; r < whole_rows; r += edge) {
    T* const row = At(to, r * to_row);
    for (std::int64_t c = 0; c < whole_cols; c += edge) Block(row + c, to_row, At(from, c * from_col) + r, from_col);
    Elements(row + whole_cols, to_row, At(from, whole_cols * from_col) + r, from_col, edge, cols - whole_cols);
  }
  Elements(At(to, whole_rows * to_row), to_row, from + whole_rows, from_col, rows - whole_rows, cols);
#endif
}

template <class T>
HWY_INLINE void Tile(T* to, std::int64_t to_row, const T* from, std::int64_t from_col, std::int64_t rows,
                     std::int64_t cols) {
  constexpr std::int64_t edge = kTileEdge<T>, size = sizeof(T);
  const std::int64_t whole_rows = rows / edge * edge, whole_cols = cols / edge * edge;
  // Lines of the result that are written in parts should stay in the first cache until they are whole. Rows a multiple of
  // 2048 bytes apart share two of its sets or one.
  const bool parted = kLanes<T> < edge && to_row % 2048 == 0;
  HWY_ALIGN T tile[edge * edge];
  for (std::int64_t r = 0; r < whole_rows; r += edge) {
    for (std::int64_t c = 0; c < whole_cols; c += edge) {
      const T* const lines = At(from, c * from_col) + r;
      for (std::int64_t i = 0; i < edge; ++i) __builtin_prefetch(At(lines, i * from_col) + edge);  // of the next turn
      if (parted) {
        transpose_lines(lines, from_col / size, tile);
        for (std::int64_t i = 0; i < edge; ++i) std::memcpy(At(to, (r + i) * to_row) + c, tile + i * edge, 64);
      } else {
        transpose_lines(lines, from_col / size, At(to, r * to_row) + c, to_row / size);
      }
    }
    Blocks(At(to, r * to_row) + whole_cols, to_row, At(from, whole_cols * from_col) + r, from_col, edge,
           cols - whole_cols);
  }
  Blocks(At(to, whole_rows * to_row), to_row, from + whole_rows, from_col, rows - whole_rows, cols);
}

void Tile32(std::uint32_t* to, std::int64_t to_row, const std::uint32_t* from, std::int64_t from_col, std::int64_t rows,
            std::int64_t cols) {
  Tile(to, to_row, from, from_col, rows, cols);
}
void Tile64(std::uint64_t* to, std::int64_t to_row, const std::uint64_t* from, std::int64_t from_col, std::int64_t rows,
            std::int64_t cols) {
  Tile(to, to_row, from, from_col, rows, cols);
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(Tile32);
HWY_EXPORT(Tile64);

void transpose_tile(std::uint32_t* to, std::int64_t to_row, const std::uint32_t* from, std::int64_t from_col,
                    std::int64_t rows, std::int64_t cols) {
  HWY_DYNAMIC_DISPATCH(Tile32)(to, to_row, from, from_col, rows, cols);
}
void transpose_tile(std::uint64_t* to, std::int64_t to_row, const std::uint64_t* from, std::int64_t from_col,
                    std::int64_t rows, std::int64_t cols) {
  HWY_DYNAMIC_DISPATCH(Tile64)(to, to_row, from, from_col, rows, cols);
}

}  // namespace gradus::core::kernels
#endif
