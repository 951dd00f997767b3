// Kernels of operations on bits: internal to core.
#pragma once

#include "pointwise.h"

namespace gradus::core::kernels {

/// Of "bitwise_and" and so on; of bytes that are 0 or 1 as well as of any integers.
Kernel bitwise_kernel(OperationKey op, DType dtype);

}  // namespace gradus::core::kernels
