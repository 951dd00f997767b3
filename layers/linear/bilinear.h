// Bilinear:   y_o = x1^T W_o x2 + b_o
//
//   dL/dx1 = sum over o of dL/dy_o W_o x2,   dL/dx2 = sum over o of dL/dy_o W_o^T x1,   dL/dW_o = dL/dy_o x1 x2^T
#pragma once

#include <cstdint>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus {

/// y [.., o] of x1 [.., i] and x2 [.., j], weight [o, i, j] and bias [o] or absent. ShapeError.
GRADUS_API Tensor bilinear(Operand input1, const Tensor& input2, const Tensor& weight, const Tensor& bias = {});

}  // namespace gradus

namespace gradus::nn {

/// `BilinearOptions(in1, in2, out).bias(false)`.
struct BilinearOptions {
  BilinearOptions(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features)
      : in1_features_(in1_features), in2_features_(in2_features), out_features_(out_features) {}
  GRADUS_ARG(std::int64_t, in1_features);
  GRADUS_ARG(std::int64_t, in2_features);
  GRADUS_ARG(std::int64_t, out_features);
  GRADUS_ARG(bool, bias) = true;

 public:
  static constexpr auto fields =
      named("in1_features", &BilinearOptions::in1_features_, "in2_features", &BilinearOptions::in2_features_,
            "out_features", &BilinearOptions::out_features_, "bias", &BilinearOptions::bias_);
};

namespace functional {
using gradus::bilinear;
}  // namespace functional

/// y_o = x1^T W_o x2 + b_o with learned W and b, which start uniform in +-1/sqrt(in1_features).
class GRADUS_API BilinearImpl : public Layer<BilinearImpl> {
 public:
  BilinearImpl(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features)
      : BilinearImpl(BilinearOptions(in1_features, in2_features, out_features)) {}
  /// ValueError when a size is negative.
  explicit BilinearImpl(const BilinearOptions& options);
  ~BilinearImpl() override;

  /// [.., in1_features] and [.., in2_features] -> [.., out_features].
  Tensor compute(Operand input1, const Tensor& input2);
  void reset() override;
  /// Draws weight and bias anew.
  void reset_parameters();

  BilinearOptions options;
  Tensor weight;  ///< [out_features, in1_features, in2_features]
  Tensor bias;    ///< [out_features]; undefined without bias
};
GRADUS_MODULE(Bilinear);

}  // namespace gradus::nn
