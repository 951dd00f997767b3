// Max pooling: the largest value of each window of 1, 2 or 3 dimensions.
//
//   Along a dimension of size n, with kernel k, stride s, padding p and dilation d, output o has the window
//
//     { o s - p + j d : j = 0 .. k - 1 },     o = 0 .. floor((n + 2 p - d (k - 1) - 1) / s)     (ceil under ceil_mode)
//
//   and positions outside [0, n) are padding, which is never the largest. With m_o the position of the largest value of
//   output o's window (of equal ones the first, of NaN the last; NaN is larger than anything):
//
//     y_o = x_{m_o}          dL/dx_i = sum over all o with m_o = i of dL/dy_o
#pragma once

#include <cstdint>
#include <tuple>

#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `MaxPool2dOptions(3).stride(2)`, `MaxPool2dOptions({3, 2}).padding({1, 0})`.
template <std::size_t D>
struct MaxPoolOptions {
  MaxPoolOptions(ExpandingArray<D> kernel_size) : kernel_size_(kernel_size), stride_(kernel_size) {}  // NOLINT
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride);  ///< the kernel's size unless it is said
  GRADUS_ARG(ExpandingArray<D>, padding) = 0;
  GRADUS_ARG(ExpandingArray<D>, dilation) = 1;
  GRADUS_ARG(bool, ceil_mode) = false;

 public:
  static constexpr auto fields = named("kernel_size", &MaxPoolOptions::kernel_size_, "stride", &MaxPoolOptions::stride_,
                                       "padding", &MaxPoolOptions::padding_, "dilation", &MaxPoolOptions::dilation_,
                                       "ceil_mode", &MaxPoolOptions::ceil_mode_);
};
using MaxPool1dOptions = MaxPoolOptions<1>;
using MaxPool2dOptions = MaxPoolOptions<2>;
using MaxPool3dOptions = MaxPoolOptions<3>;

namespace functional {
using MaxPool1dFuncOptions = MaxPool1dOptions;
using MaxPool2dFuncOptions = MaxPool2dOptions;
using MaxPool3dFuncOptions = MaxPool3dOptions;

GRADUS_API Tensor max_pool1d(Operand x, const MaxPool1dFuncOptions& options);
GRADUS_API Tensor max_pool2d(Operand x, const MaxPool2dFuncOptions& options);
GRADUS_API Tensor max_pool3d(Operand x, const MaxPool3dFuncOptions& options);
/// And the positions of the largest values in their planes, int64.
GRADUS_API std::tuple<Tensor, Tensor> max_pool1d_with_indices(Operand x, const MaxPool1dFuncOptions& options);
GRADUS_API std::tuple<Tensor, Tensor> max_pool2d_with_indices(Operand x, const MaxPool2dFuncOptions& options);
GRADUS_API std::tuple<Tensor, Tensor> max_pool3d_with_indices(Operand x, const MaxPool3dFuncOptions& options);
}  // namespace functional

/// What MaxPool1d, 2d and 3d share.
template <std::size_t D, class Derived>
class GRADUS_API MaxPoolBase : public Layer<Derived> {
 public:
  MaxPoolBase(ExpandingArray<D> kernel_size);  // NOLINT(google-explicit-constructor)
  explicit MaxPoolBase(const MaxPoolOptions<D>& chosen);
  Tensor compute(Operand x);
  std::tuple<Tensor, Tensor> forward_with_indices(Operand x);
  void reset() override {}

  MaxPoolOptions<D> options;
};
/// Over [C, L] and [N, C, L].
class GRADUS_API MaxPool1dImpl : public MaxPoolBase<1, MaxPool1dImpl> {
 public:
  using MaxPoolBase::MaxPoolBase;
  ~MaxPool1dImpl() override;
};
GRADUS_MODULE(MaxPool1d);
/// Over [C, H, W] and [N, C, H, W].
class GRADUS_API MaxPool2dImpl : public MaxPoolBase<2, MaxPool2dImpl> {
 public:
  using MaxPoolBase::MaxPoolBase;
  ~MaxPool2dImpl() override;
};
GRADUS_MODULE(MaxPool2d);
/// Over [C, D, H, W] and [N, C, D, H, W].
class GRADUS_API MaxPool3dImpl : public MaxPoolBase<3, MaxPool3dImpl> {
 public:
  using MaxPoolBase::MaxPoolBase;
  ~MaxPool3dImpl() override;
};
GRADUS_MODULE(MaxPool3d);

extern template class MaxPoolBase<1, MaxPool1dImpl>;
extern template class MaxPoolBase<2, MaxPool2dImpl>;
extern template class MaxPoolBase<3, MaxPool3dImpl>;

}  // namespace gradus::nn

namespace gradus {
// An empty stride is the kernel's.
GRADUS_API Tensor max_pool1d(Operand x, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
                             IntArrayRef dilation = 1, bool ceil_mode = false);
GRADUS_API Tensor max_pool2d(Operand x, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
                             IntArrayRef dilation = 1, bool ceil_mode = false);
GRADUS_API Tensor max_pool3d(Operand x, IntArrayRef kernel_size, IntArrayRef stride = {}, IntArrayRef padding = 0,
                             IntArrayRef dilation = 1, bool ceil_mode = false);
}  // namespace gradus
