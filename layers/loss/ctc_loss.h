// Connectionist temporal classification (Graves, Fernandez, Gomez, Schmidhuber, 2006): a sequence of labels against
// longer sequences of numbers, without saying where each label stands.
//
//   At each step t of T_n a sample has log p_t(c) for each class c, one of which is the blank. A path names a class for
//   each step; it spells the labels when, of classes that repeat, all but one are left out, and then the blanks. With
//   labels l_1 .. l_L, the states s = 0 .. 2 L are blank, l_1, blank, .., l_L, blank; a path stays, goes on by one, or by
//   two where that leaves out a blank between labels that differ. All in logarithms:
//
//     alpha_t(s) = log p_t(s) + log sum exp(alpha_{t-1}(s), alpha_{t-1}(s - 1), alpha_{t-1}(s - 2))
//     beta_t(s)  = log sum exp over s' = s, s + 1, s + 2 of beta_{t+1}(s') + log p_{t+1}(s')
//     l          = - log sum exp(alpha_T(2 L), alpha_T(2 L - 1)) = - log P
//     dl / d log p_t(c) = - sum over states s of class c of exp(alpha_t(s) + beta_t(s)) / P
//
//   which is minus the probability, given the labels, of being at c in step t. (PyTorch's adds p_t(c) to it, which the
//   gradient of the log_softmax that log p came from takes away again: with that, both are the same.) Where no path spells
//   the labels, as in too few steps, the loss is inf, its gradient NaN; both are 0 with `zero_infinity`.
//
//   The mean divides the loss of each sample by its number of labels (or 1) and takes the mean over samples.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/cloneable.h"
#include "../module/enumerations.h"

namespace gradus::nn {

/// (losses [N], alpha) of log p [T, N, C], labels [N, L] or one behind the other, T_n [N] and L_n [N], all int64.
struct CTCLossRule {
  static constexpr std::string_view name = "ctc_loss";
  static constexpr std::string_view formula =
      "l = -ln P, P = the probability of all paths that spell the targets, dp_t(c) = -dl sum_{s is c} "
      "exp(alpha_t(s) + beta_t(s)) / P, none, none, none";
  static constexpr std::string_view input_names[] = {"log_probs", "targets", "input_lengths", "target_lengths"};
  static constexpr int differentiable_outputs = 1;

  struct Attrs {
    std::int64_t blank = 0;
    bool zero_infinity = false;
    static constexpr auto fields = named("blank", &Attrs::blank, "zero_infinity", &Attrs::zero_infinity);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& log_p, const Tensor& targets,
                                     const Tensor& input_lengths, const Tensor& target_lengths);
  /// ShapeError, DTypeError; ValueError for lengths that do not fit; IndexError for a class outside [0, C).
  GRADUS_API static std::tuple<core::Array, core::Array> forward(const Attrs& attrs, const core::Array& log_p,
                                                                 const core::Array& targets,
                                                                 const core::Array& input_lengths,
                                                                 const core::Array& target_lengths);
  GRADUS_API static std::array<core::Array, 4> backward(const Attrs& attrs, autograd::DyArray<> dl,
                                                        autograd::InArray<0> log_p, autograd::InArray<1> targets,
                                                        autograd::InArray<2> input_lengths,
                                                        autograd::InArray<3> target_lengths,
                                                        autograd::OutArray<1> alpha);
};

struct CTCLossOptions {
  GRADUS_ARG(std::int64_t, blank) = 0;  ///< the class that stands for no label
  GRADUS_ARG(Reduction, reduction) = kMean;
  GRADUS_ARG(bool, zero_infinity) = false;
};

namespace functional {
using CTCLossFuncOptions = CTCLossOptions;
/// log_probs [T, N, C] or [T, C], as log_softmax gives them; targets [N, L] padded, or one behind the other [sum of lengths]
/// (of [T, C]: [L]); the lengths [N] (or [1] or []). Targets and lengths of any integer dtype. Errors as CTCLossRule's.
GRADUS_API Tensor ctc_loss(Operand log_probs, const Tensor& targets, const Tensor& input_lengths,
                           const Tensor& target_lengths, const CTCLossFuncOptions& options = {});
}  // namespace functional

class GRADUS_API CTCLossImpl : public Cloneable<CTCLossImpl> {
 public:
  explicit CTCLossImpl(const CTCLossOptions& chosen = {});
  Tensor forward(Operand log_probs, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths);
  void reset() override {}

  CTCLossOptions options;
};
GRADUS_MODULE(CTCLoss);

}  // namespace gradus::nn

namespace gradus {
GRADUS_API Tensor ctc_loss(Operand log_probs, const Tensor& targets, const Tensor& input_lengths,
                           const Tensor& target_lengths, std::int64_t blank = 0, Reduction reduction = kMean,
                           bool zero_infinity = false);
GRADUS_API Tensor ctc_loss(Operand log_probs, const Tensor& targets, IntArrayRef input_lengths,
                           IntArrayRef target_lengths, std::int64_t blank = 0, Reduction reduction = kMean,
                           bool zero_infinity = false);
}  // namespace gradus
