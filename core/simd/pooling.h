// Kernels of pooling, a row of outputs at a time: internal to core.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// How the windows of a row of outputs lie along their rows of inputs.
struct PoolRow {
  std::int64_t in, out, kernel, stride, padding, dilation;
  std::int64_t inner_begin, inner_end;  ///< the outputs whose windows lie wholly inside
};

/// y and positions of one row of outputs from `count` rows of inputs, which begin at plane + rows[i].
using MaxPoolRow = void (*)(const void* plane, const std::int64_t* rows, std::int64_t count, const PoolRow& at, void* y,
                            std::int32_t* positions);
MaxPoolRow max_pool_kernel(DType dtype);
/// y = (sum of the window) / divisors, with one divisor for each output of the row.
using AvgPoolRow = void (*)(const void* plane, const std::int64_t* rows, std::int64_t count, const PoolRow& at,
                            const void* divisors, void* y);
AvgPoolRow avg_pool_kernel(DType dtype);
/// plane[..] += dy / divisors over each window; `scratch` holds a row of outputs.
using AvgPoolRowBackward = void (*)(const void* dy, const std::int64_t* rows, std::int64_t count, const PoolRow& at,
                                    const void* divisors, void* scratch, void* plane);
AvgPoolRowBackward avg_pool_backward_kernel(DType dtype);

}  // namespace gradus::core::kernels
