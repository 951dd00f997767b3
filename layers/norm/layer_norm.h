// Layer normalisation (Ba, Kiros and Hinton, 2016).
//
//   A row x holds the n numbers of the last dimensions (normalized_shape), and every row is normalised by itself; gamma
//   (weight) and beta (bias) have a number for each of the n. Means run over a row:
//
//     mean     =  mean(x)
//     centred  =  x - mean
//     var      =  mean(centred^2)                        biased
//     inv_std  =  1 / sqrt(var + eps)
//     x_hat    =  centred inv_std
//     y        =  gamma x_hat + beta
//
//     g         = gamma dL/dy                            = dL/dx_hat
//     dL/dx     = inv_std (g - mean(g) - x_hat mean(g x_hat))
//     dL/dgamma = sum over rows of dL/dy x_hat
//     dL/dbeta  = sum over rows of dL/dy
//
//   The gradient of x is BatchNorm's (batch_norm.h derives it) with the row in the place of the channel.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// (y, mean, inv_std) of x [.., normalized_shape]; weight and bias of normalized_shape, absent or not. mean and inv_std
/// are float64, one for each row.
struct LayerNormRule {
  static constexpr std::string_view name = "layer_norm";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias"};
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t shape_only = 1u << 2;  // no gradient reads beta

  struct Attrs {
    core::Dims normalized_shape;
    double eps = 1e-5;
    static constexpr auto fields = named("normalized_shape", &Attrs::normalized_shape, "eps", &Attrs::eps);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias);
  /// ShapeError when x does not end in normalized_shape, or that is empty; DTypeError when dtypes differ.
  GRADUS_API static std::tuple<core::Array, core::Array, core::Array> forward(const Attrs& attrs, const core::Array& x,
                                                                              const core::Array& weight,
                                                                              const core::Array& bias);
  GRADUS_API static std::tuple<Tensor, Tensor, Tensor> batch(const Attrs& attrs, const autograd::Examples& x);
  /// dx, dweight, dbias.
  GRADUS_API static std::array<core::Array, 3> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::InArray<0> x,
                                                        autograd::InArray<1> weight, autograd::OutArray<1> mean,
                                                        autograd::OutArray<2> inv_std);
};

/// `LayerNormOptions({64}).eps(1e-6).elementwise_affine(false)`.
struct LayerNormOptions {
  LayerNormOptions(std::vector<std::int64_t> normalized_shape)  // NOLINT(google-explicit-constructor)
      : normalized_shape_(std::move(normalized_shape)) {}
  GRADUS_ARG(std::vector<std::int64_t>, normalized_shape);
  GRADUS_ARG(double, eps) = 1e-5;
  GRADUS_ARG(bool, elementwise_affine) = true;  ///< with gamma and beta

 public:
  static constexpr auto fields = named("", &LayerNormOptions::normalized_shape_, "eps", &LayerNormOptions::eps_,
                                       "elementwise_affine", &LayerNormOptions::elementwise_affine_);
};

namespace functional {
struct LayerNormFuncOptions {
  LayerNormFuncOptions(std::vector<std::int64_t> normalized_shape)  // NOLINT(google-explicit-constructor)
      : normalized_shape_(std::move(normalized_shape)) {}
  GRADUS_ARG(std::vector<std::int64_t>, normalized_shape);
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(Tensor, bias);
  GRADUS_ARG(double, eps) = 1e-5;
};
GRADUS_API Tensor layer_norm(Operand x, const LayerNormFuncOptions& options);
}  // namespace functional

/// Normalises each row of the last dimensions, in training and evaluation alike.
class GRADUS_API LayerNormImpl : public Layer<LayerNormImpl> {
 public:
  LayerNormImpl(std::vector<std::int64_t> normalized_shape);  // NOLINT(google-explicit-constructor)
  /// ShapeError when normalized_shape is empty or has a negative size.
  explicit LayerNormImpl(const LayerNormOptions& chosen);
  ~LayerNormImpl() override;

  Tensor compute(Operand x);
  void reset() override;
  /// gamma to 1, beta to 0.
  void reset_parameters();

  LayerNormOptions options;
  Tensor weight, bias;  ///< gamma and beta, of normalized_shape; undefined unless elementwise_affine
};
GRADUS_MODULE(LayerNorm);

}  // namespace gradus::nn

namespace gradus {
/// As LayerNormRule. `cudnn_enable` is PyTorch's, and means nothing here.
GRADUS_API Tensor layer_norm(Operand x, IntArrayRef normalized_shape, const Tensor& weight = {},
                             const Tensor& bias = {}, double eps = 1e-5, bool cudnn_enable = true);
}  // namespace gradus
