// Average pooling: the mean of each window of 1, 2 or 3 dimensions.
//
//   Windows lie as in max_pool.h, without dilation. Padding is 0. With n_o the count of the window's positions, padding
//   included unless count_include_pad is false, or divisor_override in its place:
//
//     y_o = sum over output o's window of x / n_o          dL/dx_i = sum over all o whose window holds i of dL/dy_o / n_o
#pragma once

#include <cstdint>
#include <optional>

#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"

namespace gradus::nn {

template <std::size_t D>
struct AvgPoolOptions {
  AvgPoolOptions(ExpandingArray<D> kernel_size) : kernel_size_(kernel_size), stride_(kernel_size) {}  // NOLINT
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride);
  GRADUS_ARG(ExpandingArray<D>, padding) = 0;
  GRADUS_ARG(bool, ceil_mode) = false;
  GRADUS_ARG(bool, count_include_pad) = true;
  GRADUS_ARG(std::optional<std::int64_t>, divisor_override) = std::nullopt;

 public:
  static constexpr auto fields = named("kernel_size", &AvgPoolOptions::kernel_size_, "stride", &AvgPoolOptions::stride_,
                                       "padding", &AvgPoolOptions::padding_);
};
using AvgPool1dOptions = AvgPoolOptions<1>;
using AvgPool2dOptions = AvgPoolOptions<2>;
using AvgPool3dOptions = AvgPoolOptions<3>;

/// The size of the result; std::nullopt, where that may be, keeps the input's.
template <class OutputSize>
struct AdaptiveAvgPoolOptions {
  AdaptiveAvgPoolOptions(OutputSize output_size) : output_size_(output_size) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(OutputSize, output_size);

 public:
  static constexpr auto fields = named("output_size", &AdaptiveAvgPoolOptions::output_size_);
};
using AdaptiveAvgPool1dOptions = AdaptiveAvgPoolOptions<ExpandingArray<1>>;
using AdaptiveAvgPool2dOptions = AdaptiveAvgPoolOptions<ExpandingArray<2, std::optional<std::int64_t>>>;
using AdaptiveAvgPool3dOptions = AdaptiveAvgPoolOptions<ExpandingArray<3, std::optional<std::int64_t>>>;

namespace functional {
using AvgPool1dFuncOptions = AvgPool1dOptions;
using AvgPool2dFuncOptions = AvgPool2dOptions;
using AvgPool3dFuncOptions = AvgPool3dOptions;
using AdaptiveAvgPool2dFuncOptions = AdaptiveAvgPool2dOptions;

GRADUS_API Tensor avg_pool1d(Operand x, const AvgPool1dFuncOptions& options);
GRADUS_API Tensor avg_pool2d(Operand x, const AvgPool2dFuncOptions& options);
GRADUS_API Tensor avg_pool3d(Operand x, const AvgPool3dFuncOptions& options);
/// The mean over windows of as even a size as there is: output o of m reads [floor(o n / m), ceil((o + 1) n / m)).
GRADUS_API Tensor adaptive_avg_pool2d(Operand x, const AdaptiveAvgPool2dFuncOptions& options);
}  // namespace functional

/// What AvgPool1d, 2d and 3d share.
template <std::size_t D, class Derived>
class GRADUS_API AvgPoolBase : public Layer<Derived> {
 public:
  AvgPoolBase(ExpandingArray<D> kernel_size);  // NOLINT(google-explicit-constructor)
  explicit AvgPoolBase(const AvgPoolOptions<D>& chosen);
  Tensor compute(Operand x);
  void reset() override {}

  AvgPoolOptions<D> options;
};

class GRADUS_API AvgPool1dImpl : public AvgPoolBase<1, AvgPool1dImpl> {
 public:
  using AvgPoolBase::AvgPoolBase;
  ~AvgPool1dImpl() override;
};
GRADUS_MODULE(AvgPool1d);
class GRADUS_API AvgPool2dImpl : public AvgPoolBase<2, AvgPool2dImpl> {
 public:
  using AvgPoolBase::AvgPoolBase;
  ~AvgPool2dImpl() override;
};
GRADUS_MODULE(AvgPool2d);
class GRADUS_API AvgPool3dImpl : public AvgPoolBase<3, AvgPool3dImpl> {
 public:
  using AvgPoolBase::AvgPoolBase;
  ~AvgPool3dImpl() override;
};
GRADUS_MODULE(AvgPool3d);

/// Over [C, H, W] and [N, C, H, W], to the output's size.
class GRADUS_API AdaptiveAvgPool2dImpl
    : public FunctionLayer<AdaptiveAvgPool2dImpl, functional::adaptive_avg_pool2d, AdaptiveAvgPool2dOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  AdaptiveAvgPool2dImpl(
      ExpandingArray<2, std::optional<std::int64_t>> output_size);  // NOLINT(google-explicit-constructor)
};
GRADUS_MODULE(AdaptiveAvgPool2d);

extern template class AvgPoolBase<1, AvgPool1dImpl>;
extern template class AvgPoolBase<2, AvgPool2dImpl>;
extern template class AvgPoolBase<3, AvgPool3dImpl>;

}  // namespace gradus::nn

namespace gradus {
// An empty stride is the kernel's.
GRADUS_API Tensor avg_pool1d(Operand x, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
                             bool ceil_mode = false, bool count_include_pad = true);
GRADUS_API Tensor avg_pool2d(Operand x, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
                             bool ceil_mode = false, bool count_include_pad = true,
                             std::optional<std::int64_t> divisor_override = {});
GRADUS_API Tensor avg_pool3d(Operand x, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
                             bool ceil_mode = false, bool count_include_pad = true,
                             std::optional<std::int64_t> divisor_override = {});
/// To the output's size, one number for all dimensions or one for each: of x [C, L] or [N, C, L], and so on.
GRADUS_API Tensor adaptive_avg_pool1d(Operand x, IntArrayRef output_size);
GRADUS_API Tensor adaptive_avg_pool2d(Operand x, IntArrayRef output_size);
GRADUS_API Tensor adaptive_avg_pool3d(Operand x, IntArrayRef output_size);
}  // namespace gradus
