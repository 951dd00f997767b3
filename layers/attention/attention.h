// Attention by scaled dot products (Vaswani et al., "Attention is all you need", 2017, section 3.2.1).
//
//   A head has L queries of E numbers, S keys of E and S values of Ev. Sums and the softmax run along a row of scores:
//
//     scores  =  scale Q K^T + bias                    L x S; bias: the mask, or 0
//     P       =  softmax(scores)                       0 in a row of -inf alone
//     A       =  m P / (1 - p)                         dropout: m = 1 with probability 1 - p, else 0
//     Y       =  A V
//
//     dL/dV      = A^T dL/dY
//     dL/dP      = m (dL/dY V^T) / (1 - p)
//     dL/dscores = P (dL/dP - sum(dL/dP P))            = dL/dbias
//     dL/dQ      = scale dL/dscores K
//     dL/dK      = scale dL/dscores^T Q
//
//   A Bool mask is true where a key takes part: its bias is 0 there, else -inf. Causal, query i sees the keys j <= i.
//   Where nothing takes part, or there are no keys, Y is 0, as in PyTorch 2.15 (and as there, a NaN or an infinity
//   in a masked key or value may reach the result: 0 times it is NaN).
//
//   Only P is kept for the backward pass, and the mask of dropout; without one only a few rows of it ever exist.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../../core/ops/random.h"

namespace gradus::nn {

/// (y, P, m) of query [.., L, E], key [.., S, E], value [.., S, Ev] and mask, absent or broadcasting to [.., L, S]. The
/// leading dimensions broadcast. P [.., L, S]; m, Bool, of the same shape, or undefined without dropout.
struct AttentionRule {
  static constexpr std::string_view name = "scaled_dot_product_attention";
  static constexpr std::string_view formula =
      "Y = P V, P = softmax(scale Q K^T + mask), dQ = scale S K, S = P ⊙ (G - sum_{j} P_ij G_ij), G = dY V^T, "
      "dK = scale S^T Q, dV = P^T dY, dmask = S";
  static constexpr std::string_view input_names[] = {"query", "key", "value", "attn_mask"};
  static constexpr bool broadcasts = true;
  static constexpr int differentiable_outputs = 1;

  struct Attrs {
    double scale = 1;
    bool is_causal = false;
    double dropout_p = 0;
    core::RandomPosition position;    ///< element i of m is kept when word i < floor((1 - p) 2^32)
    bool keeps_probabilities = true;  ///< what backward needs; without it P is undefined
    /// What a kept probability is multiplied by; 0 where none is kept.
    double kept_scale() const { return dropout_p < 1 ? 1 / (1 - dropout_p) : 0; }
    static constexpr auto fields = named("scale", &Attrs::scale, "is_causal", &Attrs::is_causal, "dropout_p",
                                         &Attrs::dropout_p, "position", &Attrs::position);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& query, const Tensor& key, const Tensor& value,
                                     const Tensor& mask);
  /// ShapeError and DTypeError where the inputs don't fit; ValueError when p is not in [0, 1], or for a mask beside
  /// is_causal.
  GRADUS_API static std::tuple<core::Array, core::Array, core::Array> forward(const Attrs& attrs,
                                                                              const core::Array& query,
                                                                              const core::Array& key,
                                                                              const core::Array& value,
                                                                              const core::Array& mask);
  GRADUS_API static std::tuple<Tensor, Tensor, Tensor> batch(const Attrs& attrs, const autograd::Examples& x);
  /// dquery, dkey, dvalue, dmask (of a floating one).
  GRADUS_API static std::array<core::Array, 4> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::InArray<0> query,
                                                        autograd::InArray<1> key, autograd::InArray<2> value,
                                                        autograd::OutArray<1> probabilities,
                                                        autograd::OutArray<2> kept);
};

}  // namespace gradus::nn

namespace gradus {

/// softmax(query key^T scale + mask) value along the last two dimensions: query [.., L, E], key [.., S, E], value
/// [.., S, Ev] give [.., L, Ev]. The leading dimensions (batch, heads) broadcast. float32, float64, any strides.
///
/// - attn_mask, broadcasting to [.., L, S]: Bool, true where a key takes part, or floating, added to the scores. It has a
///   gradient when it requires one. A query with nothing that takes part gives 0.
/// - dropout_p: the probability of zeroing one of the weights, from the default generator, whatever the mode: give 0 in
///   evaluation.
/// - is_causal: query i sees the keys 0 to i. Not with attn_mask: ValueError.
/// - scale: 1 / sqrt(E) when absent.
/// - enable_gqa: query may have a multiple of the heads (dimension -3) of key and value, which neighbours share.
GRADUS_API Tensor scaled_dot_product_attention(Operand query, const Tensor& key, const Tensor& value,
                                               const std::optional<Tensor>& attn_mask = {}, double dropout_p = 0.0,
                                               bool is_causal = false, std::optional<double> scale = {},
                                               bool enable_gqa = false);

namespace nn::functional {
using gradus::scaled_dot_product_attention;  // where Python has it
}  // namespace nn::functional

}  // namespace gradus
