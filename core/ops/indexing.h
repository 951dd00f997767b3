// Reading and writing at the places that masks and index arrays name. What changes an array in place checks everything first.
#pragma once

#include "../array/array.h"
#include "reduce.h"

namespace gradus::core {

/// Where a mask (Bool) is true, counted through it in order: int64.
GRADUS_API Array positions(const Array& mask);
/// The places [count, dimensions] of what is not 0, in order: int64.
GRADUS_API Array nonzero(const Array& x);
/// The elements where the mask, of x's shape, is true, in order. DTypeError when it is not Bool.
GRADUS_API Array masked_select(const Array& x, const Array& mask);
/// How many are true.
GRADUS_API std::int64_t count_true(const Array& mask);
/// Writes the elements of src, 1-d and as many as are true, to where the mask, of out's shape, is true.
GRADUS_API void masked_write(const Array& out, const Array& mask, const Array& src);

/// An index along a dimension whose entries may count from the end, with those as they count from the beginning. DTypeError
/// unless it is int64 or int32, IndexError when an entry is outside [-size, size).
GRADUS_API Array wrapped_index(const Array& index, std::int64_t size, const char* op);

/// out[index[i][j]..][j].. = src[i][j].. for dim 0, and so on; in the order of i, so that the last one stays. The index and
/// src have one shape, out's but for dim, or a smaller one. Counts as a write, as the others do.
GRADUS_API void scatter_write(const Array& out, std::int64_t dim, const Array& index, const Array& src, const char* op);
/// The same, src added in float64 (float32) and rounded once.
GRADUS_API void scatter_sum(const Array& out, std::int64_t dim, const Array& index, const Array& src, const char* op);
/// The same by Reduction::Prod (in float64), Max or Min (NaN stays).
GRADUS_API void scatter_fold(Reduction fold, const Array& out, std::int64_t dim, const Array& index, const Array& src,
                             const char* op);
/// Of those that scatter_write writes, which stay: Bool, of the index's shape.
GRADUS_API Array last_writes(const Shape& out, std::int64_t dim, const Array& index);
/// A 1-d (or 0-d) index along a dimension of a shape as one that has all the dimensions, without memory.
GRADUS_API Array along(const Shape& shape, std::int64_t dim, const Array& index, const char* op);
/// 0 as often as repeats[0] says, 1 as often as repeats[1], ... ShapeError unless 1-d, ValueError when one is negative.
GRADUS_API Array repeated_places(const Array& repeats);
/// For each element whether it is among the others; not so for NaN. Bool.
GRADUS_API Array isin(const Array& elements, const Array& others);

}  // namespace gradus::core
