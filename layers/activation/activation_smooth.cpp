#include "activation_smooth.h"

#include "../../autograd/ops/functions.h"
#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/tensor.h"

namespace gradus::nn {

using namespace autograd;

namespace {

// y, or x with y written over it.
Tensor placed(const Operand& x, const Tensor& y, bool inplace) { return inplace ? x.tensor().copy_(y, x.at()) : y; }

}  // namespace

Tensor functional::gelu(Operand x, const GELUFuncOptions& options) { return gradus::gelu(x, options.approximate()); }
Tensor functional::silu(Operand x) { return gradus::silu(x); }
Tensor functional::softplus(Operand x, const SoftplusFuncOptions& options) {
  return gradus::softplus(x, options.beta(), options.threshold());
}
Tensor functional::leaky_relu(Operand x, const LeakyReLUFuncOptions& options) {
  return placed(x, gradus::leaky_relu(x, options.negative_slope()), options.inplace());
}
Tensor functional::elu(Operand x, const ELUFuncOptions& options) {
  // What the graph saves must not be written over.
  const Tensor from = options.inplace() ? x.tensor().clone(x.at()) : x.tensor();
  return placed(x, gradus::elu({from, x.at()}, options.alpha()), options.inplace());
}

}  // namespace gradus::nn
