// Activations made of straight pieces as rules: what their gradients are by hand, in one pass, and what they are made of.
// NaN is on the side that keeps it: its gradient passes, but for hardsigmoid's, which is 0 as PyTorch's. References,
// which a Record or UseReferences may put in the rules' place, give what forward does: zeros' signs, infinities, NaN.
#pragma once

#include <array>
#include <string_view>

#include "../../core/base/export.h"
#include "../graph/operation.h"

namespace gradus::autograd {

struct HardtanhRule {
  static constexpr std::string_view name = "hardtanh";
  static constexpr std::string_view formula = "y = min(max(x, low), high), dx = dy 1[low < x < high]";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  struct Attrs {
    Scalar low, high;
    static constexpr auto fields = named("low", &Attrs::low, "high", &Attrs::high);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

struct HardsigmoidRule {
  static constexpr std::string_view name = "hardsigmoid";
  static constexpr std::string_view formula = "y = min(max(x / 6 + 1 / 2, 0), 1), dx = dy 1[-3 < x < 3] / 6";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  GRADUS_API static Tensor reference(const Tensor& x);
  GRADUS_API static core::Array forward(const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(DyArray<> dy, InArray<0> x);
};

struct HardswishRule {
  static constexpr std::string_view name = "hardswish";
  static constexpr std::string_view formula =
      "y = x min(max(x / 6 + 1 / 2, 0), 1), dx = dy cases{0 if x <= -3; 1 if x >= 3; x / 3 + 1 / 2 otherwise}";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  GRADUS_API static Tensor reference(const Tensor& x);
  GRADUS_API static core::Array forward(const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(DyArray<> dy, InArray<0> x);
};

/// What a shrink takes off.
struct ShrinkBy {
  double lambda = 0.5;
  static constexpr auto fields = named("lambda", &ShrinkBy::lambda);
};
struct HardshrinkRule {
  static constexpr std::string_view name = "hardshrink";
  static constexpr std::string_view formula = "y = x where |x| > lambda, else 0, dx = dy 1[|x| > lambda]";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  using Attrs = ShrinkBy;
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};
struct SoftshrinkRule {
  static constexpr std::string_view name = "softshrink";
  static constexpr std::string_view formula = "y = sign(x) max(|x| - lambda, 0), dx = dy 1[|x| > lambda]";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  using Attrs = ShrinkBy;
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

struct ThresholdRule {
  static constexpr std::string_view name = "threshold";
  static constexpr std::string_view formula =
      "y = cases{x if x > threshold; value otherwise}, dx = dy 1[x > threshold]";
  static constexpr Batch batch = Batch::kEach;
  static constexpr std::string_view input_names[] = {"x"};
  struct Attrs {
    double threshold = 0, value = 0;
    static constexpr auto fields = named("threshold", &Attrs::threshold, "value", &Attrs::value);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, DyArray<> dy, InArray<0> x);
};

/// The weight is of a shape that broadcasts.
struct PreluRule {
  static constexpr std::string_view name = "prelu";
  static constexpr std::string_view formula =
      "y = cases{x if x > 0; weight x otherwise}, dx = cases{dy if x > 0; dy weight otherwise}, "
      "dweight = cases{0 if x > 0; dy x otherwise}";
  static constexpr bool broadcasts = true;
  static constexpr std::string_view input_names[] = {"x", "weight"};
  GRADUS_API static Tensor reference(const Tensor& x, const Tensor& weight);
  GRADUS_API static core::Array forward(const core::Array& x, const core::Array& weight);
  GRADUS_API static std::array<core::Array, 2> backward(Needs needs, DyArray<> dy, InArray<0> x, InArray<1> weight);
};

}  // namespace gradus::autograd
