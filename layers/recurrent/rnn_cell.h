// RNNCell, LSTMCell, GRUCell: one step of one layer (recurrent_rules.h), for loops of one's own; the same as functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "../../core/base/arg.h"
#include "../../core/base/export.h"
#include "../module/cloneable.h"
#include "../module/enumerations.h"

namespace gradus::nn {

/// `RNNCellOptions(20, 10).bias(false).nonlinearity(kReLU)`.
struct RNNCellOptions {
  RNNCellOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  GRADUS_ARG(std::int64_t, input_size);
  GRADUS_ARG(std::int64_t, hidden_size);
  GRADUS_ARG(bool, bias) = true;
  GRADUS_ARG(RNNNonlinearity, nonlinearity) = RNNNonlinearity::Tanh;  ///< kTanh or kReLU
};
struct LSTMCellOptions {
  LSTMCellOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  GRADUS_ARG(std::int64_t, input_size);
  GRADUS_ARG(std::int64_t, hidden_size);
  GRADUS_ARG(bool, bias) = true;
};
struct GRUCellOptions {
  GRUCellOptions(std::int64_t input_size, std::int64_t hidden_size)
      : input_size_(input_size), hidden_size_(hidden_size) {}
  GRADUS_ARG(std::int64_t, input_size);
  GRADUS_ARG(std::int64_t, hidden_size);
  GRADUS_ARG(bool, bias) = true;
};

namespace detail {

/// What the parameters of a cell are made from. ValueError for a size that is not above 0.
GRADUS_API void reset_cell(Module& cell, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
                           bool bias, Tensor* parameters[4]);

GRADUS_API void draw_cell(const Module& cell, std::int64_t hidden_size);

template <class Derived, class Options>
class RNNCellImplBase : public Cloneable<Derived> {
 public:
  void reset() override {
    Tensor* all[] = {&weight_ih, &weight_hh, &bias_ih, &bias_hh};
    reset_cell(*this, Derived::gates, options.input_size(), options.hidden_size(), options.bias(), all);
  }
  /// Draws all parameters anew, uniform in +-1/sqrt(H).
  void reset_parameters() { draw_cell(*this, options.hidden_size()); }

  Options options;
  Tensor weight_ih, weight_hh;  ///< [G H, I], [G H, H]
  Tensor bias_ih, bias_hh;      ///< [G H]; undefined without bias

 protected:
  explicit RNNCellImplBase(const Options& chosen) : options(chosen) { reset(); }
};

}  // namespace detail

// Of all three: x [N, I] and states [N, H], or [I] and [H]; states that are undefined are 0. ShapeError where the sizes don't
// fit.

class GRADUS_API RNNCellImpl : public detail::RNNCellImplBase<RNNCellImpl, RNNCellOptions> {
 public:
  static constexpr std::int64_t gates = 1;
  RNNCellImpl(std::int64_t input_size, std::int64_t hidden_size)
      : RNNCellImpl(RNNCellOptions(input_size, hidden_size)) {}
  explicit RNNCellImpl(const RNNCellOptions& chosen);
  ~RNNCellImpl() override;
  Tensor forward(Operand input, const Tensor& hx = {});
  std::string extra_repr() const override;
};
GRADUS_MODULE(RNNCell);

class GRADUS_API LSTMCellImpl : public detail::RNNCellImplBase<LSTMCellImpl, LSTMCellOptions> {
 public:
  static constexpr std::int64_t gates = 4;
  using States = std::tuple<Tensor, Tensor>;
  LSTMCellImpl(std::int64_t input_size, std::int64_t hidden_size)
      : LSTMCellImpl(LSTMCellOptions(input_size, hidden_size)) {}
  explicit LSTMCellImpl(const LSTMCellOptions& chosen);
  ~LSTMCellImpl() override;
  /// (h, c).
  States forward(Operand input, const std::optional<States>& hx_opt = {});
  std::string extra_repr() const override;

 protected:
  std::size_t _forward_default_args(std::vector<AnyValue>& arguments) const override;
};
GRADUS_MODULE(LSTMCell);

class GRADUS_API GRUCellImpl : public detail::RNNCellImplBase<GRUCellImpl, GRUCellOptions> {
 public:
  static constexpr std::int64_t gates = 3;
  GRUCellImpl(std::int64_t input_size, std::int64_t hidden_size)
      : GRUCellImpl(GRUCellOptions(input_size, hidden_size)) {}
  explicit GRUCellImpl(const GRUCellOptions& chosen);
  ~GRUCellImpl() override;
  Tensor forward(Operand input, const Tensor& hx = {});
  std::string extra_repr() const override;
};
GRADUS_MODULE(GRUCell);

}  // namespace gradus::nn

namespace gradus {

// One step with parameters that are given: input [N, I] and states [N, H], or [I] and [H]; w_ih [G H, I], w_hh [G H, H], and
// biases [G H] or none. States that are undefined are 0. ShapeError where the sizes don't fit.

/// (h, c) of hx = {h, c}: ValueError unless it is two.
GRADUS_API std::tuple<Tensor, Tensor> lstm_cell(Operand input, const std::vector<Tensor>& hx, const Tensor& w_ih,
                                                const Tensor& w_hh, const Tensor& b_ih = {}, const Tensor& b_hh = {});
GRADUS_API Tensor gru_cell(Operand input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                           const Tensor& b_ih = {}, const Tensor& b_hh = {});
GRADUS_API Tensor rnn_tanh_cell(Operand input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                                const Tensor& b_ih = {}, const Tensor& b_hh = {});
GRADUS_API Tensor rnn_relu_cell(Operand input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh,
                                const Tensor& b_ih = {}, const Tensor& b_hh = {});

}  // namespace gradus
