// Activations as rules: what their gradients are by hand, and what they are made of.
//
//   gelu:      y = x Phi(x)                         dL/dx = dL/dy (Phi(x) + x phi(x))
//   gelu_tanh: y = x s, s = sigmoid(2 u)            dL/dx = dL/dy (s + x s (1 - s) 2 u')
//              u = sqrt(2 / pi) (x + 0.044715 x^3)
//   silu:      y = x s, s = sigmoid(x)              dL/dx = dL/dy s (1 + x (1 - s))
//   softplus:  y = log(1 + exp(beta x)) / beta      dL/dx = dL/dy sigmoid(beta x)
//
//   Phi and phi are the normal law's distribution function and density. GELU: Hendrycks and Gimpel, 2016.
#pragma once

#include <array>
#include <string_view>

#include "../core/export.h"
#include "operation.h"

namespace gradus::autograd {

/// Any floating dtype and shape.
struct GeluRule {
  static constexpr std::string_view name = "gelu";
  static constexpr std::string_view input_names[] = {"x"};
  struct Attrs {
    bool tanh = false;
    template <class V>
    void visit(V&& v) const {
      v("approximate", tanh ? "tanh" : "none");
    }
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

struct SiluRule {
  static constexpr std::string_view name = "silu";
  static constexpr std::string_view input_names[] = {"x"};
  GRADUS_API static Tensor reference(const Tensor& x);
  GRADUS_API static core::Array forward(const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(DyArray<> dy, InArray<0> x);
};

/// Where beta x exceeds the threshold it is x.
struct SoftplusRule {
  static constexpr std::string_view name = "softplus";
  static constexpr std::string_view input_names[] = {"x"};
  struct Attrs {
    double beta = 1, threshold = 20;
    template <class V>
    void visit(V&& v) const {
      v("beta", beta);
      v("threshold", threshold);
    }
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

}  // namespace gradus::autograd
