// Instance normalisation (Ulyanov, Vedaldi and Lempitsky, 2016): group_norm.h's with each channel a group of its own, hence
// its formulas; and by running statistics, where those are kept, batch_norm.h's.
#pragma once

#include <cstdint>

#include "../../core/base/export.h"
#include "../module/layer.h"
#include "normalization.h"

namespace gradus::nn {

/// `InstanceNorm2d(64)`, `InstanceNormOptions(64).affine(true).track_running_stats(true)`.
struct InstanceNormOptions {
  InstanceNormOptions(std::int64_t num_features)
      : num_features_(num_features) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, num_features);
  GRADUS_ARG(double, eps) = 1e-5;
  GRADUS_ARG(double, momentum) = 0.1;
  GRADUS_ARG(bool, affine) = false;               ///< with gamma and beta
  GRADUS_ARG(bool, track_running_stats) = false;  ///< with, evaluation uses the running ones

 public:
  static constexpr auto fields =
      named("", &InstanceNormOptions::num_features_, "eps", &InstanceNormOptions::eps_, "momentum",
            &InstanceNormOptions::momentum_, "affine", &InstanceNormOptions::affine_, "track_running_stats",
            &InstanceNormOptions::track_running_stats_);
};
using InstanceNorm1dOptions = InstanceNormOptions;
using InstanceNorm2dOptions = InstanceNormOptions;
using InstanceNorm3dOptions = InstanceNormOptions;

namespace functional {
struct InstanceNormFuncOptions {
  GRADUS_ARG(Tensor, running_mean);
  GRADUS_ARG(Tensor, running_var);
  GRADUS_ARG(Tensor, weight);
  GRADUS_ARG(Tensor, bias);
  GRADUS_ARG(bool, use_input_stats) = true;
  GRADUS_ARG(double, momentum) = 0.1;
  GRADUS_ARG(double, eps) = 1e-5;
};
/// As gradus::instance_norm.
GRADUS_API Tensor instance_norm(Operand x, const InstanceNormFuncOptions& options = {});
}  // namespace functional

/// What InstanceNorm1d, 2d and 3d share: D is the number of positions' dimensions.
template <int D, class Derived>
class GRADUS_API InstanceNormBase : public Layer<Derived>, public ChannelNormState {
 public:
  /// ValueError when num_features is negative.
  explicit InstanceNormBase(const InstanceNormOptions& chosen);

  /// x [N, C, ..] or [C, ..]. ShapeError when x is not of this layer's dimensions, and channels where those matter;
  /// ValueError for fewer than two positions, by x's own statistics.
  Tensor compute(Operand x);
  void reset() override;

  InstanceNormOptions options;
};

/// Over [N, C, L] and [C, L].
class GRADUS_API InstanceNorm1dImpl : public InstanceNormBase<1, InstanceNorm1dImpl> {
 public:
  using InstanceNormBase::InstanceNormBase;
  ~InstanceNorm1dImpl() override;
};
GRADUS_MODULE(InstanceNorm1d);
/// Over [N, C, H, W] and [C, H, W].
class GRADUS_API InstanceNorm2dImpl : public InstanceNormBase<2, InstanceNorm2dImpl> {
 public:
  using InstanceNormBase::InstanceNormBase;
  ~InstanceNorm2dImpl() override;
};
GRADUS_MODULE(InstanceNorm2d);
/// Over [N, C, D, H, W] and [C, D, H, W].
class GRADUS_API InstanceNorm3dImpl : public InstanceNormBase<3, InstanceNorm3dImpl> {
 public:
  using InstanceNormBase::InstanceNormBase;
  ~InstanceNorm3dImpl() override;
};
GRADUS_MODULE(InstanceNorm3d);

extern template class InstanceNormBase<1, InstanceNorm1dImpl>;
extern template class InstanceNormBase<2, InstanceNorm2dImpl>;
extern template class InstanceNormBase<3, InstanceNorm3dImpl>;

}  // namespace gradus::nn
