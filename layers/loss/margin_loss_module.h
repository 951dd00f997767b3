// Modules, options and functions of the losses of margin_loss.h, where the mathematics is, and
//
//   multi-label soft margin:  l = mean over classes of w (log(1 + exp(x)) - t x)      binary cross-entropy with logits
#pragma once

#include <cstdint>
#include <string>

#include "../../core/base/export.h"
#include "../module/enumerations.h"
#include "../module/layer.h"

namespace gradus::nn {

struct SoftMarginLossOptions {
  template <ChoiceOf<Reduction> R = enumtype::kMean>
  SoftMarginLossOptions(const R& reduction = {}) : reduction_(reduction) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(Reduction, reduction);
};
struct MultiLabelMarginLossOptions {
  template <ChoiceOf<Reduction> R = enumtype::kMean>
  MultiLabelMarginLossOptions(const R& reduction = {})
      : reduction_(reduction) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(Reduction, reduction);
};
struct HingeEmbeddingLossOptions {
  GRADUS_ARG(double, margin) = 1;
  GRADUS_ARG(Reduction, reduction) = kMean;

 public:
  static constexpr auto fields = named("margin", &HingeEmbeddingLossOptions::margin_);
};
struct MarginRankingLossOptions {
  GRADUS_ARG(double, margin) = 0;
  GRADUS_ARG(Reduction, reduction) = kMean;
};
struct CosineEmbeddingLossOptions {
  GRADUS_ARG(double, margin) = 0;
  GRADUS_ARG(Reduction, reduction) = kMean;

 public:
  static constexpr auto fields = named("margin", &CosineEmbeddingLossOptions::margin_);
};
/// `p`: 1 or 2; `weight`: of classes, [C].
struct MultiMarginLossOptions {
  GRADUS_ARG(std::int64_t, p) = 1;
  GRADUS_ARG(double, margin) = 1;
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(Reduction, reduction) = kMean;
};
/// `weight`: of classes, broadcast.
struct MultiLabelSoftMarginLossOptions {
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(Reduction, reduction) = kMean;
};

namespace functional {
using SoftMarginLossFuncOptions = SoftMarginLossOptions;
using HingeEmbeddingLossFuncOptions = HingeEmbeddingLossOptions;
using MultilabelMarginLossFuncOptions = MultiLabelMarginLossOptions;
using MultiMarginLossFuncOptions = MultiMarginLossOptions;
using MultilabelSoftMarginLossFuncOptions = MultiLabelSoftMarginLossOptions;
using MarginRankingLossFuncOptions = MarginRankingLossOptions;
using CosineEmbeddingLossFuncOptions = CosineEmbeddingLossOptions;
// Errors as the functions of margin_loss.h.
GRADUS_API Tensor soft_margin_loss(Operand x, const Tensor& target, const SoftMarginLossFuncOptions& options = {});
GRADUS_API Tensor hinge_embedding_loss(Operand x, const Tensor& target,
                                       const HingeEmbeddingLossFuncOptions& options = {});
GRADUS_API Tensor multilabel_margin_loss(Operand x, const Tensor& target,
                                         const MultilabelMarginLossFuncOptions& options = {});
GRADUS_API Tensor multi_margin_loss(Operand x, const Tensor& target, const MultiMarginLossFuncOptions& options = {});
/// input and target [.., C], the target in [0, 1]; the losses have the shape without classes. ShapeError.
GRADUS_API Tensor multilabel_soft_margin_loss(Operand x, const Tensor& target,
                                              const MultilabelSoftMarginLossFuncOptions& options = {});
GRADUS_API Tensor margin_ranking_loss(Operand x1, const Tensor& x2, const Tensor& target,
                                      const MarginRankingLossFuncOptions& options = {});
GRADUS_API Tensor cosine_embedding_loss(Operand x1, const Tensor& x2, const Tensor& target,
                                        const CosineEmbeddingLossFuncOptions& options = {});
}  // namespace functional

class GRADUS_API SoftMarginLossImpl
    : public FunctionLayer<SoftMarginLossImpl, functional::soft_margin_loss, SoftMarginLossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(SoftMarginLoss);

class GRADUS_API HingeEmbeddingLossImpl
    : public FunctionLayer<HingeEmbeddingLossImpl, functional::hinge_embedding_loss, HingeEmbeddingLossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(HingeEmbeddingLoss);

class GRADUS_API MultiLabelMarginLossImpl
    : public FunctionLayer<MultiLabelMarginLossImpl, functional::multilabel_margin_loss, MultiLabelMarginLossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(MultiLabelMarginLoss);

class GRADUS_API MultiMarginLossImpl : public Layer<MultiMarginLossImpl> {
 public:
  /// ValueError unless p is 1 or 2.
  explicit MultiMarginLossImpl(const MultiMarginLossOptions& chosen = {});
  Tensor compute(Operand x, const Tensor& target);
  void reset() override;
  std::string extra_repr() const override;

  MultiMarginLossOptions options;
  Tensor weight;  ///< [C], a buffer; undefined without weights
};
GRADUS_MODULE(MultiMarginLoss);

class GRADUS_API MultiLabelSoftMarginLossImpl : public Layer<MultiLabelSoftMarginLossImpl> {
 public:
  explicit MultiLabelSoftMarginLossImpl(const MultiLabelSoftMarginLossOptions& chosen = {});
  Tensor compute(Operand x, const Tensor& target);
  void reset() override;

  MultiLabelSoftMarginLossOptions options;
  Tensor weight;  ///< [C], a buffer; undefined without weights
};
GRADUS_MODULE(MultiLabelSoftMarginLoss);

class GRADUS_API MarginRankingLossImpl : public Layer<MarginRankingLossImpl> {
 public:
  explicit MarginRankingLossImpl(const MarginRankingLossOptions& chosen = {});
  Tensor compute(Operand x1, const Tensor& x2, const Tensor& target);
  void reset() override {}

  MarginRankingLossOptions options;
};
GRADUS_MODULE(MarginRankingLoss);

class GRADUS_API CosineEmbeddingLossImpl : public Layer<CosineEmbeddingLossImpl> {
 public:
  explicit CosineEmbeddingLossImpl(const CosineEmbeddingLossOptions& chosen = {});
  Tensor compute(Operand x1, const Tensor& x2, const Tensor& target);
  void reset() override {}

  CosineEmbeddingLossOptions options;
};
GRADUS_MODULE(CosineEmbeddingLoss);

}  // namespace gradus::nn
