// The tiles of a matrix product, one copy for each instruction set (Highway's foreach_target). A tile keeps its sums in
// registers while k goes on: each step multiplies an element of a for each row with one or two vectors of b. There are four
// other kinds of them: where b's rows lie anywhere; where b has to be turned; where there are so few sums that each waits for
// its last product; and where they are so short that writing them takes longest. The order in which products are added is
// the same in all.
#if defined(GRADUS_CORE_KERNELS_GEMM_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_CORE_KERNELS_GEMM_TILES_INL_H_
#undef GRADUS_CORE_KERNELS_GEMM_TILES_INL_H_
#else
#define GRADUS_CORE_KERNELS_GEMM_TILES_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/simd/gemm.h"
#include "core/simd/loops-inl.h"
#include "core/simd/pack-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

// A tile of rows x 2 vectors keeps its sums in registers, beside two vectors of b and one element of a: of 32 registers
// where there are so many, else of 16.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int kRows = 14, kTurningVectors = 2, kPairRows = 7, kShortVectors = 4;
#else
constexpr int kRows = 6, kTurningVectors = 1, kPairRows = 6, kShortVectors = 2;
#endif
static_assert(kRows <= gemm_most_rows && kRows <= 15, "row_of reaches row 14");
static_assert(kLanes<float> <= gemm_most_lanes<float> && kLanes<double> <= gemm_most_lanes<double>);
// Of a tile that turns a few vectors of b^T on the way. With more rows it pays to pack them.
constexpr int kTurningRows = 10;
// The longest short sum: so many rows of b, kShortVectors of each, beside as many sums and an element of a.
constexpr int kShortSum = 6;

template <class D>
constexpr int64_t kLanesOf = static_cast<int64_t>(hn::MaxLanes(D()));
// For rows of b and c that fill no more than half a vector: a whole one, even under a mask, takes twice as long where it
// reaches over the end of a cache line, and does so more often.
template <class T>
using HalfTag = hn::Half<Tag<T>>;

// Addresses of the rows from few registers: base, base + 5 rows, base + 10 rows; 1, 2 and 4 rows further are addressing
// modes, and 3 rows is one register more.
template <std::size_t r, class T>
HWY_INLINE const T* row_of(const T* a0, const T* a5, const T* a10, int64_t a_row) {
  return (r < 5 ? a0 : r < 10 ? a5 : a10) + static_cast<int64_t>(r % 5) * a_row;
}

// `count` sums of a vector into c.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void put_vector(D d, hn::Vec<D> sums, T* to, int64_t count, bool add) {
  constexpr int64_t lanes = kLanesOf<D>;
  if (lanes == 1 || count == lanes) {
    hn::StoreU(add ? hn::Add(hn::LoadU(d, to), sums) : sums, d, to);
  } else {
    const auto n = static_cast<std::size_t>(count);
    StoreFirst(add ? hn::Add(LoadFirst(d, to, n), sums) : sums, d, to, n);
  }
}
// A row of sums, so many of its last vector; a lone one is `right`.
template <int kVectors, class D, class T = hn::TFromD<D>>
HWY_INLINE void put_row(D d, hn::Vec<D> left, hn::Vec<D> right, T* to, int64_t count, bool add) {
  if constexpr (kVectors == 2) put_vector(d, left, to, kLanesOf<D>, add);
  put_vector(d, right, to + (kVectors - 1) * kLanesOf<D>, count, add);
}

// The sums of a tile into c. Written out three times, so that `last` and `add` are asked once and not at each of up to 14
// rows: in a short sum, the stores are most of the work.
template <int kVectors, class D, class T = hn::TFromD<D>, std::size_t... r>
HWY_INLINE void put(D d, std::index_sequence<r...>, const hn::Vec<D>* left, const hn::Vec<D>* right, T* HWY_RESTRICT c,
                    int64_t c_row, int64_t last, bool add) {
  constexpr int64_t lanes = kLanesOf<D>;
  if (last < lanes) {
    (put_row<kVectors>(d, left[r], right[r], c + static_cast<int64_t>(r) * c_row, last, add), ...);
  } else if (add) {
    (put_row<kVectors>(d, left[r], right[r], c + static_cast<int64_t>(r) * c_row, lanes, true), ...);
  } else {
    (put_row<kVectors>(d, left[r], right[r], c + static_cast<int64_t>(r) * c_row, lanes, false), ...);
  }
}

