// Activations without a flat half.
//
//   GELU, SiLU, Softplus, ELU: operations of the graph with hand-written gradients (autograd/ops/activation_rules.h)
//   LeakyReLU:   y = x where x > 0, else slope x                      dL/dx = dL/dy, or slope dL/dy
//   CELU:        y = x where x > 0, else a (exp(x / a) - 1)           Barron, 2017
//   SELU:        y = 1.0507.. ELU(x, 1.6733..)                        Klambauer and others, 2017
//   Mish:        y = x tanh(log(1 + exp(x)))                          Misra, 2019
//   LogSigmoid:  y = -log(1 + exp(-x))                                dL/dx = dL/dy sigmoid(-x)
//   Softsign:    y = x / (1 + |x|)                                    dL/dx = dL/dy / (1 + |x|)^2
//   Tanhshrink:  y = x - tanh(x)                                      dL/dx = dL/dy tanh(x)^2
//   GLU:         y = a sigmoid(b), a and b the halves of x            Dauphin and others, 2016
//
//   All below ELU are made of others. At 0 LeakyReLU and the ELUs take the gradient of the negative side, as PyTorch's.
#pragma once

#include <cstdint>
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
using CELUOptions = ELUOptions;
struct SELUOptions {
  SELUOptions(bool inplace = false) : inplace_(inplace) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(bool, inplace);

 public:
  static constexpr auto fields = named(unless(false, "inplace"), &SELUOptions::inplace_);
};
struct GLUOptions {
  GLUOptions(std::int64_t dim = -1) : dim_(dim) {}  // NOLINT(google-explicit-constructor)
  GRADUS_ARG(std::int64_t, dim);

 public:
  static constexpr auto fields = named("dim", &GLUOptions::dim_);
};

namespace functional {
using GELUFuncOptions = GELUOptions;
using SoftplusFuncOptions = SoftplusOptions;
using LeakyReLUFuncOptions = LeakyReLUOptions;
using ELUFuncOptions = ELUOptions;
using CELUFuncOptions = CELUOptions;
using SELUFuncOptions = SELUOptions;
using GLUFuncOptions = GLUOptions;
GRADUS_API Tensor gelu(Operand x, const GELUFuncOptions& options = {});
GRADUS_API Tensor silu(Operand x);
GRADUS_API Tensor softplus(Operand x, const SoftplusFuncOptions& options = {});
GRADUS_API Tensor leaky_relu(Operand x, const LeakyReLUFuncOptions& options = {});
GRADUS_API Tensor elu(Operand x, const ELUFuncOptions& options = {});
/// ValueError where alpha is 0.
GRADUS_API Tensor celu(Operand x, const CELUFuncOptions& options = {});
GRADUS_API Tensor selu(Operand x, const SELUFuncOptions& options = {});
GRADUS_API Tensor mish(Operand x);
GRADUS_API Tensor logsigmoid(Operand x);
GRADUS_API Tensor softsign(Operand x);
GRADUS_API Tensor tanhshrink(Operand x);
/// ShapeError where the dimension has an odd size.
GRADUS_API Tensor glu(Operand x, const GLUFuncOptions& options = {});
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

class GRADUS_API CELUImpl : public FunctionLayer<CELUImpl, functional::celu, CELUOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(CELU);

class GRADUS_API SELUImpl : public FunctionLayer<SELUImpl, functional::selu, SELUOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(SELU);

class GRADUS_API MishImpl : public FunctionLayer<MishImpl, functional::mish> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Mish);

class GRADUS_API LogSigmoidImpl : public FunctionLayer<LogSigmoidImpl, functional::logsigmoid> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(LogSigmoid);

class GRADUS_API SoftsignImpl : public FunctionLayer<SoftsignImpl, functional::softsign> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Softsign);

class GRADUS_API TanhshrinkImpl : public FunctionLayer<TanhshrinkImpl, functional::tanhshrink> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(Tanhshrink);

class GRADUS_API GLUImpl : public FunctionLayer<GLUImpl, functional::glu, GLUOptions> {
 public:
  using FunctionLayer::FunctionLayer;
};
GRADUS_MODULE(GLU);

}  // namespace gradus::nn
