// Interpolation: tensors made larger or smaller in their last one, two or three dimensions.
//
//   Each dimension of n becomes one of m, one after the other, so that with A_d the sparse m x n matrix of a dimension
//
//     y = (A_1 x A_2 x A_3) x          dL/dx = (A_1' x A_2' x A_3') dL/dy
//
//   Rows of A: one element (nearest, nearest-exact), the two neighbours by their distance (linear, bilinear, trilinear), or
//   four by the cubic convolution (bicubic); core/nn/resample.h has the formulas. `area` is adaptive average pooling.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

#include "../../autograd/graph/operation.h"
#include "../../core/base/arg.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"

namespace gradus::nn {

/// y of x [N, C, ..]: its last size.size() dimensions become `size`.
struct ResampleRule {
  static constexpr std::string_view name = "interpolate";
  static constexpr std::string_view formula = "y = A x, A = the weights of the elements around each place, dx = A^T dy";
  static constexpr std::string_view input_names[] = {"x"};
  static constexpr std::uint32_t shape_only = 1u << 0;

  struct Attrs {
    InterpolateMode mode = InterpolateMode::Nearest;
    core::Dims size;
    std::array<double, 3> scale = {};  ///< what was asked for, instead of the quotient of sizes; 0: nothing
    bool align_corners = false, antialias = false;
    static constexpr auto fields = named("mode", &Attrs::mode, "size", &Attrs::size, "align_corners",
                                         &Attrs::align_corners, unless(false, "antialias"), &Attrs::antialias);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x);
  static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  GRADUS_API static std::array<core::Array, 1> backward(const Attrs& attrs, autograd::DyArray<> dy,
                                                        autograd::ShapeOf<0> x);
};

namespace functional {
struct InterpolateFuncOptions {
  GRADUS_ARG(std::optional<std::vector<std::int64_t>>, size) = std::nullopt;
  GRADUS_ARG(std::optional<std::vector<double>>, scale_factor) = std::nullopt;
  GRADUS_ARG(InterpolateMode, mode) = kNearest;
  GRADUS_ARG(std::optional<bool>, align_corners) = std::nullopt;
  /// Steps are the quotient of sizes, also where scale_factor is given.
  GRADUS_ARG(std::optional<bool>, recompute_scale_factor) = std::nullopt;
  /// Of kBilinear and kBicubic: windows are widened where the output is smaller.
  GRADUS_ARG(bool, antialias) = false;
};
/// x [N, C, L] (kNearest, kNearestExact, kLinear, kArea), [N, C, H, W] (kNearest, kNearestExact, kBilinear, kBicubic,
/// kArea), [N, C, D, H, W] (kNearest, kNearestExact, kTrilinear, kArea). ShapeError for other inputs and sizes below 1,
/// ValueError for options that do not go together.
GRADUS_API Tensor interpolate(Operand x, const InterpolateFuncOptions& options = {});
}  // namespace functional

namespace detail {
/// `x`'s last scales.size() dimensions resampled to `size`, in the name of `op`.
Tensor resampled(const char* op, Operand x, InterpolateMode mode, IntArrayRef size, bool align_corners,
                 std::initializer_list<std::optional<double>> scales);
}  // namespace detail

}  // namespace gradus::nn
