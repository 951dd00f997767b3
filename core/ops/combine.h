// Putting arrays together and picking from them by index arrays.
#pragma once

#include "../array/array.h"

namespace gradus::core {

/// Joined along an existing dimension; dtypes promote. ShapeError when other sizes differ; a 1-d empty array is
/// skipped.
GRADUS_API Array cat(ArrayList arrays, std::int64_t dim = 0);
/// Joined along a new dimension.
GRADUS_API Array stack(ArrayList arrays, std::int64_t dim = 0);
/// Entries of a dimension named by a 1-d (or 0-d) int64 or int32 index. IndexError when one is out of range (no
/// negative ones, as in PyTorch).
GRADUS_API Array index_select(const Array& x, std::int64_t dim, const Array& index);
/// zeros(shape) with out[.., index[i], ..] += src[.., i, ..] along dim, in the order of i: the gradient of
/// index_select.
GRADUS_API Array index_add(const Shape& shape, std::int64_t dim, const Array& index, const Array& src);
/// out[i][j].. = x[index[i][j]..][j].. for dim 0, and so on; index has x's dimensions (int64).
GRADUS_API Array gather(const Array& x, std::int64_t dim, const Array& index);
/// zeros(shape) with out[index[i][j]..][j].. += src[i][j]..: the gradient of gather.
GRADUS_API Array scatter_add(const Shape& shape, std::int64_t dim, const Array& index, const Array& src);
/// Lower or upper triangle of the last two dimensions, the rest 0.
GRADUS_API Array tril(const Array& x, std::int64_t diagonal = 0);
GRADUS_API Array triu(const Array& x, std::int64_t diagonal = 0);
/// The same in place: what is outside becomes 0. The caller counts the write.
GRADUS_API void keep_tril(const Array& x, std::int64_t diagonal = 0);
GRADUS_API void keep_triu(const Array& x, std::int64_t diagonal = 0);
/// x with pad[0] elements of a value before and pad[1] after its last dimension, pad[2] and pad[3] around the one before,
/// and so on; negative numbers cut off as many. ShapeError when there are too many or an odd number of them, or more is
/// cut off than there is.
GRADUS_API Array constant_pad(const Array& x, IntArrayRef pad, const Scalar& value = 0);
/// Moved along dimensions by as many places as each shift says; what leaves at one end comes in at the other.
/// One may come more than once. ValueError unless there is a shift for each dimension, and one at least.
GRADUS_API Array roll(const Array& x, IntArrayRef shifts, IntArrayRef dims);

}  // namespace gradus::core
