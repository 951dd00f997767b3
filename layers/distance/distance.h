// Distances between vectors, as modules.
//
//   CosineSimilarity:  a b / (max(|a|, eps) max(|b|, eps))     along `dim`
//   PairwiseDistance:  (sum |a - b + eps|^p)^(1/p)             along the last dimension
//
//   The functions, and how they are differentiated, are in autograd/ops/distance.h.
#pragma once

#include <cstdint>

#include "../../autograd/ops/distance.h"
#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

struct CosineSimilarityOptions {
  GRADUS_ARG(std::int64_t, dim) = 1;
  GRADUS_ARG(double, eps) = 1e-8;  ///< least length of a vector

 public:
  static constexpr auto fields = named("dim", &CosineSimilarityOptions::dim_, "eps", &CosineSimilarityOptions::eps_);
};
struct PairwiseDistanceOptions {
  GRADUS_ARG(double, p) = 2;
  GRADUS_ARG(double, eps) = 1e-6;  ///< what keeps equal vectors apart
  GRADUS_ARG(bool, keepdim) = false;

 public:
  static constexpr auto fields = named("p", &PairwiseDistanceOptions::p_, "eps", &PairwiseDistanceOptions::eps_,
                                       "keepdim", &PairwiseDistanceOptions::keepdim_);
};

namespace functional {
using CosineSimilarityFuncOptions = CosineSimilarityOptions;
using PairwiseDistanceFuncOptions = PairwiseDistanceOptions;
using gradus::pdist;
/// x1 and x2 broadcast; the result lacks the dimension. IndexError when there is no such dimension.
GRADUS_API Tensor cosine_similarity(Operand x1, const Tensor& x2, const CosineSimilarityFuncOptions& options = {});
/// x1 [.., D] and x2 [.., D] broadcast.
GRADUS_API Tensor pairwise_distance(Operand x1, const Tensor& x2, const PairwiseDistanceFuncOptions& options = {});
}  // namespace functional

class GRADUS_API CosineSimilarityImpl
    : public FunctionLayer<CosineSimilarityImpl, functional::cosine_similarity, CosineSimilarityOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(CosineSimilarity);

class GRADUS_API PairwiseDistanceImpl
    : public FunctionLayer<PairwiseDistanceImpl, functional::pairwise_distance, PairwiseDistanceOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(PairwiseDistance);

}  // namespace gradus::nn
