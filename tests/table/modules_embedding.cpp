#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> embedding_modules() {
  const Tensor numbers = ones({3, 4}), whole = ones({3, 4}).to(kInt64), line = ones({4}).to(kInt64);
  return {
      row("embedding", "Embedding(6, 3, padding_idx=5)", nn::Embedding(nn::EmbeddingOptions(6, 3).padding_idx(5))).linear().refuses<IndexError>({whole * 6}, {"embedding: ", "6"}).refuses<DTypeError>({numbers}, {"embedding: ", "float32"}),
      row("embedding_bag", "EmbeddingBag(6, 3, mode=mean)", nn::EmbeddingBag(6, 3)).linear().refuses<ValueError>({line}, {"embedding_bag: indices [n] must come with offsets", "[4]"}).refuses<IndexError>({whole * 6}, {"embedding_bag: indices must be in [0, 5]: entry 0 is 6"}),
      row("embedding_bag_sum", "EmbeddingBag(6, 3, mode=sum, padding_idx=2)", nn::EmbeddingBag(nn::EmbeddingBagOptions(6, 3).mode(kSum).padding_idx(2))).linear().refuses<ValueError>({whole, line}, {"embedding_bag: ", "no offsets"}).refuses<DTypeError>({numbers}, {"embedding_bag: ", "float32"}),
      row("embedding_bag_weighted", "EmbeddingBag(6, 3, mode=sum, include_last_offset=true)", nn::EmbeddingBag(nn::EmbeddingBagOptions(6, 3).mode(kSum).include_last_offset(true))).refuses<ValueError>({line, line, line}, {"embedding_bag: offsets must rise from 0"}),
      row("embedding_bag_max", "EmbeddingBag(6, 3, mode=max)", nn::EmbeddingBag(nn::EmbeddingBagOptions(6, 3).mode(kMax))).linear().refuses<ValueError>({line, line * 0, ones({4})}, {"embedding_bag: per_sample_weights are for sums"}),
  };
}
// clang-format on

}  // namespace gradus::test
