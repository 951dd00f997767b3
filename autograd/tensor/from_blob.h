// Tensors in the memory of numbers whose type says what they are.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "create.h"

namespace gradus {
namespace autograd {
/// What memory of a T is when nothing else is said. (Bytes and bool may be anything's.)
template <class T>
concept OwnDType = std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int16_t> ||
    std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::int64_t> || StoredNumber<T>;
}  // namespace autograd

// Without a dtype in the options it is the numbers' own. (PyTorch takes the default one, and reads a std::vector<double> as
// float.)
template <autograd::OwnDType T>
Tensor from_blob(T* data, IntArrayRef shape, const TensorOptions& options = {}) {
  return from_blob(static_cast<void*>(data), shape, options.dtype(options.dtype_or(dtype_of<T>)));
}
template <autograd::OwnDType T>
Tensor from_blob(T* data, IntArrayRef shape, IntArrayRef strides, const TensorOptions& options = {}) {
  return from_blob(static_cast<void*>(data), shape, strides, options.dtype(options.dtype_or(dtype_of<T>)));
}
/// Of a vector that outlives the tensor and does not grow; [size] unless a shape is given.
template <autograd::OwnDType T>
Tensor from_blob(std::vector<T>& values, IntArrayRef shape = -1, const TensorOptions& options = {}) {
  const auto size = static_cast<std::int64_t>(values.size());
  return from_blob(values.data(), size, options).view(shape);
}

}  // namespace gradus
