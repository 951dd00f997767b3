// Examples that are whole rows of tensors: a batch of them is taken in one pass.
#pragma once

#include <vector>

#include "example.h"

namespace gradus::data {

/// Example i is row i of these tensors, after `(x - mean) / stddev` where a Normalize stands between.
struct Rows {
  Tensor data, target;  ///< of examples without target the second is undefined
  Tensor mean, stddev;  ///< undefined, or float32, a number for each channel (dimension 1 of data) or one for all
};

/// The rows named, one below the other, in one pass; with Rows' mean and stddev in the same. IndexError when there is no
/// such row.
GRADUS_API Tensor take_rows(const Tensor& from, ArrayRef<std::size_t> indices);
GRADUS_API Tensor take_rows(const Tensor& from, ArrayRef<std::size_t> indices, const Tensor& mean,
                            const Tensor& stddev);
/// Whether a batch's rows are the same numbers as its examples one by one: plain memory, no history.
GRADUS_API bool can_take_rows(const Tensor& from);
GRADUS_API bool can_normalize_rows(const Tensor& from, const Tensor& mean, const Tensor& stddev);

/// Tensors of one shape in one new one, each written into its place. ShapeError names the first that differs.
GRADUS_API Tensor stack_examples(const std::vector<Tensor>& examples, const char* what);

/// Whether a data set (this very class: one derived from it may mean something else) tells its rows, by `bool
/// rows(Rows&) const`; and whether a transform takes them in the place of examples, by `take(rows, indices)`.
template <class D>
inline constexpr bool has_rows = false;
template <class T>
inline constexpr bool takes_rows = false;

}  // namespace gradus::data
