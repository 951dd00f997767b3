#include "distance.h"

namespace gradus::nn {

Tensor functional::cosine_similarity(Operand x1, const Tensor& x2, const CosineSimilarityFuncOptions& options) {
  return gradus::cosine_similarity(x1, Operand(x2, x1.at()), options.dim(), options.eps());
}

Tensor functional::pairwise_distance(Operand x1, const Tensor& x2, const PairwiseDistanceFuncOptions& options) {
  return gradus::pairwise_distance(x1, Operand(x2, x1.at()), options.p(), options.eps(), options.keepdim());
}

}  // namespace gradus::nn
