// Group normalisation (Wu and He, ECCV 2018).
//
//   The C channels of x [N, C, ..] are cut into G groups. What a group's C / G channels hold at all positions of one sample
//   is a row of m numbers, and every row is normalised by itself, as in layer_norm.h; but gamma (weight) and beta (bias) have
//   a number for each channel c. Means run over a row:
//
//     mean     =  mean(x)
//     centred  =  x - mean
//     var      =  mean(centred^2)                        biased
//     inv_std  =  1 / sqrt(var + eps)
//     x_hat    =  centred inv_std
//     y        =  gamma_c x_hat + beta_c
//
//     dL/dbeta_c  = sum over samples and positions of dL/dy
//     dL/dgamma_c = sum over samples and positions of dL/dy x_hat
//     g           = gamma_c dL/dy                        = dL/dx_hat
//     dL/dx       = inv_std (g - mean(g) - x_hat mean(g x_hat))
//
//   The means of the last line are sums over the group's channels of gamma_c times what the first two add up, of one sample:
//   one pass over dy and x gives all four. With G = 1 a sample is a row, with G = C (instance normalisation) a channel of it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// (y, mean, inv_std) of x [N, C, ..]; weight and bias [C], absent or not. mean and inv_std are float64, one for each group
/// of each sample.
struct GroupNormRule {
  static constexpr std::string_view name = "group_norm";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias"};
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t shape_only = 1u << 2;  // no gradient reads beta

  struct Attrs {
    std::int64_t num_groups = 1;
    double eps = 1e-5;
    static constexpr auto fields = named("num_groups", &Attrs::num_groups, "eps", &Attrs::eps);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias);
  /// ShapeError when num_groups does not divide C, or a parameter is not [C]; DTypeError when dtypes differ.
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

/// `GroupNormOptions(8, 64).eps(1e-6).affine(false)`: groups, channels.
struct GroupNormOptions {
  GroupNormOptions(std::int64_t num_groups, std::int64_t num_channels)
      : num_groups_(num_groups), num_channels_(num_channels) {}
  GRADUS_ARG(std::int64_t, num_groups);
  GRADUS_ARG(std::int64_t, num_channels);
  GRADUS_ARG(double, eps) = 1e-5;
  GRADUS_ARG(bool, affine) = true;  ///< with gamma and beta

 public:
  static constexpr auto fields = named("", &GroupNormOptions::num_groups_, "", &GroupNormOptions::num_channels_, "eps",
                                       &GroupNormOptions::eps_, "affine", &GroupNormOptions::affine_);
};

namespace functional {
struct GroupNormFuncOptions {
  GroupNormFuncOptions(std::int64_t num_groups) : num_groups_(num_groups) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, num_groups);
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(Tensor, bias);
  GRADUS_ARG(double, eps) = 1e-5;
};
GRADUS_API Tensor group_norm(Operand x, const GroupNormFuncOptions& options);
}  // namespace functional

/// Over [N, C, ..], in training and evaluation alike.
class GRADUS_API GroupNormImpl : public Layer<GroupNormImpl> {
 public:
  GroupNormImpl(std::int64_t num_groups, std::int64_t num_channels);
  /// ValueError when num_groups does not divide num_channels, or that is negative.
  explicit GroupNormImpl(const GroupNormOptions& chosen);
  ~GroupNormImpl() override;

  Tensor compute(Operand x);
  void reset() override;
  /// gamma to 1, beta to 0.
  void reset_parameters();

  GroupNormOptions options;
  Tensor weight, bias;  ///< gamma and beta, [num_channels]; undefined unless affine
};
GRADUS_MODULE(GroupNorm);

}  // namespace gradus::nn
