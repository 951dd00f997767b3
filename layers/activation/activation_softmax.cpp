#include "activation_softmax.h"

#include <fmt/format.h>

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

Tensor SoftmaxImpl::forward(Operand x) {
  const Scope scope(x.at(), path());
  return gradus::softmax(x, options.dim());
}
std::string SoftmaxImpl::extra_repr() const { return fmt::format("dim={}", options.dim()); }

Tensor LogSoftmaxImpl::forward(Operand x) {
  const Scope scope(x.at(), path());
  return gradus::log_softmax(x, options.dim());
}
std::string LogSoftmaxImpl::extra_repr() const { return fmt::format("dim={}", options.dim()); }

}  // namespace gradus::nn
