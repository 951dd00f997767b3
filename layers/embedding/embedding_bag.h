// Bags of embeddings: the sum, the mean or the largest values of the vectors that a bag of numbers names.
//
//   y_b = sum over i in bag b of s_i W[t_i]       s_i = 1 (sum), the weight of the sample, or 1 / (size of the bag) (mean)
//   dL/dW[r] = sum over i with t_i = r of s_i dL/dy_b(i)
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"

namespace gradus {

/// (y [bags, dim], the bag of each index, the bags' sizes, of a largest value the row that it comes from). weight [rows, dim];
/// indices [n] with the bags' beginnings in offsets [bags] (the first 0), or [bags, n] without. mode 0: sum, 1: mean, 2:
/// largest; per_sample_weights, of the indices' shape, for sums alone. An empty bag gives 0; indices that are padding_idx (a
/// negative one counts from the end of the rows) are in no bag. include_last_offset: offsets end in n. IndexError, ShapeError, DTypeError; ValueError for another mode and for
/// scale_grad_by_freq and sparse, which are not there.
GRADUS_API std::tuple<Tensor, Tensor, Tensor, Tensor> embedding_bag(
    Operand weight, const Tensor& indices, const Tensor& offsets = {}, bool scale_grad_by_freq = false,
    std::int64_t mode = 0, bool sparse = false, const Tensor& per_sample_weights = {}, bool include_last_offset = false,
    const std::optional<std::int64_t>& padding_idx = {});

}  // namespace gradus
