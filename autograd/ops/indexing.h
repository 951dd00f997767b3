// Reading and writing at places that tensors name: index tensors and masks. A name with _ at its end changes its first operand in
// place, with correct history; nothing is changed when there is an error.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "../../core/array/array.h"
#include "../../core/base/export.h"
#include "../tensor/operand.h"

namespace gradus {

namespace indexing {

struct TensorIndex;

/// Several of them, borrowed: `{ids, Slice()}` or a vector.
class TensorIndices {
 public:
  GRADUS_API TensorIndices(std::initializer_list<TensorIndex> list);        // NOLINT(google-explicit-constructor)
  GRADUS_API TensorIndices(const std::vector<TensorIndex>& list) noexcept;  // NOLINT(google-explicit-constructor)
  const TensorIndex* begin() const noexcept { return begin_; }
  const TensorIndex* end() const noexcept { return end_; }

 private:
  const TensorIndex *begin_, *end_;
};

}  // namespace indexing

using indexing::TensorIndices;

/// As Python's x[...]: integers, Slice, None, Ellipsis, int64 and int32 tensors (they broadcast against each other; negative
/// entries count from the end) and masks (which must have the sizes of the dimensions that they stand for). A view where
/// there is no tensor with dimensions, else a copy. Where the tensors stand side by side, the dimensions that they pick stand
/// there, too; else they come first. IndexError where there is no such place.
GRADUS_API Tensor index(Operand x, TensorIndices indices);
/// x with `values`, broadcast to the shape of index(x, indices), in those places, or, accumulated, added to them: in float64,
/// each place rounded once. Of several that go to one place the last one stays, and it alone has a gradient.
GRADUS_API Tensor index_put(Operand x, TensorIndices indices, Operand values, bool accumulate = false);
GRADUS_API Tensor index_put(Operand x, TensorIndices indices, const Scalar& value, bool accumulate = false);
GRADUS_API Tensor& index_put_(Operand x, TensorIndices indices, Operand values, bool accumulate = false);
GRADUS_API Tensor& index_put_(Operand x, TensorIndices indices, const Scalar& value, bool accumulate = false);
/// The elements where the mask (bool) is true, in order; x and the mask broadcast.
GRADUS_API Tensor masked_select(Operand x, Operand mask);
/// x with the first elements of `source` in the places where the mask is true, in order. ShapeError when there are too few.
GRADUS_API Tensor masked_scatter(Operand x, Operand mask, Operand source);
GRADUS_API Tensor& masked_scatter_(Operand x, Operand mask, Operand source);
/// The places [count, dimensions] of what is not 0, in order: int64.
GRADUS_API Tensor nonzero(const Tensor& x);
GRADUS_API Tensor argwhere(const Tensor& x);
/// The elements at places counted through all of x in order; the index's shape.
GRADUS_API Tensor take(Operand x, Operand index);
GRADUS_API Tensor put(Operand x, Operand index, Operand source, bool accumulate = false);
GRADUS_API Tensor& put_(Operand x, Operand index, Operand source, bool accumulate = false);
/// gather, x and the index broadcast in all dimensions but `dim`; without one, from x flattened.
GRADUS_API Tensor take_along_dim(Operand x, Operand index, std::optional<std::int64_t> dim = {});
/// int64 zeros with a 1 at each number along a new last dimension, as long as the largest number asks for unless it is given.
GRADUS_API Tensor one_hot(const Tensor& x, std::int64_t num_classes = -1);
/// Each entry of a dimension (of x flattened, without one) so many times, one after the other.
GRADUS_API Tensor repeat_interleave(Operand x, std::int64_t repeats, std::optional<std::int64_t> dim = {},
                                    std::optional<std::int64_t> output_size = {});
GRADUS_API Tensor repeat_interleave(Operand x, Operand repeats, std::optional<std::int64_t> dim = {},
                                    std::optional<std::int64_t> output_size = {});
/// 0 as often as repeats[0] says, 1 as often as repeats[1], ...
GRADUS_API Tensor repeat_interleave(Operand repeats);

/// x with src[i][j].. at [index[i][j]..][j].. (dim 0), and so on. The index has x's dimensions, is no larger than src, and no
/// larger than x but in `dim`. Of several that go to one place the last one stays, and it alone has a gradient.
GRADUS_API Tensor scatter(Operand x, std::int64_t dim, Operand index, Operand src);
GRADUS_API Tensor scatter(Operand x, std::int64_t dim, Operand index, const Scalar& value);
GRADUS_API Tensor& scatter_(Operand x, std::int64_t dim, Operand index, Operand src);
GRADUS_API Tensor& scatter_(Operand x, std::int64_t dim, Operand index, const Scalar& value);
/// The same with what is there: "add" (scatter_add) or "multiply". ValueError for any other word.
GRADUS_API Tensor scatter(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce);
GRADUS_API Tensor scatter(Operand x, std::int64_t dim, Operand index, const Scalar& value, std::string_view reduce);
GRADUS_API Tensor& scatter_(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce);
GRADUS_API Tensor& scatter_(Operand x, std::int64_t dim, Operand index, const Scalar& value, std::string_view reduce);
/// The same, added up in float64 and rounded once.
GRADUS_API Tensor scatter_add(Operand x, std::int64_t dim, Operand index, Operand src);
GRADUS_API Tensor& scatter_add_(Operand x, std::int64_t dim, Operand index, Operand src);
/// The same with "sum", "prod", "mean", "amax" or "amin"; without include_self x's numbers in those places do not count.
GRADUS_API Tensor scatter_reduce(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce,
                                 bool include_self = true);
GRADUS_API Tensor& scatter_reduce_(Operand x, std::int64_t dim, Operand index, Operand src, std::string_view reduce,
                                   bool include_self = true);
/// x with alpha times entry i of the source's dimension added to entry index[i]: in float64, rounded once.
GRADUS_API Tensor index_add(Operand x, std::int64_t dim, Operand index, Operand source, const Scalar& alpha = 1);
GRADUS_API Tensor& index_add_(Operand x, std::int64_t dim, Operand index, Operand source, const Scalar& alpha = 1);
/// x with entry index[i] of a dimension replaced by entry i of the source.
GRADUS_API Tensor index_copy(Operand x, std::int64_t dim, Operand index, Operand source);
GRADUS_API Tensor& index_copy_(Operand x, std::int64_t dim, Operand index, Operand source);
/// x with the entries of a dimension that the index names filled with a number, or with that of a 0-d tensor.
GRADUS_API Tensor index_fill(Operand x, std::int64_t dim, Operand index, const Scalar& value);
GRADUS_API Tensor index_fill(Operand x, std::int64_t dim, Operand index, Operand value);
GRADUS_API Tensor& index_fill_(Operand x, std::int64_t dim, Operand index, const Scalar& value);
GRADUS_API Tensor& index_fill_(Operand x, std::int64_t dim, Operand index, Operand value);
/// x with what the view would show replaced by src, which has its shape.
GRADUS_API Tensor select_scatter(Operand x, Operand src, std::int64_t dim, std::int64_t index);
GRADUS_API Tensor slice_scatter(Operand x, Operand src, std::int64_t dim = 0, std::optional<std::int64_t> start = {},
                                std::optional<std::int64_t> end = {}, std::int64_t step = 1);
GRADUS_API Tensor diagonal_scatter(Operand x, Operand src, std::int64_t offset = 0, std::int64_t dim1 = 0,
                                   std::int64_t dim2 = 1);
/// The number on the diagonal of all dimensions, which are equal where there are more than two; `wrap`: of a matrix with more
/// rows than columns, on that of each square below, with a row between them.
GRADUS_API Tensor& fill_diagonal_(Operand x, const Scalar& value, bool wrap = false);
/// For each element whether it is among the others; `invert`: whether it is not.
GRADUS_API Tensor isin(const Tensor& elements, const Tensor& test_elements, bool assume_unique = false,
                       bool invert = false);
GRADUS_API Tensor isin(const Tensor& elements, const Scalar& test_element, bool assume_unique = false,
                       bool invert = false);
GRADUS_API Tensor isin(const Scalar& element, const Tensor& test_elements, bool assume_unique = false,
                       bool invert = false);

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class IndexingMembers {
 public:
  Tensor index(TensorIndices indices, Location at = Location::here()) const {
    return gradus::index({self(), at}, indices);
  }
  Tensor index_put(TensorIndices indices, const Tensor& values, bool accumulate = false,
                   Location at = Location::here()) const {
    return gradus::index_put({self(), at}, indices, {values, at}, accumulate);
  }
  Tensor index_put(TensorIndices indices, const Scalar& value, bool accumulate = false,
                   Location at = Location::here()) const {
    return gradus::index_put({self(), at}, indices, value, accumulate);
  }
  Tensor& index_put_(TensorIndices indices, const Tensor& values, bool accumulate = false,
                     Location at = Location::here()) const {
    return gradus::index_put_({self(), at}, indices, {values, at}, accumulate);
  }
  Tensor& index_put_(TensorIndices indices, const Scalar& value, bool accumulate = false,
                     Location at = Location::here()) const {
    return gradus::index_put_({self(), at}, indices, value, accumulate);
  }
  Tensor masked_select(const Tensor& mask, Location at = Location::here()) const {
    return gradus::masked_select({self(), at}, {mask, at});
  }
  Tensor masked_scatter(const Tensor& mask, const Tensor& source, Location at = Location::here()) const {
    return gradus::masked_scatter({self(), at}, {mask, at}, {source, at});
  }
  Tensor& masked_scatter_(const Tensor& mask, const Tensor& source, Location at = Location::here()) const {
    return gradus::masked_scatter_({self(), at}, {mask, at}, {source, at});
  }
  Tensor nonzero() const { return gradus::nonzero(self()); }
  Tensor argwhere() const { return gradus::argwhere(self()); }
  Tensor take(const Tensor& index, Location at = Location::here()) const {
    return gradus::take({self(), at}, {index, at});
  }
  Tensor put(const Tensor& index, const Tensor& source, bool accumulate = false, Location at = Location::here()) const {
    return gradus::put({self(), at}, {index, at}, {source, at}, accumulate);
  }
  Tensor& put_(const Tensor& index, const Tensor& source, bool accumulate = false,
               Location at = Location::here()) const {
    return gradus::put_({self(), at}, {index, at}, {source, at}, accumulate);
  }
  Tensor take_along_dim(const Tensor& index, std::optional<std::int64_t> dim = {},
                        Location at = Location::here()) const {
    return gradus::take_along_dim({self(), at}, {index, at}, dim);
  }
  Tensor repeat_interleave(std::int64_t repeats, std::optional<std::int64_t> dim = {},
                           std::optional<std::int64_t> output_size = {}, Location at = Location::here()) const {
    return gradus::repeat_interleave({self(), at}, repeats, dim, output_size);
  }
  Tensor repeat_interleave(const Tensor& repeats, std::optional<std::int64_t> dim = {},
                           std::optional<std::int64_t> output_size = {}, Location at = Location::here()) const {
    return gradus::repeat_interleave({self(), at}, {repeats, at}, dim, output_size);
  }
  Tensor repeat_interleave(Location at = Location::here()) const { return gradus::repeat_interleave({self(), at}); }
  Tensor scatter(std::int64_t dim, const Tensor& index, const Tensor& src, Location at = Location::here()) const {
    return gradus::scatter({self(), at}, dim, {index, at}, {src, at});
  }
  Tensor scatter(std::int64_t dim, const Tensor& index, const Scalar& value, Location at = Location::here()) const {
    return gradus::scatter({self(), at}, dim, {index, at}, value);
  }
  Tensor& scatter_(std::int64_t dim, const Tensor& index, const Tensor& src, Location at = Location::here()) const {
    return gradus::scatter_({self(), at}, dim, {index, at}, {src, at});
  }
  Tensor& scatter_(std::int64_t dim, const Tensor& index, const Scalar& value, Location at = Location::here()) const {
    return gradus::scatter_({self(), at}, dim, {index, at}, value);
  }
  template <class V>  // a tensor or a number
  Tensor scatter(std::int64_t dim, const Tensor& index, const V& src, std::string_view reduce,
                 Location at = Location::here()) const {
    return gradus::scatter({self(), at}, dim, {index, at}, src, reduce);
  }
  template <class V>
  Tensor& scatter_(std::int64_t dim, const Tensor& index, const V& src, std::string_view reduce,
                   Location at = Location::here()) const {
    return gradus::scatter_({self(), at}, dim, {index, at}, src, reduce);
  }
  Tensor scatter_add(std::int64_t dim, const Tensor& index, const Tensor& src, Location at = Location::here()) const {
    return gradus::scatter_add({self(), at}, dim, {index, at}, {src, at});
  }
  Tensor& scatter_add_(std::int64_t dim, const Tensor& index, const Tensor& src, Location at = Location::here()) const {
    return gradus::scatter_add_({self(), at}, dim, {index, at}, {src, at});
  }
  Tensor scatter_reduce(std::int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                        bool include_self = true, Location at = Location::here()) const {
    return gradus::scatter_reduce({self(), at}, dim, {index, at}, {src, at}, reduce, include_self);
  }
  Tensor& scatter_reduce_(std::int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                          bool include_self = true, Location at = Location::here()) const {
    return gradus::scatter_reduce_({self(), at}, dim, {index, at}, {src, at}, reduce, include_self);
  }
  Tensor index_add(std::int64_t dim, const Tensor& index, const Tensor& source, const Scalar& alpha = 1,
                   Location at = Location::here()) const {
    return gradus::index_add({self(), at}, dim, {index, at}, {source, at}, alpha);
  }
  Tensor& index_add_(std::int64_t dim, const Tensor& index, const Tensor& source, const Scalar& alpha = 1,
                     Location at = Location::here()) const {
    return gradus::index_add_({self(), at}, dim, {index, at}, {source, at}, alpha);
  }
  Tensor index_copy(std::int64_t dim, const Tensor& index, const Tensor& source, Location at = Location::here()) const {
    return gradus::index_copy({self(), at}, dim, {index, at}, {source, at});
  }
  Tensor& index_copy_(std::int64_t dim, const Tensor& index, const Tensor& source,
                      Location at = Location::here()) const {
    return gradus::index_copy_({self(), at}, dim, {index, at}, {source, at});
  }
  Tensor index_fill(std::int64_t dim, const Tensor& index, const Scalar& value, Location at = Location::here()) const {
    return gradus::index_fill({self(), at}, dim, {index, at}, value);
  }
  Tensor index_fill(std::int64_t dim, const Tensor& index, const Tensor& value, Location at = Location::here()) const {
    return gradus::index_fill({self(), at}, dim, {index, at}, {value, at});
  }
  Tensor& index_fill_(std::int64_t dim, const Tensor& index, const Scalar& value,
                      Location at = Location::here()) const {
    return gradus::index_fill_({self(), at}, dim, {index, at}, value);
  }
  Tensor& index_fill_(std::int64_t dim, const Tensor& index, const Tensor& value,
                      Location at = Location::here()) const {
    return gradus::index_fill_({self(), at}, dim, {index, at}, {value, at});
  }
  Tensor select_scatter(const Tensor& src, std::int64_t dim, std::int64_t index, Location at = Location::here()) const {
    return gradus::select_scatter({self(), at}, {src, at}, dim, index);
  }
  Tensor slice_scatter(const Tensor& src, std::int64_t dim = 0, std::optional<std::int64_t> start = {},
                       std::optional<std::int64_t> end = {}, std::int64_t step = 1,
                       Location at = Location::here()) const {
    return gradus::slice_scatter({self(), at}, {src, at}, dim, start, end, step);
  }
  Tensor diagonal_scatter(const Tensor& src, std::int64_t offset = 0, std::int64_t dim1 = 0, std::int64_t dim2 = 1,
                          Location at = Location::here()) const {
    return gradus::diagonal_scatter({self(), at}, {src, at}, offset, dim1, dim2);
  }
  Tensor& fill_diagonal_(const Scalar& value, bool wrap = false, Location at = Location::here()) const {
    return gradus::fill_diagonal_({self(), at}, value, wrap);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
