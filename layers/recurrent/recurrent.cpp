#include "recurrent.h"

namespace gradus::nn {

using core::RecurrentKind;
using detail::RecurrentStack;
using utils::rnn::PackedSequence;

namespace {

template <class Options>
RecurrentStack stack_of(RecurrentKind kind, const Options& options) {
  RecurrentStack stack;
  stack.kind = kind;
  stack.input_size = options.input_size();
  stack.hidden_size = options.hidden_size();
  stack.num_layers = options.num_layers();
  stack.bias = options.bias();
  stack.batch_first = options.batch_first();
  stack.dropout = options.dropout();
  stack.bidirectional = options.bidirectional();
  if constexpr (requires { options.proj_size(); }) stack.proj_size = options.proj_size();
  return stack;
}

PackedSequence with_data(const Tensor& data, const PackedSequence& of) {
  return PackedSequence(data, of.batch_sizes(), of.sorted_indices(), of.unsorted_indices());
}

}  // namespace

RNNImpl::RNNImpl(const RNNOptions& chosen)
    : RNNImplBase(stack_of(chosen.nonlinearity() == RNNNonlinearity::ReLU ? RecurrentKind::kRelu : RecurrentKind::kTanh,
                           chosen)),
      options(chosen) {}
RNNImpl::~RNNImpl() = default;

std::tuple<Tensor, Tensor> RNNImpl::forward(Operand input, const Tensor& hx) {
  const auto [y, h_n, none] = stack_.run(*this, input, hx, {});
  return {y, h_n};
}
std::tuple<PackedSequence, Tensor> RNNImpl::forward_with_packed_input(const PackedSequence& packed_input,
                                                                      const Tensor& hx) {
  const auto [y, h_n, none] = stack_.run(*this, packed_input, hx, {});
  return {with_data(y, packed_input), h_n};
}

LSTMImpl::LSTMImpl(const LSTMOptions& chosen) : RNNImplBase(stack_of(RecurrentKind::kLstm, chosen)), options(chosen) {}
LSTMImpl::~LSTMImpl() = default;

std::tuple<Tensor, LSTMImpl::States> LSTMImpl::forward(Operand input, const std::optional<States>& hx_opt) {
  const auto& [hx, cx] = hx_opt.value_or(States());
  const auto [y, h_n, c_n] = stack_.run(*this, input, hx, cx);
  return {y, States(h_n, c_n)};
}
std::tuple<PackedSequence, LSTMImpl::States> LSTMImpl::forward_with_packed_input(const PackedSequence& packed_input,
                                                                                 const std::optional<States>& hx_opt) {
  const auto& [hx, cx] = hx_opt.value_or(States());
  const auto [y, h_n, c_n] = stack_.run(*this, packed_input, hx, cx);
  return {with_data(y, packed_input), States(h_n, c_n)};
}

GRUImpl::GRUImpl(const GRUOptions& chosen) : RNNImplBase(stack_of(RecurrentKind::kGru, chosen)), options(chosen) {}
GRUImpl::~GRUImpl() = default;

std::tuple<Tensor, Tensor> GRUImpl::forward(Operand input, const Tensor& hx) {
  const auto [y, h_n, none] = stack_.run(*this, input, hx, {});
  return {y, h_n};
}
std::tuple<PackedSequence, Tensor> GRUImpl::forward_with_packed_input(const PackedSequence& packed_input,
                                                                      const Tensor& hx) {
  const auto [y, h_n, none] = stack_.run(*this, packed_input, hx, {});
  return {with_data(y, packed_input), h_n};
}

}  // namespace gradus::nn
