#include "margin_loss.h"

#include "../../autograd/ops/activation_rules.h"
#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "loss_support.h"

namespace gradus {

using autograd::Scope;
using nn::detail::of_pairs;
using nn::detail::reduced;

namespace {

// [C] or [N, C] as [N, C].
Tensor as_rows(const char* op, const Tensor& x) {
  core::expect_floating(op, "input", x);
  core::expect_dims(op, "input", x, 1, 2, "[C] or [N, C]");
  if (x.size(-1) == 0) core::fail<ShapeError>("{}: there must be at least one class: input {}", op, x.sizes());
  return x.dim() == 1 ? x.unsqueeze(0) : x;
}
void check_class_numbers(const char* op, const Tensor& target, std::int64_t lowest, std::int64_t classes) {
  core::expect_defined(op, "target", target);
  if (target.dtype() != kInt64) {
    core::fail<DTypeError>("{}: target must be int64, class numbers: {}; to(kInt64) converts", op, target.dtype());
  }
  if (target.numel() == 0) return;
  const auto low = target.min().item<std::int64_t>(), high = target.max().item<std::int64_t>();
  if (low < lowest || high >= classes) {
    core::fail<IndexError>("{}: class numbers must be in [{}, {}): from {} to {}", op, lowest, classes, low, high);
  }
}
// The losses of rows: without the dimension that [C] was given.
Tensor reduced_rows(const Tensor& losses, const Tensor& x, Reduction reduction) {
  return reduced(x.dim() == 1 ? losses.reshape({}) : losses, reduction);
}

}  // namespace

Tensor soft_margin_loss(Operand input, const Tensor& target, Reduction reduction) {
  if (autograd::stored(input, target)) {
    return autograd::rounded_once([&](Operand u, Operand v) { return soft_margin_loss(u, v.tensor(), reduction); },
                                  input, target);
  }
  return of_pairs("soft_margin_loss", input, target, reduction,
                  [](const Tensor& x, const Tensor& t) { return autograd::log1p_exp(-(x * t)); });
}

Tensor hinge_embedding_loss(Operand input, const Tensor& target, double margin, Reduction reduction) {
  if (autograd::stored(input, target)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v) { return hinge_embedding_loss(u, v.tensor(), margin, reduction); }, input, target);
  }
  return of_pairs("hinge_embedding_loss", input, target, reduction, [margin](const Tensor& x, const Tensor& t) {
    return masked_fill(x, t == -1, 0) + masked_fill(clamp_min(margin - x, 0), t == 1, 0);
  });
}

Tensor margin_ranking_loss(Operand input1, const Tensor& input2, const Tensor& target, double margin,
                           Reduction reduction) {
  if (autograd::stored(input1, input2, target)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand s) {
          return margin_ranking_loss(u, v.tensor(), s.tensor(), margin, reduction);
        },
        input1, input2, target);
  }
  core::expect_defined("margin_ranking_loss", "input1", input1.tensor(), "input2", input2, "target", target);
  core::expect_floating("margin_ranking_loss", "input1", input1.tensor());
  return core::in_name_of("margin_ranking_loss", [&] {
    const Scope scope(input1.at());
    return reduced(clamp_min(margin - target * (input1.tensor() - input2), 0), reduction);
  });
}

Tensor cosine_embedding_loss(Operand input1, const Tensor& input2, const Tensor& target, double margin,
                             Reduction reduction) {
  if (autograd::stored(input1, input2, target)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand s) {
          return cosine_embedding_loss(u, v.tensor(), s.tensor(), margin, reduction);
        },
        input1, input2, target);
  }
  constexpr const char* op = "cosine_embedding_loss";
  const Tensor& x = input1.tensor();
  core::expect_defined(op, "input1", x, "input2", input2, "target", target);
  core::expect_floating(op, "input1", x);
  core::expect_same_shape(op, "input2", input2, "input1", x);
  if (x.dim() != target.dim() + 1 || x.dim() > 2 || (x.dim() == 2 && x.size(0) != target.size(0))) {
    core::fail<ShapeError>("{}: inputs and target must be [N, D] and [N], or [D] and []: {} and {}", op, x.sizes(),
                           target.sizes());
  }
  const Scope scope(input1.at());
  const auto size = [](const Tensor& v) { return sqrt(square(v).sum(-1) + 1e-12); };  // not 0: it is divided by
  const Tensor cosine = (x * input2).sum(-1) / size(x) / size(input2);
  const Tensor alike = masked_fill(1 - cosine, target != 1, 0);
  return reduced(alike + masked_fill(clamp_min(cosine - margin, 0), target != -1, 0), reduction);
}

