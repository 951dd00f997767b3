// Normalisation by size alone, without a mean: RMSNorm, LocalResponseNorm.
//
//   RMS norm (Zhang and Sennrich, NeurIPS 2019), over the last dimensions, gamma (weight) with a number for each element:
//
//     r = sqrt(mean(x^2) + eps)          y = gamma x / r          dL/dx = g / r - x mean(g x) / r^3,  g = gamma dL/dy
//
//   Local response norm (Krizhevsky, Sutskever and Hinton, NIPS 2012), over `size` neighbouring channels at one position:
//
//     d_c = k + alpha / size sum over channels from c - size / 2 to c + (size - 1) / 2 of x^2          (0 beyond the ends)
//     y_c = x_c / d_c^beta          dL/dx_c = dL/dy_c / d_c^beta - 2 alpha beta / size x_c sum over c' that see c of
//                                             dL/dy_c' x_c' / d_c'^(beta + 1)
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `RMSNormOptions({64}).eps(1e-6)`; eps is the dtype's epsilon unless it is given.
struct RMSNormOptions {
  RMSNormOptions(std::vector<std::int64_t> normalized_shape)  // NOLINT(google-explicit-constructor)
      : normalized_shape_(std::move(normalized_shape)) {}
  GRADUS_ARG(std::vector<std::int64_t>, normalized_shape);
  GRADUS_ARG(std::optional<double>, eps) = std::nullopt;
  GRADUS_ARG(bool, elementwise_affine) = true;  ///< with gamma

 public:
  static constexpr auto fields = named("", &RMSNormOptions::normalized_shape_, "eps", &RMSNormOptions::eps_,
                                       "elementwise_affine", &RMSNormOptions::elementwise_affine_);
};
/// `LocalResponseNorm(5)`: the number of channels.
struct LocalResponseNormOptions {
  LocalResponseNormOptions(std::int64_t size) : size_(size) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, size);
  GRADUS_ARG(double, alpha) = 1e-4;
  GRADUS_ARG(double, beta) = 0.75;
  GRADUS_ARG(double, k) = 1;

 public:
  static constexpr auto fields = named("", &LocalResponseNormOptions::size_, "alpha", &LocalResponseNormOptions::alpha_,
                                       "beta", &LocalResponseNormOptions::beta_, "k", &LocalResponseNormOptions::k_);
};

namespace functional {
struct RMSNormFuncOptions {
  RMSNormFuncOptions(std::vector<std::int64_t> normalized_shape)  // NOLINT(google-explicit-constructor)
      : normalized_shape_(std::move(normalized_shape)) {}
  GRADUS_ARG(std::vector<std::int64_t>, normalized_shape);
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(std::optional<double>, eps) = std::nullopt;
};
/// As gradus::rms_norm.
GRADUS_API Tensor rms_norm(Operand x, const RMSNormFuncOptions& options);

using LocalResponseNormFuncOptions = LocalResponseNormOptions;
/// x [N, C, L], or with more positions' dimensions: ShapeError. ValueError for a size below 1.
GRADUS_API Tensor local_response_norm(Operand x, const LocalResponseNormFuncOptions& options);
}  // namespace functional

/// Over the last dimensions.
class GRADUS_API RMSNormImpl : public Layer<RMSNormImpl> {
 public:
  RMSNormImpl(std::vector<std::int64_t> normalized_shape);  // NOLINT(google-explicit-constructor)
  /// ShapeError when normalized_shape is empty or has a negative size.
  explicit RMSNormImpl(const RMSNormOptions& chosen);
  ~RMSNormImpl() override;

  Tensor compute(Operand x);
  void reset() override;
  /// gamma to 1.
  void reset_parameters();

  RMSNormOptions options;
  Tensor weight;  ///< gamma, of normalized_shape; undefined unless elementwise_affine
};
GRADUS_MODULE(RMSNorm);

/// Over [N, C, L], [N, C, H, W] and so on.
class GRADUS_API LocalResponseNormImpl
    : public FunctionLayer<LocalResponseNormImpl, functional::local_response_norm, LocalResponseNormOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(LocalResponseNorm);

}  // namespace gradus::nn
