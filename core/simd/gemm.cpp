// What the matrix product asks of an instruction set: tiles in registers, packing, and the last step into c.
#include "core/simd/gemm.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/gemm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/simd/loops-inl.h"
#include "core/simd/pack-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

// A tile of rows x 2 vectors keeps its sums in registers, beside two vectors of b and one element of a: of 32 registers
// where there are so many, else of 16.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int kRows = 14, kTurningVectors = 2;
#else
constexpr int kRows = 6, kTurningVectors = 1;
#endif
// Of a tile that turns a few vectors of b^T on the way. With more rows it pays to pack them.
constexpr int kTurningRows = 10;

// One element's step of the sum, as the vectors do it.
template <class T>
HWY_INLINE T multiply_add(T x, T y, T sum) {
#if HWY_NATIVE_FMA
  if constexpr (sizeof(T) == 4) {
    return __builtin_fmaf(x, y, sum);
  } else {
    return __builtin_fma(x, y, sum);
  }
#else
  return x * y + sum;
#endif
}

// --- Tiles ----------------------------------------------------------------------------------------------------------

// Addresses of the rows from few registers: base, base + 5 rows, base + 10 rows; 1, 2 and 4 rows further are addressing
// modes, and 3 rows is one register more.
template <std::size_t r, class T>
HWY_INLINE const T* row_of(const T* a0, const T* a5, const T* a10, int64_t a_row) {
  return (r < 5 ? a0 : r < 10 ? a5 : a10) + static_cast<int64_t>(r % 5) * a_row;
}

// A row of sums into c, so many columns of its last vector.
template <int kVectors, class T>
HWY_INLINE void put_row(Vec<T> left, Vec<T> right, T* to, int64_t count, bool add) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  if constexpr (kVectors == 2) {
    put_row<1>(left, left, to, lanes, add);
    put_row<1>(left, right, to + lanes, count, add);
  } else if (lanes == 1 || count == lanes) {
    hn::StoreU(add ? hn::Add(hn::LoadU(d, to), right) : right, d, to);
  } else {
    const auto n = static_cast<std::size_t>(count);
    StoreFirst(add ? hn::Add(LoadFirst(d, to, n), right) : right, d, to, n);
  }
}

// The sums of a tile into c. Written out three times, so that `last` and `add` are asked once and not at each of up to 14
// rows: in a short sum, the stores are most of the work.
template <class T, int kVectors, std::size_t... r>
HWY_INLINE void put(std::index_sequence<r...>, const Vec<T>* left, const Vec<T>* right, T* HWY_RESTRICT c,
                    int64_t c_row, int64_t last, bool add) {
  constexpr int64_t lanes = kLanes<T>;
  if (last < lanes) {
    (put_row<kVectors>(left[r], right[r], c + static_cast<int64_t>(r) * c_row, last, add), ...);
  } else if (add) {
    (put_row<kVectors>(left[r], right[r], c + static_cast<int64_t>(r) * c_row, lanes, true), ...);
  } else {
    (put_row<kVectors>(left[r], right[r], c + static_cast<int64_t>(r) * c_row, lanes, false), ...);
  }
}

