// What RNN, LSTM and GRU have in common: their parameters, and the way through layers and directions.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "../../core/base/export.h"
#include "../../core/base/recurrent_kind.h"
#include "../module/module.h"
#include "packed_sequence.h"

namespace gradus::nn::detail {

/// One layer in one direction, (y, h_n, c_n): inputs as LSTMRule's, whose names they bear. c_n of an LSTM.
GRADUS_API std::array<Tensor, 3> apply_recurrent(core::RecurrentKind kind, bool reverse, const Tensor& input,
                                                 const Tensor& weight_ih, const Tensor& weight_hh,
                                                 const Tensor& bias_ih, const Tensor& bias_hh, const Tensor& h_0,
                                                 const Tensor& c_0 = {}, const Tensor& weight_hr = {},
                                                 const Tensor& batch_sizes = {});

/// The layers of a module of any of the three kinds, and what runs through them.
struct GRADUS_API RecurrentStack {
  core::RecurrentKind kind = core::RecurrentKind::kTanh;
  std::int64_t input_size = 0, hidden_size = 0, num_layers = 1;
  bool bias = true, batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  std::int64_t proj_size = 0;
  std::vector<Tensor> weights;  ///< layer by layer, direction by direction

  /// Registers fresh parameters. ValueError for sizes that are not above 0 and the like.
  void reset(Module& owner);
  void reset_parameters() const;
  std::string text() const;
  /// (y, h_n, c_n) of an input that is not packed.
  std::array<Tensor, 3> run(const Module& owner, Operand x, const Tensor& hx, const Tensor& cx) const;
  std::array<Tensor, 3> run(const Module& owner, const utils::rnn::PackedSequence& x, const Tensor& hx,
                            const Tensor& cx) const;

 private:
  std::array<Tensor, 3> layers(const Module& owner, Tensor x, const Tensor& hx, const Tensor& cx,
                               const Tensor& batch_sizes) const;
};

}  // namespace gradus::nn::detail
