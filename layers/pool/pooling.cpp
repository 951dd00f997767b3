#include "pooling.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"

namespace gradus::nn::detail {

core::PoolWindows pool_windows(const char* op, int dims, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding,
                               IntArrayRef dilation, bool ceil_mode) {
  const auto each = [&](const char* what, IntArrayRef numbers) {
    if (numbers.size() == 1) return core::Dims::filled(dims, numbers[0]);
    if (numbers.size() != static_cast<std::size_t>(dims)) {
      core::fail<ShapeError>("{}: {} must be one number or {}: {}", op, what, dims, numbers);
    }
    return core::Dims(numbers);
  };
  return {each("kernel_size", kernel), each("stride", stride.empty() ? kernel : stride), each("padding", padding),
          each("dilation", dilation), ceil_mode};
}

Tensor gathered_windows(const char* op, const Tensor& x, const core::PoolWindows& windows, double padding) {
  return gathered(x, core::pool_positions(op, x.body().array.shape(), windows), windows.kernel.size(), padding);
}
Tensor gathered(const Tensor& x, const core::Array& where, int dims, double padding) {
  const Tensor positions(where);
  const int lead = static_cast<int>(x.dim()) - dims;
  std::int64_t planes = 1, plane = 1;
  for (int i = 0; i < x.dim(); ++i) (i < lead ? planes : plane) *= x.size(i);
  const Tensor padded = cat({x.reshape({planes, plane}), full({planes, 1}, padding, x.dtype())}, 1);
  return index_select(padded, 1, positions.flatten()).reshape({planes, positions.size(0), positions.size(1)});
}

}  // namespace gradus::nn::detail
