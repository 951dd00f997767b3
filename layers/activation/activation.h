// Activations.
//
//   relu:     y = x where x > 0, else 0       dL/dx = dL/dy where x > 0, else 0
//   sigmoid:  y = 1 / (1 + exp(-x))           dL/dx = dL/dy y (1 - y)
//   tanh:     y = tanh(x)                     dL/dx = dL/dy (1 - y^2)
//
//   relu has no derivative at 0; as PyTorch does, 0 is taken. NaN is neither above nor below 0: it stays NaN, and its
//   gradient passes. Sigmoid and tanh are operations of the graph (autograd/ops/pointwise.cpp), relu a rule.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/cloneable.h"

namespace gradus::nn {

/// y = x where x > 0, else 0; any floating dtype and shape.
struct ReluRule {
  static constexpr std::string_view name = "relu";
  static constexpr std::string_view input_names[] = {"x"};

  GRADUS_API static Tensor reference(const Tensor& x);
  GRADUS_API static core::Array forward(const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(autograd::DyArray<> dy, autograd::InArray<0> x);
};

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
