// Modules of the activations that take no options but ReLU's. The mathematics is in autograd/ops: relu a rule, sigmoid and tanh
// pointwise operations.
#pragma once

#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `inplace` overwrites the input: GradError on a leaf that requires grad.
struct ReLUOptions {
  ReLUOptions(bool inplace = false) : inplace_(inplace) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(bool, inplace);

 public:
  static constexpr auto fields = named(unless(false, "inplace"), &ReLUOptions::inplace_);
};

namespace functional {
using ReLUFuncOptions = ReLUOptions;
GRADUS_API Tensor relu(Operand x, const ReLUFuncOptions& options = {});
GRADUS_API Tensor sigmoid(Operand x);
GRADUS_API Tensor tanh(Operand x);
}  // namespace functional

class GRADUS_API ReLUImpl : public FunctionLayer<ReLUImpl, functional::relu, ReLUOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(ReLU);

class GRADUS_API SigmoidImpl : public FunctionLayer<SigmoidImpl, functional::sigmoid> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Sigmoid);

class GRADUS_API TanhImpl : public FunctionLayer<TanhImpl, functional::tanh> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Tanh);

}  // namespace gradus::nn
