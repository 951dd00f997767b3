#include "layer_norm.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/layer_norm.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;

namespace {

void check(const LayerNormRule::Attrs& attrs, const Array& x, const Array& weight, const Array& bias) {
  const core::Dims& shape = attrs.normalized_shape;
  core::expect_defined("layer_norm", "input", x);
  if (shape.empty()) core::fail<ShapeError>("layer_norm: normalized_shape must have at least one size: {}", shape);
  bool fits = x.dim() >= shape.size();
  for (int i = 1; fits && i <= shape.size(); ++i) fits = x.shape()[x.dim() - i] == shape[shape.size() - i];
  if (!fits) core::fail<ShapeError>("layer_norm: input must end in normalized_shape: {} for {}", x.shape(), shape);
  core::expect_floating("layer_norm", "input", x);
  const Array* all[] = {&weight, &bias};
  constexpr const char* names[] = {"weight", "bias"};
  for (int i = 0; i < 2; ++i) {
    const Array& a = *all[i];
    if (!a.defined()) continue;
    core::expect_shape("layer_norm", names[i], a.shape(), "normalized_shape", shape);
    core::expect_dtype("layer_norm", names[i], a.dtype(), "input", x.dtype());
  }
}

/// Of each row: the largest deviation where that is large, so that neither squares overflow nor what is divided by cubes
/// vanishes; else 1, which changes no bit.
Tensor unit_of(const Tensor& deviation, const core::Dims& row) {
  if (deviation.numel() == 0) return ones({}, deviation.dtype());
  const Tensor largest = amax(abs(deviation), row, true);
  return where(largest > 1e6, largest, ones_like(largest));
}

}  // namespace

// y = gamma x_hat + beta, x_hat as (x - mean) inv_std of a row:  dx = inv_std (g - mean(g) - x_hat mean(g x_hat)),
// g = dy gamma,  dgamma = sum dy x_hat,  dbeta = sum dy
Tensor LayerNormRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  core::Dims row;
  for (int i = attrs.normalized_shape.size(); i > 0; --i) row.push_back(-i);
  const Tensor deviation = x - x.mean(row, true), unit = unit_of(deviation.detach(), row);
  const Tensor centred = deviation / unit;
  const Tensor inv_std = rsqrt(square(centred).mean(row, true) + attrs.eps / square(unit));
  const Tensor x_hat = centred * inv_std;
  const Tensor scaled = weight.defined() ? weight * x_hat : x_hat;
  return bias.defined() ? scaled + bias : scaled;
}

std::tuple<Array, Array, Array> LayerNormRule::forward(const Attrs& attrs, const Array& x, const Array& weight,
                                                       const Array& bias) {
  check(attrs, x, weight, bias);
  return core::layer_norm_forward(x, attrs.normalized_shape.size(), attrs.eps, weight, bias);
}

// Weights of each example come behind what is normalised.
std::tuple<Tensor, Tensor, Tensor> LayerNormRule::batch(const Attrs& attrs, const Examples& x) {
  if (x.shared(1) && x.shared(2)) return apply<LayerNormRule>(attrs, x[0], x[1], x[2]);
  if (x.dim(0) < attrs.normalized_shape.size()) return {};
  auto y = apply<LayerNormRule>(attrs, x.stacked(0), Tensor(), Tensor());
  if (x[1].defined()) std::get<0>(y) = std::get<0>(y) * x.aligned(1, x.dim(0));
  if (x[2].defined()) std::get<0>(y) = std::get<0>(y) + x.aligned(2, x.dim(0));
  return y;
}

std::array<Array, 3> LayerNormRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, InArray<0> x,
                                             InArray<1> weight, OutArray<1> mean, OutArray<2> inv_std) {
  return core::layer_norm_backward(dy, x, attrs.normalized_shape.size(), weight, mean, inv_std,
                                   {needs[0], needs[1], needs[2]});
}

Tensor functional::layer_norm(Operand x, const LayerNormFuncOptions& options) {
  return std::get<0>(apply<LayerNormRule>({options.normalized_shape(), options.eps()}, x,
                                          Operand(options.weight(), x.at()), Operand(options.bias(), x.at())));
}

LayerNormImpl::LayerNormImpl(std::vector<std::int64_t> normalized_shape)
    : LayerNormImpl(LayerNormOptions(std::move(normalized_shape))) {}
LayerNormImpl::LayerNormImpl(const LayerNormOptions& chosen) : options(chosen) { reset(); }
LayerNormImpl::~LayerNormImpl() = default;

void LayerNormImpl::reset() {
  const std::vector<std::int64_t>& shape = options.normalized_shape();
  bool sound = !shape.empty();
  for (std::int64_t size : shape) sound = sound && size >= 0;
  if (!sound) {
    core::fail<ShapeError>("LayerNorm: normalized_shape must have sizes, none negative: {}", IntArrayRef(shape));
  }
  const bool affine = options.elementwise_affine();
  register_parameter("weight", weight, affine ? ones(shape) : Tensor());
  register_parameter("bias", bias, affine ? zeros(shape) : Tensor());
}

void LayerNormImpl::reset_parameters() {
  const NoGradGuard no_grad;
  if (weight.defined()) weight.fill_(1);
  if (bias.defined()) bias.zero_();
}

Tensor LayerNormImpl::compute(Operand x) {
  return gradus::layer_norm(x, options.normalized_shape(), weight, bias, options.eps());
}

}  // namespace gradus::nn

namespace gradus {

Tensor layer_norm(Operand x, IntArrayRef normalized_shape, const Tensor& weight, const Tensor& bias, double eps,
                  bool /*cudnn_enable*/) {
  return std::get<0>(
      autograd::apply<nn::LayerNormRule>({normalized_shape, eps}, x, Operand(weight, x.at()), Operand(bias, x.at())));
}

}  // namespace gradus
