#include "rnn_cell.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../module/any_module.h"
#include "../module/module_hooks.h"
#include "recurrent_stack.h"

namespace gradus::nn {

using namespace autograd;
using core::RecurrentKind;

namespace detail {

void reset_cell(Module& cell, std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size, bool bias,
                Tensor* parameters[4]) {
  if (input_size <= 0 || hidden_size <= 0) {
    core::fail<ValueError>("{}: sizes must be above 0: input_size {}, hidden_size {}", cell.name(), input_size,
                           hidden_size);
  }
  core::checked_numel({gates, hidden_size, std::max(input_size, hidden_size)}, cell.name().c_str());
  const std::int64_t rows = gates * hidden_size;
  cell.register_parameter("weight_ih", *parameters[0], empty({rows, input_size}));
  cell.register_parameter("weight_hh", *parameters[1], empty({rows, hidden_size}));
  cell.register_parameter("bias_ih", *parameters[2], bias ? empty({rows}) : Tensor());
  cell.register_parameter("bias_hh", *parameters[3], bias ? empty({rows}) : Tensor());
  draw_cell(cell, hidden_size);
}

void draw_cell(const Module& cell, std::int64_t hidden_size) {
  const NoGradGuard no_grad;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  for (const Tensor& weight : cell.parameters()) weight.uniform_(-bound, bound);
}

}  // namespace detail

namespace {

std::string sizes_text(std::int64_t input_size, std::int64_t hidden_size, bool bias) {
  return fmt::format("{}, {}{}", input_size, hidden_size, bias ? "" : ", bias=false");
}

std::string name_of(const Module& cell) { return cell.name(); }
std::string name_of(const char* function) { return function; }

// What a rule reads of an input or a state: [1, N, I] or [N, H].
template <class Who>
Tensor rows_of(const Who& who, const char* what, const Tensor& x, const Tensor& input, std::int64_t width) {
  core::expect_defined(name_of(who), what, x);
  const bool one = input.dim() == 1;
  if ((x.dim() != 1 && x.dim() != 2) || x.size(-1) != width || x.dim() != input.dim() ||
      (!one && x.size(0) != input.size(0))) {
    core::fail<ShapeError>("{}: {} must be [N, {}] or [{}], as input: {}", name_of(who), what, width, width, x.sizes());
  }
  core::expect_dtype(name_of(who), what, x.dtype(), "input", input.dtype());
  return one ? x.unsqueeze(0) : x;
}

struct Step {
  // Who: a cell, or a function's name.
  template <class Who>
  Step(const Who& who, std::int64_t input_size, std::int64_t hidden_size, const Tensor& input, const Tensor& hx,
       const Tensor& cx = {})
      : x(rows_of(who, "input", input, input, input_size).unsqueeze(0)), one(input.dim() == 1) {
    if (hx.defined()) h0 = rows_of(who, "hx", hx, input, hidden_size);
    if (cx.defined()) c0 = rows_of(who, "cx", cx, input, hidden_size);
  }
  template <class Cell>
  requires std::is_base_of_v<Module, Cell> Step(const Cell& cell, const Tensor& input, const Tensor& hx,
                                                const Tensor& cx = {})
      : Step(cell, cell.options.input_size(), cell.options.hidden_size(), input, hx, cx) {
    detail::ModuleHooks::before_forward(cell);
  }
  Tensor result(const Tensor& state) const { return one ? state.squeeze(0) : state; }
  Tensor x, h0, c0;
  bool one;
};

}  // namespace

RNNCellImpl::RNNCellImpl(const RNNCellOptions& chosen) : RNNCellImplBase(chosen) {}
RNNCellImpl::~RNNCellImpl() = default;
LSTMCellImpl::LSTMCellImpl(const LSTMCellOptions& chosen) : RNNCellImplBase(chosen) {}
LSTMCellImpl::~LSTMCellImpl() = default;
std::size_t LSTMCellImpl::_forward_default_args(std::vector<AnyValue>& arguments) const {
  return detail::append_defaults(arguments, {{1, AnyValue(std::optional<States>())}});
}
GRUCellImpl::GRUCellImpl(const GRUCellOptions& chosen) : RNNCellImplBase(chosen) {}
GRUCellImpl::~GRUCellImpl() = default;

Tensor RNNCellImpl::forward(Operand input, const Tensor& hx) {
  const Scope scope(input.at(), path());
  const Step s(*this, input.tensor(), hx);
  const bool relu = options.nonlinearity() == RNNNonlinearity::ReLU;
  return s.result(detail::apply_recurrent(relu ? RecurrentKind::kRelu : RecurrentKind::kTanh, false, s.x, weight_ih,
                                          weight_hh, bias_ih, bias_hh, s.h0)[1]);
}
LSTMCellImpl::States LSTMCellImpl::forward(Operand input, const std::optional<States>& hx_opt) {
  const Scope scope(input.at(), path());
  const auto& [hx, cx] = hx_opt.value_or(States());
  const Step s(*this, input.tensor(), hx, cx);
  const auto all =
      detail::apply_recurrent(RecurrentKind::kLstm, false, s.x, weight_ih, weight_hh, bias_ih, bias_hh, s.h0, s.c0);
  return {s.result(all[1]), s.result(all[2])};
}
Tensor GRUCellImpl::forward(Operand input, const Tensor& hx) {
  const Scope scope(input.at(), path());
  const Step s(*this, input.tensor(), hx);
  return s.result(
      detail::apply_recurrent(RecurrentKind::kGru, false, s.x, weight_ih, weight_hh, bias_ih, bias_hh, s.h0)[1]);
}

std::string RNNCellImpl::extra_repr() const {
  return sizes_text(options.input_size(), options.hidden_size(), options.bias()) +
         (options.nonlinearity() == RNNNonlinearity::ReLU ? ", nonlinearity=kReLU" : "");
}
std::string LSTMCellImpl::extra_repr() const {
  return sizes_text(options.input_size(), options.hidden_size(), options.bias());
}
std::string GRUCellImpl::extra_repr() const {
  return sizes_text(options.input_size(), options.hidden_size(), options.bias());
}

}  // namespace gradus::nn

