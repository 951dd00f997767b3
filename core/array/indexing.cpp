// x.index({...}): each piece of the list is one view.
#include "array.h"
#include "../base/fail.h"

namespace gradus::core {

using Kind = indexing::IndexPiece::Kind;

Array Array::index(const IndexList& indices) const {
  int taken = 0;  // dimensions that the pieces stand for
  bool ellipsis = false;
  for (const indexing::IndexPiece& piece : indices) {
    if (piece.kind == Kind::kInteger || piece.kind == Kind::kSlice) ++taken;
    if (piece.kind == Kind::kEllipsis) {
      if (ellipsis)
        fail<IndexError>("index: at most one Ellipsis may stand in the list: of {} entries", indices.size());
      ellipsis = true;
    }
  }
  if (taken > dim()) {
    fail<IndexError>("index: at most as many entries as dimensions: {} for {}", taken, shape_);
  }

  Array result = *this;
  int d = 0;  // the dimension of the result that the next piece is about
  for (const indexing::IndexPiece& piece : indices) {
    switch (piece.kind) {
      case Kind::kInteger: {
        // The message speaks of the dimension as the caller counts it.
        const std::int64_t size = result.shape_[d], i = piece.integer;
        if (i < -size || i >= size) {
          fail<IndexError>("index: the index must be in [{}, {}] for a dimension of size {} of {}: {}", -size, size - 1,
                           size, shape_, i);
        }
        result = result.select(d, i);
        break;
      }
      case Kind::kSlice: {
        result = result.slice(d, piece.slice.start, piece.slice.stop, piece.slice.step);
        ++d;
        break;
      }
      case Kind::kNone: {
        result = result.unsqueeze(d);
        ++d;
        break;
      }
      case Kind::kEllipsis: {
        d += dim() - taken;
        break;
      }
      case Kind::kTensor:
        break;  // none gets here
    }
  }
  return result;
}

}  // namespace gradus::core
