#include "batch_norm.h"

#include "../../autograd/func/checkpoint.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/batch_norm.h"
#include "../../core/nn/channels.h"
#include "../../core/ops/pointwise.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

// A [C] tensor against x [N, C, ..]: [1, C, 1, ..].
Tensor by_channel(const Tensor& a, const Tensor& x) {
  Shape shape = Shape::filled(static_cast<int>(x.dim()), 1);
  shape[1] = x.size(1);
  return a.reshape(shape);
}

Tensor normalised(const Tensor& centred, const Tensor& var, double eps, const Tensor& weight, const Tensor& bias) {
  const Tensor inv_std = rsqrt(var + eps);
  const Tensor x_hat = centred * inv_std;
  const Tensor scaled = weight.defined() ? by_channel(weight, x_hat) * x_hat : x_hat;
  return bias.defined() ? scaled + by_channel(bias, x_hat) : scaled;
}

double count_by_channel(const Array& x) {
  return x.shape()[1] == 0 ? 0 : static_cast<double>(x.numel() / x.shape()[1]);
}

void check(const Array& x, const Array& weight, const Array& bias, const Array& running_mean,
           const Array& running_var) {
  core::expect_dims("batch_norm", "input", x, 2, core::kMaxDims, "[N, C, ..]");
  core::expect_floating("batch_norm", "input", x);
  const Array* all[] = {&weight, &bias, &running_mean, &running_var};
  constexpr const char* names[] = {"weight", "bias", "running_mean", "running_var"};
  for (int i = 0; i < 4; ++i) {
    const Array& a = *all[i];
    if (!a.defined()) continue;
    core::expect_shape("batch_norm", names[i], a.shape(), "[C]", x.shape()[1]);
    core::expect_dtype("batch_norm", names[i], a.dtype(), "input", x.dtype());
  }
  if (running_mean.defined() != running_var.defined()) {
    core::fail<ValueError>("batch_norm: running_mean and running_var come together: one of them is undefined");
  }
}

}  // namespace

// y = gamma x_hat + beta, x_hat as (x - mean) inv_std:  dx = gamma inv_std (dy - mean(dy) - x_hat mean(dy x_hat)),
// dgamma = sum dy x_hat,  dbeta = sum dy
Tensor BatchNormRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                const Tensor&, const Tensor&) {
  const core::Dims others = core::all_but_channels(x.dim());
  const Tensor mean = x.mean(others, true);
  const Tensor centred = x - mean;
  const Tensor var = square(centred).mean(others, true);
  return normalised(centred, var, attrs.eps, weight, bias);
}

// y = gamma (x - M) / sqrt(V + eps) + beta, M and V the running statistics:  dx = gamma dy / sqrt(V + eps)
Tensor BatchNormEvalRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                    const Tensor& running_mean, const Tensor& running_var) {
  const Tensor mean = by_channel(running_mean.detach().to(x.dtype()), x);
  const Tensor var = by_channel(running_var.detach().to(x.dtype()), x);
  return normalised(x - mean, var, attrs.eps, weight, bias);
}

std::tuple<Array, Array, Array, Array, Array> BatchNormRule::forward(const Attrs& attrs, const Array& x,
                                                                     const Array& weight, const Array& bias,
                                                                     const Array& running_mean,
                                                                     const Array& running_var) {
  check(x, weight, bias, running_mean, running_var);
  const double m = count_by_channel(x);
  if (m == 1) {
    core::fail<ValueError>("batch_norm: training needs at least two values in each channel: {} has one; or use eval()",
                           x.shape());
  }
  if (m == 0) {  // nothing is normalised, and no statistic moves
    const Array none = core::zeros({x.shape()[1]}, kFloat64);
    const auto kept = [](const Array& running) { return running.defined() ? running.clone() : Array(); };
    return {core::batch_norm_forward(x, none, none, weight, bias), kept(running_mean), kept(running_var), none,
            none.clone()};
  }
  const auto [mean, var] = core::channel_stats(x);
  const Array inv_std = core::rsqrt(var + attrs.eps);
  Array y = core::batch_norm_forward(x, mean, inv_std, weight, bias);
  if (!running_mean.defined()) return {y, Array(), Array(), mean, inv_std};
  const auto moved = [&](const Array& running, const Array& value) {
    return (running.to(kFloat64) * (1 - attrs.momentum) + value * attrs.momentum).to(running.dtype());
  };
  return {y, moved(running_mean, mean), moved(running_var, var * (m / (m - 1))), mean, inv_std};
}

std::array<Array, 5> BatchNormRule::backward(Needs needs, DyArray<> dy, InArray<0> x, InArray<1> weight,
                                             OutArray<3> mean, OutArray<4> inv_std) {
  const auto [sum_dy, sum_dy_x_hat] = core::batch_norm_backward_sums(dy, x, mean, inv_std);
  const double m = count_by_channel(x);
  Array dx;
  if (needs[0]) dx = core::batch_norm_backward_input(dy, x, mean, inv_std, weight, sum_dy / m, sum_dy_x_hat / m);
  return {dx, sum_dy_x_hat.to(x.dtype()), sum_dy.to(x.dtype())};
}

