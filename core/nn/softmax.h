// Softmax, what is made of it, and gradients of both, each in the fewest passes over memory. Any strides; results are
// contiguous, with the same bits at any number of threads.
#pragma once

#include "../array/array.h"
#include "../base/export.h"

namespace gradus::core {

/// log(sum(exp(x))) along dimensions without overflow; rows of -inf give -inf, with +inf give +inf.
GRADUS_API Array logsumexp(const Array& x, IntArrayRef dims, bool keepdim = false);
/// x - logsumexp(x) and exp of it along one dimension.
GRADUS_API Array log_softmax(const Array& x, std::int64_t dim);
GRADUS_API Array softmax(const Array& x, std::int64_t dim);

/// y (dy - sum(dy y)) along a dimension: the gradient of y = softmax(x).
GRADUS_API Array softmax_backward(const Array& dy, const Array& y, std::int64_t dim);
/// dy - exp(y) sum(dy) along a dimension: the gradient of y = log_softmax(x).
GRADUS_API Array log_softmax_backward(const Array& dy, const Array& y, std::int64_t dim);

/// exp(log_p) factor of rows of log-probabilities [n, C], with one factor for each row [n].
GRADUS_API Array probabilities_times(const Array& log_p, const Array& factor);

/// g (p sum(a) - a) with p = exp(log_p), rows [n, C], as g (p (sum(a) - a) - a (1 - p)); g [n]. The gradient of
/// - g sum(a log_p) in the logits. All have one floating dtype.
GRADUS_API Array cross_entropy_rows_backward(const Array& log_p, const Array& a, const Array& g);

}  // namespace gradus::core
