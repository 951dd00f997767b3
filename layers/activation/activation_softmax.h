// Softmax and its logarithm, along a dimension:
//
//   softmax:      y = exp(x) / sum exp(x)        dL/dx = y (dL/dy - sum(dL/dy y))
//   log_softmax:  y = x - log sum exp(x)         dL/dx = dL/dy - exp(y) sum(dL/dy)
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../../core/base/export.h"
#include "../module/cloneable.h"

namespace gradus::nn {

struct SoftmaxOptions {
  SoftmaxOptions(std::int64_t dim) : dim_(dim) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, dim);
};
using LogSoftmaxOptions = SoftmaxOptions;

namespace functional {

/// `SoftmaxFuncOptions(dim).dtype(kDouble)`; a number will do where one is taken.
struct SoftmaxFuncOptions {
  SoftmaxFuncOptions(std::int64_t dim) : dim_(dim) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, dim);
  GRADUS_ARG(std::optional<DType>, dtype) = std::nullopt;  ///< the input is converted first
};
using LogSoftmaxFuncOptions = SoftmaxFuncOptions;

GRADUS_API Tensor softmax(Operand x, const SoftmaxFuncOptions& options);
GRADUS_API Tensor log_softmax(Operand x, const LogSoftmaxFuncOptions& options);

}  // namespace functional

class GRADUS_API SoftmaxImpl : public Cloneable<SoftmaxImpl> {
 public:
  explicit SoftmaxImpl(const SoftmaxOptions& chosen) : options(chosen) {}
  Tensor forward(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  SoftmaxOptions options;
};
GRADUS_MODULE(Softmax);

class GRADUS_API LogSoftmaxImpl : public Cloneable<LogSoftmaxImpl> {
 public:
  explicit LogSoftmaxImpl(const LogSoftmaxOptions& chosen) : options(chosen) {}
  Tensor forward(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  LogSoftmaxOptions options;
};
GRADUS_MODULE(LogSoftmax);

}  // namespace gradus::nn
