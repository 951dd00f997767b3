// Copies between any strides and dtypes, and filling: internal to core.
#pragma once

#include "../array/array.h"

namespace gradus::core::kernels {

/// Copies src into out: one shape, any strides (src may have strides of 0), any dtypes, memory that does not overlap.
/// Floating numbers are truncated towards zero to become integers, and wrap around where those are narrower than 64
/// bits; NaN and what int64 cannot hold become its least value. Anything but 0 becomes true.
void copy_convert(const Array& out, const Array& src);
/// Sets every element of out, which may have any strides.
void fill(const Array& out, const Scalar& value);

/// Copies a tile of rows x cols elements between any strides (in bytes), converting.
using TileCopy = void (*)(char* to, std::int64_t to_row, std::int64_t to_col, const char* from, std::int64_t from_row,
                          std::int64_t from_col, std::int64_t rows, std::int64_t cols);
TileCopy tile_copy(DType to, DType from);

/// Eight bytes that hold one number as an element of a dtype.
struct Element {
  Element() = default;
  Element(const Scalar& value, DType dtype);
  alignas(8) unsigned char bytes[8] = {};
};

}  // namespace gradus::core::kernels
