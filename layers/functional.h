// The layers' mathematics as functions, with PyTorch's ...FuncOptions. Each is declared in its layer's header.
#pragma once

#include <cstdint>
#include <optional>

#include "activation.h"
#include "avg_pool.h"
#include "batch_norm.h"
#include "conv.h"
#include "cross_entropy.h"
#include "dropout.h"
#include "embedding.h"
#include "layer_norm.h"
#include "linear.h"
#include "loss.h"
#include "max_pool.h"
#include "nll_loss.h"
#include "padding.h"

namespace gradus::nn::functional {

/// `SoftmaxFuncOptions(dim).dtype(kDouble)`; a number will do where one is taken.
struct SoftmaxFuncOptions {
  SoftmaxFuncOptions(std::int64_t dim) : dim_(dim) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, dim);
  GRADUS_ARG(std::optional<DType>, dtype) = std::nullopt;  ///< the input is converted first
};
using LogSoftmaxFuncOptions = SoftmaxFuncOptions;

/// exp(x) / sum exp(x) along a dimension.
inline Tensor softmax(Operand x, const SoftmaxFuncOptions& options) {
  return gradus::softmax(x, options.dim(), options.dtype());
}
/// Its logarithm, in one step: x - log sum exp(x).
inline Tensor log_softmax(Operand x, const LogSoftmaxFuncOptions& options) {
  return gradus::log_softmax(x, options.dim(), options.dtype());
}

}  // namespace gradus::nn::functional
