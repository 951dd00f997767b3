#include "avg_pool.h"

#include "../../autograd/ops/rounded_once.h"
#include "../../autograd/tensor/create.h"
#include "../../core/array/create.h"
#include "../../core/base/expect.h"
#include "../../core/base/fail.h"
#include "pool_rules.h"
#include "pooling.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;
using core::Shape;

namespace {

constexpr const char* kNames[] = {"avg_pool1d", "avg_pool2d", "avg_pool3d"};

Tensor avg_pool(Operand x, int dims, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding, bool ceil_mode,
                const core::PoolDivisor& divisor) {
  return apply<AvgPoolRule>(
      {detail::pool_windows(kNames[dims - 1], dims, kernel, stride, padding, 1, ceil_mode), divisor}, x);
}
template <std::size_t D>
Tensor avg_pool(Operand x, const AvgPoolOptions<D>& o) {
  return avg_pool(x, static_cast<int>(D), o.kernel_size(), o.stride(), o.padding(), o.ceil_mode(),
                  {o.count_include_pad(), o.divisor_override()});
}

/// The mean over windows of one dimension (negative) to m outputs.
Tensor averaged(const Tensor& x, std::int64_t dim, std::int64_t m) {
  const std::int64_t n = x.size(dim);
  const auto [positions, lengths] = core::adaptive_windows(n, m);
  Shape lead = x.sizes(), padding = x.sizes();
  const int d = static_cast<int>(x.dim() + dim);
  padding[d] = 1;
  lead[d] = m;
  lead.insert(d + 1, positions.size(1));
  const Tensor nothing(core::zeros(padding, x.dtype())), padded = cat({Operand(x), Operand(nothing)}, d);
  const Tensor sums = index_select(padded, d, Tensor(positions).flatten()).reshape(lead).sum(d + 1);
  return sums / Tensor(lengths.to(x.dtype()).view(d == x.dim() - 1 ? Shape{m} : Shape{m, 1}));
}

std::int64_t one_of(const char* op, IntArrayRef output_size, std::size_t dims, std::size_t i) {
  if (output_size.size() != 1 && output_size.size() != dims) {
    core::fail<ShapeError>("{}: the output's size must be one number or {}: {}", op, dims, output_size);
  }
  const std::int64_t n = output_size[output_size.size() == 1 ? 0 : i];
  if (n < 1) core::fail<ValueError>("{}: the output's size must be at least 1: {}", op, output_size);
  return n;
}

Tensor adaptive(Operand x, const ExpandingArray<2, std::optional<std::int64_t>>& size) {
  const Scope scope(x.at());
  const Tensor& in = x.tensor();
  core::expect_dims("adaptive_avg_pool2d", "input", in, 3, 4, "[C, H, W] or [N, C, H, W]");
  const std::int64_t H = in.size(-2), W = in.size(-1), h = size[0].value_or(H), w = size[1].value_or(W);
  if (h < 1 || w < 1) {
    core::fail<ValueError>("adaptive_avg_pool2d: the output's size must be at least 1: [{}, {}]", h, w);
  }
  if (H < 1 || W < 1) core::fail<ShapeError>("adaptive_avg_pool2d: there must be positions to average: {}", in.sizes());
  if (h == 1 && w == 1) return in.mean({-2, -1}, true);
  if (H % h == 0 && W % w == 0) return avg_pool(x, 2, {H / h, W / w}, {}, 0, false, {});
  return apply<AdaptiveAvgPool2dRule>({h, w}, x);
}

}  // namespace

// y[p] = sum x[q] / n over the window of p:  dx[q] = sum dy[p] / n over the windows that hold q
Tensor AvgPoolRule::reference(const Attrs& attrs, const Tensor& x) {
  const char* const op = detail::pool_name(kNames, attrs.windows);
  const Tensor sums = detail::gathered_windows(op, x, attrs.windows, 0).sum(2);
  const Tensor divisors(core::pool_divisors(op, x.body().array.shape(), attrs.windows, attrs.divisor));
  return (sums / divisors.to(x.dtype())).reshape(core::pooled_shape(op, x.body().array.shape(), attrs.windows));
}

Tensor AvgPoolRule::batch(const Attrs& attrs, const Examples& x) {
  return x.split(apply<AvgPoolRule>(attrs, x.merged(0)), x.shape(0)[0]);
}
Tensor AdaptiveAvgPool2dRule::batch(const Attrs& attrs, const Examples& x) {
  if (x.dim(0) != 4) return {};
  return x.split(apply<AdaptiveAvgPool2dRule>(attrs, x.merged(0)), x.shape(0)[0]);
}

Array AvgPoolRule::forward(const Attrs& attrs, const Array& x) {
  return core::avg_pool(detail::pool_name(kNames, attrs.windows), x, attrs.windows, attrs.divisor);
}

std::array<Array, 1> AvgPoolRule::backward(const Attrs& attrs, DyArray<> dy, ShapeOf<0> x) {
  return {core::avg_pool_backward(detail::pool_name(kNames, attrs.windows), dy, x, attrs.windows, attrs.divisor)};
}

// y[p] = sum x[q] / n over the window of p:  dx[q] = sum dy[p] / n over the windows that hold q
Tensor AdaptiveAvgPool2dRule::reference(const Attrs& attrs, const Tensor& x) {
  return averaged(averaged(x, -2, attrs.height), -1, attrs.width);
}

Array AdaptiveAvgPool2dRule::forward(const Attrs& attrs, const Array& x) {
  return core::adaptive_avg_pool2d(x, attrs.height, attrs.width);
}

