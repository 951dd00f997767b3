// Dropout in one pass over memory. float32 and float64, any strides; results are contiguous.
#pragma once

#include <tuple>

#include "../array/array.h"
#include "../base/random_position.h"

namespace gradus::core {

/// (y, mask) with mask = bernoulli_mask(x.shape(), keep, at) and y = masked_scale(x, mask, scale), drawn and applied in
/// one pass. ValueError when keep is outside [0, 1]; DTypeError for integers.
GRADUS_API std::tuple<Array, Array> dropout(const Array& x, double keep, double scale, RandomPosition at);
/// mask ? scale x : 0, the mask (Bool) broadcast to x. Exactly 0 where the mask is false, whatever x is there.
GRADUS_API Array masked_scale(const Array& x, const Array& mask, double scale);

}  // namespace gradus::core
