// One layer of a recurrent network in one direction, all steps of all sequences at once. float32 and float64; the same bits
// at any number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "../array/array.h"
#include "../base/export.h"
#include "../base/recurrent_kind.h"

namespace gradus::core {

/// The numbers in batch_sizes. ValueError unless they are int64 [T], above 0, not growing, and add up to the rows of `packed`,
/// the shape of what they are the steps of.
GRADUS_API std::vector<std::int64_t> steps_of(const char* op, const Array& batch_sizes, IntArrayRef packed);

/// What a layer reads, all of one floating dtype but batch_sizes; G gates, H units, R the width of h: P with a projection,
/// else H. Undefined: no biases, states of 0, no projection, one batch size for all steps.
struct RecurrentInputs {
  Array x;                 ///< [T, N, I]; packed: [sum of batch_sizes, I], one step's rows after the other's
  Array w_ih, w_hh;        ///< [G H, I], [G H, R]
  Array b_ih, b_hh;        ///< [G H]
  Array h0, c0;            ///< [N, R], [N, H]; c0 of an LSTM
  Array w_hr;              ///< [P, H], of an LSTM
  Array batch_sizes = {};  ///< int64 [T], above 0 and not growing: how many sequences have a step t
  bool reverse = false;    ///< from the last step to the first
};
/// y [T, N, R] or [sum, R]; h_n [N, R], c_n [N, H]: each sequence's last. `gates` and `cells` (c) are for the gradient, and so
/// is `raw`, h before the projection; undefined where the kind has none.
struct RecurrentResult {
  Array y, h_n, c_n, gates, cells, raw;
};

/// ShapeError, DTypeError and ValueError in the name of `op` where the inputs don't fit.
GRADUS_API RecurrentResult recurrent_forward(const char* op, RecurrentKind kind, const RecurrentInputs& inputs);
/// The gradients of x, w_ih, w_hh, b_ih, b_hh, h0, c0 and w_hr, where wanted, from those of y, h_n and c_n, which may be
/// undefined: 0. Of the result it reads y, gates, cells and raw.
GRADUS_API std::array<Array, 8> recurrent_backward(const char* op, RecurrentKind kind, const RecurrentInputs& inputs,
                                                   const RecurrentResult& result, const Array& dy, const Array& dh_n,
                                                   const Array& dc_n, const std::array<bool, 8>& wanted);

}  // namespace gradus::core
