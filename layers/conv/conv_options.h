// What convolutions and transposed convolutions are told.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/arg.h"
#include "../../core/base/fields.h"
#include "../module/enumerations.h"
#include "../module/expanding_array.h"

namespace gradus::nn {

/// "same" or "valid".
struct PaddingName {
  template <class S>
  requires std::is_convertible_v<const S&, std::string_view> PaddingName(const S& given) : name(given) {}  // NOLINT
  std::string_view name;
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
  GRADUS_ARG(PaddingMode, padding_mode) = PaddingMode::Zeros;  ///< kZeros, kReflect, kReplicate, kCircular
};
using Conv1dOptions = ConvOptions<1>;
using Conv2dOptions = ConvOptions<2>;
using Conv3dOptions = ConvOptions<3>;

/// `ConvTranspose2dOptions(64, 3, 4).stride(2).padding(1)`.
template <std::size_t D>
struct ConvTransposeOptions {
  ConvTransposeOptions(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size)
      : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size) {}
  GRADUS_ARG(std::int64_t, in_channels);
  GRADUS_ARG(std::int64_t, out_channels);
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride) = 1;
  GRADUS_ARG(ExpandingArray<D>, padding) = 0;
  GRADUS_ARG(ExpandingArray<D>, output_padding) = 0;
  GRADUS_ARG(std::int64_t, groups) = 1;
  GRADUS_ARG(bool, bias) = true;
  GRADUS_ARG(ExpandingArray<D>, dilation) = 1;
  GRADUS_ARG(PaddingMode, padding_mode) = PaddingMode::Zeros;  ///< no other
};
using ConvTranspose1dOptions = ConvTransposeOptions<1>;
using ConvTranspose2dOptions = ConvTransposeOptions<2>;
using ConvTranspose3dOptions = ConvTransposeOptions<3>;

/// Either's, as a module keeps them.
template <std::size_t D>
struct ConvNdOptions {
  ConvNdOptions(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size)
      : in_channels_(in_channels), out_channels_(out_channels), kernel_size_(kernel_size) {}
  ConvNdOptions(const ConvOptions<D>& o)  // NOLINT(google-explicit-constructor)
      : ConvNdOptions(o.in_channels(), o.out_channels(), o.kernel_size()) {
    take(o);
  }
  ConvNdOptions(const ConvTransposeOptions<D>& o)  // NOLINT(google-explicit-constructor)
      : ConvNdOptions(o.in_channels(), o.out_channels(), o.kernel_size()) {
    take(o);
    transposed(true).output_padding(o.output_padding());
  }
  GRADUS_ARG(std::int64_t, in_channels);
  GRADUS_ARG(std::int64_t, out_channels);
  GRADUS_ARG(ExpandingArray<D>, kernel_size);
  GRADUS_ARG(ExpandingArray<D>, stride) = 1;
  GRADUS_ARG(ConvPadding<D>, padding) = 0;
  GRADUS_ARG(ExpandingArray<D>, dilation) = 1;
  GRADUS_ARG(bool, transposed) = false;
  GRADUS_ARG(ExpandingArray<D>, output_padding) = 0;
  GRADUS_ARG(std::int64_t, groups) = 1;
  GRADUS_ARG(bool, bias) = true;
  GRADUS_ARG(PaddingMode, padding_mode) = PaddingMode::Zeros;

 public:
  static constexpr auto fields =
      named("", &ConvNdOptions::in_channels_, "", &ConvNdOptions::out_channels_, "kernel_size",
            &ConvNdOptions::kernel_size_, "stride", &ConvNdOptions::stride_, unless(0, "padding"),
            &ConvNdOptions::padding_, unless(1, "dilation"), &ConvNdOptions::dilation_, unless(0, "output_padding"),
            &ConvNdOptions::output_padding_, unless(1, "groups"), &ConvNdOptions::groups_, unless(true, "bias"),
            &ConvNdOptions::bias_, unless(PaddingMode::Zeros, "padding_mode"), &ConvNdOptions::padding_mode_);

 private:
  template <class Options>
  void take(const Options& o) {
    stride(o.stride()).padding(o.padding()).dilation(o.dilation()).groups(o.groups()).bias(o.bias());
    padding_mode(o.padding_mode());
  }
};

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

template <std::size_t D>
struct ConvTransposeFuncOptions {
  GRADUS_ARG(Tensor, bias);
  GRADUS_ARG(ExpandingArray<D>, stride) = 1;
  GRADUS_ARG(ExpandingArray<D>, padding) = 0;
  GRADUS_ARG(ExpandingArray<D>, output_padding) = 0;
  GRADUS_ARG(std::int64_t, groups) = 1;
  GRADUS_ARG(ExpandingArray<D>, dilation) = 1;
};
using ConvTranspose1dFuncOptions = ConvTransposeFuncOptions<1>;
using ConvTranspose2dFuncOptions = ConvTransposeFuncOptions<2>;
using ConvTranspose3dFuncOptions = ConvTransposeFuncOptions<3>;
}  // namespace functional

}  // namespace gradus::nn