// How b's rows are read: from end to end; the last vector of each under a mask, `last` elements; or from wherever they lie.
enum class Reads { whole, part, scattered };
template <class T, int kVectors, Reads reads, std::size_t... r>
HWY_INLINE void tile(std::index_sequence<r...> rows, const TileSum<T>& s, T* HWY_RESTRICT c, int64_t c_row,
                     int64_t last, bool add) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  const auto mask = hn::FirstN(d, static_cast<std::size_t>(last));
  Vec<T> left[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  Vec<T> right[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  const int64_t a_row = s.a_row, a_col = s.a_col, b_row = s.b_row, ahead_step = s.ahead_step;
  const T* HWY_RESTRICT a0 = s.a;
  const T* HWY_RESTRICT a5 = a0 + 5 * a_row;
  const T* HWY_RESTRICT a10 = a0 + 10 * a_row;
  const T* HWY_RESTRICT b = s.b;
  const T* ahead = s.ahead;
  [[maybe_unused]] const int64_t* offset = s.offsets;
  for (int64_t p = s.k; p > 0; --p) {
    if constexpr (reads == Reads::scattered) b = s.b + *offset++;
    const T* const b_last = b + (kVectors - 1) * lanes;
    const Vec<T> b_right = reads == Reads::part ? hn::MaskedLoad(mask, d, b_last) : hn::LoadU(d, b_last);
    if constexpr (kVectors == 2) {
      const Vec<T> b_left = hn::LoadU(d, b);
      Vec<T> x;
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
    if constexpr (reads != Reads::scattered) b += b_row;
  }
  if constexpr (reads == Reads::part) {
    (put_row<kVectors>(left[r], right[r], c + static_cast<int64_t>(r) * c_row, last, add), ...);
  } else {
    put<T, kVectors>(rows, left, right, c, c_row, last, add);
  }
}

template <class T, int kVectors, bool scattered, int rows>
void tile_of(const TileSum<T>& sum, T* c, int64_t c_row, int64_t cols, bool add) {
  constexpr std::make_index_sequence<rows> r;
  const int64_t last = cols - (kVectors - 1) * kLanes<T>;
  if constexpr (scattered) {
    tile<T, kVectors, Reads::scattered>(r, sum, c, c_row, last, add);
  } else if (kMasks && last < kLanes<T> && !sum.whole) {
    tile<T, kVectors, Reads::part>(r, sum, c, c_row, last, add);
  } else {
    tile<T, kVectors, Reads::whole>(r, sum, c, c_row, last, add);
  }
}

// The same where the elements of a column of b are neighbours: as many rows of b^T as there are lanes are turned into columns
// in registers, a block at a time, without being packed first. A last block that is not full overlaps the one before it.
template <class T, int kVectors, std::size_t... r, std::size_t... q>
HWY_INLINE void turning_tile(std::index_sequence<r...> rows, std::index_sequence<q...>, const TileSum<T>& s,
                             T* HWY_RESTRICT c, int64_t c_row, int64_t cols, bool add) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>, block = kBlock<T>;
  Vec<T> left[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  Vec<T> right[sizeof...(r)] = {(static_cast<void>(r), hn::Zero(d))...};
  const T* columns[kVectors][lanes];
  for (int v = 0; v < kVectors; ++v) row_pointers(s.b, s.b_row, v * lanes, cols, columns[v]);
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
  put<T, kVectors>(rows, left, right, c, c_row, cols - (kVectors - 1) * lanes, add);
}

template <class T, int kVectors, int rows>
void turning_tile_of(const TileSum<T>& sum, T* c, int64_t c_row, int64_t cols, bool add) {
  turning_tile<T, kVectors>(std::make_index_sequence<rows>(), std::make_index_sequence<kBlock<T>>(), sum, c, c_row,
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

// --- The last step --------------------------------------------------------------------------------------------------

template <class T>
HWY_INLINE Vec<T> combined(Vec<T> sums, Vec<T> old, bool has_old, Vec<T> alpha, Vec<T> beta) {
  return has_old ? hn::MulAdd(alpha, sums, hn::Mul(beta, old)) : hn::Mul(alpha, sums);
}

template <class T>
void finish_rows(const T* sums, int64_t sums_row, const GemmResult<T>& result, int64_t rows, int64_t cols) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  const Vec<T> alpha = hn::Set(d, result.alpha), beta = hn::Set(d, result.beta);
  const bool has_old = result.beta != 0, has_bias = result.bias != nullptr;
  const bool vectors = result.col == 1 && (!has_bias || result.bias_col <= 1);
  for (int64_t i = 0; i < rows; ++i) {
    const T* from = sums + i * sums_row;
    T* to = result.c + i * result.row;
    const T* bias = has_bias ? result.bias + i * result.bias_row : nullptr;
    int64_t j = 0;
    if (vectors) {
      for (; j + lanes <= cols; j += lanes) {
        const Vec<T> old = has_old ? hn::LoadU(d, to + j) : hn::Zero(d);
        Vec<T> v = combined<T>(hn::LoadU(d, from + j), old, has_old, alpha, beta);
        if (has_bias) v = hn::Add(v, result.bias_col == 1 ? hn::LoadU(d, bias + j) : hn::Set(d, *bias));
        hn::StoreU(v, d, to + j);
      }
      if (kMasks && j < cols) {
        const auto mask = hn::FirstN(d, static_cast<std::size_t>(cols - j));
        const Vec<T> old = has_old ? hn::MaskedLoad(mask, d, to + j) : hn::Zero(d);
        Vec<T> v = combined<T>(hn::MaskedLoad(mask, d, from + j), old, has_old, alpha, beta);
        if (has_bias) v = hn::Add(v, result.bias_col == 1 ? hn::MaskedLoad(mask, d, bias + j) : hn::Set(d, *bias));
        hn::BlendedStore(v, mask, d, to + j);
        j = cols;
      }
    }
    for (; j < cols; ++j) {
      T* at = to + j * result.col;
      T v = has_old ? multiply_add(result.alpha, from[j], result.beta * *at) : result.alpha * from[j];
      if (has_bias) v += bias[j * result.bias_col];
      *at = v;
    }
  }
}

// The vectors run along what lies together in c: in the transposed problem, along the sums' columns, a square at a time.
template <class T>
void finish(const T* sums, int64_t sums_row, const GemmResult<T>& result, int64_t rows, int64_t cols) {
#if HWY_TARGET != HWY_SCALAR
  if (result.row == 1 && result.col != 1 && rows > 1) {
    const Tag<T> d;
    constexpr int64_t lanes = kLanes<T>;
    const Vec<T> alpha = hn::Set(d, result.alpha);
    alignas(64) T turned[lanes * lanes];
    for (int64_t i = 0; i < rows; i += lanes) {
      for (int64_t j = 0; j < cols; j += lanes) {
        const int64_t height = std::min(lanes, rows - i), width = std::min(lanes, cols - j);
        Vec<T> square[lanes];
        for (int64_t q = 0; q < lanes; ++q) {
          square[q] =
              LoadFirst(d, sums + (i + std::min(q, height - 1)) * sums_row + j, static_cast<std::size_t>(width));
        }
        transpose<T>(square);
        const GemmResult<T> to = transposed(part(result, i, j));
        if (result.beta == 0 && result.bias == nullptr) {
          for (int64_t q = 0; q < width; ++q) {
            StoreFirst(hn::Mul(alpha, square[q]), d, to.c + q * to.row, static_cast<std::size_t>(height));
          }
        } else {
          for (int64_t q = 0; q < width; ++q) hn::Store(square[q], d, turned + q * lanes);
          finish_rows(turned, lanes, to, width, height);
        }
      }
    }
    return;
  }
#endif
  finish_rows(sums, sums_row, result, rows, cols);
}

// --- A row vector times a matrix ------------------------------------------------------------------------------------

// Adds `count` rows of b to the sums, in their order.
template <int count, class T>
HWY_INLINE void rows_into(const T* x, const T* b, int64_t b_row, int64_t n, T* sums, bool first) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  Vec<T> factors[count];
  for (int i = 0; i < count; ++i) factors[i] = hn::Set(d, x[i]);
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    Vec<T> sum = first ? hn::Zero(d) : hn::LoadU(d, sums + j);
    for (int i = 0; i < count; ++i) sum = hn::MulAdd(factors[i], hn::LoadU(d, b + i * b_row + j), sum);
    hn::StoreU(sum, d, sums + j);
  }
  if (kMasks && j < n) {
    const auto mask = hn::FirstN(d, static_cast<std::size_t>(n - j));
    Vec<T> sum = first ? hn::Zero(d) : hn::MaskedLoad(mask, d, sums + j);
    for (int i = 0; i < count; ++i) {
      sum = hn::MulAdd(factors[i], hn::MaskedLoad(mask, d, b + i * b_row + j), sum);
    }
    hn::BlendedStore(sum, mask, d, sums + j);
    j = n;
  }
  for (; j < n; ++j) {
    T sum = first ? T(0) : sums[j];
    for (int i = 0; i < count; ++i) sum = multiply_add(x[i], b[i * b_row + j], sum);
    sums[j] = sum;
  }
}

template <class T>
void vector_by_rows(int64_t k, const T* x, const T* b, int64_t b_row, int64_t n, T* sums) {
  int64_t p = 0;
  for (; p + 8 <= k; p += 8) rows_into<8>(x + p, b + p * b_row, b_row, n, sums, p == 0);
  for (; p < k; ++p) rows_into<1>(x + p, b + p * b_row, b_row, n, sums, p == 0);
}

// --- Dot products ---------------------------------------------------------------------------------------------------

// sums[i] = the products of x and column i, each lane's part by itself.
template <int64_t count, class T>
HWY_INLINE void add_products(int64_t k, const T* x, const T* const* columns, Vec<T>* sums) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  Vec<T> sum[count];
  for (int64_t i = 0; i < count; ++i) sum[i] = hn::Zero(d);
  int64_t p = 0;
  for (; p + lanes <= k; p += lanes) {
    const Vec<T> factor = hn::LoadU(d, x + p);
    for (int64_t i = 0; i < count; ++i) sum[i] = hn::MulAdd(factor, hn::LoadU(d, columns[i] + p), sum[i]);
  }
  if (p < k) {
    const auto n = static_cast<std::size_t>(k - p);
    const Vec<T> factor = LoadFirst(d, x + p, n);
    for (int64_t i = 0; i < count; ++i) sum[i] = hn::MulAdd(factor, LoadFirst(d, columns[i] + p, n), sum[i]);
  }
  for (int64_t i = 0; i < count; ++i) sums[i] = sum[i];
}

