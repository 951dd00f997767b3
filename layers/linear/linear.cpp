#include "linear.h"

#include <cmath>

#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/matmul.h"
#include "../../core/ops/reduce.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

// k, the number of samples: the product of the leading dimensions.
std::int64_t samples(const Array& x) {
  std::int64_t k = 1;
  for (int d = 0; d + 1 < x.dim(); ++d) k *= x.shape()[d];
  return k;
}
// x or dz with its leading dimensions as one: the k x m, or k x n, of the formulas.
Array as_matrix(Array a, std::int64_t rows, std::int64_t columns) {
  return a.dim() == 2 ? std::move(a) : a.reshape({rows, columns});
}

void check_sizes(const Array& x, const Array& weight, const Array& bias) {
  core::expect_defined("linear", "input", x);
  core::expect_dims("linear", "weight", weight, 2, 2, "[out_features, in_features]");
  const std::int64_t n = weight.shape()[0], m = weight.shape()[1];
  if (x.dim() == 0 || x.shape().back() != m) {
    core::fail<ShapeError>("linear: input's last size must be in_features: {} for in_features = {}", x.shape(), m);
  }
  if (bias.defined()) core::expect_shape("linear", "bias", bias.shape(), "[out_features]", n);
  if (!is_floating_point(x.dtype()) || x.dtype() != weight.dtype() ||
      (bias.defined() && bias.dtype() != weight.dtype())) {
    core::fail<DTypeError>("linear: input, weight and bias must have one floating dtype: {}, {} and {}; to() converts",
                           x.dtype(), weight.dtype(), bias.defined() ? to_string(bias.dtype()) : "none");
  }
}

}  // namespace

Tensor LinearRule::reference(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor W = weight.t();
  const Tensor z = matmul(x, W);
  return bias.defined() ? z + bias : z;
}

Array LinearRule::forward(const Array& x, const Array& weight, const Array& bias) {
  check_sizes(x, weight, bias);
  const std::int64_t n = weight.shape()[0], m = weight.shape()[1], k = samples(x);
  Shape shape = x.shape();
  shape[shape.size() - 1] = n;
  const Array z = core::empty(shape, x.dtype());
  core::gemm(as_matrix(z, k, n), as_matrix(x, k, m), weight.t(), 1, 0, bias);
  return z;
}

std::array<Array, 3> LinearRule::backward(Needs needs, DyArray<> dz, InArray<0> x, InArray<1> weight) {
  const std::int64_t n = weight.shape()[0], m = weight.shape()[1], k = samples(x);
  const Array rows = as_matrix(std::move(dz), k, n);
  std::array<Array, 3> gradients;
  if (needs[0]) {  // dz W^T
    gradients[0] = core::empty(x.shape(), x.dtype());
    core::gemm(as_matrix(gradients[0], k, m), rows, weight);
  }
  if (needs[1]) {  // dz^T x
    gradients[1] = core::empty({n, m}, x.dtype());
    core::gemm(gradients[1], rows.t(), as_matrix(std::move(x), k, m));
  }
  if (needs[2]) gradients[2] = core::sum(rows, 0);
  return gradients;
}

Tensor functional::linear(Operand x, const Tensor& weight, const Tensor& bias) {
  return apply<LinearRule>(x, Operand(weight, x.at()), Operand(bias, x.at()));
}

LinearImpl::LinearImpl(const LinearOptions& chosen) : options(chosen) { reset(); }

LinearImpl::~LinearImpl() = default;

void LinearImpl::reset() {
  const std::int64_t m = options.in_features(), n = options.out_features();
  if (m < 0 || n < 0)
    core::fail<ValueError>("Linear: sizes must not be negative: in_features {}, out_features {}", m, n);
  register_parameter("weight", weight, empty({n, m}));
  register_parameter("bias", bias, options.bias() ? empty({n}) : Tensor());
  reset_parameters();
}

void LinearImpl::reset_parameters() {
  const NoGradGuard no_grad;
  const std::int64_t m = options.in_features();
  const double bound = m > 0 ? 1 / std::sqrt(static_cast<double>(m)) : 0;
  weight.uniform_(-bound, bound);
  if (bias.defined()) bias.uniform_(-bound, bound);
}

Tensor LinearImpl::compute(Operand x) { return functional::linear(x, weight, bias); }

}  // namespace gradus::nn
