// Activations without a flat half.
//
//   GELU, SiLU, Softplus, ELU: operations of the graph with hand-written gradients (autograd/ops/activation_rules.h)
//   LeakyReLU:  y = x where x > 0, else slope x             dL/dx = dL/dy, or slope dL/dy
//
//   The last is composed. At 0 it and ELU take the gradient of the negative side, as PyTorch's.
#pragma once

#include <string>

#include "../../core/base/export.h"
#include "../module/cloneable.h"

namespace gradus::nn {

/// `approximate`: "none" or "tanh".
struct GELUOptions {
  GRADUS_ARG(std::string, approximate) = "none";
};
/// Above `threshold` beta x is taken for log(1 + exp(beta x)).
struct SoftplusOptions {
  GRADUS_ARG(double, beta) = 1;
  GRADUS_ARG(double, threshold) = 20;
};
/// `inplace` overwrites the input: GradError on a leaf that requires grad.
struct LeakyReLUOptions {
  GRADUS_ARG(double, negative_slope) = 0.01;
  GRADUS_ARG(bool, inplace) = false;
};
struct ELUOptions {
  GRADUS_ARG(double, alpha) = 1;
  GRADUS_ARG(bool, inplace) = false;
};

namespace functional {
using GELUFuncOptions = GELUOptions;
using SoftplusFuncOptions = SoftplusOptions;
using LeakyReLUFuncOptions = LeakyReLUOptions;
using ELUFuncOptions = ELUOptions;
GRADUS_API Tensor gelu(Operand x, const GELUFuncOptions& options = {});
GRADUS_API Tensor silu(Operand x);
GRADUS_API Tensor softplus(Operand x, const SoftplusFuncOptions& options = {});
GRADUS_API Tensor leaky_relu(Operand x, const LeakyReLUFuncOptions& options = {});
GRADUS_API Tensor elu(Operand x, const ELUFuncOptions& options = {});
}  // namespace functional

class GRADUS_API GELUImpl : public Cloneable<GELUImpl> {
 public:
  explicit GELUImpl(GELUOptions chosen = {}) : options(std::move(chosen)) {}
  Tensor forward(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  GELUOptions options;
};
GRADUS_MODULE(GELU);

class GRADUS_API SiLUImpl : public Cloneable<SiLUImpl> {
 public:
  Tensor forward(Operand x);
  void reset() override {}
};
GRADUS_MODULE(SiLU);

class GRADUS_API SoftplusImpl : public Cloneable<SoftplusImpl> {
 public:
  explicit SoftplusImpl(const SoftplusOptions& chosen = {}) : options(chosen) {}
  Tensor forward(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  SoftplusOptions options;
};
GRADUS_MODULE(Softplus);

class GRADUS_API LeakyReLUImpl : public Cloneable<LeakyReLUImpl> {
 public:
  explicit LeakyReLUImpl(const LeakyReLUOptions& chosen = {}) : options(chosen) {}
  Tensor forward(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  LeakyReLUOptions options;
};
GRADUS_MODULE(LeakyReLU);

class GRADUS_API ELUImpl : public Cloneable<ELUImpl> {
 public:
  explicit ELUImpl(const ELUOptions& chosen = {}) : options(chosen) {}
  Tensor forward(Operand x);
  void reset() override {}
  std::string extra_repr() const override;

  ELUOptions options;
};
GRADUS_MODULE(ELU);

}  // namespace gradus::nn
