#include "recurrent_rules.h"

#include <algorithm>
#include <vector>

#include "../../autograd/tensor/create.h"
#include "../../core/nn/recurrent.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::RecurrentInputs;
using core::RecurrentKind;
using core::RecurrentResult;

namespace {

struct Inputs {
  Tensor x, w_ih, w_hh, b_ih, b_hh, h0, c0, w_hr, batch_sizes;
};

/// What is there of a product and its bias.
Tensor affine(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Tensor z = matmul(x, weight.t());
  return bias.defined() ? z + bias : z;
}

/// One step of rows that have a state h, and of an LSTM c.
void step(RecurrentKind kind, const Inputs& in, const Tensor& x, Tensor& h, Tensor& c) {
  const Tensor a = affine(x, in.w_ih, in.b_ih), u = affine(h, in.w_hh, in.b_hh);
  const std::int64_t H = in.w_hh.size(0) / core::gates_of(kind);
  const auto gate = [H](const Tensor& of, std::int64_t i) { return of.narrow(1, i * H, H); };
  if (kind == RecurrentKind::kTanh) {
    h = tanh(a + u);
  } else if (kind == RecurrentKind::kRelu) {
    const Tensor z = a + u;
    h = masked_fill(z, z <= 0, 0);
  } else if (kind == RecurrentKind::kLstm) {
    const Tensor z = a + u;
    c = sigmoid(gate(z, 1)) * c + sigmoid(gate(z, 0)) * tanh(gate(z, 2));
    h = sigmoid(gate(z, 3)) * tanh(c);
    if (in.w_hr.defined()) h = matmul(h, in.w_hr.t());
  } else {
    const Tensor r = sigmoid(gate(a, 0) + gate(u, 0)), z = sigmoid(gate(a, 1) + gate(u, 1));
    const Tensor n = tanh(gate(a, 2) + r * gate(u, 2));
    h = (1 - z) * n + z * h;
  }
}

std::tuple<Tensor, Tensor, Tensor> composed(RecurrentKind kind, bool reverse, const Inputs& in) {
  const bool packed = in.batch_sizes.defined(), lstm = kind == RecurrentKind::kLstm;
  const std::int64_t T = packed ? in.batch_sizes.size(0) : in.x.size(0);
  std::vector<std::int64_t> sizes, first;
  std::int64_t rows = 0;
  for (std::int64_t t = 0; t < T; ++t) {
    sizes.push_back(packed ? in.batch_sizes.select(0, t).item<std::int64_t>() : in.x.size(1));
    first.push_back(rows);
    rows += sizes.back();
  }
  const std::int64_t N = sizes[0], H = in.w_hh.size(0) / core::gates_of(kind);
  const auto initial = [&](const Tensor& given, std::int64_t width) {
    return given.defined() ? given : zeros({N, width}, in.x.dtype());
  };
  const Tensor h0 = initial(in.h0, in.w_hh.size(1)), c0 = lstm ? initial(in.c0, H) : Tensor();
  Tensor h = h0.narrow(0, 0, reverse ? 0 : N), c = lstm ? c0.narrow(0, 0, reverse ? 0 : N) : Tensor();
  std::vector<Tensor> y(static_cast<std::size_t>(T)), ended_h, ended_c;
  // Going forward, rows end one after the other; going back, they join.
  const auto fit = [&](Tensor& state, const Tensor& from, std::vector<Tensor>& ended, std::int64_t n) {
    const std::int64_t now = state.size(0);
    if (n > now) state = cat({state, from.narrow(0, now, n - now)});
    if (n < now) {
      ended.push_back(state.narrow(0, n, now - n));
      state = state.narrow(0, 0, n);
    }
  };
  for (std::int64_t s = 0; s < T; ++s) {
    const auto t = static_cast<std::size_t>(reverse ? T - 1 - s : s);
    fit(h, h0, ended_h, sizes[t]);
    if (lstm) fit(c, c0, ended_c, sizes[t]);
    step(kind, in, packed ? in.x.narrow(0, first[t], sizes[t]) : in.x.select(0, static_cast<std::int64_t>(t)), h, c);
    y[t] = h;
  }
  const auto last = [](const Tensor& state, std::vector<Tensor>& ended) {
    ended.push_back(state);
    std::reverse(ended.begin(), ended.end());
    return ended.size() == 1 ? state.clone() : cat(ended);
  };
  return {packed ? cat(y) : stack(y), last(h, ended_h), lstm ? last(c, ended_c) : Tensor()};
}

constexpr RecurrentKind kind_of(const RNNRule::Attrs& attrs) {
  return attrs.relu ? RecurrentKind::kRelu : RecurrentKind::kTanh;
}

}  // namespace

std::tuple<Tensor, Tensor> RNNRule::reference(const Attrs& attrs, const Tensor& input, const Tensor& weight_ih,
                                              const Tensor& weight_hh, const Tensor& bias_ih, const Tensor& bias_hh,
                                              const Tensor& h_0, const Tensor& batch_sizes) {
  const auto [y, h_n, none] = composed(kind_of(attrs), attrs.reverse,
                                       {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, {}, {}, batch_sizes});
  return {y, h_n};
}

