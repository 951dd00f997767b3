// Losses of the difference d = x - t, their sum or mean taken in the same pass over memory; the formulas: loss.h.
#pragma once

#include <array>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"

namespace gradus::nn {

// Of x and target, which have one shape and floating dtype: the sum of the losses or, `mean`, their mean. `losses` are those
// of the elements, made of operations of the graph.

struct L1LossRule {
  static constexpr std::string_view name = "l1_loss";
  static constexpr std::string_view formula =
      "l = sum |x - t| / n, n = the number of elements with mean else 1, dx = dl sign(x - t) / n, dt = -dl "
      "sign(x - t) / n";
  static constexpr std::string_view input_names[] = {"x", "target"};
  struct Attrs {
    bool mean = true;
    static constexpr auto fields = named("mean", &Attrs::mean);
  };
  GRADUS_API static Tensor losses(const Attrs& attrs, const Tensor& x, const Tensor& target);
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& target);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& target);
  GRADUS_API static std::array<core::Array, 2> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dl, autograd::InArray<0> x,
                                                        autograd::InArray<1> target);
};

struct SmoothL1LossRule {
  static constexpr std::string_view name = "smooth_l1_loss";
  static constexpr std::string_view formula =
      "l = sum q (x - t - q / 2) / (n beta), q = min(max(x - t, -beta), beta), n = the number of elements with "
      "mean else 1, dx = dl q / (n beta), dt = -dl q / (n beta)";
  static constexpr std::string_view input_names[] = {"x", "target"};
  struct Attrs {
    bool mean = true;
    double beta = 1;  ///< where the square goes over into the line
    static constexpr auto fields = named("mean", &Attrs::mean, "beta", &Attrs::beta);
  };
  GRADUS_API static Tensor losses(const Attrs& attrs, const Tensor& x, const Tensor& target);
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& target);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& target);
  GRADUS_API static std::array<core::Array, 2> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dl, autograd::InArray<0> x,
                                                        autograd::InArray<1> target);
};

struct HuberLossRule {
  static constexpr std::string_view name = "huber_loss";
  static constexpr std::string_view formula =
      "l = sum q (x - t - q / 2) / n, q = min(max(x - t, -delta), delta), n = the number of elements with mean "
      "else 1, dx = dl q / n, dt = -dl q / n";
  static constexpr std::string_view input_names[] = {"x", "target"};
  struct Attrs {
    bool mean = true;
    double delta = 1;  ///< where the square goes over into the line
    static constexpr auto fields = named("mean", &Attrs::mean, "delta", &Attrs::delta);
  };
  GRADUS_API static Tensor losses(const Attrs& attrs, const Tensor& x, const Tensor& target);
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& target);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& target);
  GRADUS_API static std::array<core::Array, 2> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dl, autograd::InArray<0> x,
                                                        autograd::InArray<1> target);
};

}  // namespace gradus::nn
