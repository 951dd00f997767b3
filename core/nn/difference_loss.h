// Losses of the difference d = x - t that are lines far from 0: with q = d held within [-bound, bound], q (d - q / 2), whose
// slope is q, both over the unit; |d|, whose slope is the sign of d, with the bound 0. One pass over memory each, of operands of one shape and
// floating dtype (ShapeError, DTypeError), any strides.
#pragma once

#include "../array/array.h"
#include "../base/export.h"

namespace gradus::core {

/// The sum over all elements, taken in float64.
GRADUS_API double difference_loss_sum(const Array& x, const Array& t, double bound, double unit);
/// factor times the slope.
GRADUS_API Array difference_loss_slope(const Array& x, const Array& t, double bound, double unit, double factor);

}  // namespace gradus::core
