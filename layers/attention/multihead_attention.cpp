#include "multihead_attention.h"

#include <cmath>
#include <limits>

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "attention.h"
#include "../dropout/dropout.h"
#include "../module/init.h"

namespace gradus::nn {

using namespace autograd;

namespace {

// [S, N, E] with the width cut into heads: [N, heads, S, E / heads], a view.
Tensor heads_of(const Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).permute({1, 2, 0, 3});
}

// What a mask, true where a key is hidden, adds to the scores, its columns followed by `more` of 0.
Tensor bias_of_hidden(const char* name, const Tensor& mask, const Tensor& like, std::int64_t more) {
  constexpr double none = -std::numeric_limits<double>::infinity();
  if (mask.dtype() != kBool && !is_floating_point(mask.dtype())) {
    core::fail<DTypeError>(
        "MultiheadAttention: {} must be bool, true where nothing is seen, or floating, to be added: {}; mask != 0 is "
        "bool",
        name, mask.dtype());
  }
  const Tensor bias =
      mask.dtype() == kBool ? masked_fill(zeros(mask.sizes(), like.dtype()), mask, none) : mask.to(like.dtype());
  return more == 0 ? bias : constant_pad_nd(bias, {0, more});
}

}  // namespace

MultiheadAttentionImpl::MultiheadAttentionImpl(const MultiheadAttentionOptions& chosen) : options(chosen) { reset(); }
MultiheadAttentionImpl::~MultiheadAttentionImpl() = default;

void MultiheadAttentionImpl::reset() {
  const std::int64_t E = options.embed_dim(), heads = options.num_heads(), kdim = options.kdim(), vdim = options.vdim();
  if (E <= 0 || heads <= 0 || E % heads != 0 || kdim <= 0 || vdim <= 0) {
    core::fail<ValueError>(
        "MultiheadAttention: sizes must be above 0, and embed_dim a multiple of num_heads: embed_dim {}, num_heads {}, "
        "kdim {}, vdim {}",
        E, heads, kdim, vdim);
  }
  if (!(options.dropout() >= 0 && options.dropout() <= 1)) {
    core::fail<ValueError>("MultiheadAttention: dropout must be in [0, 1]: {}", options.dropout());
  }
  head_dim = E / heads;
  _qkv_same_embed_dim = kdim == E && vdim == E;
  const auto weight = [&](const char* name, bool wanted, std::int64_t out, std::int64_t in) {
    return register_parameter(name, wanted ? empty({out, in}) : Tensor());
  };
  in_proj_weight = weight("in_proj_weight", _qkv_same_embed_dim, 3 * E, E);
  q_proj_weight = weight("q_proj_weight", !_qkv_same_embed_dim, E, E);
  k_proj_weight = weight("k_proj_weight", !_qkv_same_embed_dim, E, kdim);
  v_proj_weight = weight("v_proj_weight", !_qkv_same_embed_dim, E, vdim);
  in_proj_bias = register_parameter("in_proj_bias", options.bias() ? empty({3 * E}) : Tensor());
  out_proj = register_module("out_proj", Linear(LinearOptions(E, E).bias(options.bias())));
  bias_k = register_parameter("bias_k", options.add_bias_kv() ? empty({1, 1, E}) : Tensor());
  bias_v = register_parameter("bias_v", options.add_bias_kv() ? empty({1, 1, E}) : Tensor());
  _reset_parameters();
}

void MultiheadAttentionImpl::_reset_parameters() {
  const NoGradGuard no_grad;
  for (const Tensor& w : {in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight}) {
    if (w.defined()) init::xavier_uniform_(w);
  }
  out_proj->reset_parameters();
  for (const Tensor& b : {in_proj_bias, out_proj->bias}) {
    if (b.defined()) b.zero_();
  }
  for (const Tensor& b : {bias_k, bias_v}) {
    if (b.defined()) init::xavier_normal_(b);
  }
}

