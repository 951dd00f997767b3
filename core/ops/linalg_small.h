// Cholesky and LU of matrices so small that LAPACK's checks and buffers would take longer than the work. Column-major, with
// LAPACK's results: pivots from 1 on, info as it says it. For the library's own sources.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>

#include "lapack.h"

namespace gradus::core::lapack {

/// Up to this order they are used.
inline constexpr std::int64_t kSmall = 8;

/// L of A's lower triangle, or U of its upper one, in its place; by rows.
template <class T>
Int small_cholesky(T* a, std::int64_t n, bool upper) {
  // U^T is the same triangle, read across.
  const std::int64_t row = upper ? 1 : n, column = upper ? n : 1;
  const auto at = [&](std::int64_t i, std::int64_t j) -> T& { return a[i * row + j * column]; };
  for (std::int64_t j = 0; j < n; ++j) {
    T pivot = at(j, j);
    for (std::int64_t k = 0; k < j; ++k) pivot -= at(j, k) * at(j, k);
    if (!(pivot > 0)) return static_cast<Int>(j + 1);
    pivot = std::sqrt(pivot);
    at(j, j) = pivot;
    for (std::int64_t i = j + 1; i < n; ++i) {
      T sum = at(i, j);
      for (std::int64_t k = 0; k < j; ++k) sum -= at(i, k) * at(j, k);
      at(i, j) = sum / pivot;
    }
  }
  return 0;
}

/// P, L and U of [m, n] by columns, in its place.
template <class T>
Int small_lu(T* a, std::int64_t m, std::int64_t n, Int* pivots) {
  Int info = 0;
  for (std::int64_t j = 0; j < (m < n ? m : n); ++j) {
    T* const column = a + j * m;
    std::int64_t largest = j;
    for (std::int64_t i = j + 1; i < m; ++i) {
      if (std::abs(column[i]) > std::abs(column[largest])) largest = i;
    }
    pivots[j] = static_cast<Int>(largest + 1);
    if (column[largest] == 0) {
      if (info == 0) info = static_cast<Int>(j + 1);
      continue;
    }
    if (largest != j) {
      for (std::int64_t k = 0; k < n; ++k) std::swap(a[k * m + j], a[k * m + largest]);
    }
    for (std::int64_t i = j + 1; i < m; ++i) column[i] /= column[j];
    for (std::int64_t k = j + 1; k < n; ++k) {
      T* const other = a + k * m;
      for (std::int64_t i = j + 1; i < m; ++i) other[i] -= column[i] * other[j];
    }
  }
  return info;
}

/// B <- A^-1 B, or A^-T B, with A's factorization; B [n, columns] lies by rows, all of whose columns go in step.
template <class T>
void small_lu_solve(const T* lu, std::int64_t n, const Int* pivots, T* b, std::int64_t columns, bool transposed) {
  const auto interchange = [&](std::int64_t i) {
    const std::int64_t other = pivots[i] - 1;
    if (other == i) return;
    for (std::int64_t c = 0; c < columns; ++c) std::swap(b[i * columns + c], b[other * columns + c]);
  };
  const auto subtract = [&](std::int64_t i, T factor, std::int64_t k) {
    for (std::int64_t c = 0; c < columns; ++c) b[i * columns + c] -= factor * b[k * columns + c];
  };
  const auto divide = [&](std::int64_t i) {
    const T pivot = lu[i * n + i];
    for (std::int64_t c = 0; c < columns; ++c) b[i * columns + c] /= pivot;
  };
  if (transposed) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < i; ++k) subtract(i, lu[i * n + k], k);
      divide(i);
    }
    for (std::int64_t i = n; i-- > 0;) {
      for (std::int64_t k = i + 1; k < n; ++k) subtract(i, lu[i * n + k], k);
    }
    for (std::int64_t i = n; i-- > 0;) interchange(i);
  } else {
    for (std::int64_t i = 0; i < n; ++i) interchange(i);
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t k = 0; k < i; ++k) subtract(i, lu[k * n + i], k);
    }
    for (std::int64_t i = n; i-- > 0;) {
      for (std::int64_t k = i + 1; k < n; ++k) subtract(i, lu[k * n + i], k);
      divide(i);
    }
  }
}

}  // namespace gradus::core::lapack
