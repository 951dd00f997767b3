#include "transformer_layer.h"

#include <tuple>

#include "../../autograd/ops/activation.h"
#include "../module/any_module.h"

namespace gradus::nn {

using autograd::Scope;

namespace {

// What a branch gives, added to what goes around it.
template <class Branch>
Tensor around(const Tensor& x, const LayerNorm& norm, const Dropout& dropout, bool norm_first, const Branch& branch) {
  return norm_first ? x + dropout(branch(norm(x))) : norm(x + dropout(branch(x)));
}

Tensor attended(const MultiheadAttention& attention, const Tensor& x, const Tensor& seen, const Tensor& mask,
                const Tensor& padding) {
  return std::get<0>(attention->forward(x, seen, seen, padding, false, mask));
}

template <class Layer>
Tensor fed(const Layer& layer, const Tensor& x) {
  return layer.linear2(layer.dropout(layer.options.activation()(layer.linear1(x))));
}

// What both kinds of layers have of one kind.
template <class Layer, class Options>
void register_feed(Layer& layer, const Options& o) {
  layer.linear1 = layer.register_module("linear1", Linear(o.d_model(), o.dim_feedforward()));
  layer.dropout = layer.register_module("dropout", Dropout(o.dropout()));
  layer.linear2 = layer.register_module("linear2", Linear(o.dim_feedforward(), o.d_model()));
}
template <class Options>
MultiheadAttention attention_of(const Options& o) {
  return MultiheadAttention(MultiheadAttentionOptions(o.d_model(), o.nhead()).dropout(o.dropout()));
}
template <class Options>
LayerNorm norm_of(const Options& o) {
  return LayerNorm(LayerNormOptions({o.d_model()}));
}

}  // namespace

std::vector<detail::ForwardDefault> detail::no_masks(unsigned first, unsigned count) {
  std::vector<ForwardDefault> defaults;
  for (unsigned i = first; i < count; ++i) defaults.push_back({i, AnyValue(Tensor())});
  return defaults;
}

Tensor activation_t::operator()(const Tensor& x) const {
  if (call_ != nullptr) return call_(function_.get(), x);
  return choice_ == TransformerActivation::ReLU ? relu(x) : gelu(x);
}

TransformerEncoderLayerImpl::TransformerEncoderLayerImpl(const TransformerEncoderLayerOptions& chosen)
    : options(chosen) {
  reset();
}
TransformerEncoderLayerImpl::~TransformerEncoderLayerImpl() = default;

void TransformerEncoderLayerImpl::reset() {
  self_attn = register_module("self_attn", attention_of(options));
  register_feed(*this, options);
  norm1 = register_module("norm1", norm_of(options));
  norm2 = register_module("norm2", norm_of(options));
  dropout1 = register_module("dropout1", Dropout(options.dropout()));
  dropout2 = register_module("dropout2", Dropout(options.dropout()));
}

void TransformerEncoderLayerImpl::reset_parameters() {
  self_attn->_reset_parameters();
  for (const Linear& linear : {linear1, linear2}) linear->reset_parameters();
  for (const LayerNorm& norm : {norm1, norm2}) norm->reset_parameters();
}

Tensor TransformerEncoderLayerImpl::compute(Operand src, const Tensor& src_mask, const Tensor& src_key_padding_mask) {
  const Tensor u = around(src.tensor(), norm1, dropout1, options.norm_first(),
                          [&](const Tensor& x) { return attended(self_attn, x, x, src_mask, src_key_padding_mask); });
  return around(u, norm2, dropout2, options.norm_first(), [&](const Tensor& x) { return fed(*this, x); });
}

TransformerDecoderLayerImpl::TransformerDecoderLayerImpl(const TransformerDecoderLayerOptions& chosen)
    : options(chosen) {
  reset();
}
TransformerDecoderLayerImpl::~TransformerDecoderLayerImpl() = default;

// In PyTorch's order: by it optimizers count parameters.
void TransformerDecoderLayerImpl::reset() {
  self_attn = register_module("self_attn", attention_of(options));
  multihead_attn = register_module("multihead_attn", attention_of(options));
  register_feed(*this, options);
  norm1 = register_module("norm1", norm_of(options));
  norm2 = register_module("norm2", norm_of(options));
  norm3 = register_module("norm3", norm_of(options));
  dropout1 = register_module("dropout1", Dropout(options.dropout()));
  dropout2 = register_module("dropout2", Dropout(options.dropout()));
  dropout3 = register_module("dropout3", Dropout(options.dropout()));
}

void TransformerDecoderLayerImpl::reset_parameters() {
  for (const MultiheadAttention& attention : {self_attn, multihead_attn}) attention->_reset_parameters();
  for (const Linear& linear : {linear1, linear2}) linear->reset_parameters();
  for (const LayerNorm& norm : {norm1, norm2, norm3}) norm->reset_parameters();
}

Tensor TransformerDecoderLayerImpl::forward(Operand tgt, const Tensor& memory, const Tensor& tgt_mask,
                                            const Tensor& memory_mask, const Tensor& tgt_key_padding_mask,
                                            const Tensor& memory_key_padding_mask) {
  const Scope scope(tgt.at(), path());
  const bool first = options.norm_first();
  const Tensor u = around(tgt.tensor(), norm1, dropout1, first,
                          [&](const Tensor& x) { return attended(self_attn, x, x, tgt_mask, tgt_key_padding_mask); });
  const Tensor v = around(u, norm2, dropout2, first, [&](const Tensor& x) {
    return attended(multihead_attn, x, memory, memory_mask, memory_key_padding_mask);
  });
  return around(v, norm3, dropout3, first, [&](const Tensor& x) { return fed(*this, x); });
}

std::size_t TransformerDecoderLayerImpl::_forward_default_args(std::vector<AnyValue>& arguments) const {
  return detail::append_defaults(arguments, detail::no_masks(2, 6));
}

}  // namespace gradus::nn
