#include "transformer.h"

#include <cstddef>
#include <limits>

#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../module/init.h"

namespace gradus::nn {

using autograd::Scope;

namespace {

// Copies of a layer in a row.
template <class Layer>
ModuleList row_of(const char* op, const Layer& layer, std::int64_t count) {
  if (count < 1) core::fail<ValueError>("{}: num_layers must be above 0: {}", op, count);
  ModuleList layers;
  for (std::int64_t i = 0; i < count; ++i) layers->push_back(layer->clone());
  return layers;
}

template <class LayerImpl>
void draw_anew(const ModuleList& layers) {
  for (std::size_t i = 0; i < layers->size(); ++i) layers->at<LayerImpl>(i).reset_parameters();
}

// The norm that the options say now, in the place of the one that is there.
template <class Coder>
void renew_norm(Coder& coder) {
  if (!coder.norm.is_empty()) coder.unregister_module("norm");
  coder.norm = coder.options.norm().is_empty() ? AnyModule() : coder.options.norm().clone();
  if (!coder.norm.is_empty()) coder.register_module("norm", coder.norm.ptr());
}

// An encoder, or a decoder, in the place of a custom one.
template <class Coder, class CoderOptions, class LayerOptions>
AnyModule standard(const TransformerOptions& o, std::int64_t layers) {
  return Coder(CoderOptions(LayerOptions(o.d_model(), o.nhead())
                                .dim_feedforward(o.dim_feedforward())
                                .dropout(o.dropout())
                                .activation(o.activation())
                                .norm_first(o.norm_first()),
                            layers)
                   .norm(LayerNorm(LayerNormOptions({o.d_model()}))));
}

}  // namespace

TransformerEncoderImpl::TransformerEncoderImpl(const TransformerEncoderOptions& chosen) : options(chosen) { reset(); }
TransformerEncoderImpl::~TransformerEncoderImpl() = default;

void TransformerEncoderImpl::reset() {
  layers = register_module("layers", row_of("TransformerEncoder", options.encoder_layer(), options.num_layers()));
  norm = {};
  renew_norm(*this);
}

void TransformerEncoderImpl::reset_parameters() {
  draw_anew<TransformerEncoderLayerImpl>(layers);
  renew_norm(*this);
}

Tensor TransformerEncoderImpl::compute(Operand src, const Tensor& src_mask, const Tensor& src_key_padding_mask) {
  Tensor y = src.tensor();
  for (std::size_t i = 0; i < layers->size(); ++i) {
    y = layers->at<TransformerEncoderLayerImpl>(i).forward(y, src_mask, src_key_padding_mask);
  }
  return norm.is_empty() ? y : norm.forward(y);
}

TransformerDecoderImpl::TransformerDecoderImpl(const TransformerDecoderOptions& chosen) : options(chosen) { reset(); }
TransformerDecoderImpl::~TransformerDecoderImpl() = default;

void TransformerDecoderImpl::reset() {
  layers = register_module("layers", row_of("TransformerDecoder", options.decoder_layer(), options.num_layers()));
  norm = {};
  renew_norm(*this);
}

void TransformerDecoderImpl::reset_parameters() {
  draw_anew<TransformerDecoderLayerImpl>(layers);
  renew_norm(*this);
}

Tensor TransformerDecoderImpl::forward(Operand tgt, const Tensor& memory, const Tensor& tgt_mask,
                                       const Tensor& memory_mask, const Tensor& tgt_key_padding_mask,
                                       const Tensor& memory_key_padding_mask) {
  const Scope scope(tgt.at(), path());
  Tensor y = tgt.tensor();
  for (std::size_t i = 0; i < layers->size(); ++i) {
    y = layers->at<TransformerDecoderLayerImpl>(i).forward(y, memory, tgt_mask, memory_mask, tgt_key_padding_mask,
                                                           memory_key_padding_mask);
  }
  return norm.is_empty() ? y : norm.forward(y);
}

std::size_t TransformerDecoderImpl::_forward_default_args(std::vector<AnyValue>& arguments) const {
  return detail::append_defaults(arguments, detail::no_masks(2, 6));
}

TransformerImpl::TransformerImpl(const TransformerOptions& chosen) : options(chosen) {
  reset();
  made_ = true;
}
TransformerImpl::~TransformerImpl() = default;

void TransformerImpl::reset() {
  const auto custom = [&](const AnyModule& given) { return made_ ? given.clone() : given; };
  encoder = !options.custom_encoder().is_empty()
                ? custom(options.custom_encoder())
                : standard<TransformerEncoder, TransformerEncoderOptions, TransformerEncoderLayerOptions>(
                      options, options.num_encoder_layers());
  register_module("encoder", encoder.ptr());
  decoder = !options.custom_decoder().is_empty()
                ? custom(options.custom_decoder())
                : standard<TransformerDecoder, TransformerDecoderOptions, TransformerDecoderLayerOptions>(
                      options, options.num_decoder_layers());
  register_module("decoder", decoder.ptr());
  reset_parameters();
}

void TransformerImpl::reset_parameters() {
  for (const Tensor& p : parameters()) {
    if (p.dim() > 1) init::xavier_uniform_(p);
  }
}

Tensor TransformerImpl::forward(Operand src, const Tensor& tgt, const Tensor& src_mask, const Tensor& tgt_mask,
                                const Tensor& memory_mask, const Tensor& src_key_padding_mask,
                                const Tensor& tgt_key_padding_mask, const Tensor& memory_key_padding_mask) {
  const Scope scope(src.at(), path());
  const Tensor& x = src.tensor();
  core::expect_defined("Transformer", "src", x, "tgt", tgt);
  const std::int64_t d = options.d_model();
  const auto fits = [d](const Tensor& t) { return (t.dim() == 2 || t.dim() == 3) && t.size(-1) == d; };
  if (!fits(x) || !fits(tgt) || x.dim() != tgt.dim() || (x.dim() == 3 && x.size(1) != tgt.size(1))) {
    core::fail<ShapeError>(
        "Transformer: src and tgt must be [S, N, {0}] and [T, N, {0}], or both without N: {1} and {2}; transpose(0, 1) "
        "brings the length before the batch",
        d, x.sizes(), tgt.sizes());
  }
  const Tensor memory = encoder.forward(x, src_mask, src_key_padding_mask);
  return decoder.forward(tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask);
}

std::size_t TransformerImpl::_forward_default_args(std::vector<AnyValue>& arguments) const {
  return detail::append_defaults(arguments, detail::no_masks(2, 8));
}

Tensor TransformerImpl::generate_square_subsequent_mask(std::int64_t size) {
  if (size < 0) core::fail<ValueError>("generate_square_subsequent_mask: size must not be negative: {}", size);
  return triu(full({size, size}, -std::numeric_limits<double>::infinity(), kFloat32), 1);
}

}  // namespace gradus::nn
