#include "distribution_loss.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "../../autograd/graph/operation.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../../core/ops/reduce.h"
#include "loss_support.h"

namespace gradus {

using namespace autograd;
using core::Array;

namespace {

// Of a probability and a target, both of one shape and dtype. PyTorch's bounds: the logarithms above -100, the divisor of
// the slope above 1e-12.
struct BinaryCrossEntropy {
  static constexpr std::string_view name = "binary_cross_entropy";
  static constexpr std::string_view formula =
      "y = -(t max(ln x, -100) + (1 - t) max(ln(1 - x), -100)), dx = dy (x - t) / max(x (1 - x), 1e-12), dt = dy "
      "(max(ln(1 - x), -100) - max(ln x, -100))";
  static constexpr Batch batch = Batch::kEach;
  static Array forward(const Array& x, const Array& t) {
    const Array of_one = core::clamp(core::log(x), -100, {}), of_zero = core::clamp(core::log1p(-x), -100, {});
    return (t - 1) * of_zero - t * of_one;
  }
  static constexpr auto gradients = formulas(
      [](Dy<> dy, In<0> x, In<1> t) { return dy * ((x - t) / clamp_min((1 - x) * x, static_cast<double>(1e-12F))); },
      [](Dy<> dy, In<0> x) { return dy * (clamp_min(log1p(-x), -100) - clamp_min(log(x), -100)); });
};

}  // namespace

Tensor binary_cross_entropy(Operand input, const Tensor& target, const Tensor& weight, Reduction reduction) {
  if (autograd::stored(input, target, weight)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand s) { return binary_cross_entropy(u, v.tensor(), s.tensor(), reduction); },
        input, target, weight);
  }
  constexpr const char* op = "binary_cross_entropy";
  const Scope scope(input.at());
  const Tensor& in = input.tensor();
  nn::detail::check_target(op, in, target);
  if (weight.defined() && !core::broadcasts_to(weight.sizes(), in.sizes())) {
    core::fail<ShapeError>("{}: weight must broadcast to input's shape: {} for input {}", op, weight.sizes(),
                           in.sizes());
  }
  const Array outside = core::logical_or(core::lt(numbers_of_all(in), 0), core::gt(numbers_of_all(in), 1));
  if (core::reduce(core::Reduction::Any, outside).item<bool>()) {
    core::fail<ValueError>(
        "{}: input must be probabilities, in [0, 1]: from {} to {}; binary_cross_entropy_with_logits takes others", op,
        in.min().item<double>(), in.max().item<double>());
  }
  const DType dtype = promote_types(in.dtype(), target.dtype());
  const Tensor losses = apply<BinaryCrossEntropy>(in.to(dtype), target.to(dtype));
  return nn::detail::reduced(weight.defined() ? losses * weight : losses, reduction);
}

Tensor kl_div(Operand input, const Tensor& target, Reduction reduction, bool log_target) {
  if (autograd::stored(input, target)) {
    return autograd::rounded_once([&](Operand u, Operand v) { return kl_div(u, v.tensor(), reduction, log_target); },
                                  input, target);
  }
  return nn::detail::of_pairs("kl_div", input, target, reduction, [log_target](const Tensor& x, const Tensor& t) {
    if (!log_target) return xlogy(t, t) - t * x;
    return exp(t) * masked_fill(t - x, t == -std::numeric_limits<double>::infinity(), 0);
  });
}

Tensor poisson_nll_loss(Operand input, const Tensor& target, bool log_input, bool full, double eps,
                        Reduction reduction) {
  if (autograd::stored(input, target)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v) { return poisson_nll_loss(u, v.tensor(), log_input, full, eps, reduction); }, input,
        target);
  }
  return nn::detail::of_pairs("poisson_nll_loss", input, target, reduction, [=](const Tensor& x, const Tensor& counts) {
    const Tensor t = counts.to(x.dtype());
    const Tensor loss = log_input ? exp(x) - t * x : x - t * log(x + eps);
    if (!full) return loss;
    const Tensor few = t <= 1, many = masked_fill(t, few, 1);
    return loss + masked_fill(many * log(many) - many + log(many * (2 * std::numbers::pi)) * 0.5, few, 0);
  });
}

