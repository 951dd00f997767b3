// Sampling at places that a grid names, and grids of affine maps: spatial transformers (Jaderberg et al., "Spatial
// transformer networks", 2015).
//
//   A grid's number g in [-1, 1] names a place p among n elements: the corners of the outermost elements are at -1 and 1,
//   p = ((g + 1) n - 1) / 2, or with align_corners their centres, p = (g + 1) / 2 (n - 1). With p_d the place along each
//   dimension d, and h the weight of an element at a distance (1 - |z| of the two neighbours, the cubic convolution of four,
//   1 for the nearest),
//
//     y = sum over elements i around p of x_i prod over d of h(i_d - p_d)
//     dL/dx_i = sum over outputs that read i of dL/dy prod over d of h(i_d - p_d)
//     dL/dg_d = - dp_d/dg_d sum over channels and i of dL/dy x_i h'(i_d - p_d) prod over e other than d of h(i_e - p_e)
//
//   Outside there are zeros, the border's elements, or the inside mirrored.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/base/arg.h"
#include "../../core/base/export.h"
#include "../module/enumerations.h"

namespace gradus {
namespace nn {

/// y [N, C, out..] of x [N, C, in..] and grid [N, out.., D].
struct GridSampleRule {
  static constexpr std::string_view name = "grid_sample";
  static constexpr std::string_view formula =
      "y[p] = sum_{i} x_i w(i - p), w(z) = product_{d} h(z_d) the weight of an element at a distance, dx_i = "
      "sum_{p} dy[p] w(i - p), dp_d = -sum_{i} dy[p] x_i h'(i_d - p_d) product_{e != d} h(i_e - p_e) times "
      "half the size";
  static constexpr std::string_view input_names[] = {"x", "grid"};
  struct Attrs {
    GridSampleMode mode = GridSampleMode::Bilinear;
    GridSamplePaddingMode padding_mode = GridSamplePaddingMode::Zeros;
    bool align_corners = false;
    static constexpr auto fields =
        named("mode", &Attrs::mode, "padding_mode", &Attrs::padding_mode, "align_corners", &Attrs::align_corners);
  };
  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& grid);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& grid);
  GRADUS_API static std::array<core::Array, 2> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::InArray<0> x,
                                                        autograd::InArray<1> grid);
};

namespace functional {
struct GridSampleFuncOptions {
  GRADUS_ARG(GridSampleMode, mode) = kBilinear;
  GRADUS_ARG(GridSamplePaddingMode, padding_mode) = kZeros;
  GRADUS_ARG(std::optional<bool>, align_corners) = std::nullopt;  ///< false where it is left out
};
/// y [N, C, h, w] of x [N, C, H, W] and grid [N, h, w, 2] (or [N, C, d, h, w], [N, C, D, H, W], [N, d, h, w, 3]; kBilinear
/// is trilinear there, and kBicubic a ValueError). The grid's last dimension is (x, y) or (x, y, z), x along W. ShapeError,
/// DTypeError unless both are of one floating dtype. A place that is NaN
/// gives NaN, and its gradient is NaN; one at infinity is outside or at the border, or gives NaN where PyTorch's sum does:
/// kBicubic, and kBilinear with zeros around [H, W].
GRADUS_API Tensor grid_sample(Operand x, const Tensor& grid, const GridSampleFuncOptions& options = {});
/// The grid [N, H, W, 2] of the affine maps theta [N, 2, 3] for a result of `size` [N, C, H, W], or [N, D, H, W, 3] of
/// theta [N, 3, 4] for [N, C, D, H, W]: theta times (x, y, 1) at each place.
GRADUS_API Tensor affine_grid(Operand theta, IntArrayRef size, bool align_corners = false);
}  // namespace functional
}  // namespace nn

/// mode 0: bilinear, 1: nearest, 2: bicubic; padding_mode 0: zeros, 1: border, 2: reflection.
GRADUS_API Tensor grid_sampler(Operand input, const Tensor& grid, std::int64_t interpolation_mode,
                               std::int64_t padding_mode, bool align_corners);
GRADUS_API Tensor affine_grid_generator(Operand theta, IntArrayRef size, bool align_corners);

}  // namespace gradus
