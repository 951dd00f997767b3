// Softmax and its logarithm, along a dimension:
//
//   softmax:      y = exp(x) / sum exp(x)        dL/dx = y (dL/dy - sum(dL/dy y))
//   log_softmax:  y = x - log sum exp(x)         dL/dx = dL/dy - exp(y) sum(dL/dy)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `SoftmaxOptions(dim)`, or a number where they are taken.
struct SoftmaxOptions {
  SoftmaxOptions(std::int64_t dim) : dim_(dim) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, dim);
  GRADUS_ARG(std::optional<DType>, dtype) = std::nullopt;  ///< the input is converted first

 public:
  static constexpr auto fields =
      named("dim", &SoftmaxOptions::dim_, unless(std::nullopt, "dtype"), &SoftmaxOptions::dtype_);
};
using LogSoftmaxOptions = SoftmaxOptions;

namespace functional {

using SoftmaxFuncOptions = SoftmaxOptions;
using LogSoftmaxFuncOptions = LogSoftmaxOptions;

GRADUS_API Tensor softmax(Operand x, const SoftmaxFuncOptions& options);
GRADUS_API Tensor log_softmax(Operand x, const LogSoftmaxFuncOptions& options);

}  // namespace functional

class GRADUS_API SoftmaxImpl : public FunctionLayer<SoftmaxImpl, functional::softmax, SoftmaxOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Softmax);

class GRADUS_API LogSoftmaxImpl : public FunctionLayer<LogSoftmaxImpl, functional::log_softmax, LogSoftmaxOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(LogSoftmax);

}  // namespace gradus::nn
