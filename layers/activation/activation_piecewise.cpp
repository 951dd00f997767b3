#include "activation_piecewise.h"

#include "../../autograd/ops/functions.h"
#include "../../autograd/ops/rewrite.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"

namespace gradus::nn {

using autograd::placed;

Tensor functional::hardtanh(Operand x, const HardtanhFuncOptions& options) {
  return placed("hardtanh_", x, options.inplace(),
                [&](Operand in) { return gradus::hardtanh(in, options.min_val(), options.max_val()); });
}
Tensor functional::relu6(Operand x, const ReLU6FuncOptions& options) {
  return placed("relu6_", x, options.inplace(), [](Operand in) { return gradus::relu6(in); });
}
Tensor functional::hardsigmoid(Operand x, const HardsigmoidFuncOptions& options) {
  return placed("hardsigmoid_", x, options.inplace(), [](Operand in) { return gradus::hardsigmoid(in); });
}
Tensor functional::hardswish(Operand x, const HardswishFuncOptions& options) {
  return placed("hardswish_", x, options.inplace(), [](Operand in) { return gradus::hardswish(in); });
}
Tensor functional::hardshrink(Operand x, const HardshrinkFuncOptions& options) {
  return gradus::hardshrink(x, options.lambda());
}
Tensor functional::softshrink(Operand x, const SoftshrinkFuncOptions& options) {
  return gradus::softshrink(x, options.lambda());
}
Tensor functional::threshold(Operand x, const ThresholdFuncOptions& options) {
  return options.inplace() ? threshold_(x, options.threshold(), options.value())
                           : gradus::threshold(x, options.threshold(), options.value());
}
Tensor functional::prelu(Operand x, const Tensor& weight) { return gradus::prelu(x, Operand(weight, x.at())); }
Tensor functional::rrelu(Operand x, const RReLUFuncOptions& options) {
  return placed("rrelu_", x, options.inplace(),
                [&](Operand in) { return gradus::rrelu(in, options.lower(), options.upper(), options.training()); });
}

ThresholdImpl::ThresholdImpl(double threshold, double value) : FunctionLayer(ThresholdOptions(threshold, value)) {}

PReLUImpl::PReLUImpl(const PReLUOptions& chosen) : options(chosen) { reset(); }
void PReLUImpl::reset() {
  if (options.num_parameters() < 1) {
    core::fail<ValueError>("PReLU: num_parameters must be above 0: {}", options.num_parameters());
  }
  register_parameter("weight", weight, full({options.num_parameters()}, options.init(), kFloat32));
}
Tensor PReLUImpl::compute(Operand x) { return functional::prelu(x, weight); }

RReLUImpl::RReLUImpl(const RReLUOptions& chosen) : options(chosen) {}
Tensor RReLUImpl::compute(Operand x) {
  return functional::rrelu(x, functional::RReLUFuncOptions()
                                  .lower(options.lower())
                                  .upper(options.upper())
                                  .training(is_training())
                                  .inplace(options.inplace()));
}

}  // namespace gradus::nn