std::tuple<Array, Array, Array> BatchNormEvalRule::forward(const Attrs& attrs, const Array& x, const Array& weight,
                                                           const Array& bias, const Array& running_mean,
                                                           const Array& running_var) {
  check(x, weight, bias, running_mean, running_var);
  if (!running_mean.defined()) core::fail<ValueError>("batch_norm: evaluation needs running statistics, and has none");
  // A copy: a training step may move the running statistics before the gradient is asked for.
  const Array mean = running_mean.clone().to(kFloat64);
  const Array inv_std = core::rsqrt(running_var.to(kFloat64) + attrs.eps);
  return {core::batch_norm_forward(x, mean, inv_std, weight, bias), mean, inv_std};
}

std::array<Array, 5> BatchNormEvalRule::backward(Needs needs, DyArray<> dy, InArray<0> x, InArray<1> weight,
                                                 OutArray<1> mean, OutArray<2> inv_std) {
  Array dx;  // gamma inv_std dy: the forward's own loop, about 0 and without beta
  if (needs[0]) dx = core::batch_norm_forward(dy, core::zeros_like(mean), inv_std, weight, Array());
  if (!needs[1] && !needs[2]) return {dx};
  const auto [sum_dy, sum_dy_x_hat] = core::batch_norm_backward_sums(dy, x, mean, inv_std);
  return {dx, sum_dy_x_hat.to(x.dtype()), sum_dy.to(x.dtype())};
}

Tensor detail::batch_norm_of_any(Operand x, const Tensor& running_mean, const Tensor& running_var,
                                 const functional::BatchNormFuncOptions& options) {
  const Scope scope(x.at());
  const Operand w(options.weight()), b(options.bias()), M(running_mean), V(running_var);
  if (options.eps() < 0) core::fail<ValueError>("batch_norm: eps must not be negative: {}", options.eps());
  if (!options.training()) return std::get<0>(apply<BatchNormEvalRule>({options.eps()}, x, w, b, M, V));
  for (const Tensor& running : {running_mean, running_var}) {  // before either is written
    if (running.defined()) core::expect_own_memory("batch_norm: running statistics", running.array());
  }
  const auto [y, new_mean, new_var, mean, inv_std] =
      apply<BatchNormRule>({options.momentum(), options.eps()}, x, w, b, M, V);
  if (running_mean.defined() && !func::recomputing()) {
    const NoGradGuard no_grad;
    running_mean.copy_(new_mean);
    running_var.copy_(new_var);
  }
  return y;
}

template <int D, class Derived>
BatchNormBase<D, Derived>::BatchNormBase(const BatchNormOptions& chosen) : options(chosen) {
  reset();
}
template <int D, class Derived>
void BatchNormBase<D, Derived>::reset() {
  constexpr const char* ops[] = {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d"};
  register_in(*this, ops[D - 1], options.num_features(), options.affine(), options.track_running_stats());
}

template <int D, class Derived>
Tensor BatchNormBase<D, Derived>::compute(Operand x) {
  constexpr const char* names[] = {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d"};
  core::expect_defined(names[D - 1], "input", x.tensor());
  const std::int64_t dims = x.tensor().dim();
  if ((dims != D + 2 && (D != 1 || dims != 2)) || x.tensor().size(1) != options.num_features()) {
    constexpr const char* wanted[] = {"[N, C] or [N, C, L]", "[N, C, H, W]", "[N, C, D, H, W]"};
    core::fail<ShapeError>("BatchNorm{}d: input must be {} with C = {}: {}", D, wanted[D - 1], options.num_features(),
                           x.tensor().sizes());
  }
  auto how = functional::BatchNormFuncOptions().weight(weight).bias(bias).eps(options.eps());
  if (!running_mean.defined()) return functional::batch_norm(x, {}, {}, how.training(true));
  if (!this->is_training()) return functional::batch_norm(x, running_mean, running_var, how);
  const double seen = num_batches_tracked.item<double>() + 1;
  how.training(true).momentum(options.momentum().value_or(1 / seen));
  Tensor y = functional::batch_norm(x, running_mean, running_var, how);
  if (!func::recomputing()) num_batches_tracked.add_(1);
  return y;
}

BatchNorm1dImpl::~BatchNorm1dImpl() = default;
BatchNorm2dImpl::~BatchNorm2dImpl() = default;
BatchNorm3dImpl::~BatchNorm3dImpl() = default;

template class BatchNormBase<1, BatchNorm1dImpl>;
template class BatchNormBase<2, BatchNorm2dImpl>;
template class BatchNormBase<3, BatchNorm3dImpl>;

}  // namespace gradus::nn
