#include "module_row.h"

namespace gradus::test {

// clang-format off
std::vector<ModuleRow> distance_modules() {
  const Tensor numbers = ones({3, 4});
  return {
      row("cosine_similarity", "CosineSimilarity(dim=1, eps=1e-08)", nn::CosineSimilarity()).refuses<ShapeError>({numbers, ones({3, 5})}, {"cosine_similarity: ", "[3, 4] with [3, 5]"}),
      row("cosine_similarity_dim", "CosineSimilarity(dim=0, eps=0.5)", nn::CosineSimilarity(nn::CosineSimilarityOptions().dim(0).eps(0.5))),
      row("pairwise_distance", "PairwiseDistance(p=2, eps=1e-06, keepdim=false)", nn::PairwiseDistance()).refuses<ShapeError>({numbers, ones({3, 5})}, {"pairwise_distance: ", "[3, 4] with [3, 5]"}),
      row("pairwise_distance_3", "PairwiseDistance(p=3, eps=0.001, keepdim=true)", nn::PairwiseDistance(nn::PairwiseDistanceOptions().p(3).eps(1e-3).keepdim(true))),
  };
}
// clang-format on

}  // namespace gradus::test
