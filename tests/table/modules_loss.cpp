#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> loss_modules() {
  const Tensor numbers = ones({3, 4}), whole = ones({3, 4}).to(kInt64), line = ones({3});
  return {
      row("mse_loss", "MSELoss()", nn::MSELoss()).refuses<ShapeError>({numbers, line}, {"mse_loss: target", "[3] for input [3, 4]"}).refuses<DTypeError>({whole, numbers}, {"mse_loss: ", "int64"}),
      row("bce_with_logits_loss", "BCEWithLogitsLoss()", nn::BCEWithLogitsLoss(nn::BCEWithLogitsLossOptions().weight(numbers).pos_weight(ones({4})))).refuses<ShapeError>({numbers, line}, {"binary_cross_entropy_with_logits: target", "[3] for input [3, 4]"}),
      row("nll_loss", "NLLLoss()", nn::NLLLoss(nn::NLLLossOptions().weight(ones({4})).ignore_index(3))).linear().refuses<IndexError>({numbers, ones({3}).to(kInt64) * 4}, {"nll_loss: ", "4"}),
      row("cross_entropy_loss", "CrossEntropyLoss()", nn::CrossEntropyLoss(nn::CrossEntropyLossOptions().weight(ones({4})).label_smoothing(0.1))).refuses<ShapeError>({numbers, whole}, {"cross_entropy: "}),
      row("l1_loss", "L1Loss()", nn::L1Loss(kSum)).linear().refuses<ShapeError>({numbers, line}, {"l1_loss: target", "[3] for input [3, 4]"}),
      row("smooth_l1_loss", "SmoothL1Loss()", nn::SmoothL1Loss(nn::SmoothL1LossOptions().beta(0.7))).refuses<ShapeError>({numbers, line}, {"smooth_l1_loss: target", "[3] for input [3, 4]"}),
      row("huber_loss", "HuberLoss()", nn::HuberLoss(nn::HuberLossOptions(kNone).delta(1.5))).refuses<ShapeError>({numbers, line}, {"huber_loss: target", "[3] for input [3, 4]"}),
      row("cross_entropy_of_probabilities", "CrossEntropyLoss()", nn::CrossEntropyLoss(nn::CrossEntropyLossOptions().weight(ones({4})).label_smoothing(0.2).reduction(kSum))).refuses<ShapeError>({numbers, line}, {"cross_entropy: a target of probabilities", "[3] for input [3, 4]"}),
      row("bce_loss", "BCELoss()", nn::BCELoss(nn::BCELossOptions().weight(numbers))).refuses<ValueError>({numbers * 2, numbers}, {"binary_cross_entropy: input", "from 2 to 2"}).refuses<ShapeError>({numbers, line}, {"binary_cross_entropy: target", "[3] for input [3, 4]"}),
      row("kl_div_loss", "KLDivLoss()", nn::KLDivLoss(kBatchMean)).refuses<ShapeError>({numbers, line}, {"kl_div: target", "[3] for input [3, 4]"}),
      row("kl_div_loss_log", "KLDivLoss()", nn::KLDivLoss(nn::KLDivLossOptions(kMean).log_target(true))),
      row("poisson_nll_loss", "PoissonNLLLoss()", nn::PoissonNLLLoss(nn::PoissonNLLLossOptions().full(true).reduction(kSum))).refuses<ShapeError>({numbers, line}, {"poisson_nll_loss: target", "[3] for input [3, 4]"}),
      row("poisson_nll_loss_of_rates", "PoissonNLLLoss()", nn::PoissonNLLLoss(nn::PoissonNLLLossOptions().log_input(false).eps(1e-3))),
      row("gaussian_nll_loss", "GaussianNLLLoss()", nn::GaussianNLLLoss(nn::GaussianNLLLossOptions().full(true))).refuses<ShapeError>({numbers, numbers, ones({4})}, {"gaussian_nll_loss: var", "[4] for input [3, 4]"}).refuses<ValueError>({numbers, numbers, -line}, {"gaussian_nll_loss: var", "-1"}),
      row("gaussian_nll_loss_of_rows", "GaussianNLLLoss()", nn::GaussianNLLLoss(nn::GaussianNLLLossOptions().reduction(kNone))),
      row("soft_margin_loss", "SoftMarginLoss()", nn::SoftMarginLoss(kNone)).refuses<ShapeError>({numbers, line}, {"soft_margin_loss: target", "[3] for input [3, 4]"}),
      row("hinge_embedding_loss", "HingeEmbeddingLoss(margin=0.7)", nn::HingeEmbeddingLoss(nn::HingeEmbeddingLossOptions().margin(0.7))).linear().refuses<ShapeError>({numbers, line}, {"hinge_embedding_loss: target", "[3] for input [3, 4]"}),
      row("margin_ranking_loss", "MarginRankingLoss()", nn::MarginRankingLoss(nn::MarginRankingLossOptions().margin(0.3))).linear().refuses<ShapeError>({numbers, line, line}, {"margin_ranking_loss: ", "[3]"}),
      row("cosine_embedding_loss", "CosineEmbeddingLoss(margin=0.1)", nn::CosineEmbeddingLoss(nn::CosineEmbeddingLossOptions().margin(0.1).reduction(kSum))).refuses<ShapeError>({numbers, numbers, ones({4})}, {"cosine_embedding_loss: ", "[3, 4] and [4]"}),
      row("multi_margin_loss", "MultiMarginLoss(p=2, margin=0.8, weight=given, reduction=none)", nn::MultiMarginLoss(nn::MultiMarginLossOptions().p(2).margin(0.8).weight(ones({4})).reduction(kNone))).refuses<IndexError>({numbers, ones({3}).to(kInt64) * 4}, {"multi_margin_loss: ", "4"}),
      row("multilabel_margin_loss", "MultiLabelMarginLoss()", nn::MultiLabelMarginLoss()).linear().refuses<ShapeError>({numbers, line.to(kInt64)}, {"multilabel_margin_loss: target", "[3] for input [3, 4]"}),
      row("multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss()", nn::MultiLabelSoftMarginLoss(nn::MultiLabelSoftMarginLossOptions().weight(ones({4})).reduction(kNone))).refuses<ShapeError>({numbers, line}, {"multilabel_soft_margin_loss: target", "[3] for input [3, 4]"}),
      row("triplet_margin_loss", "TripletMarginLoss(margin=2, p=3, eps=1e-06, swap=true)", nn::TripletMarginLoss(nn::TripletMarginLossOptions().margin(2).p(3).swap(true))).refuses<DTypeError>({whole, numbers, numbers}, {"triplet_margin_loss: anchor", "int64"}),
      row("triplet_margin_with_distance_loss", "TripletMarginWithDistanceLoss(margin=4, swap=true)", nn::TripletMarginWithDistanceLoss(nn::TripletMarginWithDistanceLossOptions().distance_function([](const Tensor& a, const Tensor& b) { return square(a - b).sum(-1); }).margin(4).swap(true).reduction(kNone))).refuses<ShapeError>({numbers, numbers, line}, {"triplet_margin_with_distance_loss: ", "[3, 4] and [3]"}),
  };
}
// clang-format on

}  // namespace gradus::test
