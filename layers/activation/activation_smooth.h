// Activations without a flat half.
//
//   GELU, SiLU, Softplus, ELU: operations of the graph with hand-written gradients (autograd/ops/activation_rules.h)
//   LeakyReLU:  y = x where x > 0, else slope x             dL/dx = dL/dy, or slope dL/dy
//
//   The last is composed. At 0 it and ELU take the gradient of the negative side, as PyTorch's.
#pragma once

#include <string>

#include "../../core/base/export.h"
#include "../module/layer.h"

namespace gradus::nn {

/// `approximate`: "none" or "tanh".
struct GELUOptions {
  GRADUS_ARG(std::string, approximate) = "none";

 public:
  static constexpr auto fields = named(unless("none", "approximate"), &GELUOptions::approximate_);
};
/// Above `threshold` beta x is taken for log(1 + exp(beta x)).
struct SoftplusOptions {
  GRADUS_ARG(double, beta) = 1;
  GRADUS_ARG(double, threshold) = 20;

 public:
  static constexpr auto fields = named("beta", &SoftplusOptions::beta_, "threshold", &SoftplusOptions::threshold_);
};
/// `inplace` overwrites the input: GradError on a leaf that requires grad.
struct LeakyReLUOptions {
  GRADUS_ARG(double, negative_slope) = 0.01;
  GRADUS_ARG(bool, inplace) = false;

 public:
  static constexpr auto fields = named("negative_slope", &LeakyReLUOptions::negative_slope_, unless(false, "inplace"),
                                       &LeakyReLUOptions::inplace_);
};
struct ELUOptions {
  GRADUS_ARG(double, alpha) = 1;
  GRADUS_ARG(bool, inplace) = false;

 public:
  static constexpr auto fields = named("alpha", &ELUOptions::alpha_, unless(false, "inplace"), &ELUOptions::inplace_);
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

class GRADUS_API GELUImpl : public FunctionLayer<GELUImpl, functional::gelu, GELUOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(GELU);

class GRADUS_API SiLUImpl : public FunctionLayer<SiLUImpl, functional::silu> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(SiLU);

class GRADUS_API SoftplusImpl : public FunctionLayer<SoftplusImpl, functional::softplus, SoftplusOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Softplus);

class GRADUS_API LeakyReLUImpl : public FunctionLayer<LeakyReLUImpl, functional::leaky_relu, LeakyReLUOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(LeakyReLU);

class GRADUS_API ELUImpl : public FunctionLayer<ELUImpl, functional::elu, ELUOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(ELU);

}  // namespace gradus::nn
