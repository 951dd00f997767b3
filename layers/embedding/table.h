// The table of an embedding layer: what Embedding and EmbeddingBag share. For their sources.
#pragma once

#include "../../core/base/expect.h"
#include "embedding.h"

namespace gradus::nn::detail {

/// Normal numbers; 0 for the padding index.
void draw_table(const Tensor& weight, const std::optional<std::int64_t>& padding_idx);
/// A copy of `given`, or a new one. ValueError and ShapeError in the name of `op`.
Tensor table_of(const char* op, std::int64_t rows, std::int64_t dim, const std::optional<std::int64_t>& padding_idx,
                const Tensor& given);

/// What a layer with those options starts with: their weight, which they then let go of. Their padding index counts from the
/// front from then on.
template <class Options>
Tensor table_of(const char* op, Options& options) {
  const std::int64_t rows = options.num_embeddings(), dim = options.embedding_dim();
  if (rows >= 0) options.padding_idx(padding_from_front(op, options.padding_idx(), rows));
  const Tensor table = table_of(op, rows, dim, options.padding_idx(), options._weight());
  options._weight(Tensor());
  return table;
}

/// A layer around embeddings [rows, dim]; `more` sets the options that its kind alone has.
template <class Layer, class Options, class Given, class More>
Layer from_pretrained(const char* op, const Tensor& embeddings, const Given& given, const More& more) {
  core::expect_floating(op, "pretrained embeddings", embeddings);
  core::expect_form(embeddings.dim() == 2, op, "pretrained embeddings", "[rows, dim]", embeddings.sizes());
  Options options(embeddings.size(0), embeddings.size(1));
  options.padding_idx(given.padding_idx())
      .max_norm(given.max_norm())
      .norm_type(given.norm_type())
      .scale_grad_by_freq(given.scale_grad_by_freq())
      .sparse(given.sparse())
      ._weight(embeddings);
  more(options);
  Layer layer(options);
  layer->weight.set_requires_grad(!given.freeze());
  return layer;
}

}  // namespace gradus::nn::detail
