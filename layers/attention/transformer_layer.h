// Layers of a transformer (Vaswani et al., "Attention is all you need", 2017, section 3.1 and 3.3).
//
//     feed(x)  =  f(x W1 + b1) W2 + b2                      f: ReLU, GELU or a function; its inside dim_feedforward wide
//
//   Encoder layer:  u = norm1(x + attention(x, x, x)),  y = norm2(u + feed(u))
//   Decoder layer:  u = norm1(x + attention(x, x, x)),  v = norm2(u + attention(u, m, m)),  y = norm3(v + feed(v))
//
//   m, the memory, is what an encoder made of the other sequence. norm_first (Xiong et al., "On layer normalization in the
//   transformer architecture", 2020) normalises what goes into a branch in the place of the sum:
//
//     u = x + attention(norm1(x), ..),  y = u + feed(norm2(u)),  and so on
//
//   Dropout acts on the weights of attention, inside feed after f, and on what each branch gives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "../../core/base/export.h"
#include "../dropout/dropout.h"
#include "../linear/linear.h"
#include "../module/enumerations.h"
#include "../module/layer.h"
#include "../norm/layer_norm.h"
#include "multihead_attention.h"

namespace gradus::nn {

/// f: `kReLU`, `kGELU`, or a function of a Tensor that returns a Tensor.
class GRADUS_API activation_t {
 public:
  template <ChoiceOf<TransformerActivation> C>
  activation_t(const C& choice) : choice_(choice) {}  // NOLINT(google-explicit-constructor)
  template <class F>
  requires(!ChoiceOf<F, TransformerActivation> && !std::is_same_v<F, activation_t> &&
           std::is_invocable_r_v<Tensor, const F&, const Tensor&>) activation_t(F function)  // NOLINT
      : function_(std::make_shared<F>(std::move(function))), call_([](const void* f, const Tensor& x) -> Tensor {
          return (*static_cast<const F*>(f))(x);
        }) {}
  Tensor operator()(const Tensor& x) const;

 private:
  TransformerActivation choice_ = TransformerActivation::ReLU;
  std::shared_ptr<const void> function_;
  Tensor (*call_)(const void* function, const Tensor& x) = nullptr;
};

/// `TransformerEncoderLayerOptions(512, 8).dropout(0.2).activation(kGELU)`.
struct TransformerEncoderLayerOptions {
  TransformerEncoderLayerOptions(std::int64_t d_model, std::int64_t nhead) : d_model_(d_model), nhead_(nhead) {}
  GRADUS_ARG(std::int64_t, d_model);                 ///< width of all that goes in and out, a multiple of the heads
  GRADUS_ARG(std::int64_t, nhead);                   ///< heads of attention
  GRADUS_ARG(std::int64_t, dim_feedforward) = 2048;  ///< width inside feed
  GRADUS_ARG(double, dropout) = 0.1;
  GRADUS_ARG(activation_t, activation) = kReLU;
  GRADUS_ARG(bool, norm_first) = false;  ///< as in Python; the C++ frontend does without
};
/// As the encoder layer's.
struct TransformerDecoderLayerOptions {
  TransformerDecoderLayerOptions(std::int64_t d_model, std::int64_t nhead) : d_model_(d_model), nhead_(nhead) {}
  GRADUS_ARG(std::int64_t, d_model);
  GRADUS_ARG(std::int64_t, nhead);
  GRADUS_ARG(std::int64_t, dim_feedforward) = 2048;
  GRADUS_ARG(double, dropout) = 0.1;
  GRADUS_ARG(activation_t, activation) = kReLU;
  GRADUS_ARG(bool, norm_first) = false;
};

/// y [S, N, d_model] of src [S, N, d_model], the length before the batch; without a batch [S, d_model].
class GRADUS_API TransformerEncoderLayerImpl : public Layer<TransformerEncoderLayerImpl> {
 public:
  TransformerEncoderLayerImpl(std::int64_t d_model, std::int64_t nhead)
      : TransformerEncoderLayerImpl(TransformerEncoderLayerOptions(d_model, nhead)) {}
  /// ValueError for what MultiheadAttention, Linear or Dropout refuse.
  explicit TransformerEncoderLayerImpl(const TransformerEncoderLayerOptions& options);
  ~TransformerEncoderLayerImpl() override;

  /// src_mask [S, S] or [N nhead, S, S] and src_key_padding_mask [N, S]: Bool, true where nothing is seen, or floating, to
  /// be added; undefined ones are none. So are all masks of transformers.
  Tensor compute(Operand src, const Tensor& src_mask = {}, const Tensor& src_key_padding_mask = {});
  void reset() override;
  /// Draws anew what the parts draw.
  void reset_parameters();

  TransformerEncoderLayerOptions options;
  MultiheadAttention self_attn{nullptr};
  Linear linear1{nullptr};
  Dropout dropout{nullptr};
  Linear linear2{nullptr};
  LayerNorm norm1{nullptr}, norm2{nullptr};
  Dropout dropout1{nullptr}, dropout2{nullptr};
};
GRADUS_MODULE(TransformerEncoderLayer);

/// y [T, N, d_model] of tgt [T, N, d_model] and memory [S, N, d_model]; without a batch [T, d_model], [S, d_model].
class GRADUS_API TransformerDecoderLayerImpl : public Cloneable<TransformerDecoderLayerImpl> {
 public:
  TransformerDecoderLayerImpl(std::int64_t d_model, std::int64_t nhead)
      : TransformerDecoderLayerImpl(TransformerDecoderLayerOptions(d_model, nhead)) {}
  explicit TransformerDecoderLayerImpl(const TransformerDecoderLayerOptions& options);
  ~TransformerDecoderLayerImpl() override;

  /// tgt_mask [T, T] or [N nhead, T, T], memory_mask [T, S] or [N nhead, T, S]; padding masks [N, T] and [N, S].
  Tensor forward(Operand tgt, const Tensor& memory, const Tensor& tgt_mask = {}, const Tensor& memory_mask = {},
                 const Tensor& tgt_key_padding_mask = {}, const Tensor& memory_key_padding_mask = {});
  void reset() override;
  void reset_parameters();

  TransformerDecoderLayerOptions options;
  MultiheadAttention self_attn{nullptr};
  Dropout dropout1{nullptr};
  LayerNorm norm1{nullptr};
  MultiheadAttention multihead_attn{nullptr};
  Dropout dropout2{nullptr};
  LayerNorm norm2{nullptr};
  Linear linear1{nullptr};
  Dropout dropout{nullptr};
  Linear linear2{nullptr};
  Dropout dropout3{nullptr};
  LayerNorm norm3{nullptr};
};
GRADUS_MODULE(TransformerDecoderLayer);

}  // namespace gradus::nn
