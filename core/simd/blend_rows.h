// Weighted sums of rows: internal to core.
#pragma once

#include <cstdint>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// y[j] = sum over k < count of weights[k] rows[k][j] for j < n, in the order of k; weights are of the rows' dtype.
using BlendRows = void (*)(const void* const* rows, const void* weights, std::int64_t count, std::int64_t n, void* y);
/// Of float32 and float64.
BlendRows blend_rows_kernel(DType dtype);

}  // namespace gradus::core::kernels
