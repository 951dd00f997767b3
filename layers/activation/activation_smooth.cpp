#include "activation_smooth.h"

#include "../../autograd/ops/functions.h"
#include "../../autograd/ops/rewrite.h"

namespace gradus::nn {

using namespace autograd;

namespace {

/// f(x), or x with that written over it.
template <class F>
Tensor placed(const char* op, const Operand& x, bool inplace, F f) {
  return inplace ? rewrite(op, x, f) : f(x);
}

}  // namespace

Tensor functional::gelu(Operand x, const GELUFuncOptions& options) { return gradus::gelu(x, options.approximate()); }
Tensor functional::silu(Operand x) { return gradus::silu(x); }
Tensor functional::softplus(Operand x, const SoftplusFuncOptions& options) {
  return gradus::softplus(x, options.beta(), options.threshold());
}
Tensor functional::leaky_relu(Operand x, const LeakyReLUFuncOptions& options) {
  return placed("leaky_relu_", x, options.inplace(),
                [&](Operand in) { return gradus::leaky_relu(in, options.negative_slope()); });
}
Tensor functional::elu(Operand x, const ELUFuncOptions& options) {
  return placed("elu_", x, options.inplace(), [&](Operand in) { return gradus::elu(in, options.alpha()); });
}

}  // namespace gradus::nn
