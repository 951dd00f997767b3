#include "recurrent_stack.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "../../autograd/graph/grad_mode.h"
#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../dropout/dropout.h"
#include "../module/module_hooks.h"
#include "../module/one_sample.h"
#include "recurrent_rules.h"

namespace gradus::nn {

using namespace autograd;
using core::RecurrentKind;
using utils::rnn::PackedSequence;

namespace detail {
namespace {

constexpr const char* name_of(RecurrentKind kind) {
  return kind == RecurrentKind::kLstm ? "LSTM" : kind == RecurrentKind::kGru ? "GRU" : "RNN";
}

void check_state(const char* op, const char* what, const Tensor& state, IntArrayRef wanted) {
  if (state.defined() && !(IntArrayRef(state.sizes()) == wanted)) {
    core::fail<ShapeError>(
        "{}: {} must be [layers * directions, N, width], or without N where input has none: {} for {}", op, what,
        state.sizes(), wanted);
  }
}

}  // namespace

std::array<Tensor, 3> apply_recurrent(RecurrentKind kind, bool reverse, const Tensor& input, const Tensor& weight_ih,
                                      const Tensor& weight_hh, const Tensor& bias_ih, const Tensor& bias_hh,
                                      const Tensor& h_0, const Tensor& c_0, const Tensor& weight_hr,
                                      const Tensor& batch_sizes) {
  if (kind == RecurrentKind::kLstm) {
    const auto all =
        apply<LSTMRule>({reverse}, input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, c_0, weight_hr, batch_sizes);
    return {std::get<0>(all), std::get<1>(all), std::get<2>(all)};
  }
  if (kind == RecurrentKind::kGru) {
    const auto all = apply<GRURule>({reverse}, input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, batch_sizes);
    return {std::get<0>(all), std::get<1>(all), {}};
  }
  const RNNRule::Attrs attrs{kind == RecurrentKind::kRelu, reverse};
  const auto [y, h_n] = apply<RNNRule>(attrs, input, weight_ih, weight_hh, bias_ih, bias_hh, h_0, batch_sizes);
  return {y, h_n, {}};
}

void RecurrentStack::reset(Module& owner) {
  const char* const op = name_of(kind);
  if (input_size <= 0 || hidden_size <= 0 || num_layers <= 0) {
    core::fail<ValueError>("{}: sizes must be above 0: input_size {}, hidden_size {}, num_layers {}", op, input_size,
                           hidden_size, num_layers);
  }
  core::expect_probability(op, "dropout", dropout);
  if (proj_size < 0 || proj_size >= hidden_size) {
    core::fail<ValueError>("{}: proj_size must be in [0, hidden_size): {} for {}", op, proj_size, hidden_size);
  }
  weights.clear();
  core::checked_numel({core::gates_of(kind), hidden_size, std::max(input_size, hidden_size)}, op);
  const std::int64_t rows = core::gates_of(kind) * hidden_size, width = proj_size > 0 ? proj_size : hidden_size;
  const std::int64_t directions = bidirectional ? 2 : 1;
  for (std::int64_t layer = 0; layer < num_layers; ++layer) {
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const auto add = [&](const char* what, IntArrayRef shape) {
        weights.push_back(owner.register_parameter(
            fmt::format("{}_l{}{}", what, layer, direction == 0 ? "" : "_reverse"), empty(shape)));
      };
      add("weight_ih", {rows, layer == 0 ? input_size : width * directions});
      add("weight_hh", {rows, width});
      if (bias) {
        add("bias_ih", {rows});
        add("bias_hh", {rows});
      }
      if (proj_size > 0) add("weight_hr", {proj_size, hidden_size});
    }
  }
  reset_parameters();
}

void RecurrentStack::reset_parameters() const {
  const NoGradGuard no_grad;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  for (const Tensor& weight : weights) weight.uniform_(-bound, bound);
}

std::string RecurrentStack::text() const {
  return fmt::format(
      "input_size={}, hidden_size={}, num_layers={}, bias={}, batch_first={}, dropout={}, bidirectional={}{}",
      input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
      proj_size > 0 ? fmt::format(", proj_size={}", proj_size) : "");
}

std::array<Tensor, 3> RecurrentStack::layers(const Module& owner, Tensor x, const Tensor& hx, const Tensor& cx,
                                             const Tensor& batch_sizes) const {
  ModuleHooks::before_forward(owner);
  const std::int64_t directions = bidirectional ? 2 : 1;
  const std::size_t each = 2 + (bias ? 2 : 0) + (proj_size > 0 ? 1 : 0);
  std::vector<Tensor> h_n, c_n;
  for (std::int64_t layer = 0; layer < num_layers; ++layer) {
    if (layer > 0 && dropout > 0 && owner.is_training())
      x = functional::dropout(x, functional::DropoutFuncOptions().p(dropout).training(true));
    std::vector<Tensor> y;
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const std::int64_t at = layer * directions + direction;
      const Tensor* const own = weights.data() + static_cast<std::size_t>(at) * each;
      const auto [out, h, c] =
          apply_recurrent(kind, direction == 1, x, own[0], own[1], bias ? own[2] : Tensor(), bias ? own[3] : Tensor(),
                          hx.defined() ? hx.select(0, at) : Tensor(), cx.defined() ? cx.select(0, at) : Tensor(),
                          proj_size > 0 ? own[each - 1] : Tensor(), batch_sizes);
      y.push_back(out);
      h_n.push_back(h);
      c_n.push_back(c);
    }
    x = y.size() == 1 ? y[0] : cat(y, -1);
  }
  return {x, gradus::stack(h_n), kind == RecurrentKind::kLstm ? gradus::stack(c_n) : Tensor()};
}

