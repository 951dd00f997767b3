// Adaptive softmax (Grave, Joulin, Cisse, Grangier and Jegou, "Efficient softmax approximation for GPUs", 2017): classes in
// the order of their frequency, the first ones looked at always, the rare ones in clusters that are looked at when needed.
//
//   cutoffs c_1 < .. < c_k < C cut the classes into a short list [0, c_1) and k clusters [c_i, c_(i+1)), with c_(k+1) = C.
//
//     h        =  log_softmax(x H)                       the short list's classes, and behind them the clusters
//     log p(t) =  h_t                                    of a class in the short list
//              =  h_(c_1 + i - 1) + log_softmax(x A_i B_i)_(t - c_i)    of one in cluster i
//
//   A_i takes the m numbers of x to m / div_value^i: rare classes have fewer.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../linear/linear.h"
#include "../module/cloneable.h"
#include "../module/sequential.h"

namespace gradus::nn {

/// What AdaptiveLogSoftmaxWithLoss gives.
struct ASMoutput {
  ASMoutput(Tensor output_, double loss_) : output(std::move(output_)), loss(loss_) {}
  Tensor output;  ///< [N]: the logarithm of each target's probability
  double loss;    ///< -mean(output), a number: what is trained on is `-output.mean()`, which has a gradient
};

/// `AdaptiveLogSoftmaxWithLossOptions(64, 10000, {100, 1000}).div_value(2)`.
struct AdaptiveLogSoftmaxWithLossOptions {
  AdaptiveLogSoftmaxWithLossOptions(std::int64_t in_features, std::int64_t n_classes, std::vector<std::int64_t> cutoffs)
      : in_features_(in_features), n_classes_(n_classes), cutoffs_(std::move(cutoffs)) {}
  GRADUS_ARG(std::int64_t, in_features);
  GRADUS_ARG(std::int64_t, n_classes);
  GRADUS_ARG(std::vector<std::int64_t>, cutoffs);  ///< rising, in [1, n_classes - 1]
  GRADUS_ARG(double, div_value) = 4;
  GRADUS_ARG(bool, head_bias) = false;

 public:
  static constexpr auto fields =
      named("in_features", &AdaptiveLogSoftmaxWithLossOptions::in_features_, "n_classes",
            &AdaptiveLogSoftmaxWithLossOptions::n_classes_, "cutoffs", &AdaptiveLogSoftmaxWithLossOptions::cutoffs_,
            "div_value", &AdaptiveLogSoftmaxWithLossOptions::div_value_, "head_bias",
            &AdaptiveLogSoftmaxWithLossOptions::head_bias_);
};

class GRADUS_API AdaptiveLogSoftmaxWithLossImpl : public Cloneable<AdaptiveLogSoftmaxWithLossImpl> {
 public:
  AdaptiveLogSoftmaxWithLossImpl(std::int64_t in_features, std::int64_t n_classes, std::vector<std::int64_t> at)
      : AdaptiveLogSoftmaxWithLossImpl(AdaptiveLogSoftmaxWithLossOptions(in_features, n_classes, std::move(at))) {}
  /// ValueError unless the cutoffs rise within [1, n_classes - 1].
  explicit AdaptiveLogSoftmaxWithLossImpl(const AdaptiveLogSoftmaxWithLossOptions& chosen);
  ~AdaptiveLogSoftmaxWithLossImpl() override;

  /// Of input [N, in_features] and target [N], or [in_features] and []. ShapeError; IndexError for a target that is no
  /// class; DTypeError for one that is no integer.
  ASMoutput forward(Operand input, const Tensor& target);
  /// [N, n_classes]: the logarithms of all probabilities.
  Tensor log_prob(Operand input);
  /// [N]: the likeliest classes.
  Tensor predict(Operand input);
  /// log_prob, of what `head` has made of the input.
  Tensor _get_full_log_prob(Operand input, const Tensor& head_output);
  void reset() override;
  void reset_parameters();
  std::string extra_repr() const override;

  AdaptiveLogSoftmaxWithLossOptions options;
  std::vector<std::int64_t> cutoffs;  ///< with n_classes behind them
  std::int64_t shortlist_size = 0, n_clusters = 0, head_size = 0;
  Linear head{nullptr};
  ModuleList tail{nullptr};  ///< for each cluster a Sequential of two Linears
};
GRADUS_MODULE(AdaptiveLogSoftmaxWithLoss);

}  // namespace gradus::nn
