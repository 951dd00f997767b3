#include "embedding.h"

#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/combine.h"
#include "../../core/ops/pointwise.h"
#include "table.h"

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

void check(const char* op, const EmbeddingRule::Attrs& attrs, const Array& weight, const Array& indices) {
  core::expect_dims(op, "weight", weight, 2, 2, "[rows, dim]");
  core::expect_defined(op, "indices", indices);
  core::expect_floating(op, "weight", weight);
  if (indices.dtype() != kInt64 && indices.dtype() != kInt32) {
    core::fail<DTypeError>("{}: an index must be int64 or int32: {}; to(kInt64) converts", op, indices.dtype());
  }
  const std::int64_t rows = weight.shape()[0];
  if (attrs.padding_idx && (*attrs.padding_idx < 0 || *attrs.padding_idx >= rows)) {
    core::fail<IndexError>("{}: padding_idx must be in [0, {}): {}", op, rows, *attrs.padding_idx);
  }
  const Array flat = indices.to(kInt64).contiguous();
  const auto* t = flat.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    if (t[i] < 0 || t[i] >= rows) {
      core::fail<IndexError>("{}: indices must be in [0, {}]: entry {} is {}", op, rows - 1, i, t[i]);
    }
  }
}

// 1 / (how many of the indices are the i-th), [n, 1].
Array shares(const Array& flat, std::int64_t rows, DType dtype) {
  const std::int64_t n = flat.numel();
  const Array counts = core::index_add({rows}, 0, flat, core::ones({n}, dtype));
  return 1 / core::index_select(counts, 0, flat).view({n, 1});
}

}  // namespace

std::optional<std::int64_t> detail::padding_from_front(const char* op, std::optional<std::int64_t> padding_idx,
                                                       std::int64_t rows) {
  if (!padding_idx) return padding_idx;
  if (*padding_idx < -rows || *padding_idx >= rows) {
    core::fail<IndexError>("{}: padding_idx must be in [{}, {}): {}", op, -rows, rows, *padding_idx);
  }
  return *padding_idx < 0 ? *padding_idx + rows : *padding_idx;
}

void detail::renorm_rows(const char* op, const Tensor& weight, const Tensor& indices, std::optional<double> max_norm,
                         double norm_type) {
  if (!max_norm) return;
  if (!(*max_norm >= 0)) core::fail<ValueError>("{}: max_norm must not be negative: {}", op, *max_norm);
  core::expect_dims(op, "weight", weight, 2, 2, "[rows, dim]");
  check(op, {}, weight.array(), indices.array());
  const NoGradGuard no_grad;
  const Tensor at = indices.to(kInt64).flatten(), rows = weight.index_select(0, at);
  const Tensor size = norm(rows, norm_type, {1}, true), above = size > *max_norm;
  if (above.any().item<bool>()) {
    Tensor table = weight;
    table.index_copy_(0, at, where(above, rows * (*max_norm / (size + 1e-7)), rows));
  }
}

void detail::draw_table(const Tensor& weight, const std::optional<std::int64_t>& padding_idx) {
  const NoGradGuard no_grad;
  weight.normal_();
  if (padding_idx) weight.select(0, *padding_idx).zero_();
}

Tensor detail::table_of(const char* op, std::int64_t rows, std::int64_t dim,
                        const std::optional<std::int64_t>& padding_idx, const Tensor& given) {
  if (rows < 0 || dim < 0)
    core::fail<ValueError>("{}: sizes must not be negative: num_embeddings {}, embedding_dim {}", op, rows, dim);
  if (given.defined()) {
    core::expect_shape(op, "weight", given.sizes(), "[num_embeddings, embedding_dim]", {rows, dim});
    return given.detach().clone();
  }
  const Tensor table = empty({rows, dim});
  draw_table(table, padding_idx);
  return table;
}

// y[i] = W[t[i]]:  dW[r] = sum dy[i] where t[i] = r
Tensor EmbeddingRule::reference(const Attrs& attrs, const Tensor& weight, const Tensor& indices) {
  const Tensor flat = indices.flatten();
  Tensor rows = index_select(weight, 0, flat);
  if (attrs.padding_idx) rows = where((flat == *attrs.padding_idx).unsqueeze(1), rows.detach(), rows);
  if (attrs.scale_grad_by_freq) {  // what is left out of the gradient comes back without one
    const Tensor share(shares(flat.array().to(kInt64), weight.size(0), weight.dtype()));
    rows = rows * share + (rows * (1 - share)).detach();
  }
  return rows.reshape(looked_up(indices.body().array.shape(), weight.size(1)));
}

