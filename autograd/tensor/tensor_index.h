// The pieces of x.index({...}), tensors among them.
#pragma once

#include "tensor.h"

namespace gradus {
namespace indexing {

/// One entry of an index list: an integer, a Slice, None, Ellipsis ("..."), or a tensor. One of int64 or int32 names places
/// along a dimension, negative ones from its end; a mask (bool) names the places where it is true, along as many dimensions
/// as it has.
struct TensorIndex : IndexPiece {
  using IndexPiece::IndexPiece;
  TensorIndex(const Tensor& t) : IndexPiece(Kind::kTensor), tensor(t) {}  // NOLINT(google-explicit-constructor)
  /// A mask without dimensions: all of it, or nothing, along a new dimension.
  /// (By reference: Clang 14 would take it for the inherited constructor of integers.)
  TensorIndex(const std::same_as<bool> auto& value) : TensorIndex(mask_of(value)) {}  // NOLINT
  Tensor tensor;

 private:
  GRADUS_API static Tensor mask_of(bool value);
};

}  // namespace indexing

using indexing::TensorIndex;

}  // namespace gradus
