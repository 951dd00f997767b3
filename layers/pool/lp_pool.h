// Power-average pooling: the p-norm of each window, of as many dimensions as the name says.
//
//   Windows lie as in avg_pool.h, without padding. With q_o the mean of x^p over output o's window times the number of
//   elements of a full one, which is their sum but for a window that ceil_mode cuts:
//
//     y_o = q_o^(1 / p)          dL/dx_i = sum over all o whose window holds i of dL/dy_o (x_i / y_o)^(p - 1)
//
//   A negative q_o (p odd) has no real root but for p = 1: NaN. p = 1 is the sum, p to infinity the maximum. Where all of a
//   window is 0 the gradient is NaN, PyTorch's too. (Bruna, Szlam and LeCun, ICML 2014)
#pragma once

#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `LPPool2dOptions(2, 3).stride(2)`: the power, the window.
template <std::size_t D>
struct LPPoolOptions {
  LPPoolOptions(double norm_type, ExpandingArray<D> kernel_size)
      : norm_type_(norm_type), kernel_size_(kernel_size), stride_(kernel_size) {}
  GRADUS_ARG(double, norm_type);
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride);  ///< the kernel's size unless it is said
  GRADUS_ARG(bool, ceil_mode) = false;

 public:
  static constexpr auto fields =
      named("norm_type", &LPPoolOptions::norm_type_, "kernel_size", &LPPoolOptions::kernel_size_, "stride",
            &LPPoolOptions::stride_, "ceil_mode", &LPPoolOptions::ceil_mode_);
};
using LPPool1dOptions = LPPoolOptions<1>;
using LPPool2dOptions = LPPoolOptions<2>;
using LPPool3dOptions = LPPoolOptions<3>;

namespace functional {
using LPPool1dFuncOptions = LPPool1dOptions;
using LPPool2dFuncOptions = LPPool2dOptions;
using LPPool3dFuncOptions = LPPool3dOptions;

/// Errors are avg_pool's; ValueError for a norm_type of 0.
GRADUS_API Tensor lp_pool1d(Operand x, const LPPool1dFuncOptions& options);
GRADUS_API Tensor lp_pool2d(Operand x, const LPPool2dFuncOptions& options);
GRADUS_API Tensor lp_pool3d(Operand x, const LPPool3dFuncOptions& options);
}  // namespace functional

/// Over [C, L] and [N, C, L].
class GRADUS_API LPPool1dImpl : public FunctionLayer<LPPool1dImpl, functional::lp_pool1d, LPPool1dOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  LPPool1dImpl(double norm_type, ExpandingArray<1> kernel_size);
};
GRADUS_MODULE(LPPool1d);
/// Over [C, H, W] and [N, C, H, W].
class GRADUS_API LPPool2dImpl : public FunctionLayer<LPPool2dImpl, functional::lp_pool2d, LPPool2dOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  LPPool2dImpl(double norm_type, ExpandingArray<2> kernel_size);
};
GRADUS_MODULE(LPPool2d);
/// Over [C, D, H, W] and [N, C, D, H, W].
class GRADUS_API LPPool3dImpl : public FunctionLayer<LPPool3dImpl, functional::lp_pool3d, LPPool3dOptions> {
 public:
  using FunctionLayer::FunctionLayer;
  LPPool3dImpl(double norm_type, ExpandingArray<3> kernel_size);
};
GRADUS_MODULE(LPPool3d);

}  // namespace gradus::nn