std::tuple<Tensor, Tensor> MultiheadAttentionImpl::forward(Operand query, const Tensor& key, const Tensor& value,
                                                           const Tensor& key_padding_mask, bool need_weights,
                                                           const Tensor& attn_mask, bool average_attn_weights) {
  const Scope scope(query.at(), path());
  const Tensor& x = query.tensor();
  const std::int64_t E = options.embed_dim(), heads = options.num_heads();
  if (!x.defined() || !key.defined() || !value.defined()) {
    core::fail<ValueError>("MultiheadAttention: query, key and value must be defined");
  }
  if (x.dim() != 3 || key.dim() != 3 || value.dim() != 3 || x.size(2) != E || key.size(2) != options.kdim() ||
      value.size(2) != options.vdim() || key.size(0) != value.size(0) || key.size(1) != x.size(1) ||
      value.size(1) != x.size(1)) {
    core::fail<ShapeError>(
        "MultiheadAttention: query, key and value must be [L, N, {}], [S, N, {}] and [S, N, {}]: {}, {} and {}; "
        "transpose(0, 1) brings the length before the batch, unsqueeze(1) makes a batch of one",
        E, options.kdim(), options.vdim(), x.sizes(), key.sizes(), value.sizes());
  }
  const std::int64_t L = x.size(0), N = x.size(1), S = key.size(0);
  const auto projected = [&](int i, const Tensor& in, const Tensor& own) {
    const auto part = [&](const Tensor& all) { return all.defined() ? all.slice(0, i * E, (i + 1) * E) : Tensor(); };
    return functional::linear(in, own.defined() ? own : part(in_proj_weight), part(in_proj_bias));
  };
  Tensor q = projected(0, x, q_proj_weight), k = projected(1, key, k_proj_weight);
  Tensor v = projected(2, value, v_proj_weight);
  std::int64_t more = 0;
  if (bias_k.defined()) {
    k = cat({k, bias_k.expand({1, N, E})});
    v = cat({v, bias_v.expand({1, N, E})});
    ++more;
  }
  if (options.add_zero_attn()) {
    k = constant_pad_nd(k, {0, 0, 0, 0, 0, 1});
    v = constant_pad_nd(v, {0, 0, 0, 0, 0, 1});
    ++more;
  }
  q = heads_of(q, heads);
  k = heads_of(k, heads);
  v = heads_of(v, heads);

  Tensor bias;
  if (attn_mask.defined()) {
    const bool each = attn_mask.dim() == 3;
    if (!(IntArrayRef(attn_mask.sizes()) == IntArrayRef({L, S})) &&
        !(each && IntArrayRef(attn_mask.sizes()) == IntArrayRef({N * heads, L, S}))) {
      core::fail<ShapeError>("MultiheadAttention: attn_mask must be [{}, {}] or [{}, {}, {}]: {}", L, S, N * heads, L,
                             S, attn_mask.sizes());
    }
    bias = bias_of_hidden("attn_mask", attn_mask, q, more);
    if (each) bias = bias.view({N, heads, L, S + more});
  }
  if (key_padding_mask.defined()) {
    if (!(IntArrayRef(key_padding_mask.sizes()) == IntArrayRef({N, S}))) {
      core::fail<ShapeError>("MultiheadAttention: key_padding_mask must be [{}, {}]: {}", N, S,
                             key_padding_mask.sizes());
    }
    const Tensor padding = bias_of_hidden("key_padding_mask", key_padding_mask, q, more).view({N, 1, 1, S + more});
    bias = bias.defined() ? bias + padding : padding;
  }

  const double p = is_training() ? options.dropout() : 0;
  Tensor y, weights;
  if (need_weights) {
    const Tensor scores = matmul(q * (1 / std::sqrt(static_cast<double>(head_dim))), k.transpose(-2, -1));
    weights = softmax(bias.defined() ? scores + bias : scores, -1);
    if (p > 0) weights = gradus::dropout(weights, p, true);
    y = matmul(weights, v);
    if (average_attn_weights) weights = weights.mean(1);
  } else {
    y = scaled_dot_product_attention(q, k, v, bias, p);
  }
  return {out_proj(y.permute({2, 0, 1, 3}).reshape({L, N, E})), weights};
}

}  // namespace gradus::nn
