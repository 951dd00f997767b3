#include "attention.h"

#include <cmath>
#include <limits>

#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/attention.h"
#include "../../core/ops/pointwise.h"

namespace gradus {

using core::Array;
using core::Shape;

namespace nn {

using namespace autograd;

namespace {

constexpr const char* op = AttentionRule::name.data();
constexpr double kNone = -std::numeric_limits<double>::infinity();

// What a mask, true where a key is seen, adds to the scores.
Array bias_of_seen(const Array& mask, DType dtype) {
  if (!mask.defined() || mask.dtype() != kBool) return mask;
  return core::where(mask, core::scalar(0, dtype), core::scalar(kNone, dtype));
}

// Bool, [L, S]: what is_causal hides.
Array later_keys(std::int64_t L, std::int64_t S) {
  return core::arange(0, S, 1, kInt64) > core::arange(0, L, 1, kInt64).view({L, 1});
}

core::AttentionOptions options_of(const AttentionRule::Attrs& attrs) {
  return {attrs.scale, attrs.is_causal, attrs.dropout_p > 0 ? attrs.kept_scale() : 1, attrs.keeps_probabilities};
}

void check_options(const AttentionRule::Attrs& attrs, const Shape& scores, DType dtype, const Array& mask) {
  core::expect_probability(op, "dropout_p, the probability of zeroing a weight,", attrs.dropout_p);
  if (!mask.defined()) return;
  if (attrs.is_causal) {
    core::fail<ValueError>(
        "{}: attn_mask must not be given with is_causal: a mask of {}; a Bool one can hold both, with tril()", op,
        mask.shape());
  }
  if (mask.dtype() != kBool && mask.dtype() != dtype) {
    core::fail<DTypeError>("{}: attn_mask must be bool, true where a key takes part, or {} as query, to be added: {}{}",
                           op, dtype, mask.dtype(),
                           is_floating_point(mask.dtype()) ? "; to() converts" : "; mask != 0 is bool");
  }
  if (!core::broadcasts_to(mask.shape(), scores)) {
    core::fail<ShapeError>(
        "{}: attn_mask must broadcast to the scores [.., L, S]: {} for {}; one of keys [batch, S] becomes "
        "mask.view({{batch, 1, 1, S}}) where there are heads",
        op, mask.shape(), scores);
  }
}

}  // namespace

// Y = softmax(scale Q K^T + mask) V:  dV = P^T dY,  dP = dY V^T,  dS = P (dP - sum(dP P)) by rows,  dQ = scale dS K,
// dK = scale dS^T Q, with P the softmax, and without dropout.
Tensor AttentionRule::reference(const Attrs& attrs, const Tensor& query, const Tensor& key, const Tensor& value,
                                const Tensor& mask) {
  Tensor scores = matmul(query * attrs.scale, key.transpose(-2, -1));
  if (mask.defined())
    scores = scores + (mask.dtype() == kBool ? Tensor(bias_of_seen(mask.array(), query.dtype())) : mask);
  if (attrs.is_causal) scores = masked_fill(scores, Tensor(later_keys(query.size(-2), key.size(-2))), kNone);
  Tensor p = scores;
  if (scores.numel() != 0) {
    const Tensor top = amax(scores.detach(), -1, true);  // the shift cancels: a constant to the gradient
    const Tensor nothing = top == kNone;
    const Tensor e = exp(scores - masked_fill(top, nothing, 0));
    p = e / masked_fill(e.sum(-1, true), nothing, 1);
  }
  if (attrs.dropout_p > 0) {
    const Shape all = core::attention_scores_shape(op, query.array(), key.array(), value.array());
    const Tensor kept(core::bernoulli_mask(all, 1 - attrs.dropout_p, attrs.position));
    p = masked_fill(p, !kept, 0) * attrs.kept_scale();
  }
  return matmul(p, value);
}

std::tuple<Array, Array, Array> AttentionRule::forward(const Attrs& attrs, const Array& query, const Array& key,
                                                       const Array& value, const Array& mask) {
  const Shape scores = core::attention_scores_shape(op, query, key, value);
  check_options(attrs, scores, query.dtype(), mask);
  const Array kept = attrs.dropout_p > 0 ? core::bernoulli_mask(scores, 1 - attrs.dropout_p, attrs.position) : Array();
  const auto [y, p] =
      core::attention_forward(query, key, value, bias_of_seen(mask, query.dtype()), kept, options_of(attrs));
  return {y, p, kept};
}

std::tuple<Tensor, Tensor, Tensor> AttentionRule::batch(const Attrs& attrs, const Examples& x) {
  std::int64_t dims = 0;
  for (int i = 0; i < 4; ++i) dims = std::max(dims, x[i].defined() ? x.dim(i) : 0);
  const Tensor q = x.aligned(0, dims), k = x.aligned(1, dims), v = x.aligned(2, dims), mask = x.aligned(3, dims);
  if (q.dim() <= dims && k.dim() <= dims && v.dim() <= dims) return {};  // the mask alone is batched
  Attrs own = attrs;
  if (attrs.dropout_p > 0) {  // the position in the stream is that of one example's mask
    own.position = core::default_generator().take(
        core::numel_of(core::attention_scores_shape(op, q.body().array, k.body().array, v.body().array)));
  }
  return apply<AttentionRule>(own, q, k, v, mask);
}

std::array<Array, 4> AttentionRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, InArray<0> query,
                                             InArray<1> key, InArray<2> value, OutArray<1> probabilities,
                                             OutArray<2> kept) {
  return core::attention_backward(dy, query, key, value, probabilities, kept, options_of(attrs),
                                  {needs[0], needs[1], needs[2], needs[3]});
}

}  // namespace nn

