#include "instance_norm.h"

#include "../../autograd/func/checkpoint.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../module/one_sample.h"
#include "batch_norm.h"
#include "group_norm.h"

namespace gradus {

using autograd::Scope;
using core::Shape;

namespace {
Tensor repeated(const Tensor& a, std::int64_t times) { return a.defined() ? a.repeat({times}) : a; }
}  // namespace

Tensor instance_norm(Operand input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                     const Tensor& running_var, bool use_input_stats, double momentum, double eps, bool) {
  constexpr const char* op = "instance_norm";
  const Tensor& x = input.tensor();
  core::expect_dims(op, "input", x, 3, core::kMaxDims, "[N, C, ..]");
  return core::in_name_of(op, [&] {
    const std::int64_t N = x.size(0), C = x.size(1);
    if (use_input_stats && !running_mean.defined() && !running_var.defined() && C > 0) {
      if (N > 0 && x.numel() / (N * C) < 2) {
        core::fail<ValueError>("{}: there must be at least two positions to normalise over: {}", op, x.sizes());
      }
      return group_norm(input, C, weight, bias, eps);
    }
    const Scope scope(input.at());
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

namespace nn {

using namespace autograd;

Tensor functional::instance_norm(Operand x, const InstanceNormFuncOptions& o) {
  return gradus::instance_norm(x, o.weight(), o.bias(), o.running_mean(), o.running_var(), o.use_input_stats(),
                               o.momentum(), o.eps());
}

static constexpr const char* module_names[] = {"InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"};

template <int D, class Derived>
InstanceNormBase<D, Derived>::InstanceNormBase(const InstanceNormOptions& chosen) : options(chosen) {
  reset();
}
template <int D, class Derived>
void InstanceNormBase<D, Derived>::reset() {
  register_in(*this, module_names[D - 1], options.num_features(), options.affine(), options.track_running_stats());
}

template <int D, class Derived>
Tensor InstanceNormBase<D, Derived>::compute(Operand x) {
  constexpr const char* wanted[] = {"[N, C, L] or [C, L]", "[N, C, H, W] or [C, H, W]",
                                    "[N, C, D, H, W] or [C, D, H, W]"};
  core::expect_defined(module_names[D - 1], "input", x.tensor());
  const std::int64_t dims = x.tensor().dim(), C = options.num_features();
  const bool alone = dims == D + 1, channels_matter = weight.defined() || running_mean.defined();
  if ((!alone && dims != D + 2) || (channels_matter && x.tensor().size(dims - D - 1) != C)) {
    core::fail<ShapeError>("InstanceNorm{}d: input must be {} with C = {}: {}", D, wanted[D - 1], C,
                           x.tensor().sizes());
  }
  const bool own = this->is_training() || !running_mean.defined();
  return detail::of_batch(x, alone, [&](Operand all) {
    return gradus::instance_norm(all, weight, bias, running_mean, running_var, own, options.momentum(), options.eps());
  });
}

InstanceNorm1dImpl::~InstanceNorm1dImpl() = default;
InstanceNorm2dImpl::~InstanceNorm2dImpl() = default;
InstanceNorm3dImpl::~InstanceNorm3dImpl() = default;

template class InstanceNormBase<1, InstanceNorm1dImpl>;
template class InstanceNormBase<2, InstanceNorm2dImpl>;
template class InstanceNormBase<3, InstanceNorm3dImpl>;

}  // namespace nn
}  // namespace gradus
