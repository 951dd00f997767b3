// Sequences of different lengths, one step's rows after the other's, without padding: what recurrent layers read at once.
//
//   The sequences stand in descending order of their lengths; of n_t that have a step t, t = 0, 1, .., the rows of step t are
//   the n_t ones behind those of the steps before. abc and x become a x b c with batch_sizes 2 1 1.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../shape/pad_sequence.h"

namespace gradus::nn::utils::rnn {

/// What pack_padded_sequence and pack_sequence make.
class GRADUS_API PackedSequence {
 public:
  /// unsorted_indices is the inverse of sorted_indices where it is not given. ValueError unless batch_sizes are int64 [T], above
  /// 0, not growing, and add up to the rows of data, and the indices are int64 permutations of the sequences.
  explicit PackedSequence(Tensor data, Tensor batch_sizes, Tensor sorted_indices = {}, Tensor unsorted_indices = {});
  const Tensor& data() const { return data_; }                ///< [sum of batch_sizes, ..]
  const Tensor& batch_sizes() const { return batch_sizes_; }  ///< int64 [T]
  /// Which sequence stands in which place, and where each went; undefined where they came in order.
  const Tensor& sorted_indices() const { return sorted_indices_; }
  const Tensor& unsorted_indices() const { return unsorted_indices_; }
  PackedSequence to(DType dtype) const;  ///< of the data
  PackedSequence cpu() const { return *this; }
  PackedSequence pin_memory() const { return *this; }
  bool is_cuda() const { return false; }
  bool is_pinned() const { return false; }

 private:
  Tensor data_, batch_sizes_, sorted_indices_, unsorted_indices_;
};

/// input [T, N, ..], or [N, T, ..] when `batch_first`; lengths [N], from 1 to T. Unless `enforce_sorted` is false the lengths
/// must not grow: ValueError.
GRADUS_API PackedSequence pack_padded_sequence(Operand input, const Tensor& lengths, bool batch_first = false,
                                               bool enforce_sorted = true);
/// (padded [T, N, ..] or [N, T, ..], lengths int64 [N]), the sequences in the order in which they were packed. T is the longest
/// length, or total_length (ValueError when that is less).
GRADUS_API std::tuple<Tensor, Tensor> pad_packed_sequence(const PackedSequence& sequence, bool batch_first = false,
                                                          double padding_value = 0.0,
                                                          std::optional<std::int64_t> total_length = std::nullopt);
/// Sequences [length, ..].
GRADUS_API PackedSequence pack_sequence(OperandList sequences, bool enforce_sorted = true);
GRADUS_API Tensor invert_permutation(const Tensor& permutation);

}  // namespace gradus::nn::utils::rnn

namespace gradus::nn::utils {
using rnn::pack_padded_sequence;
using rnn::pack_sequence;
using rnn::pad_sequence;
}  // namespace gradus::nn::utils
