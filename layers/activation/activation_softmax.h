// Softmax and its logarithm, along a dimension:
//
//   softmax:      y = exp(x) / sum exp(x)        dL/dx = y (dL/dy - sum(dL/dy y))
//   log_softmax:  y = x - log sum exp(x)         dL/dx = dL/dy - exp(y) sum(dL/dy)
//   softmin:      y = softmax(-x)
//
// Softmax2d takes it over the channels of images. Gumbel-softmax (Jang, Gu, Poole, 2017; Maddison, Mnih, Teh, 2017) draws
// from the categorical law of logits x in a way that has a gradient: y = softmax((x + g) / tau), g = -log e, e of the
// exponential law. `hard` gives the one-hot of y's largest, with the gradient of y.
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
using SoftminOptions = SoftmaxOptions;

namespace functional {

using SoftmaxFuncOptions = SoftmaxOptions;
using LogSoftmaxFuncOptions = LogSoftmaxOptions;
using SoftminFuncOptions = SoftminOptions;
struct GumbelSoftmaxFuncOptions {
  GRADUS_ARG(double, tau) = 1;
  GRADUS_ARG(bool, hard) = false;
  GRADUS_ARG(int, dim) = -1;
};

GRADUS_API Tensor softmax(Operand x, const SoftmaxFuncOptions& options);
GRADUS_API Tensor log_softmax(Operand x, const LogSoftmaxFuncOptions& options);
GRADUS_API Tensor softmin(Operand x, const SoftminFuncOptions& options);
/// Over the channels of [N, C, H, W] or [C, H, W]: ShapeError.
GRADUS_API Tensor softmax2d(Operand x);
/// Draws from the default generator. ValueError unless tau is above 0.
GRADUS_API Tensor gumbel_softmax(Operand x, const GumbelSoftmaxFuncOptions& options = {});

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

class GRADUS_API SoftminImpl : public FunctionLayer<SoftminImpl, functional::softmin, SoftminOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Softmin);

class GRADUS_API Softmax2dImpl : public FunctionLayer<Softmax2dImpl, functional::softmax2d> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Softmax2d);

}  // namespace gradus::nn
