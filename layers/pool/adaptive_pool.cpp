#include "adaptive_pool.h"

#include "../../core/base/expect.h"
#include "adaptive_max_pool.h"

namespace gradus::nn {

using autograd::Scope;

namespace {

// The numbers that are absent are x's own.
template <std::size_t D>
core::Dims output_size(const char* op, const Tensor& x, const ExpandingArray<D, std::optional<std::int64_t>>& wanted) {
  constexpr const char* forms[] = {"[C, H, W] or [N, C, H, W]", "[C, D, H, W] or [N, C, D, H, W]"};
  core::expect_dims(op, "input", x, D + 1, D + 2, forms[D - 2]);
  const auto dims = static_cast<std::size_t>(x.dim());
  core::Dims sizes;
  for (std::size_t d = 0; d < D; ++d) sizes.push_back(wanted[d].value_or(x.sizes()[dims - D + d]));
  return sizes;
}

}  // namespace

Tensor functional::adaptive_avg_pool1d(Operand x, const AdaptiveAvgPool1dFuncOptions& o) {
  return gradus::adaptive_avg_pool1d(x, o.output_size());
}
Tensor functional::adaptive_avg_pool3d(Operand x, const AdaptiveAvgPool3dFuncOptions& o) {
  return gradus::adaptive_avg_pool3d(x, output_size("adaptive_avg_pool3d", x.tensor(), o.output_size()));
}
std::tuple<Tensor, Tensor> functional::adaptive_max_pool1d_with_indices(Operand x,
                                                                        const AdaptiveMaxPool1dFuncOptions& o) {
  return gradus::adaptive_max_pool1d(x, o.output_size());
}
std::tuple<Tensor, Tensor> functional::adaptive_max_pool2d_with_indices(Operand x,
                                                                        const AdaptiveMaxPool2dFuncOptions& o) {
  return gradus::adaptive_max_pool2d(x, output_size("adaptive_max_pool2d", x.tensor(), o.output_size()));
}
std::tuple<Tensor, Tensor> functional::adaptive_max_pool3d_with_indices(Operand x,
                                                                        const AdaptiveMaxPool3dFuncOptions& o) {
  return gradus::adaptive_max_pool3d(x, output_size("adaptive_max_pool3d", x.tensor(), o.output_size()));
}
Tensor functional::adaptive_max_pool1d(Operand x, const AdaptiveMaxPool1dFuncOptions& o) {
  return std::get<0>(adaptive_max_pool1d_with_indices(x, o));
}
Tensor functional::adaptive_max_pool2d(Operand x, const AdaptiveMaxPool2dFuncOptions& o) {
  return std::get<0>(adaptive_max_pool2d_with_indices(x, o));
}
Tensor functional::adaptive_max_pool3d(Operand x, const AdaptiveMaxPool3dFuncOptions& o) {
  return std::get<0>(adaptive_max_pool3d_with_indices(x, o));
}

namespace {
std::tuple<Tensor, Tensor> pooled(Operand x, const AdaptiveMaxPool1dOptions& o) {
  return functional::adaptive_max_pool1d_with_indices(x, o);
}
std::tuple<Tensor, Tensor> pooled(Operand x, const AdaptiveMaxPool2dOptions& o) {
  return functional::adaptive_max_pool2d_with_indices(x, o);
}
std::tuple<Tensor, Tensor> pooled(Operand x, const AdaptiveMaxPool3dOptions& o) {
  return functional::adaptive_max_pool3d_with_indices(x, o);
}
}  // namespace

template <class OutputSize, class Derived>
AdaptiveMaxPoolBase<OutputSize, Derived>::AdaptiveMaxPoolBase(OutputSize output_size)
    : AdaptiveMaxPoolBase(AdaptiveMaxPoolOptions<OutputSize>(output_size)) {}
template <class OutputSize, class Derived>
AdaptiveMaxPoolBase<OutputSize, Derived>::AdaptiveMaxPoolBase(const AdaptiveMaxPoolOptions<OutputSize>& chosen)
    : options(chosen) {}
template <class OutputSize, class Derived>
Tensor AdaptiveMaxPoolBase<OutputSize, Derived>::compute(Operand x) {
  return std::get<0>(pooled(x, options));
}
template <class OutputSize, class Derived>
std::tuple<Tensor, Tensor> AdaptiveMaxPoolBase<OutputSize, Derived>::forward_with_indices(Operand x) {
  const Scope scope(x.at(), this->path());
  return pooled(x, options);
}
template class AdaptiveMaxPoolBase<ExpandingArray<1>, AdaptiveMaxPool1dImpl>;
template class AdaptiveMaxPoolBase<ExpandingArray<2, std::optional<std::int64_t>>, AdaptiveMaxPool2dImpl>;
template class AdaptiveMaxPoolBase<ExpandingArray<3, std::optional<std::int64_t>>, AdaptiveMaxPool3dImpl>;
AdaptiveMaxPool1dImpl::~AdaptiveMaxPool1dImpl() = default;
AdaptiveMaxPool2dImpl::~AdaptiveMaxPool2dImpl() = default;
AdaptiveMaxPool3dImpl::~AdaptiveMaxPool3dImpl() = default;
AdaptiveAvgPool1dImpl::AdaptiveAvgPool1dImpl(ExpandingArray<1> output_size)
    : FunctionLayer(AdaptiveAvgPool1dOptions(output_size)) {}
AdaptiveAvgPool3dImpl::AdaptiveAvgPool3dImpl(ExpandingArray<3, std::optional<std::int64_t>> output_size)
    : FunctionLayer(AdaptiveAvgPool3dOptions(output_size)) {}

}  // namespace gradus::nn
