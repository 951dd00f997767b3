// Convolution in 1, 2 and 3 dimensions. Input x is [N, C, L], [N, C, H, W] or [N, C, D, H, W], or the same without N.
//
//   y[n][o][q] = bias[o] + sum over c and t of weight[o][c][t] x[n][g C/groups + c][q s - p + t d]
//
//   for output channel o and position q (one number for each dimension), with stride s, padding p and dilation d; x is 0
//   outside its extents. The channels are cut into `groups` parts, g being that of o: each output channel sees the C /
//   groups input channels of its part. With groups = C each channel is convolved on its own ("depthwise"). There are
//
//     (extent + 2 p - d (kernel - 1) - 1) / s + 1, rounded down,
//
//   positions. The sum is linear in x and in weight, and with dy = dL/dy its gradients have the same terms:
//
//     dL/dx[n][i][z]       = sum over o, t, q with q s - p + t d = z of weight[o][i][t] dy[n][o][q]
//     dL/dweight[o][c][t]  = sum over n and q of dy[n][o][q] x[n][g C/groups + c][q s - p + t d]
//     dL/dbias[o]          = sum over n and q of dy[n][o][q]
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "../../autograd/graph/operation.h"
#include "../../core/nn/conv.h"
#include "../../core/base/export.h"
#include "../module/expanding_array.h"
#include "../module/layer.h"
#include "padding.h"

namespace gradus {

namespace nn {

/// y of x [N, C, ..], weight [O, C / groups, kernel..] and bias [O] or absent. Errors are those of core/nn/conv.h.
struct ConvRule {
  static constexpr std::string_view name = "conv";
  static constexpr std::string_view input_names[] = {"x", "weight", "bias"};
  static constexpr std::uint32_t shape_only = 1u << 2;  // no gradient reads the bias
  using Attrs = core::ConvGeometry;

  GRADUS_API static Tensor reference(const Attrs& attrs, const Tensor& x, const Tensor& weight, const Tensor& bias);
  GRADUS_API static core::Array forward(const Attrs& attrs, const core::Array& x, const core::Array& weight,
                                        const core::Array& bias);
  GRADUS_API static Tensor batch(const Attrs& attrs, const autograd::Examples& x);
  /// dx, dweight, dbias.
  GRADUS_API static std::array<core::Array, 3> backward(const Attrs& attrs, autograd::Needs needs,
                                                        autograd::DyArray<> dy, autograd::InArray<0> x,
                                                        autograd::InArray<1> weight);
};

/// `1`, `{1, 2}`, kSame or kValid.
template <std::size_t D>
struct ConvPadding {
  template <ChoiceOf<ConvPaddingMode> Mode>
  ConvPadding(const Mode& chosen) : mode(chosen) {}                        // NOLINT(google-explicit-constructor)
  ConvPadding(std::initializer_list<std::int64_t> list) : amount(list) {}  // NOLINT
  template <class V>
  requires std::is_convertible_v<V, ExpandingArray<D>> ConvPadding(const V& value) : amount(value) {}  // NOLINT
  ConvPaddingMode mode = ConvPaddingMode::Given;
  ExpandingArray<D> amount = 0;
  bool operator==(const ConvPadding&) const = default;
  friend std::string text_of(const ConvPadding& padding) {
    return padding.mode == ConvPaddingMode::Same    ? "'same'"
           : padding.mode == ConvPaddingMode::Valid ? "'valid'"
                                                    : text_of(padding.amount);
  }
};

/// `Conv2dOptions(3, 64, 3).padding(1)`, `Conv2dOptions(3, 64, {3, 5}).bias(false)`.
template <std::size_t D>
struct ConvOptions {
  ConvOptions(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size)
      : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size) {}
  GRADUS_ARG(std::int64_t, in_channels);
  GRADUS_ARG(std::int64_t, out_channels);
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride) = 1;
  GRADUS_ARG(ConvPadding<D>, padding) = 0;
  GRADUS_ARG(ExpandingArray<D>, dilation) = 1;
  GRADUS_ARG(std::int64_t, groups) = 1;
  GRADUS_ARG(bool, bias) = true;
  GRADUS_ARG(PaddingMode, padding_mode) = kZeros;  ///< others are a ValueError

