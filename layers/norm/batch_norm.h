// Batch normalisation (Ioffe and Szegedy, ICML 2015).
//
//   The input is [N, C], [N, C, L], [N, C, H, W] or [N, C, D, H, W]. Each channel has statistics of its own, over the
//   batch and all positions: m = N times the number of positions values; and one gain gamma (weight) and one shift beta
//   (bias). Training, for each channel (Algorithm 1 of the paper; sums and means run over its m values):
//
//     mean     =  sum x / m
//     centred  =  x - mean
//     var      =  sum centred^2 / m                      biased
//     inv_std  =  1 / sqrt(var + eps)
//     x_hat    =  centred inv_std
//     y        =  gamma x_hat + beta
//
//     dL/dbeta  = sum dL/dy
//     dL/dgamma = sum dL/dy x_hat
//     dL/dx     = gamma inv_std (dL/dy - mean(dL/dy) - x_hat mean(dL/dy x_hat))
//
//   The last comes from the steps of the paper, Algorithm 1 backward:
//
//     dL/dx_hat = dL/dy gamma
//     dL/dvar   = sum dL/dx_hat centred (-1/2) inv_std^3
//     dL/dmean  = - inv_std sum dL/dx_hat  +  dL/dvar sum(-2 centred) / m
//     dL/dx     = dL/dx_hat inv_std  +  dL/dvar 2 centred / m  +  dL/dmean / m
//
//   The 2 is that of d(centred^2); forgotten, it halves the last term of the result. Because sum centred = 0, the second
//   term of dL/dmean vanishes. With x_hat = centred inv_std, and mean() for sum() / m, the last two terms are
//
//     dL/dvar 2 centred / m  =  - gamma inv_std x_hat mean(dL/dy x_hat)
//     dL/dmean / m           =  - gamma inv_std mean(dL/dy)
//
//   Each training step moves the running statistics, where v is the batch's mean, or its unbiased variance
//   var m / (m - 1) (Algorithm 2):
//
//     M <- (1 - momentum) M + momentum v
//
//   so momentum weighs the new value: 0.1 is c = 0.9 of the form M c + v (1 - c). Without momentum it is 1 / (number of
//   batches seen): the average of all. In evaluation the running statistics, constants, take the place of mean and var.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "../../autograd/check/named_term.h"
#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/layer.h"
#include "normalization.h"

namespace gradus::nn {

/// (y, new_running_mean, new_running_var, mean, inv_std) of x [N, C, ..] in training. weight, bias, running_mean and
/// running_var are [C], the first two and the last two absent or not; without running statistics there are no new ones.
/// mean and inv_std are float64 [C]: where |mean| is 10^4 times the deviation, a float32 mean would not do.
struct BatchNormRule {
  static constexpr std::string_view name = "batch_norm";
  static constexpr std::string_view formula =
      "y = gamma x_hat + beta, x_hat = inv_std (x - mean(x)), inv_std = 1 / sqrt(var(x) + eps), dx = gamma inv_std "
      "(dy - mean(dy) - x_hat mean(dy x_hat)), dgamma = sum dy x_hat, dbeta = sum dy, none, none";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias", "running_mean", "running_var"};
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t shape_only = 1u << 2 | 1u << 3 | 1u << 4;  // no gradient reads beta or what is running

