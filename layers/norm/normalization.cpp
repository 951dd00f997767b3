#include "normalization.h"

#include <limits>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../module/module.h"
#include "batch_norm.h"

namespace gradus {

using autograd::Scope;

Tensor batch_norm(Operand input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, bool training, double momentum, double eps, bool) {
  const auto how =
      nn::functional::BatchNormFuncOptions().weight(weight).bias(bias).training(training).momentum(momentum).eps(eps);
  return nn::functional::batch_norm(input, running_mean, running_var, how);
}

Tensor rms_norm(Operand input, IntArrayRef normalized_shape, const Tensor& weight, std::optional<double> eps) {
  if (autograd::stored(input, weight)) {
    return autograd::rounded_once([&](Operand u, Operand v) { return rms_norm(u, normalized_shape, v.tensor(), eps); },
                                  input, weight);
  }
  constexpr const char* op = "rms_norm";
  const Tensor& x = input.tensor();
  core::expect_floating(op, "input", x);
  const auto n = static_cast<std::int64_t>(normalized_shape.size());
  bool fits = n > 0 && x.dim() >= n;
  core::Dims row;
  for (std::int64_t i = n; i > 0; --i) {
    row.push_back(-i);
    fits = fits && x.size(-i) == normalized_shape[static_cast<std::size_t>(n - i)];
  }
  if (!fits) {
    core::fail<ShapeError>("{}: input must end in normalized_shape, not empty: {} for {}", op, x.sizes(),
                           normalized_shape);
  }
  if (weight.defined()) core::expect_shape(op, "weight", weight.sizes(), "normalized_shape", normalized_shape);
  return core::in_name_of(op, [&] {
    const Scope scope(input.at());
    const double smallest = x.dtype() == kFloat64 ? std::numeric_limits<double>::epsilon()
                                                  : static_cast<double>(std::numeric_limits<float>::epsilon());
    const double added = eps.value_or(smallest);
    if (x.numel() == 0) return x.clone();
    // Rows of large numbers by way of smaller ones, whose squares do not overflow; 1 changes no bit.
    const Tensor largest = amax(abs(x.detach()), row, true), unit = where(largest > 1e6, largest, ones_like(largest));
    const Tensor scaled = x / unit;
    const Tensor y = scaled * rsqrt(square(scaled).mean(row, true) + added / square(unit));
    return weight.defined() ? y * weight : y;
  });
}

void nn::ChannelNormState::register_in(Module& module, const char* op, std::int64_t C, bool affine, bool tracked) {
  if (C < 0) core::fail<ValueError>("{}: num_features must not be negative: {}", op, C);
  module.register_parameter("weight", weight, affine ? ones({C}) : Tensor());
  module.register_parameter("bias", bias, affine ? zeros({C}) : Tensor());
  running_mean = module.register_buffer("running_mean", tracked ? zeros({C}) : Tensor());
  running_var = module.register_buffer("running_var", tracked ? ones({C}) : Tensor());
  num_batches_tracked = module.register_buffer("num_batches_tracked", tracked ? zeros({}, kInt64) : Tensor());
}
void nn::ChannelNormState::reset_running_stats() {
  if (!running_mean.defined()) return;
  running_mean.zero_();
  running_var.fill_(1);
  num_batches_tracked.zero_();
}
void nn::ChannelNormState::reset_parameters() {
  const NoGradGuard no_grad;
  reset_running_stats();
  if (weight.defined()) weight.fill_(1);
  if (bias.defined()) bias.zero_();
}

}  // namespace gradus
