// What the operations that write at the places of an index share: for the library's own sources.
#pragma once

#include <cstdint>

#include "../../core/base/shape.h"
#include "../graph/operation.h"
#include "functions.h"

namespace gradus::autograd::detail {

/// What changes x is written once, into a copy or into x itself.
template <class Op, class... Rest>
core::Array in_copy(const core::Array& x, const Rest&... rest) {
  const core::Array y = x.clone();
  Op::write(y, rest...);
  return y;
}

/// The part of src that the index covers.
inline Tensor covered(Operand src, Operand index) {
  Tensor part = src.tensor();
  const Tensor& where = index.tensor();
  bool covers = part.dim() == where.dim();
  for (std::int64_t d = 0; covers && d < part.dim(); ++d) covers = where.size(d) <= part.size(d);
  if (!covers) return part;  // an error below, which names its shape
  for (std::int64_t d = 0; d < part.dim(); ++d) {
    if (where.size(d) < part.size(d)) part = narrow({part, src.at()}, d, 0, where.size(d));
  }
  return part;
}

/// Places along a dimension of a size, those that count from its end counted from its beginning: int64.
Tensor wrapped_places(const char* op, const Operand& index, std::int64_t size);

inline std::int64_t wrapped(const char* op, const Operand& x, std::int64_t dim) {
  return core::wrap_dim(dim, x.tensor().body().array.dim(), op);
}

}  // namespace gradus::autograd::detail