 public:
  static constexpr auto fields = named(
      "", &ConvOptions::in_channels_, "", &ConvOptions::out_channels_, "kernel_size", &ConvOptions::kernel_size_,
      "stride", &ConvOptions::stride_, unless(0, "padding"), &ConvOptions::padding_, unless(1, "dilation"),
      &ConvOptions::dilation_, unless(1, "groups"), &ConvOptions::groups_, unless(true, "bias"), &ConvOptions::bias_);
};
using Conv1dOptions = ConvOptions<1>;
using Conv2dOptions = ConvOptions<2>;
using Conv3dOptions = ConvOptions<3>;

namespace functional {
template <std::size_t D>
struct ConvFuncOptions {
  GRADUS_ARG(Tensor, bias);
  GRADUS_ARG(ExpandingArray<D>, stride) = 1;
  GRADUS_ARG(ConvPadding<D>, padding) = 0;
  GRADUS_ARG(ExpandingArray<D>, dilation) = 1;
  GRADUS_ARG(std::int64_t, groups) = 1;
};
using Conv1dFuncOptions = ConvFuncOptions<1>;
using Conv2dFuncOptions = ConvFuncOptions<2>;
using Conv3dFuncOptions = ConvFuncOptions<3>;

/// ConvRule for inputs with and without N. ValueError for kSame with a stride other than 1.
GRADUS_API Tensor conv1d(Operand x, const Tensor& weight, const Conv1dFuncOptions& options = {});
GRADUS_API Tensor conv2d(Operand x, const Tensor& weight, const Conv2dFuncOptions& options = {});
GRADUS_API Tensor conv3d(Operand x, const Tensor& weight, const Conv3dFuncOptions& options = {});
}  // namespace functional

/// What Conv1d, 2d and 3d share. Weight starts as kaiming_uniform_ with a = sqrt(5), which is uniform in
/// +-1/sqrt(fan in), and so does the bias; fan in is C / groups times the kernel's elements.
template <std::size_t D, class Derived>
class GRADUS_API ConvBase : public Layer<Derived> {
 public:
  ConvBase(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size);
  /// ValueError when groups do not divide the channels, or a number is out of its range.
  explicit ConvBase(const ConvOptions<D>& chosen);

  Tensor compute(Operand x);
  void reset() override;
  /// Draws weight and bias anew.
  void reset_parameters();

  ConvOptions<D> options;
  Tensor weight;  ///< [out_channels, in_channels / groups, kernel..]
  Tensor bias;    ///< [out_channels]; undefined without bias
};

/// Over [N, C, L] and [C, L].
class GRADUS_API Conv1dImpl : public ConvBase<1, Conv1dImpl> {
 public:
  using ConvBase::ConvBase;
  ~Conv1dImpl() override;
};
GRADUS_MODULE(Conv1d);
/// Over [N, C, H, W] and [C, H, W].
class GRADUS_API Conv2dImpl : public ConvBase<2, Conv2dImpl> {
 public:
  using ConvBase::ConvBase;
  ~Conv2dImpl() override;
};
GRADUS_MODULE(Conv2d);
/// Over [N, C, D, H, W] and [C, D, H, W].
class GRADUS_API Conv3dImpl : public ConvBase<3, Conv3dImpl> {
 public:
  using ConvBase::ConvBase;
  ~Conv3dImpl() override;
};
GRADUS_MODULE(Conv3d);

extern template class ConvBase<1, Conv1dImpl>;
extern template class ConvBase<2, Conv2dImpl>;
extern template class ConvBase<3, Conv3dImpl>;

}  // namespace nn

/// nn::functional::conv1d and so on, with plain arguments: one number, or one for each dimension.
GRADUS_API Tensor conv1d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                         IntArrayRef padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);
GRADUS_API Tensor conv2d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                         IntArrayRef padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);
GRADUS_API Tensor conv3d(Operand input, const Tensor& weight, const Tensor& bias = {}, IntArrayRef stride = 1,
                         IntArrayRef padding = 0, IntArrayRef dilation = 1, std::int64_t groups = 1);

}  // namespace gradus