// Columns of so many elements are read a few at a time: lines that are brought near in more streams than that, which often
// lie a multiple of 4096 bytes apart, push each other out before they are used.
constexpr int64_t kLongColumn = 256;

// As many at a time as a vector has lanes: lane i of a sum adds up every lanes-th product, and a transposition at the end
// brings what belongs together into one lane. Columns that are not there repeat the last one.
template <class T>
void dots(int64_t k, int64_t count, const T* x, const T* b, int64_t b_col, T* sums) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  for (int64_t first = 0; first < count; first += lanes) {
    const T* columns[lanes];
    row_pointers(b, b_col, first, count, columns);
    Vec<T> sum[lanes];
    if (k < kLongColumn) {
      add_products<lanes, T>(k, x, columns, sum);
    } else {
      constexpr int64_t some = lanes < 4 ? lanes : 4;
      for (int64_t i = 0; i < lanes; i += some) add_products<some, T>(k, x, columns + i, sum + i);
    }
#if HWY_TARGET != HWY_SCALAR
    transpose<T>(sum);
    for (int64_t half = lanes / 2; half > 0; half /= 2) {
      for (int64_t i = 0; i < half; ++i) sum[i] = hn::Add(sum[i], sum[half + i]);
    }
#endif
    hn::StoreU(sum[0], d, sums + first);
  }
}

