// Operations that carry something along a dimension: running sums and products, and the order of elements.
#pragma once

#include <tuple>

#include "../array/array.h"

namespace gradus::core {

/// y[k] = x[0] + .. + x[k] along a dimension; from the last element on when reversed. Integers and Bool become int64;
/// float32 is accumulated in float64. A 0-d array is its own sum.
GRADUS_API Array cumsum(const Array& x, std::int64_t dim, bool reverse = false);
/// y[k] = x[0] .. x[k], likewise.
GRADUS_API Array cumprod(const Array& x, std::int64_t dim, bool reverse = false);
/// y[k] = b[k] + a[k] y[k - 1], or y[k + 1] when reversed; before the first there is a 0. Equal shapes and floating dtypes.
GRADUS_API Array linear_recurrence(const Array& a, const Array& b, std::int64_t dim, bool reverse = false);

/// (values, indices int64) in ascending or descending order along a dimension. Equal elements keep their order, -0
/// equals 0, and NaN is greater than all.
GRADUS_API std::tuple<Array, Array> sort(const Array& x, std::int64_t dim = -1, bool descending = false);
/// The k largest (smallest) elements along a dimension in their order, and where they are. IndexError unless
/// 0 <= k <= size.
GRADUS_API std::tuple<Array, Array> topk(const Array& x, std::int64_t k, std::int64_t dim = -1, bool largest = true);

}  // namespace gradus::core
