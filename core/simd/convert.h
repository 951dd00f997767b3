// Rows of numbers of one dtype as those of another: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// to[i] = from[i] converted, i < n; the two are apart. Out of the range of 64 bits a floating-point number is the least
/// integer, whose lowest bits the shorter ones take.
using ConvertRow = void (*)(void* to, const void* from, std::size_t n);
/// Of two different dtypes that are computed in.
ConvertRow convert_row(DType to, DType from);

}  // namespace gradus::core::kernels
