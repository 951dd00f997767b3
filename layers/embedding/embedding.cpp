#include "embedding.h"

#include "../../autograd/tensor/create.h"
#include "../../core/ops/combine.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

// [indices.., dim].
Shape looked_up(const Shape& indices, std::int64_t dim) {
  Shape shape = indices;
  shape.push_back(dim);
  return shape;
}

void check(const EmbeddingRule::Attrs& attrs, const Array& weight, const Array& indices) {
  core::expect_form(weight.dim() == 2, "embedding", "weight", "[rows, dim]", weight.shape());
  core::expect_floating("embedding", "weight", weight.dtype());
  if (indices.dtype() != kInt64 && indices.dtype() != kInt32) {
    core::fail<DTypeError>("embedding: an index must be int64 or int32: {}; to(kInt64) converts", indices.dtype());
  }
  const std::int64_t rows = weight.shape()[0];
  if (attrs.padding_idx && (*attrs.padding_idx < 0 || *attrs.padding_idx >= rows)) {
    core::fail<IndexError>("embedding: padding_idx must be in [0, {}): {}", rows, *attrs.padding_idx);
  }
  const Array flat = indices.to(kInt64).contiguous();
  const auto* t = flat.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (t[i] < 0 || t[i] >= rows) {
      core::fail<IndexError>("embedding: indices must be in [0, {}]: entry {} is {}", rows - 1, i, t[i]);
    }
  }
}

// A padding index that may count from the back.
std::optional<std::int64_t> from_front(const char* op, std::optional<std::int64_t> padding_idx, std::int64_t rows) {
  if (!padding_idx) return padding_idx;
  if (*padding_idx < -rows || *padding_idx >= rows) {
    core::fail<IndexError>("{}: padding_idx must be in [{}, {}): {}", op, -rows, rows, *padding_idx);
  }
  return *padding_idx < 0 ? *padding_idx + rows : *padding_idx;
}

}  // namespace

// y[i] = W[t[i]]:  dW[r] = sum dy[i] where t[i] = r
Tensor EmbeddingRule::reference(const Attrs& attrs, const Tensor& weight, const Tensor& indices) {
  const Tensor flat = indices.flatten();
  Tensor rows = index_select(weight, 0, flat);
  if (attrs.padding_idx) rows = where((flat == *attrs.padding_idx).unsqueeze(1), rows.detach(), rows);
  return rows.reshape(looked_up(indices.body().array.shape(), weight.size(1)));
}

Array EmbeddingRule::forward(const Attrs& attrs, const Array& weight, const Array& indices) {
  check(attrs, weight, indices);
  const Array rows = core::index_select(weight, 0, indices.reshape({indices.numel()}));
  return rows.view(looked_up(indices.shape(), weight.shape()[1]));
}

// Tables of each example are one behind the other.
Tensor EmbeddingRule::batch(const Attrs& attrs, const Examples& x) {
  if (x.shared(0)) return apply<EmbeddingRule>(attrs, x[0], x[1]);
  if (x.dim(0) != 2 || !is_integral(x[1].dtype())) return {};
  const Tensor places = x.own_places(1, x.shape(0)[0]);
  if (!places.defined()) return {};
  Tensor rows = apply<EmbeddingRule>(Attrs{}, x.merged(0), places);
  if (attrs.padding_idx) rows = where((x.stacked(1) == *attrs.padding_idx).unsqueeze(-1), rows.detach(), rows);
  return rows;
}

std::array<Array, 2> EmbeddingRule::backward(const Attrs& attrs, DyArray<> dy, ShapeOf<0> weight, InArray<1> indices) {
  const std::int64_t n = indices.numel();
  const Array dweight = core::index_add(weight, 0, indices.reshape({n}), dy.reshape({n, weight[1]}).contiguous());
  if (attrs.padding_idx) dweight.select(0, *attrs.padding_idx).zero_();
  return {dweight};
}

Tensor functional::embedding(Operand indices, const Tensor& weight, const EmbeddingFuncOptions& options) {
  const std::int64_t rows = weight.dim() == 0 ? 0 : weight.size(0);
  return apply<EmbeddingRule>({from_front("embedding", options.padding_idx(), rows)}, Operand(weight, indices.at()),
                              indices);
}

EmbeddingImpl::EmbeddingImpl(const EmbeddingOptions& chosen) : options(chosen) { reset(); }
EmbeddingImpl::~EmbeddingImpl() = default;

void EmbeddingImpl::reset() {
  const std::int64_t rows = options.num_embeddings(), dim = options.embedding_dim();
  if (rows < 0 || dim < 0) {
    core::fail<ValueError>("Embedding: sizes must not be negative: num_embeddings {}, embedding_dim {}", rows, dim);
  }
  options.padding_idx(from_front("Embedding", options.padding_idx(), rows));
  const Tensor& given = options._weight();
  if (given.defined())
    core::expect_shape("Embedding", "weight", given.sizes(), "[num_embeddings, embedding_dim]", {rows, dim});
  weight = register_parameter("weight", given.defined() ? given.detach().clone() : empty({rows, dim}));
  if (!given.defined()) reset_parameters();
  options._weight(Tensor());  // copied: not to be kept alive, too
}

void EmbeddingImpl::reset_parameters() {
  const NoGradGuard no_grad;
  weight.normal_();
  if (options.padding_idx()) weight.select(0, *options.padding_idx()).zero_();
}

Tensor EmbeddingImpl::compute(Operand indices) {
  return autograd::apply<EmbeddingRule>({options.padding_idx()}, Operand(weight, indices.at()), indices);
}

Embedding Embedding::from_pretrained(const Tensor& embeddings, const EmbeddingFromPretrainedOptions& options) {
  core::expect_form(embeddings.dim() == 2, "Embedding", "pretrained embeddings", "[rows, dim]", embeddings.sizes());
  Embedding layer(
      EmbeddingOptions(embeddings.size(0), embeddings.size(1)).padding_idx(options.padding_idx())._weight(embeddings));
  layer->weight.set_requires_grad(!options.freeze());
  return layer;
}

}  // namespace gradus::nn

namespace gradus {

Tensor embedding(Operand weight, const Tensor& indices, std::int64_t padding_idx) {
  nn::EmbeddingRule::Attrs attrs;
  if (padding_idx != -1) attrs.padding_idx = padding_idx;
  return autograd::apply<nn::EmbeddingRule>(attrs, weight, Operand(indices, weight.at()));
}

}  // namespace gradus
