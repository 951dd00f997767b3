// The numbers of one step of an optimizer.
#pragma once

namespace gradus::core {

struct SgdStep {
  double lr = 0, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
  bool first = false;  ///< the velocity starts as the gradient
};

struct AdamStep {
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  bool decoupled_decay = false;  ///< AdamW's
  double correction1 = 1;        ///< 1 - beta1^t
  double correction2 = 1;        ///< 1 - beta2^t
};

}  // namespace gradus::core
