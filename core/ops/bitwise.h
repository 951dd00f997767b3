// Operations on the bits of integers and bools. Operands broadcast, dtypes promote as those of sums.
#pragma once

#include "pointwise.h"

namespace gradus::core {

enum class Bitwise : std::uint8_t { And, Or, Xor, LeftShift, RightShift };

/// Of Bool they are logic; shifts are of integers alone, and a count that is negative or the dtype's width or more leaves 0 (-1
/// of a negative number shifted to the right). DTypeError for floating-point operands (and for Bool, of a shift).
GRADUS_API Array bitwise(Bitwise op, const Operand& a, const Operand& b);
/// Every bit turned: of Bool, not.
GRADUS_API Array bitwise_not(const Array& x);

}  // namespace gradus::core