std::array<Tensor, 3> RecurrentStack::run(const Module& owner, Operand input, const Tensor& hx,
                                          const Tensor& cx) const {
  const char* const op = name_of(kind);
  const Scope scope(input.at(), owner.path());
  Tensor x = input.tensor();
  if (!x.defined() || (x.dim() != 3 && x.dim() != 2) || x.size(-1) != input_size) {
    core::fail<ShapeError>("{}: input must be {}, {}], or [T, {}] without a batch: {}", op,
                           batch_first ? "[N, T" : "[T, N", input_size, input_size,
                           x.defined() ? fmt::format("{}", x.sizes()) : "undefined");
  }
  const bool one = x.dim() == 2, turned = batch_first && !one;
  if (one) x = as_batch(x, 1);
  if (turned) x = x.transpose(0, 1);
  const std::int64_t count = num_layers * (bidirectional ? 2 : 1), width = proj_size > 0 ? proj_size : hidden_size;
  const auto state = [&](const char* what, const Tensor& given, std::int64_t numbers) {
    core::Shape wanted = {count, x.size(1), numbers};
    if (one) wanted.erase(1);
    check_state(op, what, given, wanted);
    return one ? as_batch(given, 1) : given;
  };
  auto [y, h_n, c_n] = layers(owner, x, state("hx", hx, width), state("cx", cx, hidden_size), {});
  if (turned) y = y.transpose(0, 1);
  if (!one) return {y, h_n, c_n};
  return {as_sample(y, 1), as_sample(h_n, 1), as_sample(c_n, 1)};
}

std::array<Tensor, 3> RecurrentStack::run(const Module& owner, const PackedSequence& packed, const Tensor& hx,
                                          const Tensor& cx) const {
  const char* const op = name_of(kind);
  const Scope scope(Location::unknown(), owner.path());
  const Tensor &x = packed.data(), &sizes = packed.batch_sizes();
  if (!x.defined() || x.dim() != 2 || x.size(1) != input_size || !sizes.defined() || sizes.numel() == 0) {
    core::fail<ShapeError>("{}: packed input must be [sum of batch_sizes, {}]: {}", op, input_size,
                           x.defined() ? fmt::format("{}", x.sizes()) : "undefined");
  }
  const std::int64_t N = sizes.select(0, 0).item<std::int64_t>(), count = num_layers * (bidirectional ? 2 : 1);
  const auto moved = [](const Tensor& state, const Tensor& order) {
    return state.defined() && order.defined() ? state.index_select(1, order) : state;
  };
  check_state(op, "hx", hx, {count, N, proj_size > 0 ? proj_size : hidden_size});
  check_state(op, "cx", cx, {count, N, hidden_size});
  const Tensor &there = packed.sorted_indices(), &back = packed.unsorted_indices();
  const auto [y, h_n, c_n] = layers(owner, x, moved(hx, there), moved(cx, there), sizes);
  return {y, moved(h_n, back), moved(c_n, back)};
}

}  // namespace detail
}  // namespace gradus::nn