Array EmbeddingRule::forward(const Attrs& attrs, const Array& weight, const Array& indices) {
  check("embedding", attrs, weight, indices);
  const Array rows = core::index_select(weight, 0, indices.reshape({indices.numel()}));
  return rows.view(looked_up(indices.shape(), weight.shape()[1]));
}

// Tables of each example are one behind the other.
Tensor EmbeddingRule::batch(const Attrs& attrs, const Examples& x) {
  if (x.shared(0) && attrs.scale_grad_by_freq) return {};  // each example has counts of its own
  if (x.shared(0)) return apply<EmbeddingRule>(attrs, x[0], x[1]);
  if (x.dim(0) != 2 || !is_integral(x[1].dtype())) return {};
  const Tensor places = x.own_places(1, x.shape(0)[0]);
  if (!places.defined()) return {};
  Tensor rows = apply<EmbeddingRule>(Attrs{{}, attrs.scale_grad_by_freq}, x.merged(0), places);
  if (attrs.padding_idx) rows = where((x.stacked(1) == *attrs.padding_idx).unsqueeze(-1), rows.detach(), rows);
  return rows;
}

std::array<Array, 2> EmbeddingRule::backward(const Attrs& attrs, DyArray<> dy, ShapeOf<0> weight, InArray<1> indices) {
  const std::int64_t n = indices.numel();
  const Array flat = indices.reshape({n});
  Array terms = dy.reshape({n, weight[1]}).contiguous();
  if (attrs.scale_grad_by_freq) terms = terms * shares(flat, weight[0], terms.dtype());
  const Array dweight = core::index_add(weight, 0, flat, terms);
  if (attrs.padding_idx) dweight.select(0, *attrs.padding_idx).zero_();
  return {dweight};
}

Tensor functional::embedding(Operand indices, const Tensor& weight, const EmbeddingFuncOptions& options) {
  core::expect_defined("embedding", "indices", indices.tensor(), "weight", weight);
  const std::int64_t rows = weight.dim() == 0 ? 0 : weight.size(0);
  detail::renorm_rows("embedding", weight, indices.tensor(), options.max_norm(), options.norm_type());
  return apply<EmbeddingRule>(
      {detail::padding_from_front("embedding", options.padding_idx(), rows), options.scale_grad_by_freq()},
      Operand(weight, indices.at()), indices);
}

EmbeddingImpl::EmbeddingImpl(const EmbeddingOptions& chosen) : options(chosen) { reset(); }
EmbeddingImpl::~EmbeddingImpl() = default;

void EmbeddingImpl::reset() { register_parameter("weight", weight, detail::table_of("Embedding", options)); }
void EmbeddingImpl::reset_parameters() { detail::draw_table(weight, options.padding_idx()); }

Tensor EmbeddingImpl::compute(Operand indices) {
  detail::renorm_rows("embedding", weight, indices.tensor(), options.max_norm(), options.norm_type());
  return autograd::apply<EmbeddingRule>({options.padding_idx(), options.scale_grad_by_freq()},
                                        Operand(weight, indices.at()), indices);
}

Embedding Embedding::from_pretrained(const Tensor& embeddings, const EmbeddingFromPretrainedOptions& options) {
  return detail::from_pretrained<Embedding, EmbeddingOptions>("Embedding", embeddings, options,
                                                              [](EmbeddingOptions&) {});
}

}  // namespace gradus::nn

namespace gradus {

Tensor embedding(Operand weight, const Tensor& indices, std::int64_t padding_idx, bool scale_grad_by_freq, bool) {
  nn::EmbeddingRule::Attrs attrs;
  attrs.scale_grad_by_freq = scale_grad_by_freq;
  if (padding_idx != -1) attrs.padding_idx = padding_idx;
  return autograd::apply<nn::EmbeddingRule>(attrs, weight, Operand(indices, weight.at()));
}

}  // namespace gradus
