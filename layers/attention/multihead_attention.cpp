#include "multihead_attention.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../module/any_module.h"
#include "../module/init.h"
#include "../module/module_hooks.h"

namespace gradus::nn {

using namespace autograd;

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
  core::expect_probability("MultiheadAttention", "dropout", options.dropout());
  head_dim = E / heads;
  _qkv_same_embed_dim = kdim == E && vdim == E;
  const auto weight = [&](const char* name, Tensor& member, bool wanted, std::int64_t out, std::int64_t in) {
    register_parameter(name, member, wanted ? empty({out, in}) : Tensor());
  };
  weight("in_proj_weight", in_proj_weight, _qkv_same_embed_dim, 3 * E, E);
  weight("q_proj_weight", q_proj_weight, !_qkv_same_embed_dim, E, E);
  weight("k_proj_weight", k_proj_weight, !_qkv_same_embed_dim, E, kdim);
  weight("v_proj_weight", v_proj_weight, !_qkv_same_embed_dim, E, vdim);
  register_parameter("in_proj_bias", in_proj_bias, options.bias() ? empty({3 * E}) : Tensor());
  out_proj = register_module("out_proj", Linear(LinearOptions(E, E).bias(options.bias())));
  register_parameter("bias_k", bias_k, options.add_bias_kv() ? empty({1, 1, E}) : Tensor());
  register_parameter("bias_v", bias_v, options.add_bias_kv() ? empty({1, 1, E}) : Tensor());
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
  detail::ModuleHooks::before_forward(*this);
  functional::MultiheadAttentionForwardFuncOptions all(options.embed_dim(), options.num_heads(), in_proj_weight,
                                                       in_proj_bias, bias_k, bias_v, options.add_zero_attn(),
                                                       options.dropout(), out_proj->weight, out_proj->bias);
  all.training(is_training()).key_padding_mask(key_padding_mask).need_weights(need_weights).attn_mask(attn_mask);
  all.average_attn_weights(average_attn_weights).use_separate_proj_weight(!_qkv_same_embed_dim);
  if (!_qkv_same_embed_dim) all.q_proj_weight(q_proj_weight).k_proj_weight(k_proj_weight).v_proj_weight(v_proj_weight);
  return functional::multi_head_attention_forward(query, key, value, all);
}

std::size_t MultiheadAttentionImpl::_forward_default_args(std::vector<AnyValue>& arguments) const {
  return detail::append_defaults(
      arguments, {{3, AnyValue(Tensor())}, {4, AnyValue(true)}, {5, AnyValue(Tensor())}, {6, AnyValue(true)}});
}

}  // namespace gradus::nn
