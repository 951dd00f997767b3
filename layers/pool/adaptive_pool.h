// Adaptive pooling as layers: the mean (avg_pool.h), or the largest value (adaptive_max_pool.h), over windows of as even a
// size as there is, to an output of a given size. Output o of m along a dimension of size n reads
// [floor(o n / m), ceil((o + 1) n / m)).
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"
#include "avg_pool.h"

namespace gradus::nn {

/// The size of the result; std::nullopt, where that may be, keeps the input's.
template <class OutputSize>
struct AdaptiveMaxPoolOptions {
  AdaptiveMaxPoolOptions(OutputSize output_size) : output_size_(output_size) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(OutputSize, output_size);

 public:
  static constexpr auto fields = named("output_size", &AdaptiveMaxPoolOptions::output_size_);
};
using AdaptiveMaxPool1dOptions = AdaptiveMaxPoolOptions<ExpandingArray<1>>;
using AdaptiveMaxPool2dOptions = AdaptiveMaxPoolOptions<ExpandingArray<2, std::optional<std::int64_t>>>;
using AdaptiveMaxPool3dOptions = AdaptiveMaxPoolOptions<ExpandingArray<3, std::optional<std::int64_t>>>;

namespace functional {
using AdaptiveAvgPool1dFuncOptions = AdaptiveAvgPool1dOptions;
using AdaptiveAvgPool3dFuncOptions = AdaptiveAvgPool3dOptions;
using AdaptiveMaxPool1dFuncOptions = AdaptiveMaxPool1dOptions;
using AdaptiveMaxPool2dFuncOptions = AdaptiveMaxPool2dOptions;
using AdaptiveMaxPool3dFuncOptions = AdaptiveMaxPool3dOptions;

/// x [C, L] or [N, C, L], and so on. ShapeError for another; ValueError for a size below 1.
GRADUS_API Tensor adaptive_avg_pool1d(Operand x, const AdaptiveAvgPool1dFuncOptions& options);
GRADUS_API Tensor adaptive_avg_pool3d(Operand x, const AdaptiveAvgPool3dFuncOptions& options);
GRADUS_API Tensor adaptive_max_pool1d(Operand x, const AdaptiveMaxPool1dFuncOptions& options);
GRADUS_API Tensor adaptive_max_pool2d(Operand x, const AdaptiveMaxPool2dFuncOptions& options);
GRADUS_API Tensor adaptive_max_pool3d(Operand x, const AdaptiveMaxPool3dFuncOptions& options);
/// And the positions of the largest values in their planes, int64.
GRADUS_API std::tuple<Tensor, Tensor> adaptive_max_pool1d_with_indices(Operand x,
                                                                       const AdaptiveMaxPool1dFuncOptions& options);
GRADUS_API std::tuple<Tensor, Tensor> adaptive_max_pool2d_with_indices(Operand x,
                                                                       const AdaptiveMaxPool2dFuncOptions& options);
GRADUS_API std::tuple<Tensor, Tensor> adaptive_max_pool3d_with_indices(Operand x,
                                                                       const AdaptiveMaxPool3dFuncOptions& options);
}  // namespace functional

/// What AdaptiveMaxPool1d, 2d and 3d share.
template <class OutputSize, class Derived>
class GRADUS_API AdaptiveMaxPoolBase : public Layer<Derived> {
 public:
  AdaptiveMaxPoolBase(OutputSize output_size);  // NOLINT(google-explicit-constructor)
  explicit AdaptiveMaxPoolBase(const AdaptiveMaxPoolOptions<OutputSize>& chosen);
  Tensor compute(Operand x);
  std::tuple<Tensor, Tensor> forward_with_indices(Operand x);
  void reset() override {}

  AdaptiveMaxPoolOptions<OutputSize> options;
};
/// Over [C, L] and [N, C, L].
class GRADUS_API AdaptiveMaxPool1dImpl : public AdaptiveMaxPoolBase<ExpandingArray<1>, AdaptiveMaxPool1dImpl> {
 public:
  using AdaptiveMaxPoolBase::AdaptiveMaxPoolBase;
  ~AdaptiveMaxPool1dImpl() override;
};
GRADUS_MODULE(AdaptiveMaxPool1d);
/// Over [C, H, W] and [N, C, H, W].
class GRADUS_API AdaptiveMaxPool2dImpl
    : public AdaptiveMaxPoolBase<ExpandingArray<2, std::optional<std::int64_t>>, AdaptiveMaxPool2dImpl> {
 public:
  using AdaptiveMaxPoolBase::AdaptiveMaxPoolBase;
  ~AdaptiveMaxPool2dImpl() override;
};
GRADUS_MODULE(AdaptiveMaxPool2d);
/// Over [C, D, H, W] and [N, C, D, H, W].
class GRADUS_API AdaptiveMaxPool3dImpl
    : public AdaptiveMaxPoolBase<ExpandingArray<3, std::optional<std::int64_t>>, AdaptiveMaxPool3dImpl> {
 public:
  using AdaptiveMaxPoolBase::AdaptiveMaxPoolBase;
  ~AdaptiveMaxPool3dImpl() override;
};
GRADUS_MODULE(AdaptiveMaxPool3d);
/// Over [C, L] and [N, C, L].
class GRADUS_API AdaptiveAvgPool1dImpl
    : public FunctionLayer<AdaptiveAvgPool1dImpl, functional::adaptive_avg_pool1d, AdaptiveAvgPool1dOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  AdaptiveAvgPool1dImpl(ExpandingArray<1> output_size);  // NOLINT(google-explicit-constructor)
};
GRADUS_MODULE(AdaptiveAvgPool1d);
/// Over [C, D, H, W] and [N, C, D, H, W].
class GRADUS_API AdaptiveAvgPool3dImpl
    : public FunctionLayer<AdaptiveAvgPool3dImpl, functional::adaptive_avg_pool3d, AdaptiveAvgPool3dOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  AdaptiveAvgPool3dImpl(
      ExpandingArray<3, std::optional<std::int64_t>> output_size);  // NOLINT(google-explicit-constructor)
};
GRADUS_MODULE(AdaptiveAvgPool3d);

extern template class AdaptiveMaxPoolBase<ExpandingArray<1>, AdaptiveMaxPool1dImpl>;
extern template class AdaptiveMaxPoolBase<ExpandingArray<2, std::optional<std::int64_t>>, AdaptiveMaxPool2dImpl>;
extern template class AdaptiveMaxPoolBase<ExpandingArray<3, std::optional<std::int64_t>>, AdaptiveMaxPool3dImpl>;

}  // namespace gradus::nn
