// What the matrix product asks of an instruction set: the tiles of gemm_tiles-inl.h, packing, products of one to three rows
// by rows of b, dot products, and the last step into c.
#include "core/simd/gemm.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/simd/gemm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/simd/gemm_tiles-inl.h"
#include "core/simd/loops-inl.h"
#include "core/simd/pack-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::core::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using std::int64_t;

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

// --- One row or a few times a matrix ------------------------------------------------------------------------------

// Adds `count` rows of b to the sums of each of so many rows of x, in their order.
template <int rows, int count, class T>
HWY_INLINE void rows_into(const T* x, int64_t x_row, const T* b, int64_t b_row, int64_t n, T* sums, int64_t sums_row,
                          bool first) {
  const Tag<T> d;
  constexpr int64_t lanes = kLanes<T>;
  Vec<T> factors[rows][count];
  for (int r = 0; r < rows; ++r) {
    for (int i = 0; i < count; ++i) factors[r][i] = hn::Set(d, x[r * x_row + i]);
  }
  int64_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    Vec<T> sum[rows];
    for (int r = 0; r < rows; ++r) sum[r] = first ? hn::Zero(d) : hn::LoadU(d, sums + r * sums_row + j);
    for (int i = 0; i < count; ++i) {
      const Vec<T> y = hn::LoadU(d, b + i * b_row + j);
      for (int r = 0; r < rows; ++r) sum[r] = hn::MulAdd(factors[r][i], y, sum[r]);
    }
    for (int r = 0; r < rows; ++r) hn::StoreU(sum[r], d, sums + r * sums_row + j);
  }
  for (int r = 0; r < rows && j < n; ++r) {
    T* const to = sums + r * sums_row;
    if constexpr (kMasks) {
      const auto mask = hn::FirstN(d, static_cast<std::size_t>(n - j));
      Vec<T> sum = first ? hn::Zero(d) : hn::MaskedLoad(mask, d, to + j);
      for (int i = 0; i < count; ++i) {
        sum = hn::MulAdd(factors[r][i], hn::MaskedLoad(mask, d, b + i * b_row + j), sum);
      }
      hn::BlendedStore(sum, mask, d, to + j);
    } else {
      for (int64_t q = j; q < n; ++q) {
        T sum = first ? T(0) : to[q];
        for (int i = 0; i < count; ++i) sum = multiply_add(x[r * x_row + i], b[i * b_row + q], sum);
        to[q] = sum;
      }
    }
  }
}

// As many rows of b at a time as leave room for their factors in registers.
template <int rows, class T>
void vectors_by_rows(int64_t k, const T* x, int64_t x_row, const T* b, int64_t b_row, int64_t n, T* sums,
                     int64_t sums_row) {
  constexpr int count = rows == 1 || kRows > 6 ? 8 : 4;
  int64_t p = 0;
  for (; p + count <= k; p += count) {
    rows_into<rows, count>(x + p, x_row, b + p * b_row, b_row, n, sums, sums_row, p == 0);
  }
  for (; p < k; ++p) rows_into<rows, 1>(x + p, x_row, b + p * b_row, b_row, n, sums, sums_row, p == 0);
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
      kBlockLanes<T>,
      Pairs<T>::table,
      kPairRows,
      ShortSums<T>::table,
      kShortSum,
      kShortVectors * kLanes<T>,
      &pack<T, kRows>,
      {&pack<T, kLanes<T>>, &pack<T, 2 * kLanes<T>>},
      &finish<T>,
      {&vectors_by_rows<1, T>, &vectors_by_rows<2, T>, &vectors_by_rows<3, T>},
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
