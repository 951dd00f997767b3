// Reductions over any set of dimensions, with fixed blocks and partial results combined in a fixed order: the same bits
// at any number of threads. No dimensions given means all of them.
#pragma once

#include <optional>
#include <tuple>

#include "../array/array.h"

namespace gradus::core {

enum class Reduction : std::uint8_t { Sum, Prod, Max, Min, All, Any };

/// Sum and Prod of integers and Bool are int64; of float32 they accumulate in float64 and are rounded once. They are made of
/// partial results, which may overflow where those in order do not: 1e308 - 1e308 + 1e308 - .. may be NaN. Max and Min keep
/// NaN and are an error (IndexError) over nothing; Sum over nothing is 0, Prod 1, All true, Any false. All and Any yield
/// Bool, of uint8 uint8.
GRADUS_API Array reduce(Reduction op, const Array& x, IntArrayRef dims = {}, bool keepdim = false);
/// The mean; NaN over nothing. DTypeError for integers.
GRADUS_API Array mean(const Array& x, IntArrayRef dims = {}, bool keepdim = false);
/// The variance with `correction` taken from the count (1: unbiased, 0: biased); NaN where the count does not
/// exceed the correction. DTypeError for integers.
GRADUS_API Array var(const Array& x, IntArrayRef dims = {}, std::int64_t correction = 1, bool keepdim = false);
/// The mean and the variance of the same elements, in one call. The mean is mean()'s but for rounding, and is
/// right also where the sum is too large a number.
GRADUS_API std::tuple<Array, Array> mean_var(const Array& x, IntArrayRef dims = {}, std::int64_t correction = 1,
                                             bool keepdim = false);
/// The square root of the variance, right also where that is too large or too small a number.
GRADUS_API Array std(const Array& x, IntArrayRef dims = {}, std::int64_t correction = 1, bool keepdim = false);
/// (sum |x|^p)^(1/p), right also where the sum is too large or too small a number; the largest |x| for p = inf, the smallest
/// for -inf, the count of those that are not 0 for p = 0. DTypeError for integers.
GRADUS_API Array norm(const Array& x, double p, IntArrayRef dims = {}, bool keepdim = false);
/// The same in float64, as if x had been converted first.
GRADUS_API Array norm64(const Array& x, double p, IntArrayRef dims = {});
/// (values, indices int64) along one dimension; of equal ones the first; NaN wins. IndexError over nothing.
GRADUS_API std::tuple<Array, Array> max(const Array& x, std::int64_t dim, bool keepdim = false);
GRADUS_API std::tuple<Array, Array> min(const Array& x, std::int64_t dim, bool keepdim = false);
/// Index (int64) of the largest element: along a dimension, or of the flattened array.
GRADUS_API Array argmax(const Array& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
GRADUS_API Array argmin(const Array& x, std::optional<std::int64_t> dim = {}, bool keepdim = false);

inline Array sum(const Array& x, IntArrayRef dims = {}, bool keepdim = false) {
  return reduce(Reduction::Sum, x, dims, keepdim);
}
/// Sums x down to a shape that broadcasts to x's: what undoes a broadcast.
GRADUS_API Array sum_to(const Array& x, const Shape& shape);

/// Whether all elements are equal, NaN being unlike itself; shapes and dtypes too.
GRADUS_API bool equal(const Array& a, const Array& b);
/// |a - b| <= atol + rtol |b| everywhere, broadcast; equal infinities are close.
GRADUS_API bool allclose(const Array& a, const Array& b, double rtol = 1e-5, double atol = 1e-8,
                         bool equal_nan = false);

}  // namespace gradus::core
