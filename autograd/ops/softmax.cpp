#include "softmax.h"

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/nn/softmax.h"
#include "../../core/ops/reduce.h"

namespace gradus {

namespace autograd {

using core::Array;

namespace {

// x_i - x_m, x_m the row's (first) largest number. At m itself it is 0 whatever x is: a constant.
struct BelowLargest {
  BelowLargest(const Tensor& x, std::int64_t dim) {
    const auto [largest, index] = max(x, dim, true);
    core::Shape along = core::Shape::filled(x.body().array.dim(), 1);
    if (x.dim() > 0) along[static_cast<int>(dim)] = x.size(dim);
    const Tensor places(core::arange(0, x.dim() > 0 ? x.size(dim) : 1, 1, kInt64).view(along));
    at_largest = places == index;
    // The last term is 0, or NaN where x_m is infinite.
    distance = masked_fill(x - largest, at_largest, 0) + (largest - largest).detach();
  }
  Tensor distance, at_largest;
};

}  // namespace

// With the largest number's term a constant 1, its probability's distance from 1 is in the graph as what the others sum up
// to: gradients of confident rows, of any order, keep their digits.
Tensor SoftmaxRule::reference(const SoftmaxAttrs& attrs, const Tensor& x) {
  if (x.numel() == 0) return exp(x);  // of the same, empty, shape
  const Tensor e = exp(BelowLargest(x, attrs.dim).distance);
  return e / e.sum(attrs.dim, true);
}
Array SoftmaxRule::forward(const SoftmaxAttrs& attrs, const Array& x) { return core::softmax(x, attrs.dim); }
std::array<Array, 1> SoftmaxRule::backward(const SoftmaxAttrs& attrs, DyArray<> dy, OutArray<> y) {
  return {core::softmax_backward(dy, y, attrs.dim)};
}

Tensor LogSoftmaxRule::reference(const SoftmaxAttrs& attrs, const Tensor& x) {
  if (x.numel() == 0) return exp(x);
  const BelowLargest below(x, attrs.dim);
  const Tensor others = masked_fill(exp(below.distance), below.at_largest, 0).sum(attrs.dim, true);
  return below.distance - log1p(others);
}
Array LogSoftmaxRule::forward(const SoftmaxAttrs& attrs, const Array& x) { return core::log_softmax(x, attrs.dim); }
std::array<Array, 1> LogSoftmaxRule::backward(const SoftmaxAttrs& attrs, DyArray<> dy, OutArray<> y) {
  return {core::log_softmax_backward(dy, y, attrs.dim)};
}

}  // namespace autograd

Tensor softmax(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  core::expect_defined("softmax", "the operand", x.tensor());
  const Tensor in = dtype ? x.tensor().to(*dtype, x.at()) : x.tensor();
  return autograd::apply<autograd::SoftmaxRule>({core::wrap_dim(dim, in.body().array.dim(), "softmax")},
                                                Operand(in, x.at()));
}
Tensor log_softmax(Operand x, std::int64_t dim, std::optional<DType> dtype) {
  core::expect_defined("log_softmax", "the operand", x.tensor());
  const Tensor in = dtype ? x.tensor().to(*dtype, x.at()) : x.tensor();
  return autograd::apply<autograd::LogSoftmaxRule>({core::wrap_dim(dim, in.body().array.dim(), "log_softmax")},
                                                   Operand(in, x.at()));
}

}  // namespace gradus