std::array<Array, 1> AdaptiveAvgPool2dRule::backward(const Attrs&, DyArray<> dy, ShapeOf<0> x) {
  return {core::adaptive_avg_pool2d_backward(dy, x)};
}

Tensor functional::avg_pool1d(Operand x, const AvgPool1dFuncOptions& o) { return avg_pool(x, o); }
Tensor functional::avg_pool2d(Operand x, const AvgPool2dFuncOptions& o) { return avg_pool(x, o); }
Tensor functional::avg_pool3d(Operand x, const AvgPool3dFuncOptions& o) { return avg_pool(x, o); }
Tensor functional::adaptive_avg_pool2d(Operand x, const AdaptiveAvgPool2dFuncOptions& o) {
  return adaptive(x, o.output_size());
}

template <std::size_t D, class Derived>
AvgPoolBase<D, Derived>::AvgPoolBase(ExpandingArray<D> kernel_size) : AvgPoolBase(AvgPoolOptions<D>(kernel_size)) {}
template <std::size_t D, class Derived>
AvgPoolBase<D, Derived>::AvgPoolBase(const AvgPoolOptions<D>& chosen) : options(chosen) {}
template <std::size_t D, class Derived>
Tensor AvgPoolBase<D, Derived>::compute(Operand x) {
  return avg_pool(x, options);
}
template class AvgPoolBase<1, AvgPool1dImpl>;
template class AvgPoolBase<2, AvgPool2dImpl>;
template class AvgPoolBase<3, AvgPool3dImpl>;
AdaptiveAvgPool2dImpl::AdaptiveAvgPool2dImpl(ExpandingArray<2, std::optional<std::int64_t>> output_size)
    : FunctionLayer(AdaptiveAvgPool2dOptions(output_size)) {}
AvgPool1dImpl::~AvgPool1dImpl() = default;
AvgPool2dImpl::~AvgPool2dImpl() = default;
AvgPool3dImpl::~AvgPool3dImpl() = default;

}  // namespace gradus::nn

namespace gradus {

Tensor avg_pool1d(Operand x, IntArrayRef kernel_size, IntArrayRef stride, IntArrayRef padding, bool ceil_mode,
                  bool count_include_pad) {
  return nn::avg_pool(x, 1, kernel_size, stride, padding, ceil_mode, {count_include_pad});
}
Tensor avg_pool2d(Operand x, IntArrayRef kernel_size, IntArrayRef stride, IntArrayRef padding, bool ceil_mode,
                  bool count_include_pad, std::optional<std::int64_t> divisor_override) {
  return nn::avg_pool(x, 2, kernel_size, stride, padding, ceil_mode, {count_include_pad, divisor_override});
}
Tensor avg_pool3d(Operand x, IntArrayRef kernel_size, IntArrayRef stride, IntArrayRef padding, bool ceil_mode,
                  bool count_include_pad, std::optional<std::int64_t> divisor_override) {
  return nn::avg_pool(x, 3, kernel_size, stride, padding, ceil_mode, {count_include_pad, divisor_override});
}
Tensor adaptive_avg_pool2d(Operand x, IntArrayRef output_size) {
  if (output_size.size() != 1 && output_size.size() != 2) {
    core::fail<ShapeError>("adaptive_avg_pool2d: the output's size must be one number or 2: {}", output_size);
  }
  return nn::adaptive(x, {output_size.front(), output_size.back()});
}
Tensor adaptive_avg_pool1d(Operand input, IntArrayRef output_size) {
  constexpr const char* op = "adaptive_avg_pool1d";
  const Tensor& x = input.tensor();
  core::expect_dims(op, "input", x, 2, 3, "[C, L] or [N, C, L]");
  const std::int64_t n = nn::one_of(op, output_size, 1, 0);
  return core::in_name_of(op, [&] {
    const autograd::Scope scope(input.at());
    return adaptive_avg_pool2d(x.unsqueeze(-2), {1, n}).squeeze(-2);
  });
}
Tensor adaptive_avg_pool3d(Operand input, IntArrayRef output_size) {
  if (autograd::stored(input)) {
    return autograd::rounded_once([&](Operand u) { return adaptive_avg_pool3d(u, output_size); }, input);
  }
  constexpr const char* op = "adaptive_avg_pool3d";
  const Tensor& x = input.tensor();
  core::expect_dims(op, "input", x, 4, 5, "[C, D, H, W] or [N, C, D, H, W]");
  const std::int64_t d = nn::one_of(op, output_size, 3, 0), h = nn::one_of(op, output_size, 3, 1),
                     w = nn::one_of(op, output_size, 3, 2);
  if (x.size(-3) < 1) core::fail<ShapeError>("{}: there must be positions to average: {}", op, x.sizes());
  return core::in_name_of(op, [&] {
    const autograd::Scope scope(input.at());
    // Planes first, by the rule; then the depth, of what is left of them.
    core::Shape shape = x.body().array.shape();
    const std::int64_t depth = x.size(-3), planes = x.dim() == 4 ? x.size(0) : x.size(0) * x.size(1);
    const Tensor flat = adaptive_avg_pool2d(x.reshape({planes, depth, x.size(-2), x.size(-1)}), {h, w});
    const int last = shape.size() - 1;
    shape[last - 2] = d;
    shape[last - 1] = h;
    shape[last] = w;
    return nn::averaged(flat.reshape({planes, depth, h * w}), -2, d).reshape(shape);
  });
}

}  // namespace gradus
