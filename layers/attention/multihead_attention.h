// Attention with several heads (Vaswani et al., 2017, section 3.2.2).
//
//     Q = query W_q + b_q,  K = key W_k + b_k,  V = value W_v + b_v          each of E numbers, cut into h heads of E / h
//     y = [head 1, .., head h] W_o + b_o        with head i = softmax(Q_i K_i^T / sqrt(E / h) + masks) V_i
//
//   W_q, W_k and W_v are stored transposed, as Linear's, and one below the other where they have one width: in_proj_weight.
#pragma once

#include <cstdint>
#include <tuple>
#include <utility>

#include "../../core/base/export.h"
#include "../module/cloneable.h"
#include "../linear/linear.h"

namespace gradus::nn {

/// `MultiheadAttentionOptions(512, 8).dropout(0.1)`.
struct MultiheadAttentionOptions {
  MultiheadAttentionOptions(std::int64_t embed_dim, std::int64_t num_heads)
      : embed_dim_(embed_dim), num_heads_(num_heads), kdim_(embed_dim), vdim_(embed_dim) {}
  GRADUS_ARG(std::int64_t, embed_dim);      ///< E, a multiple of the heads
  GRADUS_ARG(std::int64_t, num_heads);      ///< h
  GRADUS_ARG(double, dropout) = 0.0;        ///< of the weights, in training
  GRADUS_ARG(bool, bias) = true;            ///< of the four projections
  GRADUS_ARG(bool, add_bias_kv) = false;    ///< a learned key and value beside the given ones
  GRADUS_ARG(bool, add_zero_attn) = false;  ///< a key and value of zeros beside the given ones
  GRADUS_ARG(std::int64_t, kdim);           ///< width of key; E unless said
  GRADUS_ARG(std::int64_t, vdim);           ///< width of value; E unless said
};

namespace functional {
/// All that the module is made of, for those who hold the tensors themselves.
struct MultiheadAttentionForwardFuncOptions {
  MultiheadAttentionForwardFuncOptions(std::int64_t embed_dim_to_check, std::int64_t num_heads, Tensor in_proj_weight,
                                       Tensor in_proj_bias, Tensor bias_k, Tensor bias_v, bool add_zero_attn,
                                       double dropout_p, Tensor out_proj_weight, Tensor out_proj_bias)
      : embed_dim_to_check_(embed_dim_to_check),
        num_heads_(num_heads),
        in_proj_weight_(std::move(in_proj_weight)),
        in_proj_bias_(std::move(in_proj_bias)),
        bias_k_(std::move(bias_k)),
        bias_v_(std::move(bias_v)),
        add_zero_attn_(add_zero_attn),
        dropout_p_(dropout_p),
        out_proj_weight_(std::move(out_proj_weight)),
        out_proj_bias_(std::move(out_proj_bias)) {}
  GRADUS_ARG(std::int64_t, embed_dim_to_check);        ///< E, query's width
  GRADUS_ARG(std::int64_t, num_heads);                 ///< h
  GRADUS_ARG(Tensor, in_proj_weight);                  ///< [3 E, E]
  GRADUS_ARG(Tensor, in_proj_bias);                    ///< [3 E], or undefined
  GRADUS_ARG(Tensor, bias_k);                          ///< [1, 1, E], or undefined
  GRADUS_ARG(Tensor, bias_v);                          ///< [1, 1, E], or undefined
  GRADUS_ARG(bool, add_zero_attn);                     ///< a key and value of zeros beside the given ones
  GRADUS_ARG(double, dropout_p);                       ///< of the weights, where `training`
  GRADUS_ARG(Tensor, out_proj_weight);                 ///< [E, E]
  GRADUS_ARG(Tensor, out_proj_bias);                   ///< [E], or undefined
  GRADUS_ARG(bool, training) = true;                   ///< whether dropout acts
  GRADUS_ARG(Tensor, key_padding_mask);                ///< [N, S]
  GRADUS_ARG(bool, need_weights) = true;               ///< else the second result is undefined
  GRADUS_ARG(Tensor, attn_mask);                       ///< [L, S] or [N h, L, S]
  GRADUS_ARG(bool, use_separate_proj_weight) = false;  ///< the next three in the place of in_proj_weight
  GRADUS_ARG(Tensor, q_proj_weight);                   ///< [E, E]
  GRADUS_ARG(Tensor, k_proj_weight);                   ///< [E, kdim]
  GRADUS_ARG(Tensor, v_proj_weight);                   ///< [E, vdim]
  GRADUS_ARG(Tensor, static_k);                   ///< K itself, [N h, S, E / h], for all heads: key is not looked at
  GRADUS_ARG(Tensor, static_v);                   ///< V itself, [N h, S, E / h]
  GRADUS_ARG(bool, average_attn_weights) = true;  ///< the weights' mean over the heads
};
/// (y, weights) as MultiheadAttention's forward, of tensors that the options hold. ValueError where one is missing, or
/// bias_k stands beside static_k or static_v; ShapeError.
GRADUS_API std::tuple<Tensor, Tensor> multi_head_attention_forward(Operand query, const Tensor& key,
                                                                   const Tensor& value,
                                                                   const MultiheadAttentionForwardFuncOptions& options);
}  // namespace functional

class GRADUS_API MultiheadAttentionImpl : public Cloneable<MultiheadAttentionImpl> {
 public:
  MultiheadAttentionImpl(std::int64_t embed_dim, std::int64_t num_heads)
      : MultiheadAttentionImpl(MultiheadAttentionOptions(embed_dim, num_heads)) {}
  /// ValueError when a size is not above 0, the heads don't divide embed_dim, or dropout is not in [0, 1].
  explicit MultiheadAttentionImpl(const MultiheadAttentionOptions& options);
  ~MultiheadAttentionImpl() override;

  /// (y [L, N, E], weights) of query [L, N, E], key [S, N, kdim], value [S, N, vdim]: the length comes before the batch.
  /// Without a batch all of them, masks and results lack N: [L, E], [S, kdim], [S, vdim].
  ///
  /// Masks are Bool, *true where nothing is seen* (the contrary of scaled_dot_product_attention's), or floating, added to
  /// the scores: key_padding_mask [N, S], attn_mask [L, S] or [N heads, L, S]; undefined ones are none. The weights
  /// [N, L, S], the mean over the heads, or [N, heads, L, S] without average_attn_weights, are of all keys, learned and
  /// zero ones included, after dropout. With need_weights = false they are undefined, and y is computed faster. A query
  /// that sees nothing gives NaN with weights, as in PyTorch; without, its heads are 0.
  std::tuple<Tensor, Tensor> forward(Operand query, const Tensor& key, const Tensor& value,
                                     const Tensor& key_padding_mask = {}, bool need_weights = true,
                                     const Tensor& attn_mask = {}, bool average_attn_weights = true);
  void reset() override;
  /// Draws the projections anew (Glorot's uniform; W_o as Linear's), biases 0.
  void _reset_parameters();

  MultiheadAttentionOptions options;
  bool _qkv_same_embed_dim = true;
  Tensor in_proj_weight;  ///< [3 E, E]; undefined where kdim or vdim is another than E, and then these three are there:
  Tensor q_proj_weight;   ///< [E, E]
  Tensor k_proj_weight;   ///< [E, kdim]
  Tensor v_proj_weight;   ///< [E, vdim]
  Tensor in_proj_bias;    ///< [3 E]
  Tensor bias_k, bias_v;  ///< [1, 1, E]
  Linear out_proj{nullptr};
  std::int64_t head_dim = 0;
};
GRADUS_MODULE(MultiheadAttention);

}  // namespace gradus::nn
