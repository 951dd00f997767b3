#include "conv_transpose.h"

#include <algorithm>
#include <vector>

#include "../../autograd/ops/rounded_once.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/ops/reduce.h"
#include "conv_rules.h"

namespace gradus {
namespace nn {

using namespace autograd;
using core::Array;
using core::Dims;
using core::Shape;

namespace {

// The shape of y.
Shape transposed_shape(const Shape& x, const Shape& weight, const ConvTransposeRule::Attrs& a) {
  const char* const op = "conv_transpose";
  Shape y = {x[0], weight[1] * a.conv.groups};
  for (int d = 0; d < x.size() - 2; ++d) {
    const auto padding = a.conv.padding[d], reach = core::window_reach(op, weight[d + 2], a.conv.dilation[d], padding);
    std::int64_t extent = 0;
    if (__builtin_mul_overflow(x[d + 2] - 1, a.conv.stride[d], &extent) ||
        __builtin_add_overflow(extent, reach + 1 - 2 * padding, &extent) ||
        __builtin_add_overflow(extent, a.output_padding[d], &extent)) {
      core::fail<ValueError>("{}: the result's sizes must fit into 64 bits: input {}, stride {}, output_padding {}", op,
                             x, a.conv.stride, a.output_padding);
    }
    y.push_back(extent);
  }
  return y;
}
Tensor by_channel(const Tensor& bias, int dims) {  // [O] against [N, O, ..]
  Shape shape = Shape::filled(dims - 1, 1);
  shape[0] = bias.numel();
  return bias.reshape(shape);
}

}  // namespace

Tensor ConvTransposeRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Shape shape = transposed_shape(x.body().array.shape(), weight.body().array.shape(), attrs);
  const std::int64_t N = x.size(0), C = x.size(1), G = attrs.conv.groups, O = shape[1];
  const int dims = shape.size() - 2;
  // x with s - 1 zeros between neighbours.
  Tensor spread = x;
  Shape extents = {N, O};
  std::int64_t taps = 1;
  for (int d = 0; d < dims; ++d) {
    const std::int64_t s = attrs.conv.stride[d], extent = (x.size(d + 2) - 1) * s + 1;
    const Tensor apart = spread.unsqueeze(d + 3).movedim(d + 3, -1);
    spread = constant_pad_nd(apart, {0, s - 1}).movedim(-1, d + 3).flatten(d + 2, d + 3).slice(d + 2, 0, extent);
    extents.push_back(extent);
    taps *= weight.size(d + 2);
  }
  const Tensor by_tap = weight.reshape({G, C / G, O / G, taps}).transpose(1, 2);
  const Tensor flat = spread.flatten(2).unflatten(1, {G, C / G});
  Tensor y;  // the sum over taps of the tap's matrix of channels times x, where the tap puts it
  for (std::int64_t t = 0; t < taps; ++t) {
    Tensor term = matmul(by_tap.select(3, t), flat).reshape(extents);
    std::vector<std::int64_t> around;
    std::int64_t rest = t;
    for (int d = dims - 1; d >= 0; --d) {
      const std::int64_t before = rest % weight.size(d + 2) * attrs.conv.dilation[d] - attrs.conv.padding[d];
      rest /= weight.size(d + 2);
      // The part that falls into the result, which may be nothing.
      const std::int64_t begin = std::clamp<std::int64_t>(-before, 0, extents[d + 2]);
      const std::int64_t end = std::clamp(shape[d + 2] - before, begin, extents[d + 2]);
      term = term.slice(d + 2, begin, end);
      const std::int64_t front = begin == end ? 0 : before + begin;
      around.insert(around.end(), {front, shape[d + 2] - front - (end - begin)});
    }
    y = y.defined() ? y + constant_pad_nd(term, around) : constant_pad_nd(term, around);
  }
  return bias.defined() ? y + by_channel(bias, shape.size()) : y;
}

Array ConvTransposeRule::forward(const Attrs& attrs, const Array& x, const Array& weight, const Array& bias) {
  return core::conv_input_gradient(x, weight, transposed_shape(x.shape(), weight.shape(), attrs), attrs.conv, bias);
}

std::array<Array, 3> ConvTransposeRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, InArray<0> x,
                                                 InArray<1> weight) {
  std::array<Array, 3> all;
  if (needs[0]) all[0] = core::conv(dy, weight, Array(), attrs.conv);
  if (needs[1]) all[1] = core::conv_weight_gradient(x, dy, weight.shape(), attrs.conv);
  if (needs[2]) all[2] = core::sum(dy, core::all_but_channels(dy.dim()));
  return all;
}

