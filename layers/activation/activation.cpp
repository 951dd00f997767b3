#include "activation.h"

#include "../../core/nn/fused.h"
#include "../../core/ops/pointwise.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;

Tensor ReluRule::reference(const Tensor& x) { return masked_fill(x, x <= 0, 0); }

Array ReluRule::forward(const Array& x) { return core::relu(x); }

std::array<Array, 1> ReluRule::backward(DyArray<> dy, InArray<0> x) { return {core::relu_backward(dy, x)}; }

Tensor functional::relu(Operand x, const ReLUFuncOptions& options) {
  return options.inplace() ? apply_inplace<ReluRule>({}, x) : apply<ReluRule>(x);
}
Tensor functional::sigmoid(Operand x) { return gradus::sigmoid(x); }
Tensor functional::tanh(Operand x) { return gradus::tanh(x); }

Tensor ReLUImpl::forward(Operand x) {
  const Scope scope(x.at(), path());
  return functional::relu(x, options);
}
std::string ReLUImpl::extra_repr() const { return options.inplace() ? "inplace=true" : ""; }

Tensor SigmoidImpl::forward(Operand x) {
  const Scope scope(x.at(), path());
  return gradus::sigmoid(x);
}

Tensor TanhImpl::forward(Operand x) {
  const Scope scope(x.at(), path());
  return gradus::tanh(x);
}

}  // namespace gradus::nn
