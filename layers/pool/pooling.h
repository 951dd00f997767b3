// What max_pool.cpp and avg_pool.cpp share.
#pragma once

#include <cstdint>

#include "../../autograd/tensor/tensor.h"
#include "../../core/nn/pooling.h"

namespace gradus::nn::detail {

/// The windows that a call gives: one number holds for all `dims` dimensions, an empty stride is the kernel's.
/// ShapeError (naming `op`) for another count.
core::PoolWindows pool_windows(const char* op, int dims, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding,
                               IntArrayRef dilation, bool ceil_mode);
/// "max_pool2d" of "max_pool1d", "max_pool2d", "max_pool3d".
template <class Attrs>
const char* pool_name(const char* const (&names)[3], const Attrs& windows) {
  const int dims = windows.kernel.size();
  return names[dims >= 1 && dims <= 3 ? dims - 1 : 1];
}
/// x's last `dims` dimensions, as one, gathered at positions [outputs, positions of a window] in it, its size standing for
/// a number for padding: [planes, outputs, positions of a window].
Tensor gathered(const Tensor& x, const core::Array& positions, int dims, double padding);
/// x's windows, gathered: [planes, outputs, positions of a window], with a number for padding.
Tensor gathered_windows(const char* op, const Tensor& x, const core::PoolWindows& windows, double padding);

}  // namespace gradus::nn::detail
