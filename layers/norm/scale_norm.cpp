#include "scale_norm.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../pool/avg_pool.h"
#include "normalization.h"

namespace gradus::nn {

using autograd::Scope;

Tensor functional::rms_norm(Operand x, const RMSNormFuncOptions& o) {
  return gradus::rms_norm(x, o.normalized_shape(), o.weight(), o.eps());
}

Tensor functional::local_response_norm(Operand input, const LocalResponseNormFuncOptions& o) {
  constexpr const char* op = "local_response_norm";
  const Tensor& x = input.tensor();
  const std::int64_t size = o.size();
  core::expect_floating(op, "input", x);
  core::expect_dims(op, "input", x, 3, core::kMaxDims, "[N, C, L] or with more positions");
  if (size < 1) core::fail<ValueError>("{}: size must be at least 1: {}", op, size);
  return core::in_name_of(op, [&] {
    const Scope scope(input.at());
    if (x.numel() == 0) return x.clone();
    // Channels above positions, so that a window of one column is `size` channels of one position.
    const std::int64_t N = x.size(0), C = x.size(1);
    const Tensor squares = square(x).reshape({N, 1, C, x.numel() / (N * C)});
    const Tensor around = constant_pad_nd(squares, {0, 0, size / 2, (size - 1) / 2});
    const Tensor mean = gradus::avg_pool2d(around, {size, 1}, 1).reshape(x.sizes());
    return x / pow(mean * o.alpha() + o.k(), o.beta());
  });
}

RMSNormImpl::RMSNormImpl(std::vector<std::int64_t> normalized_shape)
    : RMSNormImpl(RMSNormOptions(std::move(normalized_shape))) {}
RMSNormImpl::RMSNormImpl(const RMSNormOptions& chosen) : options(chosen) { reset(); }
RMSNormImpl::~RMSNormImpl() = default;

void RMSNormImpl::reset() {
  const std::vector<std::int64_t>& shape = options.normalized_shape();
  bool sound = !shape.empty();
  for (std::int64_t size : shape) sound = sound && size >= 0;
  if (!sound) {
    core::fail<ShapeError>("RMSNorm: normalized_shape must have sizes, none negative: {}", IntArrayRef(shape));
  }
  register_parameter("weight", weight, options.elementwise_affine() ? ones(shape) : Tensor());
}
void RMSNormImpl::reset_parameters() {
  const NoGradGuard no_grad;
  if (weight.defined()) weight.fill_(1);
}
Tensor RMSNormImpl::compute(Operand x) {
  return gradus::rms_norm(x, options.normalized_shape(), weight, options.eps());
}

}  // namespace gradus::nn
