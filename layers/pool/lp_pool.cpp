#include "lp_pool.h"

#include <cmath>
#include <string>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "avg_pool.h"
#include "max_pool.h"

namespace gradus::nn {

namespace {

template <std::size_t D, class Average, class Largest>
Tensor lp_pool(Operand x, const LPPoolOptions<D>& o, Average average, Largest largest) {
  if (o.norm_type() == 0 || std::isnan(o.norm_type()))
    core::fail<ValueError>("lp_pool{}d: norm_type must be a number other than 0: {}", D, o.norm_type());
  const std::string op = "lp_pool" + std::to_string(D) + "d";
  core::expect_defined(op, "input", x.tensor());
  return core::in_name_of(op, [&] {
    const autograd::Scope scope(x.at());
    if (std::isinf(o.norm_type())) {  // the limits: the largest and the smallest of |x|
      const auto windows = MaxPoolOptions<D>(o.kernel_size()).stride(o.stride()).ceil_mode(o.ceil_mode());
      return o.norm_type() > 0 ? largest(abs(x), windows) : -largest(-abs(x), windows);
    }
    const Tensor mean =
        average(pow(x, o.norm_type()), AvgPoolOptions<D>(o.kernel_size()).stride(o.stride()).ceil_mode(o.ceil_mode()));
    double window = 1;
    for (std::size_t d = 0; d < D; ++d) window *= static_cast<double>(o.kernel_size()[d]);
    return pow(sign(mean) * relu(abs(mean)) * window, 1 / o.norm_type());
  });
}

}  // namespace

Tensor functional::lp_pool1d(Operand x, const LPPool1dFuncOptions& o) { return lp_pool(x, o, avg_pool1d, max_pool1d); }
Tensor functional::lp_pool2d(Operand x, const LPPool2dFuncOptions& o) { return lp_pool(x, o, avg_pool2d, max_pool2d); }
Tensor functional::lp_pool3d(Operand x, const LPPool3dFuncOptions& o) { return lp_pool(x, o, avg_pool3d, max_pool3d); }

LPPool1dImpl::LPPool1dImpl(double norm_type, ExpandingArray<1> kernel_size)
    : FunctionLayer(LPPool1dOptions(norm_type, kernel_size)) {}
LPPool2dImpl::LPPool2dImpl(double norm_type, ExpandingArray<2> kernel_size)
    : FunctionLayer(LPPool2dOptions(norm_type, kernel_size)) {}
LPPool3dImpl::LPPool3dImpl(double norm_type, ExpandingArray<3> kernel_size)
    : FunctionLayer(LPPool3dOptions(norm_type, kernel_size)) {}

}  // namespace gradus::nn
