// Rows of contiguous elements, one after the other or many at a time: internal to core.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../array/array.h"
#include "../base/function_ref.h"
#include "../threads/even_grain.h"
#include "../threads/parallel.h"

namespace gradus::core::kernels {

/// Elements of one block of rows; twice as many go parallel. Where exponentials are taken an element costs more.
inline constexpr std::int64_t kRowBlock = 32768, kExpRowBlock = 16384;

/// body(first row, last row).
inline void for_rows(std::int64_t rows, std::int64_t n, std::int64_t block,
                     FunctionRef<void(std::int64_t, std::int64_t)> body) {
  const bool serial = rows * n <= 2 * block;
  const std::int64_t most = std::max<std::int64_t>(block / std::max<std::int64_t>(n, 1), 1);
  parallel_for(rows, serial || rows == 0 ? rows : even_grain(rows, most), body);
}

/// [rows..., n] contiguous, the dimension last.
inline Array with_last(const Array& x, int dim) { return (dim + 1 >= x.dim() ? x : x.movedim(dim, -1)).contiguous(); }

}  // namespace gradus::core::kernels