Tensor triplet_margin_loss(Operand anchor, const Tensor& positive, const Tensor& negative, double margin, double p,
                           double eps, bool swap, Reduction reduction) {
  if (autograd::stored(anchor, positive, negative)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v, Operand s) {
          return triplet_margin_loss(u, v.tensor(), s.tensor(), margin, p, eps, swap, reduction);
        },
        anchor, positive, negative);
  }
  core::expect_defined("triplet_margin_loss", "anchor", anchor.tensor(), "positive", positive, "negative", negative);
  core::expect_floating("triplet_margin_loss", "anchor", anchor.tensor());
  nn::detail::check_margin("triplet_margin_loss", margin);
  return core::in_name_of("triplet_margin_loss", [&] {
    const Scope scope(anchor.at());
    const Tensor& a = anchor.tensor();
    const Tensor near = pairwise_distance(a, positive, p, eps);
    Tensor far = pairwise_distance(a, negative, p, eps);
    if (swap) far = minimum(far, pairwise_distance(positive, negative, p, eps));
    return reduced(clamp_min(margin + near - far, 0), reduction);
  });
}

Tensor multi_margin_loss(Operand input, const Tensor& target, const Scalar& p, const Scalar& margin,
                         const Tensor& weight, Reduction reduction) {
  if (autograd::stored(input, weight)) {
    return autograd::rounded_once(
        [&](Operand u, Operand v) { return multi_margin_loss(u, target, p, margin, v.tensor(), reduction); }, input,
        weight);
  }
  constexpr const char* op = "multi_margin_loss";
  const Scope scope(input.at());
  const Tensor x = as_rows(op, input.tensor());
  const std::int64_t C = x.size(1);
  core::expect_defined(op, "target", target);
  if (p.toDouble() != 1 && p.toDouble() != 2) core::fail<ValueError>("{}: p must be 1 or 2: {}", op, p.toDouble());
  if (target.dim() > 1 || target.numel() != x.size(0)) {
    core::fail<ShapeError>("{}: target must have a class number for each row of input: {} for {}", op, target.sizes(),
                           input.tensor().sizes());
  }
  check_class_numbers(op, target, 0, C);
  if (weight.defined()) core::expect_shape(op, "weight", weight.sizes(), "[C]", C);
  const Tensor rows = target.reshape({-1}), index = rows.unsqueeze(1);
  Tensor h = clamp_min(margin.toDouble() - gather(x, 1, index) + x, 0);
  if (p.toDouble() == 2) h = square(h);
  if (weight.defined()) h = h * index_select(weight, 0, rows).unsqueeze(1);
  h = masked_fill(h, arange(C) == index, 0);
  return reduced_rows(h.sum(1) / static_cast<double>(C), input.tensor(), reduction);
}

Tensor multilabel_margin_loss(Operand input, const Tensor& target, Reduction reduction) {
  if (autograd::stored(input)) {
    return autograd::rounded_once([&](Operand u) { return multilabel_margin_loss(u, target, reduction); }, input);
  }
  constexpr const char* op = "multilabel_margin_loss";
  const Scope scope(input.at());
  const Tensor x = as_rows(op, input.tensor());
  const std::int64_t C = x.size(1);
  core::expect_same_shape(op, "target", target, "input", input.tensor());
  check_class_numbers(op, target, -1, C);
  const Tensor numbers = target.reshape(x.sizes());
  const Tensor ended = cumsum((numbers < 0).to(kInt64), 1) > 0, labels = masked_fill(numbers, ended, 0);
  const Tensor is_label = scatter_add(x.sizes(), 1, labels, logical_not(ended).to(x.dtype())) > 0;
  const Tensor h = clamp_min(1 - gather(x, 1, labels).unsqueeze(2) + x.unsqueeze(1), 0);  // [N, label, class]
  const Tensor none = logical_or(ended.unsqueeze(2), is_label.unsqueeze(1));
  return reduced_rows(masked_fill(h, none, 0).sum({1, 2}) / static_cast<double>(C), input.tensor(), reduction);
}

}  // namespace gradus
