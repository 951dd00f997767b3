// Losses, normalisations, pooling, transposed convolution and their like as functions.
#include <tuple>

#include <gradus/gradus.h>
#include <gradus/layers/conv/conv_rules.h>

#include "vocabulary.h"

namespace gradus::test {

namespace {

// 1 and -1.
Tensor sides(const Tensor& mask) { return where(mask, 1, -1); }
Draw probability(std::vector<std::int64_t> shape) { return real(std::move(shape), 0.05, 0.95); }

}  // namespace

// clang-format off
std::vector<Row> nn_function_rows() {
  const std::vector<std::int64_t> s23 = {2, 3}, s34 = {3, 4};
  const std::vector<Shapes> of_two = {{{}, {}}, {{0, 2}, {0, 2}}};
  const auto moved = [] { return tensor({0.1, -0.2, 0.3, 0.4}, kDouble); };
  return {
      // Losses.
      Row{"binary_cross_entropy", [](const Operands& x) { return binary_cross_entropy(x[0], x[1], full({}, 1.7, x[0].dtype()), kSum); }, {probability(s23), probability(s23)}, 0, of_two}.wrong<ValueError>("binary_cross_entropy: input must be prob", [](const Operands& x) { binary_cross_entropy(x[0] + 1, x[1]); }).wrong<ShapeError>("binary_cross_entropy: target", [](const Operands& x) { binary_cross_entropy(x[0], x[1][0]); }).wrong<ShapeError>("binary_cross_entropy: weight", [](const Operands& x) { binary_cross_entropy(x[0], x[1], ones({2, 2, 3})); }),
      Row{"kl_div", [](const Operands& x) { return kl_div(x[0], x[1], kSum); }, {real(s23), positive(s23)}, kComposed, of_two}.wrong<ShapeError>("kl_div: target", [](const Operands& x) { kl_div(x[0], x[1][0]); }),
      {"kl_div of logarithms", [](const Operands& x) { return kl_div(x[0], x[1], kNone, true); }, {real(s23), real(s23)}, kComposed, of_two},
      Row{"poisson_nll_loss", [](const Operands& x) { return poisson_nll_loss(x[0], x[1], true, true, 1e-8, kNone); }, {real(s23), real(s23, 0.2, 4.3)}, kComposed, of_two}.wrong<ShapeError>("poisson_nll_loss: target", [](const Operands& x) { poisson_nll_loss(x[0], x[1][0], true, false, 1e-8, kMean); }),
      {"poisson_nll_loss of rates", [](const Operands& x) { return poisson_nll_loss(x[0], x[1], false, false, 1e-3, kSum); }, {positive(s23), positive(s23)}, kComposed, of_two},
      Row{"soft_margin_loss", [](const Operands& x) { return soft_margin_loss(x[0], x[1], kNone); }, {real(s23), real(s23)}, kComposed, of_two}.wrong<DTypeError>("soft_margin_loss: input", [](const Operands& x) { soft_margin_loss(x[0].to(kInt64), x[1]); }),
      Row{"hinge_embedding_loss", [](const Operands& x) { return hinge_embedding_loss(x[0], sides(x[1]), 0.7, kNone); }, {real(s34), mask(s34)}, kComposed | kLinear, of_two}.wrong<ShapeError>("hinge_embedding_loss: target", [](const Operands& x) { hinge_embedding_loss(x[0], x[1][0]); }),
      Row{"margin_ranking_loss", [](const Operands& x) { return margin_ranking_loss(x[0], x[1], sides(x[2]), 0.3, kNone); }, {real(s34), real(s34), mask(s34)}, kComposed | kLinear, {{{3, 4}, {4}, {3, 1}}}}.wrong<ShapeError>("margin_ranking_loss: ", [](const Operands& x) { margin_ranking_loss(x[0], x[1].t(), x[0]); }),
      Row{"cosine_embedding_loss", [](const Operands& x) { return cosine_embedding_loss(x[0], x[1], sides(x[2]), 0.1, kNone); }, {real(s34), real(s34), mask({3})}, kComposed, {{{3}, {3}, {}}}}.wrong<ShapeError>("cosine_embedding_loss: inputs", [](const Operands& x) { cosine_embedding_loss(x[0], x[1], x[0]); }),
      Row{"triplet_margin_loss", [](const Operands& x) { return triplet_margin_loss(x[0], x[1], x[2], 2, 2, 1e-6, false, kNone); }, {real(s34), real(s34), real(s34)}, kComposed | kNoTies, {{{3}, {3}, {3}}}}.wrong<ValueError>("triplet_margin_loss: margin", [](const Operands& x) { triplet_margin_loss(x[0], x[1], x[2], 0); }),
      {"triplet_margin_loss with a swap", [](const Operands& x) { return triplet_margin_loss(x[0], x[1], x[2], 3, 3, 1e-6, true, kSum); }, {real(s34), real(s34), real(s34)}, kComposed | kNoTies},
      Row{"multi_margin_loss", [](const Operands& x) { return multi_margin_loss(x[0], x[1], 2, 0.8, x[2], kNone); }, {real(s34), index({3}, 4), positive({4})}, kComposed, {{{4}, {}, {4}}}}.wrong<IndexError>("multi_margin_loss: class numbers", [](const Operands& x) { multi_margin_loss(x[0], x[1] + 2); }).wrong<ValueError>("multi_margin_loss: p", [](const Operands& x) { multi_margin_loss(x[0], x[1], 3); }).wrong<ShapeError>("multi_margin_loss: target", [](const Operands& x) { multi_margin_loss(x[0], x[1][0]); }),
      Row{"multilabel_margin_loss", [](const Operands& x) { return multilabel_margin_loss(x[0], x[1] - 1, kNone); }, {real(s34), index(s34, 5)}, kComposed | kLinear, {{{4}, {4}}}}.wrong<IndexError>("multilabel_margin_loss: class numbers", [](const Operands& x) { multilabel_margin_loss(x[0], x[1] + 3); }).wrong<ShapeError>("multilabel_margin_loss: target", [](const Operands& x) { multilabel_margin_loss(x[0], x[1][0]); }),
      // Normalisation.
      Row{"batch_norm as a function", [](const Operands& x) { return batch_norm(x[0], x[1], x[2], {}, {}, true, 0.1, 1e-3); }, {real({3, 4, 2}), real({4}), real({4})}, kComposed | kNoTies}.wrong<ShapeError>("batch_norm: ", [](const Operands& x) { batch_norm(x[0], x[1], x[2], zeros({3}), ones({3}), false, 0.1, 1e-5); }),
      Row{"instance_norm", [](const Operands& x) { return instance_norm(x[0], x[1], x[2], {}, {}, true, 0.1, 1e-3); }, {real({3, 4, 5}), real({4}), real({4})}, kComposed | kNoTies}.wrong<ShapeError>("instance_norm: input", [](const Operands& x) { instance_norm(x[0][0], x[1], x[2], {}, {}, true, 0.1, 1e-5); }),
      {"instance_norm in evaluation", [moved](const Operands& x) { return instance_norm(x[0], x[1], x[2], moved().to(x[0].dtype()), moved().abs().to(x[0].dtype()), false, 0.1, 1e-3); }, {real({2, 4, 3}), real({4}), real({4})}, kComposed},
      Row{"group_norm", [](const Operands& x) { return group_norm(x[0], 2, x[1], x[2], 1e-3); }, {real({2, 4, 3}), real({4}), real({4})}, kNoTies, {{{3, 4}, {4}, {4}}}}.wrong<ShapeError>("group_norm: num_groups", [](const Operands& x) { group_norm(x[0], 3); }).wrong<ShapeError>("group_norm: weight", [](const Operands& x) { group_norm(x[0], 2, x[1].slice(0, 1)); }),
      Row{"rms_norm", [](const Operands& x) { return rms_norm(x[0], {4}, x[1], 1e-3); }, {real(s34), real({4})}, kComposed, {{{4}, {4}}}}.wrong<ShapeError>("rms_norm: input", [](const Operands& x) { rms_norm(x[0], {3}); }).wrong<ShapeError>("rms_norm: weight", [](const Operands& x) { rms_norm(x[0], {3, 4}, x[1]); }),
      // Pooling.
      Row{"adaptive_avg_pool1d", on([](const Tensor& x) { return adaptive_avg_pool1d(x, 3); }), {real({2, 5})}, kComposed | kLinear, {{{1, 2, 7}}}}.wrong<ShapeError>("adaptive_avg_pool1d: input", [](const Tensor& x) { adaptive_avg_pool1d(x[0], 3); }).wrong<ValueError>("adaptive_avg_pool1d: ", [](const Tensor& x) { adaptive_avg_pool1d(x, 0); }),
      Row{"adaptive_avg_pool3d", on([](const Tensor& x) { return adaptive_avg_pool3d(x, {2, 1, 3}); }), {real({1, 3, 2, 4})}, kComposed | kLinear, {{{1, 2, 4, 2, 3}}}}.wrong<ShapeError>("adaptive_avg_pool3d: ", [](const Tensor& x) { adaptive_avg_pool3d(x, {2, 2}); }),
      Row{"adaptive_max_pool1d", on([](const Tensor& x) { return std::get<0>(adaptive_max_pool1d(x, 3)); }), {real({2, 5})}, kComposed | kLinear | kNoTies, {{{1, 2, 7}}}}.wrong<ValueError>("adaptive_max_pool1d: ", [](const Tensor& x) { adaptive_max_pool1d(x, 0); }),
      Row{"adaptive_max_pool2d", on([](const Tensor& x) { return std::get<0>(adaptive_max_pool2d(x, {2, 3})); }), {real({1, 3, 4})}, kComposed | kLinear | kNoTies, {{{1, 2, 5, 3}}}}.wrong<ShapeError>("adaptive_max_pool2d: input", [](const Tensor& x) { adaptive_max_pool2d(x[0], 2); }),
      Row{"adaptive_max_pool3d", on([](const Tensor& x) { return std::get<0>(adaptive_max_pool3d(x, {2, 1, 3})); }), {real({1, 3, 2, 4})}, kComposed | kLinear | kNoTies}.wrong<ShapeError>("adaptive_max_pool3d: ", [](const Tensor& x) { adaptive_max_pool3d(x, {2, 2}); }),
      Row{"max_unpool2d", on([](const Tensor& x) { return max_unpool2d(x, tensor({7, 1, 3, 8}).view({1, 2, 2}), {3, 3}); }), {real({1, 2, 2})}, kComposed | kLinear}.wrong<IndexError>("max_unpool2d: ", [](const Tensor& x) { max_unpool2d(x, full({1, 2, 2}, 9), {3, 3}); }).wrong<ShapeError>("max_unpool2d: indices", [](const Tensor& x) { max_unpool2d(x, full({1, 2}, 1), {3, 3}); }),
      Row{"max_unpool3d", on([](const Tensor& x) { return max_unpool3d(x, tensor({7, 1, 3, 11}).view({1, 1, 2, 2}), {2, 2, 3}, {2, 2, 2}, {0, 0, 0}); }), {real({1, 1, 2, 2})}, kComposed | kLinear}.wrong<ValueError>("max_unpool3d: the stride", [](const Tensor& x) { max_unpool3d(x, full({1, 1, 2, 2}, 1), {2, 2, 3}, {0, 2, 2}, {0, 0, 0}); }),
      // Convolution turned round.
      Row{"conv_transpose1d", [](const Operands& x) { return conv_transpose1d(x[0], x[1], x[2], 2, 1, 1, 2); }, {real({2, 4, 3}), real({4, 1, 3}), real({2})}, kComposed, {{{4, 2}, {4, 1, 3}, {2}}}}.wrong<ShapeError>("conv_transpose1d: weight", [](const Operands& x) { conv_transpose1d(x[0], x[1].slice(0, 1)); }).wrong<ValueError>("conv_transpose1d: output_padding", [](const Operands& x) { conv_transpose1d(x[0], x[1], {}, 1, 0, 1); }).wrong<ValueError>("conv_transpose1d: groups", [](const Operands& x) { conv_transpose1d(x[0], x[1], {}, 1, 0, 0, 3); }),
      {"conv_transpose2d", [](const Operands& x) { return conv_transpose2d(x[0], x[1], x[2], {2, 1}, {0, 1}, {2, 0}, 1, {3, 1}); }, {real({1, 2, 2, 3}), real({2, 2, 2, 2}), real({2})}, kComposed},
      {"conv_transpose1d with a long dilation", [](const Operands& x) { return conv_transpose1d(x[0], x[1], x[2], 1, 1, 2, 1, 3); }, {real({1, 2, 3}), real({2, 1, 2}), real({1})}, kComposed},
      {"conv_transpose3d", [](const Operands& x) { return conv_transpose3d(x[0], x[1], x[2], {2, 1, 1}, 0, {1, 0, 0}); }, {real({1, 1, 2, 1, 2}), real({1, 2, 2, 1, 2}), real({2})}, kComposed},
      {"conv_weight_gradient", [](const Operands& x) { return nn::conv_weight_gradient(x[0], x[1], {6, 2, 3}, {{2}, {1}, {1}, 2}); }, {real({2, 6, 3}), real({2, 4, 5})}, 0, {{{0, 6, 3}, {0, 4, 5}}}},
      // Windows as columns.
      Row{"im2col", on([](const Tensor& x) { return im2col(x, {2, 1}, {1, 2}, {1, 0}, {1, 2}); }), {real({1, 2, 3, 3})}, kLinear, {{{2, 2, 3}}, {{0, 2, 2, 3}}}}.wrong<ShapeError>("im2col: the window", [](const Tensor& x) { im2col(x, 6, 1, 1, 1); }).wrong<ShapeError>("im2col: input", [](const Tensor& x) { im2col(x[0][0], 1, 1, 0, 1); }).wrong<ValueError>("im2col: stride", [](const Tensor& x) { im2col(x, 1, 1, 0, 0); }),
      Row{"col2im", on([](const Tensor& x) { return col2im(x, {3, 2}, 2, {1, 2}, {1, 1}, {2, 1}); }), {real({1, 8, 4})}, kLinear, {{{4, 4}}, {{0, 4, 4}}}}.wrong<ShapeError>("col2im: input", [](const Tensor& x) { col2im(x, {4, 3}, 2, 1, 0, 1); }).wrong<ShapeError>("col2im: output_size", [](const Tensor& x) { col2im(x, {3, 3, 3}, 2, 1, 0, 1); }),
      // The rest.
      Row{"alpha_dropout", on([](const Tensor& x) { manual_seed(7); return alpha_dropout(x, 0.4, true); }), {real(s34)}, kComposed | kLinear, {{{}}, {{0, 2}}}}.wrong<ValueError>("alpha_dropout: p", [](const Tensor& x) { alpha_dropout(x, 1.5, true); }),
      Row{"bilinear", [](const Operands& x) { return bilinear(x[0], x[1], x[2], x[3]); }, {real({3, 2}), real({3, 4}), real({2, 2, 4}), real({2})}, kComposed, {{{2}, {4}, {2, 2, 4}, {2}}}}.wrong<ShapeError>("bilinear: inputs", [](const Operands& x) { bilinear(x[0], x[0], x[2]); }),
      Row{"embedding_bag", [](const Operands& x) { return std::get<0>(embedding_bag(x[0], x[1], tensor({0, 2, 2}), false, 0, false, x[2])); }, {real({5, 3}), index({6}, 5), real({6})}, kComposed}.wrong<ValueError>("embedding_bag: mode", [](const Operands& x) { embedding_bag(x[0], x[1], tensor({0, 2}), false, 3); }).wrong<ValueError>("embedding_bag: offsets", [](const Operands& x) { embedding_bag(x[0], x[1], tensor({1, 2})); }).wrong<ShapeError>("embedding_bag: indices", [](const Operands& x) { embedding_bag(x[0], x[1]); }),
      {"embedding_bag of means", [](const Operands& x) { return std::get<0>(embedding_bag(x[0], x[1], {}, false, 1, false, {}, false, 2)); }, {real({5, 3}), index({2, 3}, 5)}, kComposed | kLinear},
      {"embedding_bag of maxima", [](const Operands& x) { return std::get<0>(embedding_bag(x[0], x[1], tensor({0, 2, 2, 6}), false, 2, false, {}, true)); }, {real({5, 3}), index({6}, 5)}, kComposed | kLinear | kNoTies},
      Row{"pad_sequence", [](const Operands& x) { return pad_sequence({x[0], x[1]}, true, 0.5); }, {real({3, 2}), real({1, 2})}, kComposed | kLinear, {{{2}, {0}}}}.wrong<ShapeError>("pad_sequence: sequences", [](const Operands& x) { pad_sequence({x[0], x[1][0]}); }).wrong<ValueError>("pad_sequence: padding_side", [](const Operands& x) { pad_sequence({x[0], x[1]}, false, 0, "top"); }),
      // Statistics, and operations in further forms.
      Row{"cov", [](const Operands& x) { return cov(x[0], 1, x[1] + 1, x[2]); }, {real(s34), index({4}, 3), positive({4})}, kComposed, {{{4}, {4}, {4}}}}.wrong<ShapeError>("cov: there must", [](const Operands& x) { cov(x[0], 1, x[1][0]); }).wrong<DTypeError>("cov: fweights", [](const Operands& x) { cov(x[0], 1, x[2]); }),
      {"positive and a factor", on([](const Tensor& x) { return gradus::positive(x) * 2; }), {real(s23)}, kPointwise | kComposed | kLinear},
      {"cov without weights", on([](const Tensor& x) { return cov(x, 0); }), {real(s34)}, kComposed, {{{3}}}},
      Row{"corrcoef", on([](const Tensor& x) { return corrcoef(x); }), {real({3, 5})}, kComposed | kNoTies}.wrong<ShapeError>("corrcoef: ", [](const Tensor& x) { corrcoef(x.unsqueeze(0)); }),
      {"var with a correction", on([](const Tensor& x) { return var(x, {1}, 2, true) + x.std(1, 2.0, true); }), {real(s34)}, kComposed | kNoTies},
      Row{"block_diag", [](const Operands& x) { return block_diag({x[0], x[1], x[2]}); }, {real(s23), real({2}), real({})}, kComposed | kLinear, {{{0, 2}, {2, 1}, {3}}}}.wrong<ShapeError>("block_diag: ", [](const Operands& x) { block_diag({x[0].unsqueeze(0)}); }),
      Row{"cumulative_trapezoid", [](const Operands& x) { return cumulative_trapezoid(x[0], x[1]); }, {real(s34), real({4})}, kComposed}.wrong<ShapeError>("cumulative_trapezoid: ", [](const Operands& x) { cumulative_trapezoid(x[0], x[1], 0); }),
      {"cumulative_trapezoid by a step", on([](const Tensor& x) { return cumulative_trapezoid(x, 0.5, 0); }), {real(s34)}, kComposed | kLinear, {{{1, 2}}}},
      Row{"masked_fill with a tensor", [](const Operands& x) { return masked_fill(x[0], x[1], x[2]); }, {real(s34), mask(s34), real({})}, kComposed | kLinear, {{{2, 3}, {3}, {}}}}.in_place([](const Tensor& y, const Operands& x) { y.masked_fill_(x[1], x[2]); }).wrong<ShapeError>("masked_fill: the value", [](const Operands& x) { masked_fill(x[0], x[1], x[0]); }),
      Row{"round to decimals", on([](const Tensor& x) { return round(x, 1); }), {real(s23, -1.93, 2.17)}, kPointwise | kFlat | kComposed}.in_place([](const Tensor& y) { y.round_(1); }).wrong<DTypeError>("round: ", [](const Tensor& x) { round(x.to(kInt64), 1); }),
      Row{"scatter with addition", [](const Operands& x) { return scatter(x[0], 1, x[1], x[2], "add"); }, {real(s34), index({3, 2}, 4), real({3, 2})}, kComposed | kLinear}.in_place([](const Tensor& y, const Operands& x) { y.scatter_(1, x[1], x[2], "add"); }).wrong<ValueError>("scatter: reduce", [](const Operands& x) { scatter(x[0], 1, x[1], x[2], "mean"); }),
      Row{"scatter with multiplication", [](const Operands& x) { return x[0].scatter(1, x[1], 3, "multiply"); }, {real(s34), index({3, 2}, 4)}, kComposed | kLinear}.in_place([](const Tensor& y, const Operands& x) { y.scatter_(1, x[1], 3, "multiply"); }),
  };
}
// clang-format on

}  // namespace gradus::test