// How b's rows are read: from end to end; the last vector of each under a mask, `last` elements; or from wherever they lie.
enum class Reads { whole, part, scattered };
template <int kVectors, Reads reads, class D, class T = hn::TFromD<D>, std::size_t... r>
HWY_INLINE void tile(D d, std::index_sequence<r...> rows, const TileSum<T>& s, T* HWY_RESTRICT c, int64_t c_row,
                     int64_t last, bool add) {
  using V = hn::Vec<D>;
  constexpr int64_t lanes = kLanesOf<D>;
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(last));
  V left[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  V right[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  const int64_t a_row = s.a_row, a_col = s.a_col, b_step = s.b_step, ahead_step = s.ahead_step;
  const T* HWY_RESTRICT a0 = s.a;
  const T* HWY_RESTRICT a5 = a0 + 5 * a_row;
  const T* HWY_RESTRICT a10 = a0 + 10 * a_row;
  const T* HWY_RESTRICT b = s.b;
  const T* ahead = s.ahead;
  [[maybe_unused]] const int64_t* offset = s.offsets;
  for (int64_t p = s.k; p > 0; --p) {
    if constexpr (reads == Reads::scattered) b = s.b + *offset++;
    const T* const b_last = b + (kVectors - 1) * lanes;
    const V b_right = reads == Reads::part ? hn::MaskedLoad(mask, d, b_last) : hn::LoadU(d, b_last);
    if constexpr (kVectors == 2) {
      const V b_left = hn::LoadU(d, b);
      V x;
      ((x = hn::Set(d, *row_of<r>(a0, a5, a10, a_row)), left[r] = hn::MulAdd(x, b_left, left[r]),
        right[r] = hn::MulAdd(x, b_right, right[r])),
       ...);
    } else {
      ((right[r] = hn::MulAdd(hn::Set(d, *row_of<r>(a0, a5, a10, a_row)), b_right, right[r])), ...);
    }
    __builtin_prefetch(ahead, 0, 2);
    ahead += ahead_step;
    a0 += a_col;
    a5 += a_col;
    a10 += a_col;
    if constexpr (reads != Reads::scattered) b += b_step;
  }
  if constexpr (reads == Reads::part) {
    (put_row<kVectors>(d, left[r], right[r], c + static_cast<int64_t>(r) * c_row, last, add), ...);
  } else {
    put<kVectors>(d, rows, left, right, c, c_row, last, add);
  }
}

template <class T, int kVectors, bool scattered, int rows>
void tile_of(const TileSum<T>& sum, T* c, int64_t c_row, int64_t cols, bool add) {
  constexpr std::make_index_sequence<rows> r;
  const int64_t last = cols - (kVectors - 1) * kLanes<T>;
  if constexpr (scattered) {
    tile<kVectors, Reads::scattered>(Tag<T>(), r, sum, c, c_row, last, add);
  } else if (kMasks && last < kLanes<T> && !sum.whole) {
    if (kVectors == 1 && last <= kLanesOf<HalfTag<T>>) {
      return tile<1, Reads::part>(HalfTag<T>(), r, sum, c, c_row, last, add);
    }
    tile<kVectors, Reads::part>(Tag<T>(), r, sum, c, c_row, last, add);
  } else {
    tile<kVectors, Reads::whole>(Tag<T>(), r, sum, c, c_row, last, add);
  }
}

// A tile of few rows waits for its sums, each of which takes a product only every four cycles or so. Two blocks of k side by
// side have twice as many; written one after the other, they leave the same bits as two tiles.
template <bool part, class D, class T = hn::TFromD<D>, std::size_t... r>
HWY_INLINE void pair(D d, std::index_sequence<r...> rows, const TileSum<T>& s, int64_t second, T* HWY_RESTRICT c,
                     int64_t c_row, int64_t cols, bool add) {
  using V = hn::Vec<D>;
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(cols));
  V sums[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  V others[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  const int64_t k = s.k, a_row = s.a_row, a_col = s.a_col, b_step = s.b_step;
  const auto add_products = [&](const T* a, const T* b, V* to) HWY_ATTR {
    const V x = part ? hn::MaskedLoad(mask, d, b) : hn::LoadU(d, b);
    ((to[r] = hn::MulAdd(hn::Set(d, a[static_cast<int64_t>(r) * a_row]), x, to[r])), ...);
  };
  const T *a = s.a, *b = s.b, *a_other = a + k * a_col, *b_other = b + k * b_step;
  int64_t p = 0;
  for (; p < second; ++p, a += a_col, b += b_step, a_other += a_col, b_other += b_step) {
    add_products(a, b, sums);
    add_products(a_other, b_other, others);
  }
  for (; p < k; ++p, a += a_col, b += b_step) add_products(a, b, sums);
  put<1>(d, rows, sums, sums, c, c_row, cols, add);
  put<1>(d, rows, others, others, c, c_row, cols, true);
}

template <class T, int rows>
void pair_of(const TileSum<T>& sum, int64_t second, T* c, int64_t c_row, int64_t cols, bool add) {
  constexpr std::make_index_sequence<rows> r;
  if (kMasks && cols < kLanes<T>) {
    if (cols <= kLanesOf<HalfTag<T>>) return pair<true>(HalfTag<T>(), r, sum, second, c, c_row, cols, add);
    pair<true>(Tag<T>(), r, sum, second, c, c_row, cols, add);
  } else {
    pair<false>(Tag<T>(), r, sum, second, c, c_row, cols, add);
  }
}

// In a short sum, most of the work is to write it: all rows of b stay in registers, and those of c follow one another.
template <class T, int k>
void short_sums(const TileSum<T>& s, int64_t rows, T* HWY_RESTRICT c, int64_t c_row, bool add) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>, vectors = kShortVectors;
  Vec<T> b[k][vectors];
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t v = 0; v < vectors; ++v) b[p][v] = hn::LoadU(d, s.b + p * s.b_step + v * lanes);
  }
  const int64_t a_row = s.a_row, a_col = s.a_col;
  for (const T* a = s.a; rows > 0; --rows, a += a_row, c += c_row) {
    Vec<T> sums[vectors];
    for (int64_t v = 0; v < vectors; ++v) sums[v] = hn::Zero(d);
    for (int64_t p = 0; p < k; ++p) {
      const Vec<T> x = hn::Set(d, a[p * a_col]);
      for (int64_t v = 0; v < vectors; ++v) sums[v] = hn::MulAdd(x, b[p][v], sums[v]);
    }
    for (int64_t v = 0; v < vectors; ++v) {
      hn::StoreU(add ? hn::Add(hn::LoadU(d, c + v * lanes), sums[v]) : sums[v], d, c + v * lanes);
    }
  }
}

