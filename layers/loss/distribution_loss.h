// Losses of probabilities and of rates.
//
//   Binary cross-entropy:     l = -w (t log x + (1 - t) log(1 - x))      x in [0, 1] the probability, logarithms held above -100
//                             dl/dx = w (x - t) / (x (1 - x))
//   Kullback and Leibler:     l = t (log t - x)                          x the logarithm of a probability;
//                             0 where t is 0 and x is finite
//   Poisson:                  l = exp(x) - t x                           x the logarithm of the rate, t the count;
//                             l = x - t log(x + eps)                     x the rate
//
// Binary cross-entropy of a logit is well conditioned where its sigmoid has lost its digits: binary_cross_entropy_with_logits.
#pragma once

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"

namespace gradus {

/// `weight`, of each element, broadcasts. The target has the input's shape: ShapeError, here and below. ValueError for a
/// number outside [0, 1].
GRADUS_API Tensor binary_cross_entropy(Operand input, const Tensor& target, const Tensor& weight = {},
                                       Reduction reduction = kMean);
/// With `log_target` the target is given by its logarithm. The mean divides by the number of elements.
GRADUS_API Tensor kl_div(Operand input, const Tensor& target, Reduction reduction = kMean, bool log_target = false);
/// `full` adds Stirling's approximation of log t!, t log t - t + log(2 pi t) / 2 where t > 1. The target may be integers.
GRADUS_API Tensor poisson_nll_loss(Operand input, const Tensor& target, bool log_input, bool full, double eps,
                                   Reduction reduction);

}  // namespace gradus
