#include "normalization.h"

#include <limits>

#include "../../autograd/func/checkpoint.h"
#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "batch_norm.h"
#include "layer_norm.h"
#include "../../autograd/ops/rounded_once.h"

namespace gradus {

using autograd::Scope;
using core::Shape;

namespace {

// [C] against [N, C, ..].
Tensor by_channel(const char* op, const char* what, const Tensor& a, const Tensor& x) {
  core::expect_shape(op, what, a.sizes(), "[C]", x.size(1));
  core::expect_dtype(op, what, a.dtype(), "input", x.dtype());
  Shape shape = Shape::filled(static_cast<int>(x.dim()) - 1, 1);
  shape[0] = x.size(1);
  return a.reshape(shape);
}
Tensor repeated(const Tensor& a, std::int64_t times) { return a.defined() ? a.repeat({times}) : a; }

}  // namespace

Tensor batch_norm(Operand input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, bool training, double momentum, double eps, bool) {
  const auto how =
      nn::functional::BatchNormFuncOptions().weight(weight).bias(bias).training(training).momentum(momentum).eps(eps);
  return nn::functional::batch_norm(input, running_mean, running_var, how);
}

Tensor instance_norm(Operand input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                     const Tensor& running_var, bool use_input_stats, double momentum, double eps, bool) {
  const Tensor& x = input.tensor();
  core::expect_form(x.dim() >= 3, "instance_norm", "input", "[N, C, ..]", x.sizes());
  return core::in_name_of("instance_norm", [&] {
    const Scope scope(input.at());
    const std::int64_t N = x.size(0), C = x.size(1);
    if (N == 0) return x.clone();
    Shape one_sample = x.body().array.shape();
    one_sample[0] = 1;
    one_sample[1] = N * C;
    const Tensor mean = repeated(running_mean, N), var = repeated(running_var, N);
    const auto how = nn::functional::BatchNormFuncOptions()
                         .weight(repeated(weight, N))
                         .bias(repeated(bias, N))
                         .training(use_input_stats)
                         .momentum(momentum)
                         .eps(eps);
    const Tensor y = nn::detail::batch_norm_of_any(x.reshape(one_sample), mean, var, how);
    if (use_input_stats && mean.defined() && !func::recomputing()) {
      const NoGradGuard no_grad;
      running_mean.copy_(mean.view({N, C}).mean(0));
      running_var.copy_(var.view({N, C}).mean(0));
    }
    return y.reshape(x.sizes());
  });
}

Tensor group_norm(Operand input, std::int64_t num_groups, const Tensor& weight, const Tensor& bias, double eps, bool) {
  constexpr const char* op = "group_norm";
  const Tensor& x = input.tensor();
  core::expect_floating(op, "input", x.dtype());
  if (weight.defined()) core::expect_dtype(op, "weight", weight.dtype(), "input", x.dtype());
  if (bias.defined()) core::expect_dtype(op, "bias", bias.dtype(), "input", x.dtype());
  if (autograd::stored(input, weight, bias)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand s) { return group_norm(u, num_groups, v.tensor(), s.tensor(), eps, true); },
        input, weight, bias);
  }
  core::expect_form(x.dim() >= 2, op, "input", "[N, C, ..]", x.sizes());
  const std::int64_t N = x.size(0), C = x.size(1);
  if (num_groups < 1 || C % num_groups != 0) {
    core::fail<ShapeError>("{}: num_groups must divide the channels: {} for {}", op, num_groups, x.sizes());
  }
  return core::in_name_of(op, [&] {
    const Scope scope(input.at());
    std::int64_t row = C / num_groups;
    for (std::int64_t d = 2; d < x.dim(); ++d) row *= x.size(d);
    Tensor y = layer_norm(x.reshape({N, num_groups, row}), row, {}, {}, eps).reshape(x.sizes());
    if (weight.defined()) y = y * by_channel(op, "weight", weight, x);
    return bias.defined() ? y + by_channel(op, "bias", bias, x) : y;
  });
}

Tensor rms_norm(Operand input, IntArrayRef normalized_shape, const Tensor& weight, std::optional<double> eps) {
  if (autograd::stored(input, weight)) {
    return autograd::rounded_once([&](Operand u, Operand v) { return rms_norm(u, normalized_shape, v.tensor(), eps); },
                                  input, weight);
  }
  constexpr const char* op = "rms_norm";
  const Tensor& x = input.tensor();
  core::expect_floating(op, "input", x.dtype());
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

}  // namespace gradus
