// Order statistics, counts, places in sorted sequences, distinct elements. Indices and counts are int64. NaN is greater than all
// numbers, and different from itself.
#pragma once

#include <tuple>

#include "../array/array.h"

namespace gradus::core {

/// (value, index) of the k-th smallest element (k from 1) along a dimension; of equal ones the first. IndexError unless
/// 1 <= k <= size.
GRADUS_API std::tuple<Array, Array> kthvalue(const Array& x, std::int64_t k, std::int64_t dim, bool keepdim);
/// The middle element, of two the smaller, and its first place; NaN where there is one, or of what is not NaN. IndexError
/// over nothing.
GRADUS_API std::tuple<Array, Array> median(const Array& x, std::int64_t dim, bool keepdim, bool ignore_nan);
/// The most frequent element, of several the smallest, and its last place. IndexError over nothing.
GRADUS_API std::tuple<Array, Array> mode(const Array& x, std::int64_t dim, bool keepdim);
/// How many elements fall into each of `bins` parts of [low, high], the last with its end; all of one floating dtype.
GRADUS_API Array histc(const Array& x, std::int64_t bins, double low, double high);
/// How often each number from 0 on occurs, or the sum of their weights: as long as the largest needs, at least minlength.
GRADUS_API Array bincount(const Array& x, const Array& weights, std::int64_t minlength);
/// Places in a sequence [.., n] that is sorted, by itself or under `sorter`, for x [.., m] of the same dtype; in one
/// sequence for x of any shape.
GRADUS_API Array searchsorted(const Array& sequence, const Array& x, bool right, const Array& sorter);

/// Distinct elements, or slices along a dimension; where each of x is among them; how often each occurs.
struct Distinct {
  Array values, inverse, counts;
};
/// Of all elements: sorted, or in the order of their first occurrence.
GRADUS_API Distinct unique(const Array& x, bool sorted, bool inverse, bool counts);
/// Runs of equal elements count as one.
GRADUS_API Distinct unique_consecutive(const Array& x, bool inverse, bool counts);
/// The same of slices along a dimension; sorted in lexicographic order, or runs.
GRADUS_API Distinct unique_slices(const Array& x, std::int64_t dim, bool consecutive, bool inverse, bool counts);

/// (the largest so far, or the smallest, and the last place where it stands); NaN wins.
GRADUS_API std::tuple<Array, Array> running_extremum(const Array& x, std::int64_t dim, bool largest);
/// log(exp(x[0]) + .. + exp(x[k])) along a dimension, of floating-point numbers.
GRADUS_API Array logcumsumexp(const Array& x, std::int64_t dim);

/// The Euclidean distance of each row of a [.., P, M] and each of b [.., R, M], [.., P, R]: of one floating dtype, the other sizes
/// equal. Sums are of float64, but for the few terms that are first added in a vector's lane.
GRADUS_API Array distances(const Array& a, const Array& b);
/// Of each two rows of [N, M], i < j, in the order (0, 1), (0, 2), ..
GRADUS_API Array pair_distances(const Array& x);

}  // namespace gradus::core
