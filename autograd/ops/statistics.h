// Order statistics, counts, places in a sorted sequence, distinct elements.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#include "../../core/base/export.h"
#include "../../core/base/shape.h"
#include "../tensor/operand.h"
#include "reduce.h"

namespace gradus {

/// (least, largest); of equal ones each takes the same share of the gradient. IndexError over nothing.
GRADUS_API std::tuple<Tensor, Tensor> aminmax(Operand x, std::optional<std::int64_t> dim = {}, bool keepdim = false);
/// How many elements are not 0: int64.
GRADUS_API Tensor count_nonzero(Operand x, IntArrayRef dim = {});
/// The mean of what is not NaN.
GRADUS_API Tensor nanmean(Operand x, IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {});
/// (std, mean) and (var, mean).
GRADUS_API std::tuple<Tensor, Tensor> std_mean(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction = {},
                                               bool keepdim = false);
GRADUS_API std::tuple<Tensor, Tensor> var_mean(Operand x, IntArrayRef dim, const std::optional<Scalar>& correction = {},
                                               bool keepdim = false);
GRADUS_API std::tuple<Tensor, Tensor> std_mean(Operand x);
GRADUS_API std::tuple<Tensor, Tensor> var_mean(Operand x);
/// The covariances of variables, rows of x [V, N] (or x [N], one variable), over N observations: [V, V], or 0-d. The divisor is
/// N - correction; fweights (integers) say how often each observation counts, aweights how much, and then the divisor is
/// sum w - correction sum(w a) / sum w.
GRADUS_API Tensor cov(Operand x, std::int64_t correction = 1, autograd::OptionalOperand fweights = {},
                      autograd::OptionalOperand aweights = {});
/// cov(x)[i][j] / sqrt(cov(x)[i][i] cov(x)[j][j]), held within [-1, 1].
GRADUS_API Tensor corrcoef(Operand x);

/// The k-th smallest element (k from 1) and its index, of equal ones the first; NaN is greater than all. IndexError unless
/// 1 <= k <= size.
GRADUS_API std::tuple<Tensor, Tensor> kthvalue(Operand x, std::int64_t k, std::int64_t dim = -1, bool keepdim = false);
/// The middle element, of two the smaller; NaN where there is one. Without a dimension that of all, NaN of none.
GRADUS_API Tensor median(Operand x);
GRADUS_API std::tuple<Tensor, Tensor> median(Operand x, std::int64_t dim, bool keepdim = false);
/// Of what is not NaN.
GRADUS_API Tensor nanmedian(Operand x);
GRADUS_API std::tuple<Tensor, Tensor> nanmedian(Operand x, std::int64_t dim, bool keepdim = false);
/// The most frequent element, of several the smallest, and the last index at which it stands.
GRADUS_API std::tuple<Tensor, Tensor> mode(Operand x, std::int64_t dim = -1, bool keepdim = false);
/// Where q (n - 1) falls among n sorted elements: between two of them by `interpolation`: "linear", "lower", "higher",
/// "midpoint" or "nearest" (halves to even). NaN where there is one. A q with a dimension puts that first. ValueError for
/// q outside [0, 1]; x and q must have one floating dtype.
GRADUS_API Tensor quantile(Operand x, Operand q, std::optional<std::int64_t> dim = {}, bool keepdim = false,
                           std::string_view interpolation = "linear");
GRADUS_API Tensor quantile(Operand x, double q, std::optional<std::int64_t> dim = {}, bool keepdim = false,
                           std::string_view interpolation = "linear");
/// Of what is not NaN; NaN where there is nothing else.
GRADUS_API Tensor nanquantile(Operand x, Operand q, std::optional<std::int64_t> dim = {}, bool keepdim = false,
                              std::string_view interpolation = "linear");
GRADUS_API Tensor nanquantile(Operand x, double q, std::optional<std::int64_t> dim = {}, bool keepdim = false,
                              std::string_view interpolation = "linear");
/// Sorted along the first dimension.
GRADUS_API Tensor msort(Operand x);

/// How many elements fall into each of `bins` parts of [min, max], in x's dtype; bounds that are equal mean those of x.
GRADUS_API Tensor histc(Operand x, std::int64_t bins = 100, const Scalar& min = 0, const Scalar& max = 0);
/// How often each number from 0 on occurs in a vector of integers, or the sums of their weights.
GRADUS_API Tensor bincount(Operand x, autograd::OptionalOperand weights = {}, std::int64_t minlength = 0);
/// Where x would have to be put into a sequence, sorted along its last dimension, so that it stays sorted: before those
/// that are equal, or behind them (right, or side "right"). Other dimensions must be equal unless the sequence is a vector.
/// `sorter`: the order of an unsorted sequence. int64, or int32.
GRADUS_API Tensor searchsorted(Operand sorted_sequence, Operand x, bool out_int32 = false, bool right = false,
                               std::optional<std::string_view> side = {}, autograd::OptionalOperand sorter = {});
GRADUS_API Tensor searchsorted(Operand sorted_sequence, const Scalar& x, bool out_int32 = false, bool right = false,
                               std::optional<std::string_view> side = {}, autograd::OptionalOperand sorter = {});
/// The same with the sequence, a vector, behind x.
GRADUS_API Tensor bucketize(Operand x, Operand boundaries, bool out_int32 = false, bool right = false);
GRADUS_API Tensor bucketize(const Scalar& x, Operand boundaries, bool out_int32 = false, bool right = false);

/// (the distinct elements, where each element of x is among them, how often each occurs), the latter two empty unless they
/// are asked for. Sorted, or in the order in which they first occur. NaNs are different from each other.
GRADUS_API std::tuple<Tensor, Tensor, Tensor> unique(Operand x, bool sorted = true, bool return_inverse = false,
                                                     bool return_counts = false);
GRADUS_API std::tuple<Tensor, Tensor> _unique(Operand x, bool sorted = true, bool return_inverse = false);
GRADUS_API std::tuple<Tensor, Tensor, Tensor> _unique2(Operand x, bool sorted = true, bool return_inverse = false,
                                                       bool return_counts = false);
/// Of the slices along a dimension, in lexicographic order.
GRADUS_API std::tuple<Tensor, Tensor, Tensor> unique_dim(Operand x, std::int64_t dim, bool sorted = true,
                                                         bool return_inverse = false, bool return_counts = false);
/// Runs of equal elements, or slices, as one.
GRADUS_API std::tuple<Tensor, Tensor, Tensor> unique_consecutive(Operand x, bool return_inverse = false,
                                                                 bool return_counts = false,
                                                                 std::optional<std::int64_t> dim = {});

namespace autograd {

/// The members of Tensor that are functions of this header, with the tensor as their first operand. (The template's
/// parameter is Tensor itself: it makes the bodies wait until that is complete.)
template <class Tensor>
class StatisticsMembers {
 public:
  std::tuple<Tensor, Tensor> aminmax(std::optional<std::int64_t> dim = {}, bool keepdim = false,
                                     Location at = Location::here()) const {
    return gradus::aminmax({self(), at}, dim, keepdim);
  }
  Tensor count_nonzero(IntArrayRef dim = {}, Location at = Location::here()) const {
    return gradus::count_nonzero({self(), at}, dim);
  }
  Tensor nanmean(IntArrayRef dim = {}, bool keepdim = false, std::optional<DType> dtype = {},
                 Location at = Location::here()) const {
    return gradus::nanmean({self(), at}, dim, keepdim, dtype);
  }
  Tensor cov(std::int64_t correction = 1, OptionalOperand fweights = {}, OptionalOperand aweights = {},
             Location at = Location::here()) const {
    return gradus::cov({self(), at}, correction, fweights, aweights);
  }
  Tensor corrcoef(Location at = Location::here()) const { return gradus::corrcoef({self(), at}); }
  std::tuple<Tensor, Tensor> kthvalue(std::int64_t k, std::int64_t dim = -1, bool keepdim = false,
                                      Location at = Location::here()) const {
    return gradus::kthvalue({self(), at}, k, dim, keepdim);
  }
  Tensor median(Location at = Location::here()) const { return gradus::median({self(), at}); }
  std::tuple<Tensor, Tensor> median(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::median({self(), at}, dim, keepdim);
  }
  Tensor nanmedian(Location at = Location::here()) const { return gradus::nanmedian({self(), at}); }
  std::tuple<Tensor, Tensor> nanmedian(std::int64_t dim, bool keepdim = false, Location at = Location::here()) const {
    return gradus::nanmedian({self(), at}, dim, keepdim);
  }
  std::tuple<Tensor, Tensor> mode(std::int64_t dim = -1, bool keepdim = false, Location at = Location::here()) const {
    return gradus::mode({self(), at}, dim, keepdim);
  }
  template <class Q>  // a tensor or a number
  Tensor quantile(const Q& q, std::optional<std::int64_t> dim = {}, bool keepdim = false,
                  std::string_view interpolation = "linear", Location at = Location::here()) const {
    return gradus::quantile({self(), at}, q, dim, keepdim, interpolation);
  }
  template <class Q>
  Tensor nanquantile(const Q& q, std::optional<std::int64_t> dim = {}, bool keepdim = false,
                     std::string_view interpolation = "linear", Location at = Location::here()) const {
    return gradus::nanquantile({self(), at}, q, dim, keepdim, interpolation);
  }
  Tensor msort(Location at = Location::here()) const { return gradus::msort({self(), at}); }
  Tensor histc(std::int64_t bins = 100, const Scalar& min = 0, const Scalar& max = 0,
               Location at = Location::here()) const {
    return gradus::histc({self(), at}, bins, min, max);
  }
  Tensor bincount(OptionalOperand weights = {}, std::int64_t minlength = 0, Location at = Location::here()) const {
    return gradus::bincount({self(), at}, weights, minlength);
  }

 private:
  const Tensor& self() const { return static_cast<const Tensor&>(*this); }
};

}  // namespace autograd

}  // namespace gradus
