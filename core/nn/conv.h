// Convolutions of arrays in 1, 2 and 3 dimensions, and their gradients. (What the field calls a convolution is a
// correlation: the kernel is not reversed.)
//
//   y[n][o][q] = bias[o] + sum over c, t of weight[o][c][t] x[n][g C/groups + c][q stride - padding + t dilation],
//
// x being 0 outside its extents, and g the group of o: output channels and input channels are cut into `groups` parts,
// each of which sees its own. x is [N, C, extents..], weight [O, C / groups, kernel..], bias [O], y [N, O, ..] with
// (extent + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down, positions in each dimension.
//
// x and dy may have any strides. The same bits at any number of threads.
#pragma once

#include "../array/array.h"
#include "../base/fields.h"

namespace gradus::core {

/// One number for each of the 1 to 3 dimensions.
struct ConvGeometry {
  Dims stride, padding, dilation;
  std::int64_t groups = 1;

  static constexpr auto fields = named("stride", &ConvGeometry::stride, "padding", &ConvGeometry::padding, "dilation",
                                       &ConvGeometry::dilation, "groups", &ConvGeometry::groups);
};

/// How far a window reaches beyond its first element: dilation (kernel - 1). ValueError, naming `op`, when that or the
/// padding is so large that positions would not fit into 64 bits.
GRADUS_API std::int64_t window_reach(const char* op, std::int64_t kernel, std::int64_t dilation, std::int64_t padding);
/// The shape of y. ShapeError when the shapes do not fit each other, or the kernel exceeds the padded input;
/// ValueError for a stride or dilation below 1, a negative padding, groups that do not divide the channels.
GRADUS_API Shape conv_shape(const Shape& x, const Shape& weight, const ConvGeometry& geometry);
/// ValueError and ShapeError unless a weight [O, C / groups, ..] is for an x of so many channels; groups is above 0.
GRADUS_API void expect_conv_channels(const char* op, IntArrayRef x, std::int64_t channels, const Shape& weight,
                                     std::int64_t groups);
/// `bias` may be undefined. DTypeError unless all have one floating dtype.
GRADUS_API Array conv(const Array& x, const Array& weight, const Array& bias, const ConvGeometry& geometry);
/// dL/dx for dy = dL/dy. With a bias of x's channels, which may be undefined, it is the transposed convolution of dy.
GRADUS_API Array conv_input_gradient(const Array& dy, const Array& weight, const Shape& x, const ConvGeometry& geometry,
                                     const Array& bias = Array());
/// dL/dweight for dy = dL/dy.
GRADUS_API Array conv_weight_gradient(const Array& dy, const Array& x, const Shape& weight,
                                      const ConvGeometry& geometry);

}  // namespace gradus::core
