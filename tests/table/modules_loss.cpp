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
  };
}
// clang-format on

}  // namespace gradus::test
