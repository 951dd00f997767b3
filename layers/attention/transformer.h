// Transformers (Vaswani et al., "Attention is all you need", 2017): stacks of the layers in transformer_layer.h.
//
//     memory  =  norm(layer n(.. layer 1(src)))            encoder
//     y       =  norm(layer n(.. layer 1(tgt, memory)))    decoder: every layer sees the memory
#pragma once

#include <cstdint>
#include <utility>

#include "../../core/base/export.h"
#include "../module/any_module.h"
#include "../module/sequential.h"
#include "transformer_layer.h"

namespace gradus::nn {

/// `TransformerEncoderOptions(TransformerEncoderLayerOptions(512, 8), 6).norm(LayerNorm(LayerNormOptions({512})))`.
struct TransformerEncoderOptions {
  TransformerEncoderOptions(TransformerEncoderLayer layer, std::int64_t num_layers)
      : encoder_layer_(std::move(layer)), num_layers_(num_layers) {}
  TransformerEncoderOptions(const TransformerEncoderLayerOptions& layer, std::int64_t num_layers)
      : TransformerEncoderOptions(TransformerEncoderLayer(layer), num_layers) {}
  GRADUS_ARG(TransformerEncoderLayer, encoder_layer);  ///< of which each layer is a copy, with its numbers
  GRADUS_ARG(std::int64_t, num_layers);
  GRADUS_ARG(AnyModule, norm);  ///< of which a copy comes last; none unless said
};
/// As the encoder's.
struct TransformerDecoderOptions {
  TransformerDecoderOptions(TransformerDecoderLayer layer, std::int64_t num_layers)
      : decoder_layer_(std::move(layer)), num_layers_(num_layers) {}
  TransformerDecoderOptions(const TransformerDecoderLayerOptions& layer, std::int64_t num_layers)
      : TransformerDecoderOptions(TransformerDecoderLayer(layer), num_layers) {}
  GRADUS_ARG(TransformerDecoderLayer, decoder_layer);
  GRADUS_ARG(std::int64_t, num_layers);
  GRADUS_ARG(AnyModule, norm);
};

/// What TransformerEncoderLayer takes and gives, through all layers with the same masks.
class GRADUS_API TransformerEncoderImpl : public Layer<TransformerEncoderImpl> {
 public:
  TransformerEncoderImpl(TransformerEncoderLayer layer, std::int64_t num_layers)
      : TransformerEncoderImpl(TransformerEncoderOptions(std::move(layer), num_layers)) {}
  /// ValueError unless there is a layer.
  explicit TransformerEncoderImpl(const TransformerEncoderOptions& options);
  ~TransformerEncoderImpl() override;

  Tensor compute(Operand src, const Tensor& src_mask = {}, const Tensor& src_key_padding_mask = {});
  void reset() override;
  /// Draws the layers' parameters anew, each its own; the norm is copied from the options again.
  void reset_parameters();

  TransformerEncoderOptions options;
  ModuleList layers{nullptr};
  AnyModule norm;
};
GRADUS_MODULE(TransformerEncoder);

/// What TransformerDecoderLayer takes and gives, through all layers with the same memory and masks.
class GRADUS_API TransformerDecoderImpl : public Cloneable<TransformerDecoderImpl> {
 public:
  TransformerDecoderImpl(TransformerDecoderLayer layer, std::int64_t num_layers)
      : TransformerDecoderImpl(TransformerDecoderOptions(std::move(layer), num_layers)) {}
  explicit TransformerDecoderImpl(const TransformerDecoderOptions& options);
  ~TransformerDecoderImpl() override;

  Tensor forward(Operand tgt, const Tensor& memory, const Tensor& tgt_mask = {}, const Tensor& memory_mask = {},
                 const Tensor& tgt_key_padding_mask = {}, const Tensor& memory_key_padding_mask = {});
  void reset() override;
  void reset_parameters();

  TransformerDecoderOptions options;
  ModuleList layers{nullptr};
  AnyModule norm;
};
GRADUS_MODULE(TransformerDecoder);

/// `TransformerOptions(512, 8).num_encoder_layers(3)`.
struct TransformerOptions {
  TransformerOptions() = default;
  TransformerOptions(std::int64_t d_model, std::int64_t nhead) : d_model_(d_model), nhead_(nhead) {}
  TransformerOptions(std::int64_t d_model, std::int64_t nhead, std::int64_t num_encoder_layers,
                     std::int64_t num_decoder_layers)
      : d_model_(d_model),
        nhead_(nhead),
        num_encoder_layers_(num_encoder_layers),
        num_decoder_layers_(num_decoder_layers) {}
  GRADUS_ARG(std::int64_t, d_model) = 512;
  GRADUS_ARG(std::int64_t, nhead) = 8;
  GRADUS_ARG(std::int64_t, num_encoder_layers) = 6;
  GRADUS_ARG(std::int64_t, num_decoder_layers) = 6;
  GRADUS_ARG(std::int64_t, dim_feedforward) = 2048;
  GRADUS_ARG(double, dropout) = 0.1;
  GRADUS_ARG(activation_t, activation) = kReLU;
  GRADUS_ARG(AnyModule, custom_encoder);  ///< in the place of the encoder: it takes (src, mask, padding mask)
  GRADUS_ARG(AnyModule, custom_decoder);  ///< (tgt, memory, their masks, their padding masks), as TransformerDecoder
  GRADUS_ARG(bool, norm_first) = false;   ///< as in Python; the C++ frontend does without
};

/// y [T, N, d_model] of src [S, N, d_model] and tgt [T, N, d_model], the length before the batch; without a batch
/// [S, d_model] and [T, d_model]. Encoder and decoder each end in a LayerNorm.
class GRADUS_API TransformerImpl : public Cloneable<TransformerImpl> {
 public:
  explicit TransformerImpl(const TransformerOptions& options = {});
  ~TransformerImpl() override;

  /// src_mask [S, S], tgt_mask [T, T], memory_mask [T, S] (or one for each of the N nhead heads, in front), padding masks
  /// [N, S], [N, T] and [N, S]. ShapeError unless both sequences have one batch, and d_model numbers.
  Tensor forward(Operand src, const Tensor& tgt, const Tensor& src_mask = {}, const Tensor& tgt_mask = {},
                 const Tensor& memory_mask = {}, const Tensor& src_key_padding_mask = {},
                 const Tensor& tgt_key_padding_mask = {}, const Tensor& memory_key_padding_mask = {});
  void reset() override;
  /// Glorot's uniform for each parameter of more than one dimension, as the paper's code.
  void reset_parameters();
  /// [size, size]: 0 where the key is no later than the query, else -inf.
  static Tensor generate_square_subsequent_mask(std::int64_t size);

  TransformerOptions options;
  AnyModule encoder, decoder;

 private:
  bool made_ = false;  // a copy's custom parts are copies
};
GRADUS_MODULE(Transformer);

}  // namespace gradus::nn
