// Modules of the activations that take no options but ReLU's. The mathematics is in autograd/ops: relu a rule, sigmoid and tanh
// pointwise operations.
#pragma once

#include <string>

#include "../../core/base/export.h"
#include "../module/cloneable.h"

namespace gradus::nn {

/// `inplace` overwrites the input: GradError on a leaf that requires grad.
struct ReLUOptions {
  ReLUOptions(bool inplace = false) : inplace_(inplace) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(bool, inplace);
};

namespace functional {
using ReLUFuncOptions = ReLUOptions;
GRADUS_API Tensor relu(Operand x, const ReLUFuncOptions& options = {});
GRADUS_API Tensor sigmoid(Operand x);
GRADUS_API Tensor tanh(Operand x);
}  // namespace functional

class GRADUS_API ReLUImpl : public Cloneable<ReLUImpl> {
 public:
  explicit ReLUImpl(const ReLUOptions& chosen = {}) : options(chosen) {}
  Tensor forward(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  ReLUOptions options;
};
GRADUS_MODULE(ReLU);

class GRADUS_API SigmoidImpl : public Cloneable<SigmoidImpl> {
 public:
  Tensor forward(Operand x);
  void reset() override {}
};
GRADUS_MODULE(Sigmoid);

class GRADUS_API TanhImpl : public Cloneable<TanhImpl> {
 public:
  Tensor forward(Operand x);
  void reset() override {}
};
GRADUS_MODULE(Tanh);

}  // namespace gradus::nn
