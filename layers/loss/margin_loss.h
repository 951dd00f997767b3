// Losses that are 0 beyond a margin, m. With t = 1 or -1 and h(z) = max(z, 0):
//
//   soft margin:           l = log(1 + exp(-t x))
//   hinge embedding:       l = x where t = 1, h(m - x) where t = -1
//   margin ranking:        l = h(m - t (x1 - x2))
//   cosine embedding:      l = 1 - cos(x1, x2) where t = 1, h(cos(x1, x2) - m) where t = -1
//   triplet margin:        l = h(m + |a - p| - |a - n|)
//   multi-margin:          l = sum over classes j other than t of w_t h(m - x_t + x_j)^p / C
//   multi-label margin:    l = sum over labels k and classes j that are no label of h(1 - x_k + x_j) / C
//
// At the margin itself the gradient is that of h(z) = z, as PyTorch's.
#pragma once

#include <cstdint>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"

namespace gradus {

/// ShapeError when the target's shape is not the input's, here and in hinge_embedding_loss.
GRADUS_API Tensor soft_margin_loss(Operand input, const Tensor& target, Reduction reduction = kMean);
GRADUS_API Tensor hinge_embedding_loss(Operand input, const Tensor& target, double margin = 1,
                                       Reduction reduction = kMean);
/// Operands broadcast.
GRADUS_API Tensor margin_ranking_loss(Operand input1, const Tensor& input2, const Tensor& target, double margin = 0,
                                      Reduction reduction = kMean);
/// Inputs [N, D] and a target [N], or [D] and []; ShapeError.
GRADUS_API Tensor cosine_embedding_loss(Operand input1, const Tensor& input2, const Tensor& target, double margin = 0,
                                        Reduction reduction = kMean);
/// Distances are pairwise_distance(a, b, p, eps). `swap`: |p - n| in the place of |a - n| where it is smaller.
GRADUS_API Tensor triplet_margin_loss(Operand anchor, const Tensor& positive, const Tensor& negative, double margin = 1,
                                      double p = 2, double eps = 1e-6, bool swap = false, Reduction reduction = kMean);
/// input [N, C] or [C], target [N] or [] of class numbers, weight [C]. ValueError unless p is 1 or 2, IndexError for a class
/// number outside [0, C).
GRADUS_API Tensor multi_margin_loss(Operand input, const Tensor& target, const Scalar& p = 1, const Scalar& margin = 1,
                                    const Tensor& weight = {}, Reduction reduction = kMean);
/// input [N, C] or [C], target of its shape: class numbers, those before the first -1 being the labels.
GRADUS_API Tensor multilabel_margin_loss(Operand input, const Tensor& target, Reduction reduction = kMean);

}  // namespace gradus
