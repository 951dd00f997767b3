// Several exact operations one after the other on vectors that stay in registers: internal to core.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../base/dtype.h"
#include "../base/operation_key.h"

namespace gradus::core::kernels {

/// What a step does to the vectors at hand, a, with an operand b: those that have one come first.
enum class ChainOp : std::uint8_t { Add, Sub, Mul, Div, TanhBackward, Load, Store, Neg, Abs, Square, None };
/// None where an operation of so many operands has no step.
ChainOp chain_op(OperationKey name, int operands);

struct ChainStep {
  ChainOp op;
  bool number = false;     ///< b is a single number
  bool reversed = false;   ///< b op a, in place of a op b
  std::uint16_t slot = 0;  ///< where b is, or where a is stored
};

/// Runs steps over n elements; at[slot] is where a slot's elements begin. The bits are those of the operations' own kernels.
using Chain = void (*)(const ChainStep* steps, std::size_t count, char* const* at, std::size_t n);
/// nullptr but for float32 and float64.
Chain chain_of(DType dtype);

}  // namespace gradus::core::kernels
