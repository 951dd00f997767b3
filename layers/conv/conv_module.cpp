// The modules over conv.h's functions.
#include <cmath>
#include <string>
#include <vector>

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "../module/init.h"
#include "conv_transpose.h"

namespace gradus::nn {

using namespace autograd;
using core::Shape;

namespace {

// Counts around each dimension, the last one first, as `pad` takes them.
template <std::size_t D>
std::vector<std::int64_t> counts_around(const ConvNdOptions<D>& o) {
  std::vector<std::int64_t> counts;
  for (std::size_t d = D; d-- > 0;) {
    const bool same = o.padding().mode == ConvPaddingMode::Same;
    const std::int64_t both = same ? o.dilation()[d] * (o.kernel_size()[d] - 1) : 2 * o.padding().amount[d];
    counts.insert(counts.end(), {both / 2, both - both / 2});
  }
  return counts;
}

template <std::size_t D>
std::string name_of(const ConvNdOptions<D>& options) {
  return "Conv" + std::string(options.transposed() ? "Transpose" : "") + std::to_string(D) + "d";
}

}  // namespace

template <std::size_t D, class Derived>
ConvBase<D, Derived>::ConvBase(const ConvNdOptions<D>& chosen) : options(chosen) {
  reset();
}
template <std::size_t D, class Derived>
void ConvBase<D, Derived>::reset() {
  const std::int64_t in = options.in_channels(), out = options.out_channels(), groups = options.groups();
  const std::string op = name_of(options);
  const PaddingMode around = options.padding_mode();
  if (options.transposed() ? around != PaddingMode::Zeros : around == PaddingMode::Constant) {
    core::fail<ValueError>("{}: padding_mode must be {}: {}", op,
                           options.transposed() ? "kZeros" : "kZeros, kReflect, kReplicate or kCircular",
                           to_string(around));
  }
  if (in < 0 || out < 0) {
    core::fail<ValueError>("{}: channels must not be negative: {} in and {} out", op, in, out);
  }
  if (groups < 1 || in % groups != 0 || out % groups != 0) {
    core::fail<ValueError>("{}: groups must divide the channels: groups {} for {} in and {} out", op, groups, in, out);
  }
  const IntArrayRef stride = options.stride(), kernel = options.kernel_size(), dilation = options.dilation();
  const IntArrayRef padding = options.padding().amount;
  Shape shape = options.transposed() ? Shape{in, out / groups} : Shape{out, in / groups};
  for (std::size_t d = 0; d < D; ++d) {
    if (kernel[d] < 1 || stride[d] < 1 || dilation[d] < 1 || padding[d] < 0) {
      core::fail<ValueError>(
          "{}: kernel_size, stride and dilation must be at least 1, padding at least 0: {}, {}, {} and {}", op, kernel,
          stride, dilation, padding);
    }
    if (options.padding().mode == ConvPaddingMode::Same && stride[d] != 1) {
      core::fail<ValueError>("{}: padding kSame needs stride 1: {}", op, stride);
    }
    shape.push_back(kernel[d]);
  }
  this->register_parameter("weight", weight, empty(shape));
  this->register_parameter("bias", bias, options.bias() ? empty({out}) : Tensor());
  reset_parameters();
}

template <std::size_t D, class Derived>
void ConvBase<D, Derived>::reset_parameters() {
  const NoGradGuard no_grad;
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  const std::int64_t fan_in = weight.size(0) > 0 ? weight.numel() / weight.size(0) : 0;
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  if (bias.defined()) bias.uniform_(-bound, bound);
}

template <std::size_t D, class Derived>
ConvLayer<D, Derived>::ConvLayer(std::int64_t in_channels, std::int64_t out_channels, ExpandingArray<D> kernel_size)
    : ConvLayer(ConvOptions<D>(in_channels, out_channels, kernel_size)) {}
template <std::size_t D, class Derived>
ConvLayer<D, Derived>::ConvLayer(const ConvOptions<D>& chosen) : ConvBase<D, Derived>(chosen) {}

template <std::size_t D, class Derived>
Tensor ConvLayer<D, Derived>::compute(Operand input) {
  const ConvNdOptions<D>& o = this->options;
  auto how = functional::ConvFuncOptions<D>()
                 .bias(this->bias)
                 .stride(o.stride())
                 .padding(o.padding())
                 .dilation(o.dilation())
                 .groups(o.groups());
  Tensor padded;
  if (o.padding_mode() != PaddingMode::Zeros) {
    padded = gradus::pad(input, counts_around(o), to_string(o.padding_mode()));
    how.padding(0);
  }
  const Operand x(padded.defined() ? padded : input.tensor(), input.at());
  if constexpr (D == 1) return functional::conv1d(x, this->weight, how);
  if constexpr (D == 2) return functional::conv2d(x, this->weight, how);
  if constexpr (D == 3) return functional::conv3d(x, this->weight, how);
}

Tensor functional::conv_transpose1d(Operand x, const Tensor& weight, const ConvTranspose1dFuncOptions& o) {
  return gradus::conv_transpose1d(x, weight, o.bias(), o.stride(), o.padding(), o.output_padding(), o.groups(),
                                  o.dilation());
}
Tensor functional::conv_transpose2d(Operand x, const Tensor& weight, const ConvTranspose2dFuncOptions& o) {
  return gradus::conv_transpose2d(x, weight, o.bias(), o.stride(), o.padding(), o.output_padding(), o.groups(),
                                  o.dilation());
}
Tensor functional::conv_transpose3d(Operand x, const Tensor& weight, const ConvTranspose3dFuncOptions& o) {
  return gradus::conv_transpose3d(x, weight, o.bias(), o.stride(), o.padding(), o.output_padding(), o.groups(),
                                  o.dilation());
}

template <std::size_t D, class Derived>
ConvTransposeLayer<D, Derived>::ConvTransposeLayer(std::int64_t in_channels, std::int64_t out_channels,
                                                   ExpandingArray<D> kernel_size)
    : ConvTransposeLayer(ConvTransposeOptions<D>(in_channels, out_channels, kernel_size)) {}
template <std::size_t D, class Derived>
ConvTransposeLayer<D, Derived>::ConvTransposeLayer(const ConvTransposeOptions<D>& chosen)
    : ConvBase<D, Derived>(chosen) {}

template <std::size_t D, class Derived>
Tensor ConvTransposeLayer<D, Derived>::spread(Operand x, const ExpandingArray<D>& output_padding) const {
  const ConvNdOptions<D>& o = this->options;
  const auto how = functional::ConvTransposeFuncOptions<D>()
                       .bias(this->bias)
                       .stride(o.stride())
                       .padding(o.padding().amount)
                       .output_padding(output_padding)
                       .groups(o.groups())
                       .dilation(o.dilation());
  if constexpr (D == 1) return functional::conv_transpose1d(x, this->weight, how);
  if constexpr (D == 2) return functional::conv_transpose2d(x, this->weight, how);
  if constexpr (D == 3) return functional::conv_transpose3d(x, this->weight, how);
}

template <std::size_t D, class Derived>
Tensor ConvTransposeLayer<D, Derived>::compute(Operand x) {
  return spread(x, this->options.output_padding());
}

template <std::size_t D, class Derived>
Tensor ConvTransposeLayer<D, Derived>::forward(Operand x, IntArrayRef output_size) try {
  const Scope scope(x.at(), this->path());
  const ConvNdOptions<D>& o = this->options;
  const auto dims = static_cast<std::size_t>(x.tensor().dim());
  const std::string op = name_of(o);
  if ((dims != D + 1 && dims != D + 2) || (output_size.size() != D && output_size.size() != dims)) {
    core::fail<ShapeError>("{}: output_size must have {} numbers, or as many as the input: {} for input {}", op, D,
                           output_size, x.tensor().sizes());
  }
  const IntArrayRef sizes = output_size.slice(output_size.size() - D), from = x.tensor().sizes().slice(dims - D);
  ExpandingArray<D> output_padding = 0;
  for (std::size_t d = 0; d < D; ++d) {
    const std::int64_t least =
        (from[d] - 1) * o.stride()[d] - 2 * o.padding().amount[d] + o.dilation()[d] * (o.kernel_size()[d] - 1) + 1;
    (*output_padding)[d] = sizes[d] - least;
    if (sizes[d] < least || sizes[d] >= least + o.stride()[d]) {
      core::fail<ValueError>("{}: output_size must be from {} to {} in dimension {}: {} for input {}", op, least,
                             least + o.stride()[d] - 1, d, output_size, x.tensor().sizes());
    }
  }
  return spread(x, output_padding);
} catch (...) {
  detail::rethrow_from(*this, x.at());
}

Conv1dImpl::~Conv1dImpl() = default;
Conv2dImpl::~Conv2dImpl() = default;
Conv3dImpl::~Conv3dImpl() = default;
ConvTranspose1dImpl::~ConvTranspose1dImpl() = default;
ConvTranspose2dImpl::~ConvTranspose2dImpl() = default;
ConvTranspose3dImpl::~ConvTranspose3dImpl() = default;

template class ConvLayer<1, Conv1dImpl>;
template class ConvLayer<2, Conv2dImpl>;
template class ConvLayer<3, Conv3dImpl>;
template class ConvTransposeLayer<1, ConvTranspose1dImpl>;
template class ConvTransposeLayer<2, ConvTranspose2dImpl>;
template class ConvTransposeLayer<3, ConvTranspose3dImpl>;

}  // namespace gradus::nn
