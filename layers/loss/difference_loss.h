// Losses of the difference d = x - t, their sum or mean taken in the same pass over memory; the formulas: loss.h.
#pragma once

#include <array>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"

namespace gradus::nn {

/// |x - t| of each element, made of operations of the graph; with q = x - t held within [-bound, bound] q (x - t - q / 2).
GRADUS_API Tensor absolute_difference(const Tensor& x, const Tensor& t);
GRADUS_API Tensor held_difference(const Tensor& x, const Tensor& t, double bound);

namespace detail {
/// The sum or, `mean`, the mean of the losses over `unit` of x and target, which have one shape and floating dtype; and its
/// gradients in both.
GRADUS_API core::Array difference_loss(const core::Array& x, const core::Array& target, double bound, double unit,
                                       bool mean);
GRADUS_API std::array<core::Array, 2> difference_loss_gradients(autograd::Needs needs, const core::Array& dl,
                                                                const core::Array& x, const core::Array& target,
                                                                double bound, double unit, bool mean);

/// What the rules share. `Loss` has a name, the bound and the unit of a parameter, and the losses as composed.
template <class Loss>
struct DifferenceLossRule {
  static constexpr std::string_view input_names[] = {"x", "target"};
  struct Attrs {
    bool mean = true;      ///< else the sum
    double parameter = 0;  ///< delta or beta
    static constexpr auto fields = named("mean", &Attrs::mean, "parameter", &Attrs::parameter);
  };
  static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& target) {
    const Tensor losses = Loss::losses(x, target, attrs.parameter);
    return attrs.mean ? losses.mean() : losses.sum();
  }
  static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& target) {
    return difference_loss(x, target, Loss::bound(attrs.parameter), Loss::unit(attrs.parameter), attrs.mean);
  }
  static std::array<core::Array, 2> backward(const Attrs& attrs, autograd::Needs needs, autograd::DyArray<> dl,
                                             autograd::InArray<0> x, autograd::InArray<1> target) {
    return difference_loss_gradients(needs, dl, x, target, Loss::bound(attrs.parameter), Loss::unit(attrs.parameter),
                                     attrs.mean);
  }
};
}  // namespace detail

struct L1LossRule : detail::DifferenceLossRule<L1LossRule> {
  static constexpr std::string_view name = "l1_loss";
  static double bound(double) { return 0; }
  static double unit(double) { return 1; }
  static Tensor losses(const Tensor& x, const Tensor& target, double) { return absolute_difference(x, target); }
};
struct SmoothL1LossRule : detail::DifferenceLossRule<SmoothL1LossRule> {
  static constexpr std::string_view name = "smooth_l1_loss";
  static double bound(double beta) { return beta; }
  static double unit(double beta) { return beta; }
  GRADUS_API static Tensor losses(const Tensor& x, const Tensor& target, double beta);
};
struct HuberLossRule : detail::DifferenceLossRule<HuberLossRule> {
  static constexpr std::string_view name = "huber_loss";
  static double bound(double delta) { return delta; }
  static double unit(double) { return 1; }
  static Tensor losses(const Tensor& x, const Tensor& target, double delta) {
    return held_difference(x, target, delta);
  }
};

}  // namespace gradus::nn
