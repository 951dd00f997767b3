// Kernels of operations on bits: internal to core.
#pragma once

#include "pointwise.h"

namespace gradus::core {

enum class Bitwise : std::uint8_t { And, Or, Xor, LeftShift, RightShift };

namespace kernels {

/// Of bytes that are 0 or 1 as well as of any integers.
Kernel bitwise_kernel(Bitwise op, DType dtype);

}  // namespace kernels
}  // namespace gradus::core
