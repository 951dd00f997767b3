// Losses of probabilities and of rates.
//
//   Binary cross-entropy:     l = -w (t log x + (1 - t) log(1 - x))      x in [0, 1] the probability, logarithms held above -100
//                             dl/dx = w (x - t) / (x (1 - x))
//   Kullback and Leibler:     l = t (log t - x)                          x the logarithm of a probability;
//                             0 where t is 0 and x is finite
//   Poisson:                  l = exp(x) - t x                           x the logarithm of the rate, t the count;
//                             l = x - t log(x + eps)                     x the rate
//   Gauss:                    l = (log v + (x - t)^2 / v) / 2            x the mean, v the variance, held above eps (what
//                             flows to v is what flows to max(v, eps));  full: and log(2 pi) / 2
//
// Binary cross-entropy of a logit is well conditioned where its sigmoid has lost its digits: binary_cross_entropy_with_logits.
#pragma once

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"
#include "../module/layer.h"

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

namespace nn {

struct BCELossOptions {
  GRADUS_ARG(Tensor, weight);  ///< of each element, broadcast
  GRADUS_ARG(Reduction, reduction) = kMean;
};
/// kMean is over all elements; kBatchMean, the divergence's definition, is the sum over the first dimension's size.
struct KLDivLossOptions {
  template <ChoiceOf<KLDivLossReduction> R = enumtype::kMean>
  KLDivLossOptions(const R& reduction = {}) : reduction_(reduction) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(KLDivLossReduction, reduction);
  GRADUS_ARG(bool, log_target) = false;  ///< the target is given by its logarithm
};
struct PoissonNLLLossOptions {
  GRADUS_ARG(bool, log_input) = true;
  GRADUS_ARG(bool, full) = false;
  GRADUS_ARG(double, eps) = 1e-8;
  GRADUS_ARG(Reduction, reduction) = kMean;
};
struct GaussianNLLLossOptions {
  GRADUS_ARG(bool, full) = false;
  GRADUS_ARG(double, eps) = 1e-6;
  GRADUS_ARG(Reduction, reduction) = kMean;
};

namespace functional {
using BinaryCrossEntropyFuncOptions = BCELossOptions;
using KLDivFuncOptions = KLDivLossOptions;
using PoissonNLLLossFuncOptions = PoissonNLLLossOptions;
using GaussianNLLLossFuncOptions = GaussianNLLLossOptions;
// Errors as the functions above.
GRADUS_API Tensor binary_cross_entropy(Operand x, const Tensor& target,
                                       const BinaryCrossEntropyFuncOptions& options = {});
GRADUS_API Tensor kl_div(Operand x, const Tensor& target, const KLDivFuncOptions& options = {});
GRADUS_API Tensor poisson_nll_loss(Operand x, const Tensor& target, const PoissonNLLLossFuncOptions& options = {});
/// Target and variance have the input's shape, or that with 1 in the place of one size; the variance may be without the last
/// dimension instead: ShapeError. ValueError for a negative variance, and unless eps is above 0.
GRADUS_API Tensor gaussian_nll_loss(Operand x, const Tensor& target, const Tensor& var,
                                    const GaussianNLLLossFuncOptions& options = {});
}  // namespace functional

class GRADUS_API BCELossImpl : public Layer<BCELossImpl> {
 public:
  explicit BCELossImpl(const BCELossOptions& chosen = {});
  Tensor compute(Operand x, const Tensor& target);
  void reset() override;

  BCELossOptions options;
  Tensor weight;  ///< a buffer; undefined when absent
};
GRADUS_MODULE(BCELoss);

class GRADUS_API KLDivLossImpl : public FunctionLayer<KLDivLossImpl, functional::kl_div, KLDivLossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(KLDivLoss);

class GRADUS_API PoissonNLLLossImpl
    : public FunctionLayer<PoissonNLLLossImpl, functional::poisson_nll_loss, PoissonNLLLossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(PoissonNLLLoss);

class GRADUS_API GaussianNLLLossImpl : public Layer<GaussianNLLLossImpl> {
 public:
  explicit GaussianNLLLossImpl(const GaussianNLLLossOptions& chosen = {});
  Tensor compute(Operand x, const Tensor& target, const Tensor& var);
  void reset() override {}

  GaussianNLLLossOptions options;
};
GRADUS_MODULE(GaussianNLLLoss);

}  // namespace nn
}  // namespace gradus
