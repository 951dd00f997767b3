// What a tensor is asked to be: its dtype, its order in memory, its name.
#include <iostream>

#include "../../core/base/fail.h"
#include "../../core/ops/pointwise.h"
#include "../graph/operation.h"
#include "../tensor/print.h"
#include "../tensor/tensor.h"

namespace gradus {

namespace {

// The order of dimensions in memory, outermost first, that a format gives a tensor; empty: as they are.
core::Dims order_of(const char* op, MemoryFormat format, const Tensor& x) {
  const int wanted = format == MemoryFormat::ChannelsLast ? 4 : format == MemoryFormat::ChannelsLast3d ? 5 : 0;
  if (wanted == 0) return {};
  if (x.dim() != wanted) {
    core::fail<ShapeError>("{}: {} must have {} dimensions: {}", op,
                           wanted == 4 ? "ChannelsLast [N, C, H, W]" : "ChannelsLast3d [N, C, D, H, W]", wanted,
                           x.sizes());
  }
  core::Dims order{0};
  for (int i = 2; i < wanted; ++i) order.push_back(i);
  order.push_back(1);
  return order;
}
core::Dims inverse(const core::Dims& order) {
  core::Dims back = order;
  for (int i = 0; i < order.size(); ++i) back[static_cast<int>(order[i])] = i;
  return back;
}
// A copy that is no view of anything.
Tensor copy_in_order(const Tensor& x, const core::Dims& order, Location at) {
  const autograd::Scope scope(at);
  return autograd::detail::as_result(x.permute(order).clone().permute(inverse(order)));
}

}  // namespace

bool Tensor::is_contiguous(MemoryFormat format) const {
  if (format == MemoryFormat::Contiguous || format == MemoryFormat::Preserve) return is_contiguous();
  const bool channels = format == MemoryFormat::ChannelsLast ? dim() == 4 : dim() == 5;
  return channels && body().array.permute(order_of("is_contiguous", format, *this)).is_contiguous();
}
Tensor Tensor::contiguous(MemoryFormat format, Location at) const {
  const core::Dims order = order_of("contiguous", format, *this);
  if (order.empty()) return format == MemoryFormat::Preserve ? *this : contiguous(at);
  return is_contiguous(format) ? *this : copy_in_order(*this, order, at);
}
Tensor clone(Operand x, MemoryFormat format) {
  const core::Dims order = order_of("clone", format, x.tensor());
  return order.empty() ? clone(x) : copy_in_order(x.tensor(), order, x.at());
}

Tensor Tensor::to(DType dtype, bool /*non_blocking*/, bool copy, std::optional<MemoryFormat> format,
                  Location at) const {
  const Tensor converted = to(dtype, at);
  const Tensor ordered = format ? converted.contiguous(*format, at) : converted;
  return copy && ordered.is_same(*this) ? gradus::clone({*this, at}) : ordered;
}
Tensor Tensor::to(const TensorOptions& options, bool non_blocking, bool copy, std::optional<MemoryFormat> format,
                  Location at) const {
  return to(options.dtype_or(dtype()), non_blocking, copy, format, at);
}

std::string Tensor::toString() const { return fmt::format("CPU{}Type", gradus::toString(dtype())); }
void Tensor::print() const {
  if (defined())
    std::cout << '[' << toString() << ' ' << sizes() << "]\n";
  else
    std::cout << "[UndefinedTensor]\n";
}
bool Tensor::is_nonzero() const {
  return core::in_name_of("is_nonzero", [&] { return item().toBool(); });
}
Tensor Tensor::_base() const {
  if (!is_view()) core::fail<GradError>("_base: the tensor must be a view: {} is none", sizes());
  return Tensor(body().view->base);
}

DType result_type(const Tensor& a, const Tensor& b) { return core::result_type(a.body().array, b.body().array); }
DType result_type(const Tensor& a, const Scalar& b) { return core::result_type(a.body().array, b); }
DType result_type(const Scalar& a, const Tensor& b) { return core::result_type(a, b.body().array); }
DType result_type(const Scalar& a, const Scalar& b) {
  const DType wider = promote_types(a.category(), b.category());
  return is_floating_point(wider) ? get_default_dtype() : wider;
}

}  // namespace gradus
