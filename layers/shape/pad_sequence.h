// Sequences of different lengths as one tensor.
#pragma once

#include <string_view>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"

namespace gradus {

/// [longest, B, ..] of B sequences [length, ..], or [B, longest, ..] when `batch_first`; the shorter ones padded behind, or
/// before them ("left"). ShapeError unless they are alike but for their lengths.
GRADUS_API Tensor pad_sequence(OperandList sequences, bool batch_first = false, double padding_value = 0,
                               std::string_view padding_side = "right");

namespace nn::utils::rnn {
using gradus::pad_sequence;
}  // namespace nn::utils::rnn

}  // namespace gradus