  struct Attrs {
    double momentum = 0.1;
    double eps = 1e-5;
    static constexpr auto fields = named("momentum", &Attrs::momentum, "eps", &Attrs::eps);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                     const Tensor& running_mean, const Tensor& running_var);
  /// ValueError for one value a channel (none pass, and no statistic moves); ShapeError, DTypeError.
  GRADUS_API static std::tuple<core::Array, core::Array, core::Array, core::Array, core::Array> forward(
      const Attrs& attrs, const core::Array& x, const core::Array& weight, const core::Array& bias,
      const core::Array& running_mean, const core::Array& running_var);
  /// dx, dweight, dbias (the latter two come along, needed or not).
  GRADUS_API static std::array<core::Array, 5> backward(autograd::Needs needs, autograd::DyArray<> dy,
                                                        autograd::InArray<0> x, autograd::InArray<1> weight,
                                                        autograd::OutArray<3> mean, autograd::OutArray<4> inv_std);
  /// The terms of the three gradients, for checks (batch_norm_terms.cpp).
  GRADUS_API static std::vector<autograd::NamedTerm> terms(const Attrs& attrs, const core::Array& dy,
                                                           const core::Array& x, const core::Array& weight,
                                                           const core::Array& bias, const core::Array& running_mean,
                                                           const core::Array& running_var);
};

/// (y, mean, inv_std) in evaluation: the running statistics as constants, mean and inv_std as BatchNormRule's.
struct BatchNormEvalRule {
  static constexpr std::string_view name = "batch_norm_eval";
  static constexpr std::string_view formula =
      "y = gamma x_hat + beta, x_hat = inv_std (x - M), inv_std = 1 / sqrt(V + eps), dx = gamma inv_std dy, dgamma "
      "= sum dy x_hat, dbeta = sum dy, none, none";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias", "running_mean", "running_var"};
  static constexpr int differentiable_outputs = 1;
  static constexpr std::uint32_t shape_only = 1u << 2;
  struct Attrs {
    double eps = 1e-5;
    static constexpr auto fields = named("eps", &Attrs::eps);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                     const Tensor& running_mean, const Tensor& running_var);
  GRADUS_API static std::tuple<core::Array, core::Array, core::Array> forward(const Attrs& attrs, const core::Array& x,
                                                                              const core::Array& weight,
                                                                              const core::Array& bias,
                                                                              const core::Array& running_mean,
                                                                              const core::Array& running_var);
  GRADUS_API static std::tuple<Tensor, Tensor, Tensor> batch(const Attrs& attrs, const autograd::Examples& x);
  GRADUS_API static std::array<core::Array, 5> backward(autograd::Needs needs, autograd::DyArray<> dy,
                                                        autograd::InArray<0> x, autograd::InArray<1> weight,
                                                        autograd::OutArray<1> mean, autograd::OutArray<2> inv_std);
};

/// `BatchNorm1d(64)`, `BatchNormOptions(64).momentum(0.01).affine(false)`.
struct BatchNormOptions {
  BatchNormOptions(std::int64_t num_features) : num_features_(num_features) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, num_features);
  GRADUS_ARG(double, eps) = 1e-5;
  GRADUS_ARG(std::optional<double>, momentum) = 0.1;  ///< std::nullopt: the average over all batches
  GRADUS_ARG(bool, affine) = true;                    ///< with gamma and beta
  GRADUS_ARG(bool, track_running_stats) = true;       ///< without, evaluation uses the batch's statistics too

 public:
  static constexpr auto fields = named("", &BatchNormOptions::num_features_, "eps", &BatchNormOptions::eps_, "momentum",
                                       &BatchNormOptions::momentum_, "affine", &BatchNormOptions::affine_,
                                       "track_running_stats", &BatchNormOptions::track_running_stats_);
};
using BatchNorm1dOptions = BatchNormOptions;
using BatchNorm2dOptions = BatchNormOptions;
using BatchNorm3dOptions = BatchNormOptions;

namespace functional {
struct BatchNormFuncOptions {
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(Tensor, bias);
  GRADUS_ARG(bool, training) = false;
  GRADUS_ARG(double, momentum) = 0.1;
  GRADUS_ARG(double, eps) = 1e-5;
};
/// In training the running statistics, where given, are overwritten with the new ones. In evaluation they are needed:
/// ValueError.
GRADUS_API Tensor batch_norm(Operand x, const Tensor& running_mean, const Tensor& running_var,
                             const BatchNormFuncOptions& options = {});
}  // namespace functional

namespace detail {
/// The same where x is no batch of samples: instance_norm's.
Tensor batch_norm_of_any(Operand x, const Tensor& running_mean, const Tensor& running_var,
                         const functional::BatchNormFuncOptions& options);
}  // namespace detail

/// What BatchNorm1d, 2d and 3d share: D is the number of positions' dimensions that the name says.
template <int D, class Derived>
class GRADUS_API BatchNormBase : public Layer<Derived>, public ChannelNormState {
 public:
  /// ValueError when num_features is negative.
  explicit BatchNormBase(const BatchNormOptions& chosen);

  /// Normalises, and in training moves the running statistics. ShapeError when x is not of this layer's dimensions and
  /// channels; ValueError for one value a channel in training; none pass, counted. After an error nothing has changed.
  Tensor compute(Operand x);
  void reset() override;

  BatchNormOptions options;
};

/// Over [N, C] and [N, C, L].
class GRADUS_API BatchNorm1dImpl : public BatchNormBase<1, BatchNorm1dImpl> {
 public:
  using BatchNormBase::BatchNormBase;
  ~BatchNorm1dImpl() override;
};
GRADUS_MODULE(BatchNorm1d);
/// Over [N, C, H, W].
class GRADUS_API BatchNorm2dImpl : public BatchNormBase<2, BatchNorm2dImpl> {
 public:
  using BatchNormBase::BatchNormBase;
  ~BatchNorm2dImpl() override;
};
GRADUS_MODULE(BatchNorm2d);
/// Over [N, C, D, H, W].
class GRADUS_API BatchNorm3dImpl : public BatchNormBase<3, BatchNorm3dImpl> {
 public:
  using BatchNormBase::BatchNormBase;
  ~BatchNorm3dImpl() override;
};
GRADUS_MODULE(BatchNorm3d);

extern template class BatchNormBase<1, BatchNorm1dImpl>;
extern template class BatchNormBase<2, BatchNorm2dImpl>;
extern template class BatchNormBase<3, BatchNorm3dImpl>;

}  // namespace gradus::nn
