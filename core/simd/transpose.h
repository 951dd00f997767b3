// Tiles whose rows and columns change places: internal to core.
#pragma once

#include <cstdint>

namespace gradus::core::kernels {

/// to[r][c] = from[c][r] for elements of 4 or 8 bytes: rows of `to` lie to_row bytes apart, columns of `from` from_col.
void transpose_tile(std::uint32_t* to, std::int64_t to_row, const std::uint32_t* from, std::int64_t from_col,
                    std::int64_t rows, std::int64_t cols);
void transpose_tile(std::uint64_t* to, std::int64_t to_row, const std::uint64_t* from, std::int64_t from_col,
                    std::int64_t rows, std::int64_t cols);

}  // namespace gradus::core::kernels
