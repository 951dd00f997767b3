#include "max_pool.h"

#include <limits>

#include "../../core/base/fail.h"
#include "pool_rules.h"
#include "pooling.h"

namespace gradus::nn {

using namespace autograd;
using core::Array;

namespace {

constexpr const char* kNames[] = {"max_pool1d", "max_pool2d", "max_pool3d"};

std::tuple<Tensor, Tensor> max_pool(Operand x, int dims, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding,
                                    IntArrayRef dilation, bool ceil_mode) {
  return apply<MaxPoolRule>(detail::pool_windows(kNames[dims - 1], dims, kernel, stride, padding, dilation, ceil_mode),
                            x);
}
template <std::size_t D>
std::tuple<Tensor, Tensor> max_pool(Operand x, const MaxPoolOptions<D>& o) {
  return max_pool(x, static_cast<int>(D), o.kernel_size(), o.stride(), o.padding(), o.dilation(), o.ceil_mode());
}
template <std::size_t D>
std::tuple<Tensor, Tensor> with_indices(Operand x, const MaxPoolOptions<D>& options) {
  const auto [y, positions] = max_pool(x, options);
  return {y, positions.to(kInt64)};
}

}  // namespace

// y[p] = max x[q] over the window of p:  dx[q] = sum dy[p] over the windows of which q is the largest
Tensor MaxPoolRule::reference(const Attrs& windows, const Tensor& x) {
  const char* const op = detail::pool_name(kNames, windows);
  const Tensor gathered = detail::gathered_windows(op, x, windows, -std::numeric_limits<double>::infinity());
  return std::get<0>(gathered.max(2)).reshape(core::pooled_shape(op, x.body().array.shape(), windows));
}

std::tuple<Tensor, Tensor> MaxPoolRule::batch(const Attrs& windows, const Examples& x) {
  const std::int64_t N = x.shape(0)[0];
  const auto [y, index] = apply<MaxPoolRule>(windows, x.merged(0));
  return {x.split(y, N), x.split(index, N)};
}

std::tuple<Array, Array> MaxPoolRule::forward(const Attrs& windows, const Array& x) {
  return core::max_pool(detail::pool_name(kNames, windows), x, windows);
}

std::array<Array, 1> MaxPoolRule::backward(const Attrs& windows, DyArray<> dy, ShapeOf<0> x, OutArray<1> positions) {
  return {core::max_pool_backward(dy, positions, x, windows.kernel.size())};
}

Tensor MaxPoolRule::spread(const Attrs& windows, const Tensor& dy, const core::Shape& x, const Tensor& positions) {
  const int plane = x.size() - windows.kernel.size();
  const IntArrayRef sizes = x;
  core::Shape flat = sizes.slice(0, static_cast<std::size_t>(plane));
  flat.push_back(core::numel_of(sizes.slice(static_cast<std::size_t>(plane))));
  const auto summed = [&](const Tensor& at, const Tensor& g) {
    return scatter_add(flat, plane, at.flatten(plane), g.flatten(plane)).reshape(x);
  };
  bool alone = false;  // a window of padding alone, at position -1, may be among them
  for (int d = 0; d < windows.kernel.size(); ++d) alone |= windows.dilation[d] > 1 && windows.padding[d] > 0;
  if (!alone) return summed(positions, dy);
  const Tensor none = positions < 0;
  return summed(masked_fill(positions, none, 0), masked_fill(dy, none, 0));
}

Tensor functional::max_pool1d(Operand x, const MaxPool1dFuncOptions& o) { return std::get<0>(max_pool(x, o)); }
Tensor functional::max_pool2d(Operand x, const MaxPool2dFuncOptions& o) { return std::get<0>(max_pool(x, o)); }
Tensor functional::max_pool3d(Operand x, const MaxPool3dFuncOptions& o) { return std::get<0>(max_pool(x, o)); }
std::tuple<Tensor, Tensor> functional::max_pool1d_with_indices(Operand x, const MaxPool1dFuncOptions& o) {
  return with_indices(x, o);
}
std::tuple<Tensor, Tensor> functional::max_pool2d_with_indices(Operand x, const MaxPool2dFuncOptions& o) {
  return with_indices(x, o);
}
std::tuple<Tensor, Tensor> functional::max_pool3d_with_indices(Operand x, const MaxPool3dFuncOptions& o) {
  return with_indices(x, o);
}

template <std::size_t D, class Derived>
MaxPoolBase<D, Derived>::MaxPoolBase(ExpandingArray<D> kernel_size) : MaxPoolBase(MaxPoolOptions<D>(kernel_size)) {}
template <std::size_t D, class Derived>
MaxPoolBase<D, Derived>::MaxPoolBase(const MaxPoolOptions<D>& chosen) : options(chosen) {}
template <std::size_t D, class Derived>
Tensor MaxPoolBase<D, Derived>::compute(Operand x) {
  return std::get<0>(max_pool(x, options));
}
template <std::size_t D, class Derived>
std::tuple<Tensor, Tensor> MaxPoolBase<D, Derived>::forward_with_indices(Operand x) {
  const Scope scope(x.at(), this->path());
  return with_indices(x, options);
}
template class MaxPoolBase<1, MaxPool1dImpl>;
template class MaxPoolBase<2, MaxPool2dImpl>;
template class MaxPoolBase<3, MaxPool3dImpl>;
MaxPool1dImpl::~MaxPool1dImpl() = default;
MaxPool2dImpl::~MaxPool2dImpl() = default;
MaxPool3dImpl::~MaxPool3dImpl() = default;

}  // namespace gradus::nn

namespace gradus {

Tensor max_pool1d(Operand x, IntArrayRef kernel_size, IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation,
                  bool ceil_mode) {
  return std::get<0>(nn::max_pool(x, 1, kernel_size, stride, padding, dilation, ceil_mode));
}
Tensor max_pool2d(Operand x, IntArrayRef kernel_size, IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation,
                  bool ceil_mode) {
  return std::get<0>(nn::max_pool(x, 2, kernel_size, stride, padding, dilation, ceil_mode));
}
Tensor max_pool3d(Operand x, IntArrayRef kernel_size, IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation,
                  bool ceil_mode) {
  return std::get<0>(nn::max_pool(x, 3, kernel_size, stride, padding, dilation, ceil_mode));
}

}  // namespace gradus
