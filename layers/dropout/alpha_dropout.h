// Alpha dropout (Klambauer, Unterthiner, Mayr, Hochreiter, 2017), which keeps the mean 0 and the variance 1 of what selu
// gives: dropped units become a' = -lambda alpha, selu's least value, and all are scaled and shifted.
//
//   training:     y = s (m x + (1 - m) a') - s a' p,   s = 1 / sqrt((1 - p) (1 + p a'^2)),   m = 1 with probability 1 - p, else 0
//                 dL/dx = s m dL/dy
//   evaluation:   y = x
//
// FeatureAlphaDropout drops whole channels: m has one unit for each sample and channel. At p = 1 all is 0, as PyTorch's.
#pragma once

#include "../../core/base/export.h"
#include "../module/layer.h"
#include "dropout.h"

namespace gradus::nn {

using AlphaDropoutOptions = DropoutOptions;  ///< `classic` says nothing here
using FeatureAlphaDropoutOptions = DropoutOptions;

namespace functional {
/// Evaluation unless said otherwise.
struct AlphaDropoutFuncOptions {
  GRADUS_ARG(double, p) = 0.5;
  GRADUS_ARG(bool, training) = false;
  GRADUS_ARG(bool, inplace) = false;
};
using FeatureAlphaDropoutFuncOptions = AlphaDropoutFuncOptions;
GRADUS_API Tensor alpha_dropout(Operand x, const AlphaDropoutFuncOptions& options = {});
/// Of [N, C, ..].
GRADUS_API Tensor feature_alpha_dropout(Operand x, const FeatureAlphaDropoutFuncOptions& options = {});
}  // namespace functional

class GRADUS_API AlphaDropoutImpl : public Layer<AlphaDropoutImpl> {
 public:
  explicit AlphaDropoutImpl(double p);
  /// ValueError when p is not in [0, 1].
  explicit AlphaDropoutImpl(const AlphaDropoutOptions& chosen = {});
  Tensor compute(Operand x);
  void reset() override;

  AlphaDropoutOptions options;
};
GRADUS_MODULE(AlphaDropout);

class GRADUS_API FeatureAlphaDropoutImpl : public Layer<FeatureAlphaDropoutImpl> {
 public:
  explicit FeatureAlphaDropoutImpl(double p);
  /// ValueError when p is not in [0, 1].
  explicit FeatureAlphaDropoutImpl(const FeatureAlphaDropoutOptions& chosen = {});
  Tensor compute(Operand x);
  void reset() override;

  FeatureAlphaDropoutOptions options;
};
GRADUS_MODULE(FeatureAlphaDropout);

}  // namespace gradus::nn

namespace gradus {
/// The function of the module, which draws when `train`. ValueError when p is not in [0, 1].
GRADUS_API Tensor alpha_dropout(Operand x, double p, bool train);
/// ShapeError when x has fewer than 2 dimensions.
GRADUS_API Tensor feature_alpha_dropout(Operand x, double p, bool train);
}  // namespace gradus