namespace nn {

Tensor functional::binary_cross_entropy(Operand x, const Tensor& target, const BinaryCrossEntropyFuncOptions& options) {
  return gradus::binary_cross_entropy(x, target, options.weight(), options.reduction());
}
Tensor functional::kl_div(Operand x, const Tensor& target, const KLDivFuncOptions& options) {
  if (options.reduction() != KLDivLossReduction::BatchMean) {
    const Reduction reduction = options.reduction() == KLDivLossReduction::None  ? Reduction::None
                                : options.reduction() == KLDivLossReduction::Sum ? Reduction::Sum
                                                                                 : Reduction::Mean;
    return gradus::kl_div(x, target, reduction, options.log_target());
  }
  core::expect_dims("kl_div", "input", x.tensor(), 1, core::kMaxDims, "of batches, [N, ..]");
  const Scope scope(x.at());
  return gradus::kl_div(x, target, Reduction::Sum, options.log_target()) / static_cast<double>(x.tensor().size(0));
}
Tensor functional::poisson_nll_loss(Operand x, const Tensor& target, const PoissonNLLLossFuncOptions& options) {
  return gradus::poisson_nll_loss(x, target, options.log_input(), options.full(), options.eps(), options.reduction());
}
Tensor functional::gaussian_nll_loss(Operand x, const Tensor& target, const Tensor& var,
                                     const GaussianNLLLossFuncOptions& options) {
  if (autograd::stored(x, target, var)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand s) { return gaussian_nll_loss(u, v.tensor(), s.tensor(), options); }, x,
        target, var);
  }
  constexpr const char* op = "gaussian_nll_loss";
  const Tensor& in = x.tensor();
  core::expect_floating(op, "input", in);
  core::expect_defined(op, "target", target);
  core::expect_floating(op, "var", var);
  if (!(options.eps() > 0)) core::fail<ValueError>("{}: eps must be above 0: {}", op, options.eps());
  const auto fits = [&in](const Tensor& t) {  // with 1 in the place of one size, at most
    if (t.dim() != in.dim()) return false;
    int others = 0;
    for (std::int64_t d = 0; d < in.dim(); ++d) {
      if (t.size(d) == in.size(d)) continue;
      if (t.size(d) != 1 || ++others > 1) return false;
    }
    return true;
  };
  if (!fits(target)) {
    core::fail<ShapeError>(
        "{}: target must have input's shape, or that with 1 in the place of one size: {} for input {}", op,
        target.sizes(), in.sizes());
  }
  if (!fits(var) && !(var.dim() + 1 == in.dim() && in.sizes().slice(0, in.sizes().size() - 1) == var.sizes())) {
    core::fail<ShapeError>(
        "{}: var must have input's shape, or that with 1 in the place of one size, or without the last: {} for input "
        "{}",
        op, var.sizes(), in.sizes());
  }
  if (var.numel() > 0 && var.min().item<double>() < 0) {
    core::fail<ValueError>("{}: var must not be negative: {}", op, var.min().item<double>());
  }
  const Scope scope(x.at());
  return core::in_name_of(op, [&] {
    const Tensor v = var.dim() == in.dim() ? var : var.unsqueeze(-1);
    const Tensor held = v + (clamp_min(v.detach(), options.eps()) - v.detach());
    const Tensor loss = (log(held) + square(in - target) / held) * 0.5;
    return detail::reduced(options.full() ? loss + std::log(2 * std::numbers::pi) / 2 : loss, options.reduction());
  });
}

BCELossImpl::BCELossImpl(const BCELossOptions& chosen) : options(chosen) { reset(); }
void BCELossImpl::reset() { weight = register_buffer("weight", detail::constant(options.weight())); }
Tensor BCELossImpl::compute(Operand x, const Tensor& target) {
  return gradus::binary_cross_entropy(x, target, weight, options.reduction());
}

GaussianNLLLossImpl::GaussianNLLLossImpl(const GaussianNLLLossOptions& chosen) : options(chosen) {}
Tensor GaussianNLLLossImpl::compute(Operand x, const Tensor& target, const Tensor& var) {
  return functional::gaussian_nll_loss(x, target, var, options);
}

}  // namespace nn
}  // namespace gradus
