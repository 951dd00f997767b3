#include "activation.h"

#include "../../autograd/graph/grad_mode.h"

namespace gradus::nn {

using namespace autograd;

Tensor functional::relu(Operand x, const ReLUFuncOptions& options) {
  return options.inplace() ? gradus::relu_(x) : gradus::relu(x);
}
Tensor functional::sigmoid(Operand x) { return gradus::sigmoid(x); }
Tensor functional::tanh(Operand x) { return gradus::tanh(x); }

}  // namespace gradus::nn
