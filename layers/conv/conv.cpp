#include "conv.h"

#include <vector>

#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "../../core/nn/conv.h"
#include "../../core/ops/reduce.h"
#include "conv_rules.h"

namespace gradus {
namespace nn {

using namespace autograd;
using core::Array;
using core::Shape;

// y[n, o, p] = b[o] + sum W[o, c, k] x[n, c, s p + d k] over c and k, with stride s and dilation d, padding aside:
// dx[n, c, s p + d k] = sum W[o, c, k] dy[n, o, p] over o and p,
// dW[o, c, k] = sum dy[n, o, p] x[n, c, s p + d k] over n and p,  db[o] = sum dy[n, o, p] over n and p
Tensor ConvRule::reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const Shape shape = core::conv_shape(x.sizes(), weight.sizes(), attrs);
  const std::int64_t N = x.size(0), G = attrs.groups, O = weight.size(0), C = x.size(1);
  const int dims = shape.size() - 2;
  std::vector<std::int64_t> pad;
  for (int d = dims - 1; d >= 0; --d) pad.insert(pad.end(), 2, attrs.padding[d]);
  const Tensor padded = constant_pad_nd(x, pad);
  std::int64_t taps = 1, positions = 1;
  for (int d = 0; d < dims; ++d) {
    taps *= weight.size(d + 2);
    positions *= shape[d + 2];
  }
  const Tensor by_tap = weight.reshape({G, O / G, C / G, taps});

  // For each tap: the input as the positions see it there, times that tap's matrix of channels.
  Tensor y;
  for (std::int64_t t = 0; t < taps; ++t) {
    Tensor seen = padded;
    std::int64_t rest = t;
    for (int d = dims - 1; d >= 0; --d) {
      const std::int64_t start = rest % weight.size(d + 2) * attrs.dilation[d];
      rest /= weight.size(d + 2);
      seen = seen.slice(d + 2, start, start + (shape[d + 2] - 1) * attrs.stride[d] + 1, attrs.stride[d]);
    }
    const Tensor term = matmul(by_tap.select(3, t), seen.reshape({N, G, C / G, positions}));
    y = y.defined() ? y + term : term;
  }
  y = y.reshape(shape);
  if (!bias.defined()) return y;
  Shape by_channel = Shape::filled(dims + 1, 1);
  by_channel[0] = O;
  return y + bias.reshape(by_channel);
}

Array ConvRule::forward(const Attrs& attrs, const Array& x, const Array& weight, const Array& bias) {
  return core::conv(x, weight, bias, attrs);
}

std::array<Array, 3> ConvRule::backward(const Attrs& attrs, Needs needs, DyArray<> dy, InArray<0> x,
                                        InArray<1> weight) {
  std::array<Array, 3> all;
  if (needs[0]) all[0] = core::conv_input_gradient(dy, weight, x.shape(), attrs);
  if (needs[1]) all[1] = core::conv_weight_gradient(dy, x, weight.shape(), attrs);
  if (needs[2]) all[2] = core::sum(dy, core::all_but_channels(dy.dim()));
  return all;
}

namespace {

template <std::size_t D>
Tensor convolve(Operand x, const Tensor& weight, const functional::ConvFuncOptions<D>& options) {
  constexpr const char* wanted[] = {"[N, C, L] or [C, L]", "[N, C, H, W] or [C, H, W]",
                                    "[N, C, D, H, W] or [C, D, H, W]"};
  constexpr const char* names[] = {"conv1d", "conv2d", "conv3d"};
  constexpr const char* weights[] = {"[O, C / groups, K]", "[O, C / groups, K, K']", "[O, C / groups, K, K', K'']"};
  const char* const op = names[D - 1];
  const Tensor& given = x.tensor();
  core::expect_dims(op, "input", given, D + 1, D + 2, wanted[D - 1]);
  core::expect_dims(op, "weight", weight, D + 2, D + 2, weights[D - 1]);
  const bool alone = given.dim() == D + 1;
  ConvRule::Attrs how{IntArrayRef(options.stride()), IntArrayRef(options.padding().amount),
                      IntArrayRef(options.dilation()), options.groups()};
  if (how.groups > 0) {  // before anything is padded, so that the error shows what was given
    core::expect_conv_channels(op, given.sizes(), given.size(-1 - std::int64_t{D}), weight.body().array.shape(),
                               how.groups);
  }
  std::vector<std::int64_t> behind;  // what kSame pads behind, beyond what it pads before
  bool uneven = false;
  if (options.padding().mode == ConvPaddingMode::Same) {
    for (int d = static_cast<int>(D) - 1; d >= 0; --d) {
      if (how.stride[d] != 1) {
        core::fail<ValueError>("{}: padding kSame needs stride 1: {}", op, how.stride);
      }
      const std::int64_t both = core::window_reach(op, weight.size(d + 2), how.dilation[d], 0);
      how.padding[d] = both / 2;
      behind.insert(behind.end(), {0, both % 2});
      uneven = uneven || both % 2 != 0;
    }
  }
  return core::in_name_of(op, [&] {
    if (!alone && !uneven) return apply<ConvRule>(how, x, Operand(weight, x.at()), Operand(options.bias(), x.at()));
    const Scope scope(x.at());
    const Tensor batch = alone ? given.unsqueeze(0) : given;
    const Tensor y = apply<ConvRule>(how, uneven ? constant_pad_nd(batch, behind) : batch, weight, options.bias());
    return alone ? autograd::detail::as_result(y.squeeze(0)) : y;
  });
}

template <std::size_t D>
ExpandingArray<D> expanded(IntArrayRef numbers) {
  return numbers.size() == 1 ? ExpandingArray<D>(numbers[0]) : ExpandingArray<D>(numbers.vec());
}

template <std::size_t D>
functional::ConvFuncOptions<D> func_options(const Tensor& bias, IntArrayRef stride, const ConvPadding<D>& padding,
                                            IntArrayRef dilation, std::int64_t groups) {
  return functional::ConvFuncOptions<D>()
      .bias(bias)
      .stride(expanded<D>(stride))
      .padding(padding)
      .dilation(expanded<D>(dilation))
      .groups(groups);
}

template <std::size_t D>
ConvPadding<D> named_padding(const PaddingName& padding) {
  if (padding.name == "same") return kSame;
  if (padding.name == "valid") return kValid;
  core::fail<ValueError>("conv{}d: padding must be \"same\", \"valid\" or numbers: \"{}\"", D, padding.name);
}

}  // namespace

Tensor functional::conv1d(Operand x, const Tensor& weight, const Conv1dFuncOptions& options) {
  return convolve<1>(x, weight, options);
}
Tensor functional::conv2d(Operand x, const Tensor& weight, const Conv2dFuncOptions& options) {
  return convolve<2>(x, weight, options);
}
Tensor functional::conv3d(Operand x, const Tensor& weight, const Conv3dFuncOptions& options) {
  return convolve<3>(x, weight, options);
}

}  // namespace nn

