// Kernels of pooling, many rows of outputs at a time: internal to core.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// Every pooling as one of three dimensions, the missing ones of size 1.
struct PoolGrid {
  using Triple = std::array<std::int64_t, 3>;
  Triple in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  std::int64_t planes = 1;
  Triple inner_begin{0, 0, 0}, inner_end{1, 1, 1};  ///< the outputs whose windows lie wholly inside

  std::int64_t plane() const { return in[0] * in[1] * in[2]; }
  std::int64_t rows() const { return out[0] * out[1]; }
  std::int64_t outputs() const { return rows() * out[2]; }
  std::int64_t volume() const { return kernel[0] * kernel[1] * kernel[2]; }
};

/// y and positions of rows [begin, end) of outputs, counted through all planes: nothing behind these is written, nothing behind
/// the last plane of x read. x, y and positions begin with the first plane's; `scratch` has a place for each row of a window.
using MaxPool = void (*)(const void* x, const PoolGrid& grid, std::int64_t begin, std::int64_t end,
                         std::int64_t* scratch, void* y, std::int32_t* positions);
MaxPool max_pool_kernel(DType dtype, std::int64_t stride);  // of columns
/// The same of y = (sum of the window) / divisors, with one divisor for each output of a plane, and a dilation of 1.
using AvgPool = void (*)(const void* x, const PoolGrid& grid, std::int64_t begin, std::int64_t end,
                         std::int64_t* scratch, const void* divisors, void* y);
AvgPool avg_pool_kernel(DType dtype, std::int64_t stride);
/// dx[..] = the sum of dy / divisors over the windows, for planes [begin, end); `shares` holds a row of outputs.
using AvgPoolBackward = void (*)(const void* dy, const PoolGrid& grid, std::int64_t begin, std::int64_t end,
                                 std::int64_t* scratch, const void* divisors, void* shares, void* dx);
AvgPoolBackward avg_pool_backward_kernel(DType dtype);

}  // namespace gradus::core::kernels