std::tuple<Array, Array> RNNRule::forward(const Attrs& attrs, const Array& input, const Array& weight_ih,
                                          const Array& weight_hh, const Array& bias_ih, const Array& bias_hh,
                                          const Array& h_0, const Array& batch_sizes) {
  const RecurrentResult out =
      core::recurrent_forward(name.data(), kind_of(attrs),
                              {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, {}, {}, batch_sizes, attrs.reverse});
  return {out.y, out.h_n};
}

std::array<Array, 7> RNNRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, DyArray<1> dh_n, InArray<0> input,
                                       InArray<1> weight_ih, InArray<2> weight_hh, InArray<3> bias_ih,
                                       InArray<4> bias_hh, InArray<5> h_0, InArray<6> batch_sizes, OutArray<> y) {
  const auto d = core::recurrent_backward(
      name.data(), kind_of(attrs),
      {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, {}, {}, batch_sizes, attrs.reverse}, {y, {}, {}, {}, {}, {}},
      dy, dh_n, {}, {needs[0], needs[1], needs[2], needs[3], needs[4], needs[5], false, false});
  return {d[0], d[1], d[2], d[3], d[4], d[5], Array()};
}

std::tuple<Tensor, Tensor> GRURule::reference(const Attrs& attrs, const Tensor& input, const Tensor& weight_ih,
                                              const Tensor& weight_hh, const Tensor& bias_ih, const Tensor& bias_hh,
                                              const Tensor& h_0, const Tensor& batch_sizes) {
  const auto [y, h_n, none] = composed(RecurrentKind::kGru, attrs.reverse,
                                       {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, {}, {}, batch_sizes});
  return {y, h_n};
}

std::tuple<Array, Array, Array> GRURule::forward(const Attrs& attrs, const Array& input, const Array& weight_ih,
                                                 const Array& weight_hh, const Array& bias_ih, const Array& bias_hh,
                                                 const Array& h_0, const Array& batch_sizes) {
  const RecurrentResult out =
      core::recurrent_forward(name.data(), RecurrentKind::kGru,
                              {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, {}, {}, batch_sizes, attrs.reverse});
  return {out.y, out.h_n, out.gates};
}

std::array<Array, 7> GRURule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, DyArray<1> dh_n, InArray<0> input,
                                       InArray<1> weight_ih, InArray<2> weight_hh, InArray<3> bias_ih,
                                       InArray<4> bias_hh, InArray<5> h_0, InArray<6> batch_sizes, OutArray<> y,
                                       OutArray<2> gates) {
  const auto d =
      core::recurrent_backward(name.data(), RecurrentKind::kGru,
                               {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, {}, {}, batch_sizes, attrs.reverse},
                               {y, {}, {}, gates, {}, {}}, dy, dh_n, {},
                               {needs[0], needs[1], needs[2], needs[3], needs[4], needs[5], false, false});
  return {d[0], d[1], d[2], d[3], d[4], d[5], Array()};
}

std::tuple<Tensor, Tensor, Tensor> LSTMRule::reference(const Attrs& attrs, const Tensor& input, const Tensor& weight_ih,
                                                       const Tensor& weight_hh, const Tensor& bias_ih,
                                                       const Tensor& bias_hh, const Tensor& h_0, const Tensor& c_0,
                                                       const Tensor& weight_hr, const Tensor& batch_sizes) {
  return composed(RecurrentKind::kLstm, attrs.reverse,
                  {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, c_0, weight_hr, batch_sizes});
}

LSTMRule::Results LSTMRule::forward(const Attrs& attrs, const Array& input, const Array& weight_ih,
                                    const Array& weight_hh, const Array& bias_ih, const Array& bias_hh,
                                    const Array& h_0, const Array& c_0, const Array& weight_hr,
                                    const Array& batch_sizes) {
  const RecurrentResult out = core::recurrent_forward(
      name.data(), RecurrentKind::kLstm,
      {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, c_0, weight_hr, batch_sizes, attrs.reverse});
  return {out.y, out.h_n, out.c_n, out.gates, out.cells, out.raw};
}

std::array<Array, 9> LSTMRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, DyArray<1> dh_n, DyArray<2> dc_n,
                                        InArray<0> input, InArray<1> weight_ih, InArray<2> weight_hh,
                                        InArray<3> bias_ih, InArray<4> bias_hh, InArray<5> h_0, InArray<6> c_0,
                                        InArray<7> weight_hr, InArray<8> batch_sizes, OutArray<> y, OutArray<3> gates,
                                        OutArray<4> cells, OutArray<5> raw) {
  const auto d = core::recurrent_backward(
      name.data(), RecurrentKind::kLstm,
      {input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, c_0, weight_hr, batch_sizes, attrs.reverse},
      {y, {}, {}, gates, cells, raw}, dy, dh_n, dc_n,
      {needs[0], needs[1], needs[2], needs[3], needs[4], needs[5], needs[6], needs[7]});
  return {d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], Array()};
}

}  // namespace gradus::nn
