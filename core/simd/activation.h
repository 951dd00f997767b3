// Kernels of core/nn/activation.h: internal to core.
#pragma once

#include "pointwise.h"

namespace gradus::core::kernels {

/// Forward ones read x. Gradients read dy and x (tanh's and sigmoid's: dy and y). Softplus and its gradient have two
/// numbers of the dtype as param, beta and threshold; Elu and its gradient alpha and nothing. LogitLoss and LogitLossSlope read x, t and b.
enum class Activation {
  Gelu,
  GeluTanh,
  Silu,
  Softplus,
  GeluBackward,
  GeluTanhBackward,
  SiluBackward,
  SoftplusBackward,
  TanhBackward,
  SigmoidBackward,
  ExpTimes,
  Elu,
  EluBackward,
  LogitLoss,
  LogitLossSlope
};
/// nullptr for integers.
Kernel activation_kernel(Activation which, DType dtype);

}  // namespace gradus::core::kernels
