// Losses of real-valued targets; those of classes are in nll_loss.h and cross_entropy.h.
//
//   Mean squared error:  l = (x - t)^2       dl/dx = 2 (x - t)
//   L1:                  l = |x - t|         dl/dx = sign(x - t)
//   Smooth L1:           l = (x - t)^2 / (2 beta) where |x - t| < beta, else |x - t| - beta / 2
//                        dl/dx = q / beta with q = x - t held in [-beta, beta]; of beta = 0 it is L1's
//   Huber:               l = delta times smooth L1 with beta = delta           dl/dx = q
//
//   Binary cross-entropy with logits: x is a logit, s = 1 / (1 + exp(-x)) the probability it stands for, t in [0, 1] the
//   target and v (pos_weight, or 1) the weight of positive answers:
//
//     l = - w (v t log s + (1 - t) log(1 - s))
//       = w ((1 - t) log(1 + exp(x)) + v t log(1 + exp(-x)))
//     dl/dx = w ((1 - t) s - v t (1 - s))                                  s - t without weights
//     dl/dt = w ((v - 1) log(1 + exp(-x)) - x)
//
//   Both terms of l and dl/dx are positive, and 1 - s is taken as 1 / (1 + exp(x)): a confident logit's small loss and
//   gradient keep all their digits. At infinite logits the limit is given.
//
//   The mean divides by the number of elements.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "cross_entropy.h"
#include "nll_loss.h"
#include "../module/enumerations.h"

namespace gradus::nn {

/// l without w of each element; x, target and pos_weight, which may be absent, have one shape and floating dtype.
struct BCEWithLogitsRule {
  static constexpr std::string_view name = "binary_cross_entropy_with_logits";
  static constexpr std::string_view formula =
      "l = -(v t ln s + (1 - t) ln(1 - s)), s = sigmoid(x), dx = dl ((1 - t) s - v t (1 - s)), dt = dl ((v - "
      "1) ln(1 + exp(-x)) - x), dv = dl t ln(1 + exp(-x))";
  static constexpr std::string_view input_names[] = {"x", "target", "pos_weight"};

  GRADUS_API static Tensor reference(const Tensor& x, const Tensor& target, const Tensor& pos_weight);
  GRADUS_API static core::Array forward(const core::Array& x, const core::Array& target, const core::Array& pos_weight);
  GRADUS_API static Tensor batch(const autograd::Examples& x);
  GRADUS_API static std::array<core::Array, 3> backward(autograd::Needs needs, autograd::DyArray<> dl,
                                                        autograd::InArray<0> x, autograd::InArray<1> target,
                                                        autograd::InArray<2> pos_weight);
};

struct MSELossOptions {
  template <ChoiceOf<Reduction> R = enumtype::kMean>
  MSELossOptions(const R& reduction = {}) : reduction_(reduction) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(Reduction, reduction);
};
struct L1LossOptions {
  template <ChoiceOf<Reduction> R = enumtype::kMean>
  L1LossOptions(const R& reduction = {}) : reduction_(reduction) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(Reduction, reduction);
};
/// `beta`: where the square goes over into the line; 1 unless said.
struct SmoothL1LossOptions {
  template <ChoiceOf<Reduction> R = enumtype::kMean>
  SmoothL1LossOptions(const R& reduction = {}) : reduction_(reduction) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(Reduction, reduction);
  GRADUS_ARG(std::optional<double>, beta) = std::nullopt;
};
/// `delta`: where the square goes over into the line.
struct HuberLossOptions {
  template <ChoiceOf<Reduction> R = enumtype::kMean>
  HuberLossOptions(const R& reduction = {}) : reduction_(reduction) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(Reduction, reduction);
  GRADUS_ARG(double, delta) = 1;
};
struct BCEWithLogitsLossOptions {
  GRADUS_ARG(Tensor, weight);      ///< of each element, broadcast
  GRADUS_ARG(Tensor, pos_weight);  ///< of positive answers, broadcast
  GRADUS_ARG(Reduction, reduction) = kMean;
};

namespace functional {
using MSELossFuncOptions = MSELossOptions;
using BinaryCrossEntropyWithLogitsFuncOptions = BCEWithLogitsLossOptions;
/// ShapeError when the target's shape is not the input's: nothing is broadcast. So in those that follow.
GRADUS_API Tensor mse_loss(Operand x, const Tensor& target, const MSELossFuncOptions& options = {});
using L1LossFuncOptions = L1LossOptions;
GRADUS_API Tensor l1_loss(Operand x, const Tensor& target, const L1LossFuncOptions& options = {});
using SmoothL1LossFuncOptions = SmoothL1LossOptions;
/// ValueError when beta is negative.
GRADUS_API Tensor smooth_l1_loss(Operand x, const Tensor& target, const SmoothL1LossFuncOptions& options = {});
using HuberLossFuncOptions = HuberLossOptions;
/// ValueError when delta is not above 0.
GRADUS_API Tensor huber_loss(Operand x, const Tensor& target, const HuberLossFuncOptions& options = {});
/// ShapeError when the target's shape is not the input's.
GRADUS_API Tensor binary_cross_entropy_with_logits(Operand x, const Tensor& target,
                                                   const BinaryCrossEntropyWithLogitsFuncOptions& options = {});
}  // namespace functional

class GRADUS_API MSELossImpl : public FunctionLayer<MSELossImpl, functional::mse_loss, MSELossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(MSELoss);

class GRADUS_API L1LossImpl : public FunctionLayer<L1LossImpl, functional::l1_loss, L1LossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(L1Loss);

class GRADUS_API SmoothL1LossImpl
    : public FunctionLayer<SmoothL1LossImpl, functional::smooth_l1_loss, SmoothL1LossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(SmoothL1Loss);

class GRADUS_API HuberLossImpl : public FunctionLayer<HuberLossImpl, functional::huber_loss, HuberLossOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(HuberLoss);

class GRADUS_API BCEWithLogitsLossImpl : public Layer<BCEWithLogitsLossImpl> {
 public:
  explicit BCEWithLogitsLossImpl(const BCEWithLogitsLossOptions& options = {});
  Tensor compute(Operand x, const Tensor& target);
  void reset() override;

  BCEWithLogitsLossOptions options;
  Tensor weight, pos_weight;  ///< buffers; undefined when absent
};
GRADUS_MODULE(BCEWithLogitsLoss);

}  // namespace gradus::nn

namespace gradus {
inline Tensor mse_loss(Operand x, const Tensor& target, Reduction reduction = kMean) {
  return nn::functional::mse_loss(x, target, reduction);
}
inline Tensor l1_loss(Operand x, const Tensor& target, Reduction reduction = kMean) {
  return nn::functional::l1_loss(x, target, reduction);
}
inline Tensor smooth_l1_loss(Operand x, const Tensor& target, Reduction reduction = kMean, double beta = 1) {
  return nn::functional::smooth_l1_loss(x, target, nn::SmoothL1LossOptions(reduction).beta(beta));
}
inline Tensor huber_loss(Operand x, const Tensor& target, Reduction reduction = kMean, double delta = 1) {
  return nn::functional::huber_loss(x, target, nn::HuberLossOptions(reduction).delta(delta));
}
GRADUS_API Tensor binary_cross_entropy_with_logits(Operand x, const Tensor& target, const Tensor& weight = {},
                                                   const Tensor& pos_weight = {}, Reduction reduction = kMean);
}  // namespace gradus
