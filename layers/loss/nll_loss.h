// The negative log-likelihood of classes, composed of operations of the graph.
//
//   With log p_c for each class c of C, a sample whose class is t, and class weights w (or 1), the loss of the sample is
//
//     l = - w_t log p_t
//
//   The mean divides by the sum of w_t. Samples whose t is ignore_index count for nothing; when none is left the mean is
//   0 / 0 = NaN, as in PyTorch.
#pragma once

#include <cstdint>
#include <tuple>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../module/layer.h"
#include "../module/enumerations.h"

namespace gradus::nn {

namespace detail {
/// 0 for [C], 1 for [N, C] and [N, C, d1, ..].
inline int class_dim(std::int64_t dims) { return dims == 1 ? 0 : 1; }
/// ShapeError, DTypeError or, for class numbers, IndexError when the three do not belong together.
GRADUS_API void check_classes(const char* op, const core::Array& x, const core::Array& target,
                              const core::Array& weight, std::int64_t ignore_index);
/// - w_t log p_t of each sample, and w_t; both are 0 where a sample is ignored.
GRADUS_API std::tuple<Tensor, Tensor> negative_log_likelihood(const Tensor& log_p, const Tensor& target,
                                                              const Tensor& weight, std::int64_t ignore_index);
/// The losses as they are, their sum, or their sum over the divisor.
GRADUS_API Tensor reduced(const Tensor& losses, Reduction reduction, const Tensor& divisor);
}  // namespace detail

struct NLLLossOptions {
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(std::int64_t, ignore_index) = -100;
  GRADUS_ARG(Reduction, reduction) = kMean;
};

namespace functional {
using NLLLossFuncOptions = NLLLossOptions;
/// log_p [C], [N, C] or [N, C, d1, ..]; target [], [N] or [N, d1, ..] of class numbers (any integer dtype); weight [C].
/// ShapeError, DTypeError; IndexError for a class number outside [0, C).
GRADUS_API Tensor nll_loss(Operand log_p, const Tensor& target, const NLLLossFuncOptions& options = {});
}  // namespace functional

class GRADUS_API NLLLossImpl : public Layer<NLLLossImpl> {
 public:
  explicit NLLLossImpl(const NLLLossOptions& options = {});
  Tensor compute(Operand log_p, const Tensor& target);
  void reset() override;

  NLLLossOptions options;
  Tensor weight;  ///< [C], a buffer; undefined without weights
};
GRADUS_MODULE(NLLLoss);

}  // namespace gradus::nn

namespace gradus {
GRADUS_API Tensor nll_loss(Operand log_p, const Tensor& target, const Tensor& weight = {}, Reduction reduction = kMean,
                           std::int64_t ignore_index = -100);
}  // namespace gradus
