// One step of an optimizer on one parameter, in one pass over memory.
#pragma once

#include <initializer_list>

#include "../array/array.h"
#include "../base/optimizer_steps.h"

namespace gradus::core {

/// The formula is that of the step's optimizer (optim/rules). `states` are those that the step names, in its order, absent
/// ones null. All arrays have one floating dtype and shape and are contiguous (ValueError); ShapeError for shapes or
/// dtypes that differ, DTypeError for integers.
GRADUS_API void optimizer_step(const OptimizerStep& step, const Array& parameter, const Array& gradient,
                               std::initializer_list<const Array*> states);

}  // namespace gradus::core
