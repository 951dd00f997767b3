// RNN, LSTM, GRU: layers of recurrent_rules.h on top of each other.
//
//   Layer l reads what layer l - 1 gave, in training after dropout. When bidirectional, each has a second direction, which goes
//   from the last step to the first; what the layer gives is y forward beside y reverse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../../core/base/arg.h"
#include "../../core/base/export.h"
#include "../module/cloneable.h"
#include "../module/enumerations.h"
#include "packed_sequence.h"
#include "recurrent_stack.h"

namespace gradus::nn {

/// `RNNOptions(128, 64).num_layers(3).nonlinearity(kReLU)`.
struct RNNOptions {
  RNNOptions(std::int64_t input_size, std::int64_t hidden_size) : input_size_(input_size), hidden_size_(hidden_size) {}
  GRADUS_ARG(std::int64_t, input_size);                               ///< I
  GRADUS_ARG(std::int64_t, hidden_size);                              ///< H
  GRADUS_ARG(std::int64_t, num_layers) = 1;                           ///< L
  GRADUS_ARG(RNNNonlinearity, nonlinearity) = RNNNonlinearity::Tanh;  ///< kTanh or kReLU
  GRADUS_ARG(bool, bias) = true;                                      ///< b_ih and b_hh
  GRADUS_ARG(bool, batch_first) = false;                              ///< x and y are [N, T, ..] instead of [T, N, ..]
  GRADUS_ARG(double, dropout) = 0.0;                                  ///< of what each layer but the last gives
  GRADUS_ARG(bool, bidirectional) = false;
};
/// `LSTMOptions(2, 4).batch_first(true)`.
struct LSTMOptions {
  LSTMOptions(std::int64_t input_size, std::int64_t hidden_size) : input_size_(input_size), hidden_size_(hidden_size) {}
  GRADUS_ARG(std::int64_t, input_size);
  GRADUS_ARG(std::int64_t, hidden_size);
  GRADUS_ARG(std::int64_t, num_layers) = 1;
  GRADUS_ARG(bool, bias) = true;
  GRADUS_ARG(bool, batch_first) = false;
  GRADUS_ARG(double, dropout) = 0.0;
  GRADUS_ARG(bool, bidirectional) = false;
  GRADUS_ARG(std::int64_t, proj_size) = 0;  ///< the width of h behind a projection; 0: none, and h has H numbers
};
/// `GRUOptions(2, 4).num_layers(3)`.
struct GRUOptions {
  GRUOptions(std::int64_t input_size, std::int64_t hidden_size) : input_size_(input_size), hidden_size_(hidden_size) {}
  GRADUS_ARG(std::int64_t, input_size);
  GRADUS_ARG(std::int64_t, hidden_size);
  GRADUS_ARG(std::int64_t, num_layers) = 1;
  GRADUS_ARG(bool, bias) = true;
  GRADUS_ARG(bool, batch_first) = false;
  GRADUS_ARG(double, dropout) = 0.0;
  GRADUS_ARG(bool, bidirectional) = false;
};

namespace detail {

template <class Derived>
class RNNImplBase : public Cloneable<Derived> {
 public:
  void reset() override { stack_.reset(*this); }
  /// Draws all parameters anew, uniform in +-1/sqrt(H).
  void reset_parameters() { stack_.reset_parameters(); }
  /// weight_ih, weight_hh, then, where they are, bias_ih, bias_hh and weight_hr: of each layer, of each of its directions.
  std::vector<Tensor> all_weights() const { return stack_.weights; }
  void flatten_parameters() {}  ///< nothing to be done: there is one device
  std::string extra_repr() const override { return stack_.text(); }

 protected:
  explicit RNNImplBase(RecurrentStack stack) : stack_(std::move(stack)) { reset(); }
  RecurrentStack stack_;
};

}  // namespace detail

// Of all three: x [T, N, I], [N, T, I] when batch_first, or without a batch [T, I]. Results y [T, N, D R] (or as x), with D
// directions of R numbers (H, or proj_size), and h_n [L D, N, R]: layer 0 forward, layer 0 reverse, layer 1 forward, ... hx
// is of h_n's shape; undefined, it is 0. ShapeError where the sizes don't fit. Parameters are weight_ih_l0, weight_hh_l0,
// bias_ih_l0, bias_hh_l0, weight_hr_l0, weight_ih_l0_reverse, ..

class GRADUS_API RNNImpl : public detail::RNNImplBase<RNNImpl> {
 public:
  RNNImpl(std::int64_t input_size, std::int64_t hidden_size) : RNNImpl(RNNOptions(input_size, hidden_size)) {}
  explicit RNNImpl(const RNNOptions& options);
  ~RNNImpl() override;
  /// (y, h_n).
  std::tuple<Tensor, Tensor> forward(Operand input, const Tensor& hx = {});
  std::tuple<utils::rnn::PackedSequence, Tensor> forward_with_packed_input(
      const utils::rnn::PackedSequence& packed_input, const Tensor& hx = {});
  RNNOptions options;
};
GRADUS_MODULE(RNN);

class GRADUS_API LSTMImpl : public detail::RNNImplBase<LSTMImpl> {
 public:
  using States = std::tuple<Tensor, Tensor>;
  LSTMImpl(std::int64_t input_size, std::int64_t hidden_size) : LSTMImpl(LSTMOptions(input_size, hidden_size)) {}
  explicit LSTMImpl(const LSTMOptions& options);
  ~LSTMImpl() override;
  /// (y, (h_n, c_n)), with c_n [L D, N, H].
  std::tuple<Tensor, States> forward(Operand input, const std::optional<States>& hx_opt = {});
  std::tuple<utils::rnn::PackedSequence, States> forward_with_packed_input(
      const utils::rnn::PackedSequence& packed_input, const std::optional<States>& hx_opt = {});
  LSTMOptions options;
};
GRADUS_MODULE(LSTM);

class GRADUS_API GRUImpl : public detail::RNNImplBase<GRUImpl> {
 public:
  GRUImpl(std::int64_t input_size, std::int64_t hidden_size) : GRUImpl(GRUOptions(input_size, hidden_size)) {}
  explicit GRUImpl(const GRUOptions& options);
  ~GRUImpl() override;
  /// (y, h_n).
  std::tuple<Tensor, Tensor> forward(Operand input, const Tensor& hx = {});
  std::tuple<utils::rnn::PackedSequence, Tensor> forward_with_packed_input(
      const utils::rnn::PackedSequence& packed_input, const Tensor& hx = {});
  GRUOptions options;
};
GRADUS_MODULE(GRU);

}  // namespace gradus::nn
