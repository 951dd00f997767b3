// The numbers of one step of an optimizer on one parameter, a struct an optimizer. Its kernel, Step(const SgdStep&, ...),
// stands in core/simd/optimizer_step.cpp. `states` is how many arrays of state it has, some of which may be absent.
#pragma once

#include <variant>

namespace gradus::core {

struct SgdStep {
  static constexpr const char* op = "sgd_step";
  static constexpr int states = 1;  ///< velocity: absent without momentum
  double lr = 0, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false;
  bool first = false;  ///< the velocity starts as the gradient
};

struct AdamStep {
  static constexpr const char* op = "adam_step";
  static constexpr int states = 3;  ///< exp_avg, exp_avg_sq, max_exp_avg_sq: absent without amsgrad
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  bool decoupled_decay = false;  ///< AdamW's
  double correction1 = 1;        ///< 1 - beta1^t
  double correction2 = 1;        ///< 1 - beta2^t
};

struct RmspropStep {
  static constexpr const char* op = "rmsprop_step";
  static constexpr int states = 3;  ///< square_avg, momentum_buffer: absent without momentum, grad_avg: unless centered
  double lr = 0, alpha = 0, eps = 0, weight_decay = 0, momentum = 0;
};

struct AdagradStep {
  static constexpr const char* op = "adagrad_step";
  static constexpr int states = 1;           ///< sum
  double lr = 0, eps = 0, weight_decay = 0;  ///< lr as it has decayed
};

struct NadamStep {
  static constexpr const char* op = "nadam_step";
  static constexpr int states = 2;  ///< exp_avg, exp_avg_sq
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  bool decoupled_decay = false;
  double gradient_part = 0, average_part = 0;  ///< the rate of the gradient and that of its average
  double correction2 = 1;                      ///< 1 - beta2^t
};

struct RadamStep {
  static constexpr const char* op = "radam_step";
  static constexpr int states = 2;  ///< exp_avg, exp_avg_sq
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;
  bool decoupled_decay = false;
  bool is_rectified = false;  ///< the average is divided by the root of the other
  double size = 0;            ///< the rate with all corrections
};

struct AdamaxStep {
  static constexpr const char* op = "adamax_step";
  static constexpr int states = 2;                                 ///< exp_avg, exp_inf
  double lr = 0, beta1 = 0, beta2 = 0, eps = 0, weight_decay = 0;  ///< lr with its correction
};

struct AdadeltaStep {
  static constexpr const char* op = "adadelta_step";
  static constexpr int states = 2;  ///< square_avg, acc_delta
  double lr = 0, rho = 0, eps = 0, weight_decay = 0;
};

struct AsgdStep {
  static constexpr const char* op = "asgd_step";
  static constexpr int states = 1;  ///< ax
  double eta = 0, mu = 1, lambd = 0, weight_decay = 0;
};

struct RpropStep {
  static constexpr const char* op = "rprop_step";
  static constexpr int states = 2;  ///< prev, step_size
  double minus = 0, plus = 0, smallest = 0, largest = 0;
};

struct LionStep {
  static constexpr const char* op = "lion_step";
  static constexpr int states = 1;  ///< exp_avg
  double lr = 0, beta1 = 0, beta2 = 0, weight_decay = 0;
};

using OptimizerStep = std::variant<SgdStep, AdamStep, RmspropStep, AdagradStep, NadamStep, RadamStep, AdamaxStep,
                                   AdadeltaStep, AsgdStep, RpropStep, LionStep>;

}  // namespace gradus::core
