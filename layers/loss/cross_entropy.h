// Cross-entropy, fused with log-softmax.
//
//   x holds a number x_c (a logit) for each class c of C. With p_c = exp(x_c) / sum_k exp(x_k), the softmax, and a
//   target distribution q over the classes, the loss of one sample is
//
//     l = - sum_c a_c log p_c,      a_c = w_c q_c
//
//   with class weights w, or 1. A target given as the number t of a class is q_t = 1. Label smoothing by e mixes it
//   with the even distribution: q_c <- (1 - e) q_c + e / C. (For class numbers, PyTorch weighs the first part by w_t,
//   the second by w_c; that is the same formula.) Because log p_c = x_c - log sum exp(x),
//
//     dl/dx_c = p_c (sum_k a_k) - a_c           for one class without weights: p_c - 1 at the target, p_c elsewhere
//             = p_c (sum_{k != c} a_k) - a_c (1 - p_c)      which keeps its digits for a confident p_c;
//                                                           1 - p_c is taken as - expm1(log p_c)
//     dl/dq_c = - w_c log p_c                   times 1 - e under smoothing
//
//   The mean over samples divides by sum of w_t for class numbers, ignored samples left out (so nothing left gives
//   0 / 0 = NaN, as in PyTorch), and by the number of samples for distributions. It never forms p, whose log would
//   overflow: log p_c comes from core::log_softmax.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "nll_loss.h"

namespace gradus::nn {

/// (loss, log p, divisor) of x [C], [N, C] or [N, C, d1, ..]; a target of class numbers (any integer dtype) [], [N] or
/// [N, d1, ..], or of distributions, floating and of x's shape; class weights [C] or absent. The loss has the shape of
/// class numbers for kNone, else none; log p is [samples, C]; the divisor (float64) is that of the mean, else 1.
struct CrossEntropyRule {
  static constexpr std::string_view name = "cross_entropy";
  static constexpr std::string_view formula =
      "l = -sum_{c} a_c ln p_c, p = softmax(x), a_c = w_c q_c, dx_c = dl (p_c sum_{k} a_k - a_c), dq_c = -dl "
      "w_c ln p_c, none";
  static constexpr std::string_view input_names[] = {"x", "target", "weight"};
  static constexpr int differentiable_outputs = 1;

  struct Attrs {
    Reduction reduction = kMean;
    std::int64_t ignore_index = -100;  ///< a class number whose samples count for nothing
    double label_smoothing = 0;
    static constexpr auto fields = named("reduction", &Attrs::reduction, "ignore_index", &Attrs::ignore_index,
                                         "label_smoothing", &Attrs::label_smoothing);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& target, const Tensor& weight);
  /// ShapeError, DTypeError; IndexError for a class number outside [0, C); ValueError for smoothing outside [0, 1].
  GRADUS_API static std::tuple<core::Array, core::Array, core::Array> forward(const Attrs& attrs, const core::Array& x,
                                                                              const core::Array& target,
                                                                              const core::Array& weight);
  GRADUS_API static std::tuple<Tensor, Tensor, Tensor> batch(const Attrs& attrs, const autograd::Examples& x);
  /// dx and, for distributions, dtarget. Weights are constants.
  GRADUS_API static std::array<core::Array, 3> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dl, autograd::ShapeOf<0> x,
                                                        autograd::InArray<1> target, autograd::InArray<2> weight,
                                                        autograd::OutArray<1> log_p, autograd::OutArray<2> divisor);
};

struct CrossEntropyLossOptions {
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(std::int64_t, ignore_index) = -100;
  GRADUS_ARG(Reduction, reduction) = kMean;
  GRADUS_ARG(double, label_smoothing) = 0;
};

namespace functional {
using CrossEntropyFuncOptions = CrossEntropyLossOptions;
/// As CrossEntropyRule. GradError when the weight requires grad: it is a constant.
GRADUS_API Tensor cross_entropy(Operand x, const Tensor& target, const CrossEntropyFuncOptions& options = {});
}  // namespace functional

class GRADUS_API CrossEntropyLossImpl : public Layer<CrossEntropyLossImpl> {
 public:
  explicit CrossEntropyLossImpl(const CrossEntropyLossOptions& chosen = {});
  Tensor compute(Operand x, const Tensor& target);
  void reset() override;

  CrossEntropyLossOptions options;
  Tensor weight;  ///< [C], a buffer; undefined without weights
};
GRADUS_MODULE(CrossEntropyLoss);

}  // namespace gradus::nn

namespace gradus {
GRADUS_API Tensor cross_entropy_loss(Operand x, const Tensor& target, const Tensor& weight = {},
                                     Reduction reduction = kMean, std::int64_t ignore_index = -100,
                                     double label_smoothing = 0);
}  // namespace gradus
