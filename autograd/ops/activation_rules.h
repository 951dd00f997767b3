// Activations as rules: what their gradients are by hand, and what they are made of.
//
//   relu:      y = x above 0, else 0                dL/dx = dL/dy above 0, else 0
//   gelu:      y = x Phi(x)                         dL/dx = dL/dy (Phi(x) + x phi(x))
//   gelu_tanh: y = x s, s = sigmoid(2 u)            dL/dx = dL/dy (s + x s (1 - s) 2 u')
//              u = sqrt(2 / pi) (x + 0.044715 x^3)
//   silu:      y = x s, s = sigmoid(x)              dL/dx = dL/dy s (1 + x (1 - s))
//   softplus:  y = log(1 + exp(beta x)) / beta      dL/dx = dL/dy sigmoid(beta x)
//
//   elu:       y = x above 0, else a (exp(x) - 1)   dL/dx = dL/dy above 0, else dL/dy a exp(x), which is not taken from y
//
//   relu has no derivative at 0; as PyTorch does, 0 is taken. NaN is neither above nor below 0: it stays NaN, and its
//   gradient passes. Phi and phi are the normal law's distribution function and density. GELU: Hendrycks and Gimpel, 2016.
#pragma once

#include <array>
#include <string_view>

#include "../../core/base/export.h"
#include "../graph/operation.h"

namespace gradus::autograd {

// What references are made of: functions whose gradients, of any order, keep their digits where differences of others would
// lose them. The gradient of sigmoid is one of its result y, and 1 - y has no digits left where y is near 1.
GRADUS_API Tensor logistic(const Tensor& x);                     ///< s(x) = 1 / (1 + exp(-x))
GRADUS_API Tensor logistic_slope(const Tensor& x);               ///< s(x) s(-x)
GRADUS_API Tensor log1p_exp(const Tensor& x);                    ///< log(1 + exp(x))
GRADUS_API Tensor exp_times(const Tensor& dy, const Tensor& x);  ///< dy exp(x)
GRADUS_API Tensor normal_cdf(const Tensor& x);                   ///< the normal law's distribution function Phi

/// Any floating dtype and shape.
struct ReluRule {
  static constexpr std::string_view name = "relu";
  static constexpr std::string_view formula = "y = max(x, 0), dx = dy 1[x > 0]";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr bool idempotent = true, symmetric = true;
  GRADUS_API static Tensor reference(const Tensor& x);
  GRADUS_API static core::Array forward(const core::Array& x);
  GRADUS_API static void write(const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(DyArray<> dy, InArray<0> x);
};

struct GeluRule {
  static constexpr std::string_view name = "gelu";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr bool symmetric = true;
  struct Attrs {
    bool tanh = false;
    std::string_view approximate() const { return tanh ? "tanh" : "none"; }
    static constexpr auto fields = named("approximate", &Attrs::approximate);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

struct SiluRule {
  static constexpr std::string_view name = "silu";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr bool symmetric = true;
  GRADUS_API static Tensor reference(const Tensor& x);
  GRADUS_API static core::Array forward(const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(DyArray<> dy, InArray<0> x);
};

/// Where beta x exceeds the threshold it is x.
struct SoftplusRule {
  static constexpr std::string_view name = "softplus";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr bool symmetric = true;
  struct Attrs {
    double beta = 1, threshold = 20;
    static constexpr auto fields = named("beta", &Attrs::beta, "threshold", &Attrs::threshold);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

/// NaN, and the gradient there, pass; at 0 the gradient is that of the negative side.
struct EluRule {
  static constexpr std::string_view name = "elu";
  static constexpr std::string_view formula =
      "y = cases{x if x > 0; alpha (exp(x) - 1) otherwise}, dx = cases{dy if x > 0; dy alpha exp(x) otherwise}";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr bool symmetric = true;
  struct Attrs {
    double alpha = 1;
    static constexpr auto fields = named("alpha", &Attrs::alpha);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

}  // namespace gradus::autograd