// A tile where the elements of a column of b are neighbours: as many rows of b^T as there are lanes are turned into columns
// in registers, a block at a time, without being packed first. A last block that is not full overlaps the one before it.
template <class T, int kVectors, std::size_t... r, std::size_t... q>
HWY_INLINE void turning_tile(std::index_sequence<r...> rows, std::index_sequence<q...>, const TileSum<T>& s,
                             T* HWY_RESTRICT c, int64_t c_row, int64_t cols, bool add) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>, block = kBlockLanes<T>;
  Vec<T> left[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  Vec<T> right[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  const T* columns[kVectors][lanes];
  for (int v = 0; v < kVectors; ++v) row_pointers(s.b, s.b_step, v * lanes, cols, columns[v]);
  for (int64_t p = 0; p < s.k; p += block) {
    const int64_t first = std::min(p, s.k - block);
    Vec<T> b_left[block], b_right[block];
    load_transposed<T>(columns[kVectors - 1], first, b_right);
    if constexpr (kVectors == 2) load_transposed<T>(columns[0], first, b_left);
    const auto add_products = [&](const T* a, Vec<T> x0, Vec<T> x1) HWY_ATTR {
      Vec<T> x;
      if constexpr (kVectors == 2) {
        ((x = hn::Set(d, a[static_cast<int64_t>(r) * s.a_row]), left[r] = hn::MulAdd(x, x0, left[r]),
          right[r] = hn::MulAdd(x, x1, right[r])),
         ...);
      } else {
        ((right[r] = hn::MulAdd(hn::Set(d, a[static_cast<int64_t>(r) * s.a_row]), x1, right[r])), ...);
      }
    };
    const T* const a = s.a + first * s.a_col;
    const auto done = static_cast<std::size_t>(p - first);
    ((q < done ? void() : add_products(a + static_cast<int64_t>(q) * s.a_col, b_left[q], b_right[q])), ...);
  }
  put<kVectors>(Tag<T>(), rows, left, right, c, c_row, cols - (kVectors - 1) * lanes, add);
}

template <class T, int kVectors, int rows>
void turning_tile_of(const TileSum<T>& sum, T* c, int64_t c_row, int64_t cols, bool add) {
  turning_tile<T, kVectors>(std::make_index_sequence<rows>(), std::make_index_sequence<kBlockLanes<T>>(), sum, c, c_row,
                            cols, add);
}

template <class T, int kVectors, bool scattered = false, class Rows = std::make_integer_sequence<int, kRows>>
struct Tiles;
template <class T, int kVectors, bool scattered, int... i>
struct Tiles<T, kVectors, scattered, std::integer_sequence<int, i...>> {
  static constexpr typename GemmKernels<T>::Tile table[] = {&tile_of<T, kVectors, scattered, i + 1>...};
};
template <class T, int kVectors, class Rows = std::make_integer_sequence<int, kTurningRows>>
struct TurningTiles;
template <class T, int kVectors, int... i>
struct TurningTiles<T, kVectors, std::integer_sequence<int, i...>> {
  static constexpr typename GemmKernels<T>::Tile table[] = {&turning_tile_of<T, kVectors, i + 1>...};
};
template <class T, class Rows = std::make_integer_sequence<int, kPairRows>>
struct Pairs;
template <class T, int... i>
struct Pairs<T, std::integer_sequence<int, i...>> {
  static constexpr typename GemmKernels<T>::Pair table[] = {&pair_of<T, i + 1>...};
};
template <class T, class Sizes = std::make_integer_sequence<int, kShortSum>>
struct ShortSums;
template <class T, int... i>
struct ShortSums<T, std::integer_sequence<int, i...>> {
  static constexpr typename GemmKernels<T>::Short table[] = {&short_sums<T, i + 1>...};
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#endif  // toggle
