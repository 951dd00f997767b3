// Attention by heads: the products, the softmax and their gradients for one head's scores after the other, while they are
// in the cache. float32 and float64, any strides; results are contiguous, with the same bits at any number of threads.
#pragma once

#include <array>
#include <tuple>

#include "../array/array.h"
#include "../base/export.h"

namespace gradus::core {

struct AttentionOptions {
  double scale = 1;           ///< of the scores
  bool causal = false;        ///< row i sees the columns j <= i alone
  double kept_scale = 1;      ///< what a kept probability is multiplied by, where there is a mask of kept ones
  bool probabilities = true;  ///< whether forward returns them: backward reads them
};

/// [.., L, S] of query [.., L, E], key [.., S, E] and value [.., S, Ev], the leading dimensions broadcast. ShapeError and
/// DTypeError, naming `op`, where they don't fit.
GRADUS_API Shape attention_scores_shape(const char* op, const Array& query, const Array& key, const Array& value);

/// (y, probabilities): y [.., L, Ev] = (kept ? kept_scale p : 0) value, with p [.., L, S] the softmax along rows of
/// scale query key^T + bias. A row of -inf alone has p = 0. `bias`, of query's dtype, broadcasts to [.., L, S]; `kept` is
/// Bool and has that shape; both may be undefined: 0, and 1 with kept_scale 1. Without options.probabilities the second
/// result is undefined, and only a few rows of the scores are in memory at a time. Where `causal`, what a row doesn't see
/// should be finite: a block of rows is computed with the columns that its last one sees.
GRADUS_API std::tuple<Array, Array> attention_forward(const Array& query, const Array& key, const Array& value,
                                                      const Array& bias, const Array& kept,
                                                      const AttentionOptions& options);
/// (dquery, dkey, dvalue, dbias), those that are wanted, with the broadcast leading dimensions; probabilities as forward
/// gave them. With a the probabilities after dropout, m = kept ? kept_scale : 0 and sums along rows:
/// dvalue = a^T dy, dp = m (dy value^T), dbias = p (dp - sum(dp p)), dquery = scale dbias key, dkey = scale dbias^T query.
GRADUS_API std::array<Array, 4> attention_backward(const Array& dy, const Array& query, const Array& key,
                                                   const Array& value, const Array& probabilities, const Array& kept,
                                                   const AttentionOptions& options, const std::array<bool, 4>& wanted);

}  // namespace gradus::core
