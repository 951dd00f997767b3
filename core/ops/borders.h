// Padding by what lies within: an array continued beyond its borders.
#pragma once

#include "../array/array.h"

namespace gradus::core {

/// What lies beyond a border: what lies within mirrored at the outermost element, that element again, or what lies within
/// from the other end.
enum class Border : std::uint8_t { Reflect, Replicate, Circular };

/// x with pad[0] elements before and pad[1] after its last dimension, pad[2] and pad[3] around the one before, and so on;
/// negative counts cut off as many, of what was padded too. ShapeError unless there are two counts for each of the last
/// dimensions; ValueError when a count is more than there is to take, or nothing would be left.
GRADUS_API Array border_pad(const Array& x, IntArrayRef pad, Border border);
/// The gradient: of this shape, at each place the sum of what border_pad took from there. ShapeError unless dy has the
/// padded shape. Floating-point numbers only.
GRADUS_API Array border_pad_sum(const Shape& shape, IntArrayRef pad, Border border, const Array& dy);

}  // namespace gradus::core
