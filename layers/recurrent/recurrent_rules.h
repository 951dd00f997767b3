// One layer of a recurrent network in one direction, all its steps as one operation.
//
//   x_t is a row of I numbers, h_t of R, c_t of H. G gates of H rows each stand one below the other in W_ih (G H x I) and
//   W_hh (G H x R); a_t = W_ih x_t + b_ih, u_t = W_hh h_{t-1} + b_hh, s the logistic function.
//
//     simple  h_t = tanh(a_t + u_t), or max(a_t + u_t, 0)                               Elman, "Finding structure in time", 1990
//     LSTM    i, f, o = s(a_t + u_t), g = tanh(a_t + u_t), each of its own rows         Hochreiter and Schmidhuber, 1997;
//             c_t = f c_{t-1} + i g                                                     with f: Gers et al., 2000
//             h_t = o tanh(c_t), or with a projection W_hr (o tanh(c_t))                Sak et al., 2014
//     GRU     r, z = s(a_t + u_t), m = u_t, n = tanh(a_t + r m), each of its own rows   Cho et al., 2014, with b_hh inside m
//             h_t = (1 - z) n + z h_{t-1}
//
//   Backward, from the last step to the first; dh is dL/dy_t plus what came from the step after, dc the same of c:
//
//     simple  da = dh (1 - h^2), or dh where h > 0
//     LSTM    (dh <- W_hr^T dh)  dc <- dc + dh o (1 - tanh(c)^2)
//             di = dc g i (1 - i), df = dc c_{t-1} f (1 - f), dg = dc i (1 - g^2), do = dh tanh(c) o (1 - o), dc <- dc f
//     GRU     dn = dh (1 - z) (1 - n^2), dz = dh (h_{t-1} - n) z (1 - z), dr = dn m r (1 - r), dm = dn r, and dh z goes on
//     all     dh <- W_hh^T du, where du is da, but for a GRU's n, in whose place is m
//
//   At the end, over all steps in one product each: dx = dA W_ih, dW_ih = dA^T X, dW_hh = dU^T H', with H' the h before.
//   Forward, W_ih X + b is one product too: in a step remain W_hh h and one pass over the gates.
#pragma once

#include <array>
#include <string_view>
#include <tuple>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"

namespace gradus::nn {

// Of all three: input x [T, N, I], or packed [sum, I] with batch_sizes, int64 [T], the number of sequences that have a step t,
// which does not grow. weight_ih [G H, I], weight_hh [G H, R], bias_ih and bias_hh [G H], h_0 [N, R]. Undefined: no biases, a
// state of 0, not packed. Results y [T, N, R] or [sum, R], and h_n [N, R], each sequence's last; `reverse` goes from the last
// step to the first. ShapeError, DTypeError and ValueError where the inputs don't fit.

/// (y, h_n) of tanh, or of max(.., 0).
struct RNNRule {
  static constexpr std::string_view name = "rnn";
  static constexpr std::string_view formula =
      "h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), f = tanh or max with 0, dx_t = W_ih^T a_t, a_t = f' "
      "H_t, H_t = dh_t + W_hh^T a_{t+1}, dW_ih = sum_{t} a_t x_t^T, dW_hh = sum_{t} a_t h_{t-1}^T, db_ih = "
      "sum_{t} a_t, db_hh = sum_{t} a_t, dh_0 = W_hh^T a_1, none";
  static constexpr std::string_view input_names[] = {"input",   "weight_ih", "weight_hh",  "bias_ih",
                                                     "bias_hh", "h_0",       "batch_sizes"};
  struct Attrs {
    bool relu = false, reverse = false;
    static constexpr auto fields = named("relu", &Attrs::relu, "reverse", &Attrs::reverse);
  };
  GRADUS_API static std::tuple<Tensor, Tensor> reference(const Attrs& attrs, const Tensor& input,
                                                         const Tensor& weight_ih, const Tensor& weight_hh,
                                                         const Tensor& bias_ih, const Tensor& bias_hh,
                                                         const Tensor& h_0, const Tensor& batch_sizes);
  GRADUS_API static std::tuple<core::Array, core::Array> forward(
      const Attrs& attrs, const core::Array& input, const core::Array& weight_ih, const core::Array& weight_hh,
      const core::Array& bias_ih, const core::Array& bias_hh, const core::Array& h_0, const core::Array& batch_sizes);
  GRADUS_API static std::array<core::Array, 7> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::DyArray<1> dh_n,
                                                        autograd::InArray<0> input, autograd::InArray<1> weight_ih,
                                                        autograd::InArray<2> weight_hh, autograd::InArray<3> bias_ih,
                                                        autograd::InArray<4> bias_hh, autograd::InArray<5> h_0,
                                                        autograd::InArray<6> batch_sizes, autograd::OutArray<> y);
};

