#include "bilinear.h"

#include <cmath>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"

namespace gradus {

Tensor bilinear(Operand input1, const Tensor& input2, const Tensor& weight, const Tensor& bias) {
  constexpr const char* op = "bilinear";
  const Tensor& x = input1.tensor();
  core::expect_defined(op, "input1", x, "input2", input2, "weight", weight);
  core::expect_floating(op, "input", x);
  core::expect_dtype(op, "input2", input2.dtype(), "input1", x.dtype());
  core::expect_dtype(op, "weight", weight.dtype(), "input1", x.dtype());
  if (autograd::stored(input1, input2, weight, bias)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand s, Operand t) { return bilinear(u, v.tensor(), s.tensor(), t.tensor()); },
        input1, input2, weight, bias);
  }
  core::expect_dims(op, "weight", weight, 3, 3, "[o, i, j]");
  const std::int64_t out = weight.size(0), i = weight.size(1), j = weight.size(2);
  core::Shape lead = x.body().array.shape(), other = input2.body().array.shape();
  const bool sized = x.dim() > 0 && input2.dim() > 0 && x.size(-1) == i && input2.size(-1) == j;
  if (sized) {
    lead.erase(lead.size() - 1);
    other.erase(other.size() - 1);
  }
  if (!sized || lead != other) {
    core::fail<ShapeError>("{}: inputs must be [.., i] and [.., j], alike but for these: {} and {} for weight {}", op,
                           x.sizes(), input2.sizes(), weight.sizes());
  }
  if (bias.defined()) core::expect_shape(op, "bias", bias.sizes(), "[o]", out);
  return core::in_name_of(op, [&] {
    const autograd::Scope scope(input1.at());
    const std::int64_t rows = core::numel_of(lead);
    const Tensor half = matmul(x.reshape({rows, i}), weight.permute({1, 0, 2}).reshape({i, out * j}));
    Tensor y = matmul(half.reshape({rows, out, j}), input2.reshape({rows, j, 1}));
    lead.push_back(out);
    y = y.reshape(lead);
    return bias.defined() ? y + bias : y;
  });
}

}  // namespace gradus

namespace gradus::nn {

BilinearImpl::BilinearImpl(const BilinearOptions& chosen) : options(chosen) { reset(); }
BilinearImpl::~BilinearImpl() = default;

void BilinearImpl::reset() {
  const std::int64_t i = options.in1_features(), j = options.in2_features(), out = options.out_features();
  if (i < 0 || j < 0 || out < 0) {
    core::fail<ValueError>("Bilinear: sizes must not be negative: in1_features {}, in2_features {}, out_features {}", i,
                           j, out);
  }
  register_parameter("weight", weight, empty({out, i, j}));
  register_parameter("bias", bias, options.bias() ? empty({out}) : Tensor());
  reset_parameters();
}

void BilinearImpl::reset_parameters() {
  const NoGradGuard no_grad;
  const std::int64_t i = options.in1_features();
  const double bound = i > 0 ? 1 / std::sqrt(static_cast<double>(i)) : 0;
  weight.uniform_(-bound, bound);
  if (bias.defined()) bias.uniform_(-bound, bound);
}

Tensor BilinearImpl::compute(Operand input1, const Tensor& input2) {
  return gradus::bilinear(input1, input2, weight, bias);
}

}  // namespace gradus::nn
