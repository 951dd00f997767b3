// Connectionist temporal classification (Graves, Fernandez, Gomez, Schmidhuber, 2006): the recursions over time, in
// logarithms. What they compute: layers/loss/ctc_loss.h.
#pragma once

#include <cstdint>
#include <tuple>

#include "../array/array.h"
#include "../base/export.h"

namespace gradus::core {

/// What each sample's recursion reads: log_p [T, N, C] of one floating dtype; the labels, int64, of sample n from
/// labels[starts[n]] on; T_n and L_n, its steps and labels. All of int64 are contiguous, and are taken to be in range.
struct CtcSamples {
  Array log_p, labels, starts, steps, lengths;  ///< [T, N, C], [..], [N], [N], [N]
  std::int64_t blank = 0;
};

/// -log P(labels) of each sample [N], of log_p's dtype, inf (or 0) where no path gives the labels; and the logarithms of the
/// forward variables, float64 [N, T, S], S = 2 max L_n + 1.
GRADUS_API std::tuple<Array, Array> ctc_loss(const CtcSamples& samples, bool zero_infinity);
/// The gradient in log_p: dl [N] times minus the probability, given the labels, of being at class c in step t. Of a sample
/// without a path it is NaN, or 0 where `zero_infinity`.
GRADUS_API Array ctc_loss_backward(const CtcSamples& samples, const Array& dl, const Array& alpha, bool zero_infinity);

}  // namespace gradus::core
