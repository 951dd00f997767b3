#include "activation_smooth.h"

#include "../../autograd/ops/functions.h"
#include "../../autograd/ops/rewrite.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../core/base/expect.h"

namespace gradus::nn {

using namespace autograd;

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
Tensor functional::celu(Operand x, const CELUFuncOptions& options) {
  return options.inplace() ? celu_(x, options.alpha()) : gradus::celu(x, options.alpha());
}
Tensor functional::selu(Operand x, const SELUFuncOptions& options) {
  return options.inplace() ? selu_(x) : gradus::selu(x);
}
Tensor functional::mish(Operand x) { return gradus::mish(x); }
Tensor functional::logsigmoid(Operand x) { return log_sigmoid(x); }
Tensor functional::softsign(Operand x) {
  if (stored(x)) return rounded_once(softsign, x);
  core::expect_floating("softsign", "input", x.tensor());
  const Scope scope(x.at());
  return x.tensor() / (abs(x.tensor()) + 1);
}
Tensor functional::tanhshrink(Operand x) {
  if (stored(x)) return rounded_once(tanhshrink, x);
  core::expect_floating("tanhshrink", "input", x.tensor());
  const Scope scope(x.at());
  return x.tensor() - gradus::tanh(x.tensor());
}
Tensor functional::glu(Operand x, const GLUFuncOptions& options) { return gradus::glu(x, options.dim()); }

}  // namespace gradus::nn
