#include "lp_pool.h"

#include <string>

#include "../../core/base/fail.h"
#include "avg_pool.h"

namespace gradus::nn {

namespace {

template <std::size_t D, class Average>
Tensor lp_pool(Operand x, const LPPoolOptions<D>& o, Average average) {
  if (o.norm_type() == 0) core::fail<ValueError>("lp_pool{}d: norm_type must not be 0", D);
  const std::string op = "lp_pool" + std::to_string(D) + "d";
  return core::in_name_of(op, [&] {
    const autograd::Scope scope(x.at());
    const Tensor mean =
        average(pow(x, o.norm_type()), AvgPoolOptions<D>(o.kernel_size()).stride(o.stride()).ceil_mode(o.ceil_mode()));
    double window = 1;
    for (std::size_t d = 0; d < D; ++d) window *= static_cast<double>(o.kernel_size()[d]);
    return pow(sign(mean) * relu(abs(mean)) * window, 1 / o.norm_type());
  });
}

}  // namespace

Tensor functional::lp_pool1d(Operand x, const LPPool1dFuncOptions& o) { return lp_pool(x, o, avg_pool1d); }
Tensor functional::lp_pool2d(Operand x, const LPPool2dFuncOptions& o) { return lp_pool(x, o, avg_pool2d); }
Tensor functional::lp_pool3d(Operand x, const LPPool3dFuncOptions& o) { return lp_pool(x, o, avg_pool3d); }

LPPool1dImpl::LPPool1dImpl(double norm_type, ExpandingArray<1> kernel_size)
    : FunctionLayer(LPPool1dOptions(norm_type, kernel_size)) {}
LPPool2dImpl::LPPool2dImpl(double norm_type, ExpandingArray<2> kernel_size)
    : FunctionLayer(LPPool2dOptions(norm_type, kernel_size)) {}
LPPool3dImpl::LPPool3dImpl(double norm_type, ExpandingArray<3> kernel_size)
    : FunctionLayer(LPPool3dOptions(norm_type, kernel_size)) {}

}  // namespace gradus::nn