namespace gradus {

using core::RecurrentKind;

namespace {

// All states after one step, of a batch of one where there is none.
std::array<Tensor, 2> step(const char* op, RecurrentKind kind, Operand input, const Tensor& hx, const Tensor& cx,
                           const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh) {
  return core::in_name_of(op, [&]() -> std::array<Tensor, 2> {
    const autograd::Scope scope(input.at());
    // All that the rule would say in its own names.
    core::expect_defined(op, "input", input.tensor());
    core::expect_dims(op, "w_ih", w_ih, 2, 2, "[gates of H, I]");
    core::expect_dims(op, "w_hh", w_hh, 2, 2, "[gates of H, H]");
    const std::int64_t H = w_hh.size(1), rows = core::gates_of(kind) * H;
    core::expect_shape(op, "w_ih", w_ih.sizes(), "[gates of H, I]", {rows, w_ih.size(1)});
    core::expect_shape(op, "w_hh", w_hh.sizes(), "[gates of H, H]", {rows, H});
    if (b_ih.defined()) core::expect_shape(op, "b_ih", b_ih.sizes(), "[gates of H]", rows);
    if (b_hh.defined()) core::expect_shape(op, "b_hh", b_hh.sizes(), "[gates of H]", rows);
    for (const auto& [name, given] : {std::pair("w_ih", &w_ih), {"w_hh", &w_hh}, {"b_ih", &b_ih}, {"b_hh", &b_hh}}) {
      if (given->defined()) core::expect_dtype(op, name, given->dtype(), "input", input.tensor().dtype());
    }
    const nn::Step s(op, w_ih.size(1), w_hh.size(1), input.tensor(), hx, cx);
    const auto all = nn::detail::apply_recurrent(kind, false, s.x, w_ih, w_hh, b_ih, b_hh, s.h0, s.c0);
    return {s.result(all[1]), all[2].defined() ? s.result(all[2]) : all[2]};
  });
}

}  // namespace

std::tuple<Tensor, Tensor> lstm_cell(Operand input, const std::vector<Tensor>& hx, const Tensor& w_ih,
                                     const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh) {
  if (hx.size() != 2) core::fail<ValueError>("lstm_cell: hx must be two tensors, h and c: {}", hx.size());
  const auto [h, c] = step("lstm_cell", RecurrentKind::kLstm, input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh);
  return {h, c};
}
Tensor gru_cell(Operand input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh) {
  return step("gru_cell", RecurrentKind::kGru, input, hx, {}, w_ih, w_hh, b_ih, b_hh)[0];
}
Tensor rnn_tanh_cell(Operand input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                     const Tensor& b_hh) {
  return step("rnn_tanh_cell", RecurrentKind::kTanh, input, hx, {}, w_ih, w_hh, b_ih, b_hh)[0];
}
Tensor rnn_relu_cell(Operand input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                     const Tensor& b_hh) {
  return step("rnn_relu_cell", RecurrentKind::kRelu, input, hx, {}, w_ih, w_hh, b_ih, b_hh)[0];
}

}  // namespace gradus
