#include "group_norm.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/layer_norm.h"
#include "layer_norm.h"
#include "normalization.h"

namespace gradus {
namespace nn {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

// [C] against [N, C, ..]: [C, 1, ..].
Tensor by_channel(const Tensor& a, std::int64_t dims) {
  Shape shape = Shape::filled(static_cast<int>(dims) - 1, 1);
  shape[0] = a.numel();
  return a.reshape(shape);
}

}  // namespace

// y = gamma x_hat + beta, x_hat as (x - mean) inv_std of a group:  dx = inv_std (g - mean(g) - x_hat mean(g x_hat)),
// g = dy gamma,  dgamma = sum dy x_hat,  dbeta = sum dy over samples and positions
Tensor GroupNormRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::int64_t rows = x.size(0) * attrs.num_groups;
  if (x.numel() == 0) return x.clone();
  const Tensor flat = x.reshape({rows, x.numel() / rows});
  Tensor y = LayerNormRule::reference({{flat.size(1)}, attrs.eps}, flat, {}, {}).reshape(x.sizes());
  if (weight.defined()) y = y * by_channel(weight, x.dim());
  return bias.defined() ? y + by_channel(bias, x.dim()) : y;
}

std::tuple<Array, Array, Array> GroupNormRule::forward(const Attrs& attrs, const Array& x, const Array& weight,
                                                       const Array& bias) {
  constexpr const char* op = "group_norm";
  core::expect_dims(op, "input", x, 2, core::kMaxDims, "[N, C, ..]");
  core::expect_floating(op, "input", x);
  if (attrs.num_groups < 1 || x.size(1) % attrs.num_groups != 0) {
    core::fail<ShapeError>("{}: num_groups must divide the channels: {} for {}", op, attrs.num_groups, x.shape());
  }
  const Array* all[] = {&weight, &bias};
  constexpr const char* names[] = {"weight", "bias"};
  for (int i = 0; i < 2; ++i) {
    if (!all[i]->defined()) continue;
    core::expect_shape(op, names[i], all[i]->shape(), "[C]", x.size(1));
    core::expect_dtype(op, names[i], all[i]->dtype(), "input", x.dtype());  // whoever calls the rule itself
  }
  return core::group_norm_forward(x, attrs.num_groups, attrs.eps, weight, bias);
}

std::array<Array, 3> GroupNormRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, InArray<0> x,
                                             InArray<1> weight, OutArray<1> mean, OutArray<2> inv_std) {
  return core::group_norm_backward(dy, x, attrs.num_groups, weight, mean, inv_std, {needs[0], needs[1], needs[2]});
}

// Examples are samples like any others; weights of each example come behind what is normalised.
std::tuple<Tensor, Tensor, Tensor> GroupNormRule::batch(const Attrs& attrs, const Examples& x) {
  if (x.dim(0) < 2) return {};
  const bool alike = x.shared(1) && x.shared(2);
  const Tensor one =
      std::get<0>(apply<GroupNormRule>(attrs, x.merged(0), alike ? x[1] : Tensor(), alike ? x[2] : Tensor()));
  Tensor y = x.split(one, x.shape(0)[0]);
  const auto own = [&](int i) {  // [C] beside [N, C, ..]
    Tensor each = x[i];
    for (std::int64_t d = 2; d < x.dim(0); ++d) each = each.unsqueeze(-1);
    return x.shared(i) ? each : each.unsqueeze(1);
  };
  if (!alike && x[1].defined()) y = y * own(1);
  if (!alike && x[2].defined()) y = y + own(2);
  return {y, Tensor(), Tensor()};
}

Tensor functional::group_norm(Operand x, const GroupNormFuncOptions& options) {
  return gradus::group_norm(x, options.num_groups(), options.weight(), options.bias(), options.eps());
}

GroupNormImpl::GroupNormImpl(std::int64_t num_groups, std::int64_t num_channels)
    : GroupNormImpl(GroupNormOptions(num_groups, num_channels)) {}
GroupNormImpl::GroupNormImpl(const GroupNormOptions& chosen) : options(chosen) { reset(); }
GroupNormImpl::~GroupNormImpl() = default;

void GroupNormImpl::reset() {
  const std::int64_t groups = options.num_groups(), channels = options.num_channels();
  if (channels < 0 || groups < 1 || channels % groups != 0) {
    core::fail<ValueError>("GroupNorm: num_groups must divide num_channels: {} for {}", groups, channels);
  }
  register_parameter("weight", weight, options.affine() ? ones({channels}) : Tensor());
  register_parameter("bias", bias, options.affine() ? zeros({channels}) : Tensor());
}

void GroupNormImpl::reset_parameters() {
  const NoGradGuard no_grad;
  if (weight.defined()) weight.fill_(1);
  if (bias.defined()) bias.zero_();
}

Tensor GroupNormImpl::compute(Operand x) {
  return gradus::group_norm(x, options.num_groups(), weight, bias, options.eps());
}

}  // namespace nn

Tensor group_norm(Operand x, std::int64_t num_groups, const Tensor& weight, const Tensor& bias, double eps, bool) {
  core::expect_floating("group_norm", "input", x.tensor());
  const DType dtype = x.tensor().dtype();
  if (weight.defined()) core::expect_dtype("group_norm", "weight", weight.dtype(), "input", dtype);
  if (bias.defined()) core::expect_dtype("group_norm", "bias", bias.dtype(), "input", dtype);
  return std::get<0>(
      autograd::apply<nn::GroupNormRule>({num_groups, eps}, x, Operand(weight, x.at()), Operand(bias, x.at())));
}

}  // namespace gradus