template <class T>
const GemmKernels<T>& kernels_of() {
  static constexpr GemmKernels<T> kernels = {
      kLanes<T>,
      kRows,
      kMasks,
      {{Tiles<T, 1>::table, Tiles<T, 2>::table}, kRows, 2},
      {{Tiles<T, 1, true>::table, Tiles<T, 2, true>::table}, kRows, 2},
      {{TurningTiles<T, 1>::table, TurningTiles<T, kTurningVectors>::table}, kTurningRows, kTurningVectors},
      kBlock<T>,
      &pack<T, kRows>,
      {&pack<T, kLanes<T>>, &pack<T, 2 * kLanes<T>>},
      &finish<T>,
      &vector_by_rows<T>,
      &dots<T>};
  return kernels;
}

}  // namespace

const GemmKernels<float>& gemm_kernels_f32() { return kernels_of<float>(); }
const GemmKernels<double>& gemm_kernels_f64() { return kernels_of<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::core::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::core::kernels {

HWY_EXPORT(gemm_kernels_f32);
HWY_EXPORT(gemm_kernels_f64);

const GemmKernels<float>& gemm_kernels(float) { return HWY_DYNAMIC_DISPATCH(gemm_kernels_f32)(); }
const GemmKernels<double>& gemm_kernels(double) { return HWY_DYNAMIC_DISPATCH(gemm_kernels_f64)(); }

}  // namespace gradus::core::kernels
#endif