/// (y, h_n, and the gates r z m n).
struct GRURule {
  static constexpr std::string_view name = "gru";
  static constexpr std::string_view formula =
      "h_t = (1 - z) n + z h_{t-1}, n = tanh(a_n + r u_n), (r, z) = sigmoid(a + u), a = W_ih x_t + b_ih, u = "
      "W_hh h_{t-1} + b_hh, dx_t = W_ih^T a', a' = (n' u_n r (1 - r), H (h_{t-1} - n) z (1 - z), n'), n' = H "
      "(1 - z) (1 - n^2), u' = a' with n' r in the place of n', H = dh_t + (W_hh^T u' + H z)_{t+1}, dW_ih = "
      "sum_{t} a' x_t^T, dW_hh = sum_{t} u' h_{t-1}^T, db_ih = sum_{t} a', db_hh = sum_{t} u', dh_0 = (W_hh^T "
      "u' + H z)_1, none";
  static constexpr std::string_view input_names[] = {"input",   "weight_ih", "weight_hh",  "bias_ih",
                                                     "bias_hh", "h_0",       "batch_sizes"};
  static constexpr int differentiable_outputs = 2;
  struct Attrs {
    bool reverse = false;
    static constexpr auto fields = named("reverse", &Attrs::reverse);
  };
  GRADUS_API static std::tuple<Tensor, Tensor> reference(const Attrs& attrs, const Tensor& input,
                                                         const Tensor& weight_ih, const Tensor& weight_hh,
                                                         const Tensor& bias_ih, const Tensor& bias_hh,
                                                         const Tensor& h_0, const Tensor& batch_sizes);
  GRADUS_API static std::tuple<core::Array, core::Array, core::Array> forward(
      const Attrs& attrs, const core::Array& input, const core::Array& weight_ih, const core::Array& weight_hh,
      const core::Array& bias_ih, const core::Array& bias_hh, const core::Array& h_0, const core::Array& batch_sizes);
  GRADUS_API static std::array<core::Array, 7> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::DyArray<1> dh_n,
                                                        autograd::InArray<0> input, autograd::InArray<1> weight_ih,
                                                        autograd::InArray<2> weight_hh, autograd::InArray<3> bias_ih,
                                                        autograd::InArray<4> bias_hh, autograd::InArray<5> h_0,
                                                        autograd::InArray<6> batch_sizes, autograd::OutArray<> y,
                                                        autograd::OutArray<2> gates);
};

/// (y, h_n, c_n, and for the gradient the gates i f g o, all c, and all h before the projection). c_0 [N, H], weight_hr
/// [R, H] or undefined.
struct LSTMRule {
  static constexpr std::string_view name = "lstm";
  static constexpr std::string_view formula =
      "h_t = o tanh(c_t), c_t = f c_{t-1} + i g, (i, f, o) = sigmoid(a), g = tanh(a), a = W_ih x_t + b_ih + "
      "W_hh h_{t-1} + b_hh, dx_t = W_ih^T a', a' = (C g i (1 - i), C c_{t-1} f (1 - f), C i (1 - g^2), H "
      "tanh(c_t) o (1 - o)), H = dh_t + (W_hh^T a')_{t+1}, C = H o (1 - tanh(c_t)^2) + (C f)_{t+1}, dW_ih = "
      "sum_{t} a' x_t^T, dW_hh = sum_{t} a' h_{t-1}^T, db_ih = sum_{t} a', db_hh = sum_{t} a', dh_0 = (W_hh^T "
      "a')_1, dc_0 = (C f)_1, dW_hr = sum_{t} dh_t (o tanh(c_t))^T with a projection, none";
  static constexpr std::string_view input_names[] = {"input", "weight_ih", "weight_hh", "bias_ih",    "bias_hh",
                                                     "h_0",   "c_0",       "weight_hr", "batch_sizes"};
  static constexpr int differentiable_outputs = 3;
  using Attrs = GRURule::Attrs;
  using Results = std::tuple<core::Array, core::Array, core::Array, core::Array, core::Array, core::Array>;
  GRADUS_API static std::tuple<Tensor, Tensor, Tensor> reference(const Attrs& attrs, const Tensor& input,
                                                                 const Tensor& weight_ih, const Tensor& weight_hh,
                                                                 const Tensor& bias_ih, const Tensor& bias_hh,
                                                                 const Tensor& h_0, const Tensor& c_0,
                                                                 const Tensor& weight_hr, const Tensor& batch_sizes);
  GRADUS_API static Results forward(const Attrs& attrs, const core::Array& input, const core::Array& weight_ih,
                                    const core::Array& weight_hh, const core::Array& bias_ih,
                                    const core::Array& bias_hh, const core::Array& h_0, const core::Array& c_0,
                                    const core::Array& weight_hr, const core::Array& batch_sizes);
  GRADUS_API static std::array<core::Array, 9> backward(
      const Attrs& attrs, autograd::Needs needs, autograd::DyArray<> dy, autograd::DyArray<1> dh_n,
      autograd::DyArray<2> dc_n, autograd::InArray<0> input, autograd::InArray<1> weight_ih,
      autograd::InArray<2> weight_hh, autograd::InArray<3> bias_ih, autograd::InArray<4> bias_hh,
      autograd::InArray<5> h_0, autograd::InArray<6> c_0, autograd::InArray<7> weight_hr,
      autograd::InArray<8> batch_sizes, autograd::OutArray<> y, autograd::OutArray<3> gates,
      autograd::OutArray<4> cells, autograd::OutArray<5> raw);
};

}  // namespace gradus::nn
