// Bags of embeddings: the sum, the mean or the largest values of the vectors that a bag of numbers names.
//
//   y_b = sum over i in bag b of s_i W[t_i]       s_i = 1 (sum), the weight of the sample, or 1 / (size of the bag) (mean)
//   dL/dW[r] = sum over i with t_i = r of s_i dL/dy_b(i)
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"
#include "../module/layer.h"

namespace gradus {

/// (y [bags, dim], the bag of each index, the bags' sizes, of a largest value the row that it comes from). weight [rows,
/// dim]; indices [n] with the bags' beginnings in offsets [bags] (the first 0), or [bags, n] without. mode 0: sum, 1: mean,
/// 2: largest; per_sample_weights, of the indices' shape, for sums alone. An empty bag gives 0; indices that are padding_idx
/// (a negative one counts from the end of the rows) are in no bag. include_last_offset: offsets end in n.
/// scale_grad_by_freq as Embedding's; gradients are dense, and `sparse` changes nothing. IndexError, ShapeError, DTypeError;
/// ValueError for another mode, and for scale_grad_by_freq or sparse with the largest.
GRADUS_API std::tuple<Tensor, Tensor, Tensor, Tensor> embedding_bag(
    Operand weight, const Tensor& indices, const Tensor& offsets = {}, bool scale_grad_by_freq = false,
    std::int64_t mode = 0, bool sparse = false, const Tensor& per_sample_weights = {}, bool include_last_offset = false,
    const std::optional<std::int64_t>& padding_idx = {});

}  // namespace gradus

namespace gradus::nn {

/// `EmbeddingBagOptions(10, 3).mode(kSum)`.
struct EmbeddingBagOptions {
  EmbeddingBagOptions(std::int64_t num_embeddings, std::int64_t embedding_dim)
      : num_embeddings_(num_embeddings), embedding_dim_(embedding_dim) {}
  GRADUS_ARG(std::int64_t, num_embeddings);
  GRADUS_ARG(std::int64_t, embedding_dim);
  GRADUS_ARG(std::optional<double>, max_norm) = std::nullopt;  ///< as Embedding's, as the next one
  GRADUS_ARG(double, norm_type) = 2;
  GRADUS_ARG(bool, scale_grad_by_freq) = false;
  GRADUS_ARG(EmbeddingBagMode, mode) = kMean;
  GRADUS_ARG(bool, sparse) = false;                                     ///< changes nothing: gradients are dense
  GRADUS_ARG(Tensor, _weight);                                          ///< what to start with, in place of drawing it
  GRADUS_ARG(bool, include_last_offset) = false;                        ///< offsets end in the number of indices
  GRADUS_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;  ///< negative ones count from the back

 public:
  static constexpr auto fields = named(
      "", &EmbeddingBagOptions::num_embeddings_, "", &EmbeddingBagOptions::embedding_dim_,
      unless(std::nullopt, "max_norm"), &EmbeddingBagOptions::max_norm_, unless(2.0, "norm_type"),
      &EmbeddingBagOptions::norm_type_, unless(false, "scale_grad_by_freq"), &EmbeddingBagOptions::scale_grad_by_freq_,
      unless(false, "sparse"), &EmbeddingBagOptions::sparse_, "mode", &EmbeddingBagOptions::mode_,
      unless(false, "include_last_offset"), &EmbeddingBagOptions::include_last_offset_,
      unless(std::nullopt, "padding_idx"), &EmbeddingBagOptions::padding_idx_);
};
struct EmbeddingBagFromPretrainedOptions {
  GRADUS_ARG(bool, freeze) = true;
  GRADUS_ARG(std::optional<double>, max_norm) = std::nullopt;
  GRADUS_ARG(double, norm_type) = 2;
  GRADUS_ARG(bool, scale_grad_by_freq) = false;
  GRADUS_ARG(EmbeddingBagMode, mode) = kMean;
  GRADUS_ARG(bool, sparse) = false;
  GRADUS_ARG(bool, include_last_offset) = false;
  GRADUS_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
};

namespace functional {
struct EmbeddingBagFuncOptions {
  GRADUS_ARG(Tensor, offsets);
  GRADUS_ARG(std::optional<double>, max_norm) = std::nullopt;
  GRADUS_ARG(double, norm_type) = 2;
  GRADUS_ARG(bool, scale_grad_by_freq) = false;
  GRADUS_ARG(EmbeddingBagMode, mode) = kMean;
  GRADUS_ARG(bool, sparse) = false;
  GRADUS_ARG(Tensor, per_sample_weights);
  GRADUS_ARG(bool, include_last_offset) = false;
  GRADUS_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
};
/// y [bags, dim] of indices [n] with offsets, or [bags, n] without; see gradus::embedding_bag. With max_norm the weight is
/// changed.
GRADUS_API Tensor embedding_bag(Operand indices, const Tensor& weight, const EmbeddingBagFuncOptions& options = {});
}  // namespace functional

/// The vectors of a bag of numbers in one: their mean, sum or largest values. They start as Embedding's.
class GRADUS_API EmbeddingBagImpl : public Layer<EmbeddingBagImpl> {
 public:
  EmbeddingBagImpl(std::int64_t num_embeddings, std::int64_t embedding_dim)
      : EmbeddingBagImpl(EmbeddingBagOptions(num_embeddings, embedding_dim)) {}
  /// ValueError for negative sizes, IndexError for a padding index out of range, ShapeError for a weight that does not
  /// fit the sizes.
  explicit EmbeddingBagImpl(const EmbeddingBagOptions& chosen);
  ~EmbeddingBagImpl() override;

  /// y [bags, dim] of indices [n] with offsets [bags], or [bags, n] without; weights of the indices' shape, for sums.
  Tensor compute(Operand indices, const Tensor& offsets = {}, const Tensor& per_sample_weights = {});
  void reset() override;
  /// Draws the table anew.
  void reset_parameters();

  EmbeddingBagOptions options;
  Tensor weight;  ///< [num_embeddings, embedding_dim]
};

class EmbeddingBag : public ModuleHolder<EmbeddingBagImpl> {
 public:
  using ModuleHolder<EmbeddingBagImpl>::ModuleHolder;
  using Impl [[maybe_unused]] = EmbeddingBagImpl;
  /// A layer around a table [rows, dim], which is frozen (needs no gradient) unless `freeze(false)`.
  GRADUS_API static EmbeddingBag from_pretrained(const Tensor& embeddings,
                                                 const EmbeddingBagFromPretrainedOptions& options = {});
};

}  // namespace gradus::nn
