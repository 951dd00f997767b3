#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> embedding_modules() {
  const Tensor numbers = ones({3, 4}), whole = ones({3, 4}).to(kInt64);
  return {
      row("embedding", "Embedding(6, 3, padding_idx=5)", nn::Embedding(nn::EmbeddingOptions(6, 3).padding_idx(5))).linear().refuses<IndexError>({whole * 6}, {"embedding: ", "6"}).refuses<DTypeError>({numbers}, {"embedding: ", "float32"}),
  };
}
// clang-format on

}  // namespace gradus::test