Tensor conv1d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride, IntArrayRef padding,
              IntArrayRef dilation, std::int64_t groups) {
  return nn::functional::conv1d(input, weight,
                                nn::func_options<1>(bias, stride, nn::expanded<1>(padding), dilation, groups));
}
Tensor conv2d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride, IntArrayRef padding,
              IntArrayRef dilation, std::int64_t groups) {
  return nn::functional::conv2d(input, weight,
                                nn::func_options<2>(bias, stride, nn::expanded<2>(padding), dilation, groups));
}
Tensor conv3d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride, IntArrayRef padding,
              IntArrayRef dilation, std::int64_t groups) {
  return nn::functional::conv3d(input, weight,
                                nn::func_options<3>(bias, stride, nn::expanded<3>(padding), dilation, groups));
}

Tensor conv1d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
              const nn::PaddingName& padding, IntArrayRef dilation, std::int64_t groups) {
  const auto around = nn::named_padding<1>(padding);
  return nn::functional::conv1d(input, weight, nn::func_options<1>(bias, stride, around, dilation, groups));
}
Tensor conv2d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
              const nn::PaddingName& padding, IntArrayRef dilation, std::int64_t groups) {
  const auto around = nn::named_padding<2>(padding);
  return nn::functional::conv2d(input, weight, nn::func_options<2>(bias, stride, around, dilation, groups));
}
Tensor conv3d(Operand input, const Tensor& weight, const Tensor& bias, IntArrayRef stride,
              const nn::PaddingName& padding, IntArrayRef dilation, std::int64_t groups) {
  const auto around = nn::named_padding<3>(padding);
  return nn::functional::conv3d(input, weight, nn::func_options<3>(bias, stride, around, dilation, groups));
}

}  // namespace gradus
