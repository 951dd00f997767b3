// Sampling at places that a grid names: each output is a sum of the input's elements around a place, by their distance.
// Bare numbers: layers/sampling/grid_sample.h has the formulas.
#pragma once

#include <cstdint>

#include "../array/array.h"

namespace gradus::core {

struct GridSampling {
  enum class Mode : std::uint8_t { Bilinear, Nearest, Bicubic } mode = Mode::Bilinear;
  enum class Outside : std::uint8_t { Zeros, Border, Reflection } outside = Outside::Zeros;
  bool align_corners = false;
};

/// y [N, C, out..] of x [N, C, in..] and grid [N, out.., D], D = 2 or 3 (without Bicubic), of one dtype, float32 or float64;
/// the grid's last dimension counts from the innermost of x's. Contiguous; the same bits at any number of threads.
Array grid_sample(const Array& x, const Array& grid, const GridSampling& how);
/// Its gradient with respect to x, of x_shape.
Array grid_sample_backward_input(const Array& dy, const Array& grid, const Shape& x_shape, const GridSampling& how);
/// And to the grid.
Array grid_sample_backward_grid(const Array& dy, const Array& x, const Array& grid, const GridSampling& how);

}  // namespace gradus::core
