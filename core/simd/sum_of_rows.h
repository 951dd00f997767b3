// Sums of rows that lie anywhere: internal to core.
#pragma once

#include <cstdint>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// out[j] = sum over k < count of from[rows[k] n + j] for j < n, in the order of k, taken in float64.
using SumOfRows = void (*)(const void* from, const std::int64_t* rows, std::int64_t count, std::int64_t n, void* out);
/// Of float32; nullptr for dtypes whose own sums do.
SumOfRows sum_of_rows_kernel(DType dtype);

/// out[j] + such a sum, of rows that begin `step` elements apart, taken in float64 as a whole.
using AddRows = void (*)(void* out, const void* from, const std::int64_t* rows, std::int64_t count, std::int64_t step,
                         std::int64_t n);
/// Of float32.
AddRows add_rows_kernel();

}  // namespace gradus::core::kernels