namespace {

Dims each(const char* op, const char* what, int dims, IntArrayRef numbers, std::int64_t least) {
  if (numbers.size() != 1 && numbers.size() != static_cast<std::size_t>(dims)) {
    core::fail<ShapeError>("{}: {} must be one number or {}: {}", op, what, dims, numbers);
  }
  const Dims all = numbers.size() == 1 ? Dims::filled(dims, numbers[0]) : Dims(numbers);
  for (const std::int64_t n : all)
    if (n < least) core::fail<ValueError>("{}: {} must be at least {}: {}", op, what, least, numbers);
  return all;
}

Tensor transposed(int dims, const Operand& input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
                  IntArrayRef padding, IntArrayRef output_padding, std::int64_t groups, IntArrayRef dilation) {
  constexpr const char* names[] = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"};
  constexpr const char* inputs[] = {"[N, C, L] or [C, L]", "[N, C, H, W] or [C, H, W]",
                                    "[N, C, D, H, W] or [C, D, H, W]"};
  constexpr const char* weights[] = {"[C, O / groups, K]", "[C, O / groups, K, K']", "[C, O / groups, K, K', K'']"};
  const char* const op = names[dims - 1];
  const Tensor& given = input.tensor();
  core::expect_floating(op, "input", given);
  core::expect_dims(op, "input", given, dims + 1, dims + 2, inputs[dims - 1]);
  core::expect_dims(op, "weight", weight, dims + 2, dims + 2, weights[dims - 1]);
  core::expect_dtype(op, "weight", weight.dtype(), "input", given.dtype());
  ConvTransposeRule::Attrs how{{each(op, "stride", dims, stride, 1), each(op, "padding", dims, padding, 0),
                                each(op, "dilation", dims, dilation, 1), groups},
                               each(op, "output_padding", dims, output_padding, 0)};
  const std::int64_t C = given.size(given.dim() - dims - 1);
  if (groups < 1 || C % groups != 0) {
    core::fail<ValueError>("{}: groups must divide the channels: {} for {}", op, groups, C);
  }
  if (weight.size(0) != C) {
    core::fail<ShapeError>("{}: weight must be {} with input's channels: {} for input {}", op, weights[dims - 1],
                           weight.sizes(), given.sizes());
  }
  if (bias.defined()) {
    core::expect_shape(op, "bias", bias.sizes(), "[O]", weight.size(1) * groups);
    core::expect_dtype(op, "bias", bias.dtype(), "input", given.dtype());
  }
  bool further = false;
  for (int d = 0; d < dims; ++d) {
    further = further || how.output_padding[d] >= how.conv.stride[d];
    if (how.output_padding[d] >= std::max(how.conv.stride[d], how.conv.dilation[d])) {
      core::fail<ValueError>("{}: output_padding must be below the stride or the dilation: {} for {} and {}", op,
                             output_padding, stride, dilation);
    }
  }
  if (further && bias.defined() && stored(input)) {  // the bias is added apart
    return rounded_once(
        [&](Operand x, Operand w, Operand b) {
          return transposed(dims, x, w.tensor(), b.tensor(), stride, padding, output_padding, groups, dilation);
        },
        input, weight, bias);
  }
  return core::in_name_of(op, [&] {
    const Scope scope(input.at());
    const bool alone = given.dim() == dims + 1;
    const Tensor x = alone ? given.unsqueeze(0) : given;
    const Shape shape = transposed_shape(x.body().array.shape(), weight.body().array.shape(), how);
    for (int d = 0; d < dims; ++d) {
      if (x.size(d + 2) < 1 || shape[d + 2] < 1) {
        core::fail<ShapeError>("{}: there must be something in each dimension: {} of input {}", op, shape, x.sizes());
      }
    }
    // An output_padding of the stride or more, which the dilation allows, is no convolution's: there all that the windows
    // reach is computed, and the result cut out of that, with zeros behind it.
    std::vector<std::int64_t> around;
    for (int d = dims - 1; d >= 0; --d) {
      std::int64_t &before = how.conv.padding[d], &behind = how.output_padding[d];
      const bool whole = behind >= how.conv.stride[d];
      const std::int64_t reached = shape[d + 2] - behind + 2 * before, front = std::min(before, reached);
      around.insert(around.end(), {whole ? -front : 0, whole ? shape[d + 2] - (reached - front) : 0});
      if (whole) before = behind = 0;
    }
    Tensor y = apply<ConvTransposeRule>(how, x, weight, further ? Tensor() : bias);
    if (further) {
      y = constant_pad_nd(y, around);
      if (bias.defined()) y = y + by_channel(bias, dims + 2);
    }
    return alone ? autograd::detail::as_result(y.squeeze(0)) : y;
  });
}

}  // namespace
}  // namespace nn

Tensor conv_transpose1d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
                        IntArrayRef padding, IntArrayRef output_padding, std::int64_t groups, IntArrayRef dilation) {
  return nn::transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation);
}
Tensor conv_transpose2d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
                        IntArrayRef padding, IntArrayRef output_padding, std::int64_t groups, IntArrayRef dilation) {
  return nn::transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation);
}
Tensor conv_transpose3d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
                        IntArrayRef padding, IntArrayRef output_padding, std::int64_t groups, IntArrayRef dilation) {
  return nn::transposed(3, input, weight, bias, stride, padding, output_padding, groups, dilation);
}

}  // namespace gradus