namespace {

// [.., heads, a, b] as [.., groups, heads / groups, a, b].
Tensor in_groups(const Tensor& x, std::int64_t groups) {
  Shape shape = x.body().array.shape();
  const int heads = shape.size() - 3;
  const std::int64_t each = shape[heads] == 1 ? 1 : shape[heads] / groups;
  shape.insert(heads + 1, each);
  shape[heads] = shape[heads] == 1 ? 1 : groups;
  return x.reshape(shape);
}

}  // namespace

Tensor scaled_dot_product_attention(Operand query, const Tensor& key, const Tensor& value,
                                    const std::optional<Tensor>& attn_mask, double dropout_p, bool is_causal,
                                    std::optional<double> scale, bool enable_gqa) {
  using nn::AttentionRule;
  const autograd::Scope scope(query.at());
  const Tensor& q = query.tensor();
  Tensor mask = attn_mask.value_or(Tensor());
  if (enable_gqa && q.defined() && key.defined() && value.defined()) {
    const std::int64_t groups = key.dim() < 3 ? 0 : key.size(-3);
    if (q.dim() < 3 || value.dim() < 3 || value.size(-3) != groups || groups == 0 || q.size(-3) % groups != 0) {
      core::fail<ShapeError>(
          "{}: with enable_gqa the heads, dimension -3, must be as many in key and value, and a multiple of them in "
          "query: {}, {} and {}",
          AttentionRule::name, key.sizes(), value.sizes(), q.sizes());
    }
    if (mask.defined() && mask.dim() >= 3) {
      if (mask.size(-3) != 1 && mask.size(-3) != q.size(-3)) {
        core::fail<ShapeError>("{}: attn_mask must have 1 head, or query's {}: {}", AttentionRule::name, q.size(-3),
                               mask.sizes());
      }
      mask = in_groups(mask, groups);
    }
    const Tensor y = scaled_dot_product_attention(Operand(in_groups(q, groups), query.at()), key.unsqueeze(-3),
                                                  value.unsqueeze(-3), mask, dropout_p, is_causal, scale);
    Shape whole = y.body().array.shape();
    const int heads = whole.size() - 4;
    whole.erase(heads + 1);
    whole[heads] = q.size(-3);
    return y.reshape(whole);
  }
  // PyTorch adds a float32 mask to float64 scores, not the other way round.
  if (mask.defined() && mask.dtype() == kFloat32 && q.defined() && q.dtype() == kFloat64) mask = mask.to(kFloat64);
  const Operand inputs[] = {query, Operand(key, query.at()), Operand(value, query.at()), Operand(mask, query.at())};
  const Array& in = autograd::detail::input_array(query);
  const Shape scores =
      core::attention_scores_shape(AttentionRule::name.data(), in, autograd::detail::input_array(inputs[1]),
                                   autograd::detail::input_array(inputs[2]));
  AttentionRule::Attrs attrs;
  attrs.scale = scale.value_or(1 / std::sqrt(static_cast<double>(in.size(-1))));
  attrs.is_causal = is_causal;
  attrs.dropout_p = dropout_p;
  attrs.keeps_probabilities = autograd::detail::recording(inputs, 4);
  nn::check_options(attrs, scores, in.dtype(), autograd::detail::input_array(inputs[3]));
  if (dropout_p > 0) attrs.position = core::default_generator().take(core::numel_of(scores));
  return std::get<0>(autograd::apply<AttentionRule>(attrs, query, inputs[1], inputs[2], inputs[3]));
}

}  // namespace gradus
