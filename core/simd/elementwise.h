// Kernels of core/ops/elementwise.h: internal to core.
#pragma once

#include "pointwise.h"

namespace gradus::core::kernels {

/// All read floating-point numbers, one operand, then two, then three; param: three numbers of the dtype, of which each
/// takes as many as it needs.
enum class Elementwise : std::uint8_t {
  Frac,
  NanToNum,
  Hardshrink,
  Softshrink,
  Threshold,
  Hardsigmoid,
  Hardswish,
  Copysign,
  Fmax,
  Fmin,
  Prelu,
  HardtanhBackward,
  HardshrinkBackward,
  ThresholdBackward,
  HardsigmoidBackward,
  HardswishBackward,
  PreluBackwardWeight,
  LerpNumber,
  PreluBackward,
  Lerp,
  Addcmul,
  Addcdiv
};
/// fmod, remainder, their quotients and floor_divide of floating-point numbers: exact remainders. nullptr for other operations and integers.
Kernel modulo_kernel(OperationKey op, DType dtype);
/// nullptr for integers.
Kernel elementwise_kernel(Elementwise op, DType dtype);
/// Where input 1 is a single number: in[1] points to that. nullptr where there is no such kernel.
Kernel elementwise_number_kernel(Elementwise op, DType dtype);

}  // namespace gradus::core::kernels
