#include "multihead_attention.h"

#include <cmath>
#include <limits>

#include "../../autograd/tensor/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../dropout/dropout.h"
#include "../module/one_sample.h"
#include "attention.h"

namespace gradus::nn {

using namespace autograd;

namespace {

constexpr const char* op = "MultiheadAttention";

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

using Forward = functional::MultiheadAttentionForwardFuncOptions;

// [N heads, S, width], K or V as they are given, as [N, heads, S, width].
Tensor given_heads(const char* name, const Tensor& x, std::int64_t N, std::int64_t heads, std::int64_t width) {
  if (x.dim() != 3 || x.size(0) != N * heads || x.size(2) != width) {
    core::fail<ShapeError>("{}: {} must be [{}, S, {}]: {}", op, name, N * heads, width, x.sizes());
  }
  return x.view({N, heads, x.size(1), width});
}

void check_options(const Forward& o, std::int64_t E, std::int64_t heads) {
  if (heads <= 0 || E % heads != 0) {
    core::fail<ValueError>("{}: query's width must be a multiple of num_heads: {} for {}", op, E, heads);
  }
  if (!o.out_proj_weight().defined()) core::fail<ValueError>("{}: out_proj_weight must be defined", op);
  const bool each = o.use_separate_proj_weight();
  if (each ? !o.q_proj_weight().defined() || (!o.k_proj_weight().defined() && !o.static_k().defined()) ||
                 (!o.v_proj_weight().defined() && !o.static_v().defined())
           : !o.in_proj_weight().defined()) {
    core::fail<ValueError>("{}: {} must be defined{}", op,
                           each ? "q_proj_weight, k_proj_weight and v_proj_weight" : "in_proj_weight",
                           each ? "" : "; use_separate_proj_weight(true) takes three of their own");
  }
  if (!each) {
    core::expect_shape(op, "in_proj_weight", o.in_proj_weight().sizes(), "[3 embed_dim, embed_dim]", {3 * E, E});
  }
  if (o.in_proj_bias().defined()) {
    core::expect_shape(op, "in_proj_bias", o.in_proj_bias().sizes(), "[3 embed_dim]", {3 * E});
  }
  if (o.bias_k().defined() != o.bias_v().defined()) {
    core::fail<ValueError>("{}: bias_k and bias_v must be given both or neither", op);
  }
  if (o.bias_k().defined() && (o.static_k().defined() || o.static_v().defined())) {
    core::fail<ValueError>("{}: bias_k and bias_v must not stand beside static_k or static_v", op);
  }
}

// The masks in one, what is added to the scores [N, heads, L, S + more]; undefined without masks.
Tensor bias_of(const Forward& o, const Tensor& like, std::int64_t N, std::int64_t L, std::int64_t S,
               std::int64_t more) {
  const std::int64_t heads = o.num_heads();
  const Tensor &attn_mask = o.attn_mask(), &padding_mask = o.key_padding_mask();
  Tensor bias;
  if (attn_mask.defined()) {
    const bool each = attn_mask.dim() == 3;
    if (!(IntArrayRef(attn_mask.sizes()) == IntArrayRef({L, S})) &&
        !(each && IntArrayRef(attn_mask.sizes()) == IntArrayRef({N * heads, L, S}))) {
      core::fail<ShapeError>("{}: attn_mask must be [{}, {}] or [{}, {}, {}]: {}", op, L, S, N * heads, L, S,
                             attn_mask.sizes());
    }
    bias = bias_of_hidden("attn_mask", attn_mask, like, more);
    if (each) bias = bias.view({N, heads, L, S + more});
  }
  if (padding_mask.defined()) {
    if (!(IntArrayRef(padding_mask.sizes()) == IntArrayRef({N, S}))) {
      core::fail<ShapeError>("{}: key_padding_mask must be [{}, {}]: {}", op, N, S, padding_mask.sizes());
    }
    const Tensor padding = bias_of_hidden("key_padding_mask", padding_mask, like, more).view({N, 1, 1, S + more});
    bias = bias.defined() ? bias + padding : padding;
  }
  return bias;
}

// Without a batch: one of one, and back.
std::tuple<Tensor, Tensor> of_one(Operand query, const Tensor& key, const Tensor& value, Forward o) {
  if (o.key_padding_mask().defined()) {
    core::expect_form(o.key_padding_mask().dim() == 1, op, "key_padding_mask", "[S] as there is no batch",
                      o.key_padding_mask().sizes());
    o.key_padding_mask(detail::as_batch(o.key_padding_mask()));
  }
  const auto [y, weights] = functional::multi_head_attention_forward(
      detail::as_batch(query.tensor(), 1), detail::as_batch(key, 1), detail::as_batch(value, 1), o);
  return {detail::as_sample(y, 1), detail::as_sample(weights)};
}

}  // namespace

std::tuple<Tensor, Tensor> functional::multi_head_attention_forward(Operand query, const Tensor& key,
                                                                    const Tensor& value, const Forward& o) {
  const Scope scope(query.at());
  const Tensor& x = query.tensor();
  const std::int64_t E = o.embed_dim_to_check(), heads = o.num_heads();
  if (!x.defined() || !key.defined() || !value.defined()) {
    core::fail<ValueError>("{}: query, key and value must be defined", op);
  }
  check_options(o, E, heads);
  if (x.dim() == 2 && key.dim() == 2 && value.dim() == 2) return of_one(query, key, value, o);
  const bool each = o.use_separate_proj_weight();
  const auto width = [&](const Tensor& weight) { return each && weight.dim() == 2 ? weight.size(1) : E; };
  const std::int64_t kdim = width(o.k_proj_weight()), vdim = width(o.v_proj_weight());
  if (x.dim() != 3 || key.dim() != 3 || value.dim() != 3 || x.size(2) != E || key.size(2) != kdim ||
      value.size(2) != vdim || key.size(0) != value.size(0) || key.size(1) != x.size(1) || value.size(1) != x.size(1)) {
    core::fail<ShapeError>(
        "{}: query, key and value must be [L, N, {}], [S, N, {}] and [S, N, {}], or all without N: {}, {} and {}; "
        "transpose(0, 1) brings the length before the batch",
        op, E, kdim, vdim, x.sizes(), key.sizes(), value.sizes());
  }
  const std::int64_t L = x.size(0), N = x.size(1), head_dim = E / heads;
  const auto projected = [&](int i, const Tensor& in, const Tensor& own) {
    const auto part = [&](const Tensor& all) { return all.defined() ? all.slice(0, i * E, (i + 1) * E) : Tensor(); };
    return linear(in, each ? own : part(o.in_proj_weight()), part(o.in_proj_bias()));
  };
  const Tensor q = heads_of(projected(0, x, o.q_proj_weight()), heads);
  // Those of all heads, and the learned one and that of zeros behind them.
  std::int64_t S = 0, more = 0;
  const auto seen = [&](int i, const char* name, const Tensor& given, const Tensor& in, const Tensor& own,
                        const Tensor& learned) {
    Tensor all;
    if (given.defined()) {
      all = given_heads(name, given, N, heads, head_dim);
    } else {
      const Tensor z = projected(i, in, own);
      all = heads_of(learned.defined() ? cat({z, learned.expand({1, N, E})}) : z, heads);
    }
    more = (learned.defined() ? 1 : 0) + (o.add_zero_attn() ? 1 : 0);
    S = all.size(2) - (learned.defined() ? 1 : 0);
    return o.add_zero_attn() ? constant_pad_nd(all, {0, 0, 0, 1}) : all;
  };
  const Tensor k = seen(1, "static_k", o.static_k(), key, o.k_proj_weight(), o.bias_k());
  const Tensor v = seen(2, "static_v", o.static_v(), value, o.v_proj_weight(), o.bias_v());
  if (k.size(2) != v.size(2)) {
    core::fail<ShapeError>("{}: static_k and static_v must be of as many keys as values: {} and {}", op, k.size(2),
                           v.size(2));
  }
  const Tensor bias = bias_of(o, q, N, L, S, more);
  const double p = o.training() ? o.dropout_p() : 0;
  Tensor y, weights;
  if (o.need_weights()) {
    const Tensor scores = matmul(q * (1 / std::sqrt(static_cast<double>(head_dim))), k.transpose(-2, -1));
    weights = softmax(bias.defined() ? scores + bias : scores, -1);
    if (p > 0) weights = gradus::dropout(weights, p, true);
    y = matmul(weights, v);
    if (o.average_attn_weights()) weights = weights.mean(1);
  } else {
    y = scaled_dot_product_attention(q, k, v, bias, p);
  }
  return {linear(y.permute({2, 0, 1, 3}).reshape({L, N, E}), o.out_proj_weight(), o.out_proj_bias()), weights};
}

}  // namespace gradus::nn
