#include "activation_softmax.h"

#include "../../autograd/ops/functions.h"
#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/tensor.h"

namespace gradus::nn {

using namespace autograd;

Tensor functional::softmax(Operand x, const SoftmaxFuncOptions& options) {
  return gradus::softmax(x, options.dim(), options.dtype());
}
Tensor functional::log_softmax(Operand x, const LogSoftmaxFuncOptions& options) {
  return gradus::log_softmax(x, options.dim(), options.dtype());
}

}  // namespace gradus::nn
