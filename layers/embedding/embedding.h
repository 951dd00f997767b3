// Embedding: a table of vectors, looked up by number.
//
//     y_i = W[t_i]          dL/dW[r] = sum over all i with t_i = r of dL/dy_i
//
//   The row of the padding index, if there is one, gets no gradient. scale_grad_by_freq divides dL/dy_i by how many of the
//   indices are t_i. Gradients are dense: `sparse`, which PyTorch has for optimizers of sparse ones, changes nothing.
//
//   max_norm: before they are looked up, rows that are named are scaled in place, r -> r max_norm / (|r| + 1e-7) where the
//   norm_type-norm |r| is above max_norm; no gradient sees it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// y [.., dim] of indices [..], int64 or int32, into weight [rows, dim].
struct EmbeddingRule {
  static constexpr std::string_view name = "embedding";
  static constexpr std::string_view formula = "y[i] = W[t_i], dW[r] = sum_{t_i = r} dy[i], none";
  static constexpr std::string_view input_names[] = {"weight", "indices"};
  static constexpr std::uint32_t shape_only = 1u << 0;

  struct Attrs {
    std::optional<std::int64_t> padding_idx = {};  ///< in [0, rows)
    bool scale_grad_by_freq = false;
    static constexpr auto fields =
        named("padding_idx", &Attrs::padding_idx, unless(false, "scale_grad_by_freq"), &Attrs::scale_grad_by_freq);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& weight, const Tensor& indices);
  /// IndexError for an index or a padding index outside [0, rows), ShapeError, DTypeError.
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& weight, const core::Array& indices);
  GRADUS_API static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  /// dweight, dense: every row is written once.
  GRADUS_API static std::array<core::Array, 2> backward(const Attrs& attrs, autograd::DyArray<> dy,
                                                        autograd::ShapeOf<0> weight, autograd::InArray<1> indices);
};

/// `EmbeddingOptions(10000, 256).padding_idx(0)`.
struct EmbeddingOptions {
  EmbeddingOptions(std::int64_t num_embeddings, std::int64_t embedding_dim)
      : num_embeddings_(num_embeddings), embedding_dim_(embedding_dim) {}
  GRADUS_ARG(std::int64_t, num_embeddings);
  GRADUS_ARG(std::int64_t, embedding_dim);
  GRADUS_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;  ///< negative ones count from the back
  GRADUS_ARG(std::optional<double>, max_norm) = std::nullopt;
  GRADUS_ARG(double, norm_type) = 2;
  GRADUS_ARG(bool, scale_grad_by_freq) = false;
  GRADUS_ARG(bool, sparse) = false;  ///< changes nothing: gradients are dense
  GRADUS_ARG(Tensor, _weight);       ///< what to start with, in place of drawing it

 public:
  static constexpr auto fields =
      named("", &EmbeddingOptions::num_embeddings_, "", &EmbeddingOptions::embedding_dim_,
            unless(std::nullopt, "padding_idx"), &EmbeddingOptions::padding_idx_, unless(std::nullopt, "max_norm"),
            &EmbeddingOptions::max_norm_, unless(2.0, "norm_type"), &EmbeddingOptions::norm_type_,
            unless(false, "scale_grad_by_freq"), &EmbeddingOptions::scale_grad_by_freq_, unless(false, "sparse"),
            &EmbeddingOptions::sparse_);
};
struct EmbeddingFromPretrainedOptions {
  GRADUS_ARG(bool, freeze) = true;
  GRADUS_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
  GRADUS_ARG(std::optional<double>, max_norm) = std::nullopt;
  GRADUS_ARG(double, norm_type) = 2;
  GRADUS_ARG(bool, scale_grad_by_freq) = false;
  GRADUS_ARG(bool, sparse) = false;
};

namespace detail {
/// A padding index that counts from the front. IndexError when there is no such row.
std::optional<std::int64_t> padding_from_front(const char* op, std::optional<std::int64_t> padding_idx,
                                               std::int64_t rows);
/// Scales rows that are named, in place, where their norm is above max_norm.
void renorm_rows(const char* op, const Tensor& weight, const Tensor& indices, std::optional<double> max_norm,
                 double norm_type);
}  // namespace detail

namespace functional {
using gradus::one_hot;
struct EmbeddingFuncOptions {
  GRADUS_ARG(std::optional<std::int64_t>, padding_idx) = std::nullopt;
  GRADUS_ARG(std::optional<double>, max_norm) = std::nullopt;
  GRADUS_ARG(double, norm_type) = 2;
  GRADUS_ARG(bool, scale_grad_by_freq) = false;
  GRADUS_ARG(bool, sparse) = false;
};
/// With max_norm the weight is changed.
GRADUS_API Tensor embedding(Operand indices, const Tensor& weight, const EmbeddingFuncOptions& options = {});
}  // namespace functional

/// A learned vector for each number in [0, num_embeddings). They start normal with mean 0 and deviation 1; that of the
/// padding index is 0.
class GRADUS_API EmbeddingImpl : public Layer<EmbeddingImpl> {
 public:
  EmbeddingImpl(std::int64_t num_embeddings, std::int64_t embedding_dim)
      : EmbeddingImpl(EmbeddingOptions(num_embeddings, embedding_dim)) {}
  /// ValueError for negative sizes, IndexError for a padding index out of range, ShapeError for a weight that does not
  /// fit the sizes.
  explicit EmbeddingImpl(const EmbeddingOptions& chosen);
  ~EmbeddingImpl() override;

  Tensor compute(Operand indices);
  void reset() override;
  /// Draws the table anew.
  void reset_parameters();

  EmbeddingOptions options;
  Tensor weight;  ///< [num_embeddings, embedding_dim]
};

class Embedding : public ModuleHolder<EmbeddingImpl> {
 public:
  using ModuleHolder<EmbeddingImpl>::ModuleHolder;
  using Impl [[maybe_unused]] = EmbeddingImpl;
  /// A layer around a table [rows, dim], which is frozen (needs no gradient) unless `freeze(false)`.
  GRADUS_API static Embedding from_pretrained(const Tensor& embeddings,
                                              const EmbeddingFromPretrainedOptions& options = {});
};

}  // namespace gradus::nn

namespace gradus {
/// PyTorch's order of arguments; a padding index of -1 means none. `sparse` changes nothing: gradients are dense.
GRADUS_API Tensor embedding(Operand weight, const Tensor& indices, std::int64_t padding_idx = -1,
                            bool scale_grad_by_freq = false, bool sparse = false);
}  // namespace gradus
