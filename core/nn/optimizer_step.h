// One step of an optimizer on one parameter, in one pass over memory.
#pragma once

#include "../array/array.h"
#include "../base/optimizer_numbers.h"

namespace gradus::core {

/// See optim::SGD for the formula. All arrays have one floating dtype and shape and are contiguous (ValueError); ShapeError
/// for shapes or dtypes that differ, DTypeError for integers. `velocity` is undefined without momentum.
GRADUS_API void sgd_step(const Array& parameter, const Array& gradient, const Array& velocity, const SgdStep& step);

/// See optim::Adam for the formula. `max_exp_avg_sq` is undefined without amsgrad.
GRADUS_API void adam_step(const Array& parameter, const Array& gradient, const Array& exp_avg, const Array& exp_avg_sq,
                          const Array& max_exp_avg_sq, const AdamStep& step);

}  // namespace gradus::core
