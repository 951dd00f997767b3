// One step of an optimizer on one parameter, in one pass over memory.
#pragma once

#include "array.h"

namespace gradus::core {

struct SgdStep {
  double lr = 0, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
  bool first = false;  ///< the velocity starts as the gradient
};
/// See optim::SGD for the formula. All arrays have one floating dtype and shape and are contiguous (ValueError); ShapeError
/// for shapes or dtypes that differ, DTypeError for integers. `velocity` is undefined without momentum.
GRADUS_API void sgd_step(const Array& parameter, const Array& gradient, const Array& velocity, const SgdStep& step);

struct AdamStep {
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  bool decoupled_decay = false;  ///< AdamW's
  double correction1 = 1;        ///< 1 - beta1^t
  double correction2 = 1;        ///< 1 - beta2^t
};
/// See optim::Adam for the formula. `max_exp_avg_sq` is undefined without amsgrad.
GRADUS_API void adam_step(const Array& parameter, const Array& gradient, const Array& exp_avg, const Array& exp_avg_sq,
                          const Array& max_exp_avg_sq, const AdamStep& step);

}  // namespace gradus::core
