#include "softmax.h"

#include "../core/reduce.h"
#include "../core/rows.h"

namespace gradus {

namespace autograd {

using core::Array;

Tensor SoftmaxRule::reference(const SoftmaxAttrs& attrs, const Tensor& x) {
  if (x.numel() == 0) return exp(x);                            // of the same, empty, shape
  const Tensor e = exp(x - amax(x.detach(), attrs.dim, true));  // the shift cancels: a constant to the gradient
  return e / e.sum(attrs.dim, true);
}
Array SoftmaxRule::forward(const SoftmaxAttrs& attrs, const Array& x) { return core::softmax(x, attrs.dim); }
std::array<Array, 1> SoftmaxRule::backward(const SoftmaxAttrs& attrs, DyArray<> dy, OutArray<> y) {
  return {core::softmax_backward(dy, y, attrs.dim)};
}

Tensor LogSoftmaxRule::reference(const SoftmaxAttrs& attrs, const Tensor& x) {
  return x - logsumexp(x, attrs.dim, true);
}
Array LogSoftmaxRule::forward(const SoftmaxAttrs& attrs, const Array& x) { return core::log_softmax(x, attrs.dim); }
std::array<Array, 1> LogSoftmaxRule::backward(const SoftmaxAttrs& attrs, DyArray<> dy, OutArray<> y) {
  return {core::log_softmax_backward(dy, y, attrs.dim)};
}

}  // namespace autograd

Tensor softmax(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  const Tensor in = dtype ? x.tensor().to(*dtype, x.at()) : x.tensor();
  return autograd::apply<autograd::SoftmaxRule>({core::wrap_dim(dim, in.array().dim(), "softmax")},
                                                Operand(in, x.at()));
}
Tensor log_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  const Tensor in = dtype ? x.tensor().to(*dtype, x.at()) : x.tensor();
  return autograd::apply<autograd::LogSoftmaxRule>({core::wrap_dim(dim, in.array().dim(), "log_softmax")},
                                                   Operand(in, x.at()));
}

}  // namespace gradus
