// Runs an element-by-element kernel over operands of any strides, dtypes and broadcast shapes: internal to core.
#pragma once

#include <string_view>

#include "../array/array.h"
#include "../simd/pointwise.h"

namespace gradus::core::kernels {

/// An operand of a loop: an array that broadcasts to the result, or a number.
struct Input {
  Input() = default;
  /// The kernel reads elements of `as`, whatever the array's dtype is.
  Input(const Array& a, DType as) : array(&a), dtype(as) {}
  /// An element of `as`, which outlives the loop.
  Input(const void* element, DType as) : number(element), dtype(as) {}
  const Array* array = nullptr;
  const void* number = nullptr;
  DType dtype = kFloat32;
};

/// What to run. Kernels see contiguous blocks only; whatever isn't contiguous, or is of another dtype than the kernel
/// reads and writes, passes through small buffers, so that no layout changes a bit of any result.
struct Loop {
  Kernel kernel = nullptr;
  DType result = kFloat32;  ///< the dtype that the kernel writes
  int count = 0;
  Input inputs[3];
  const void* param = nullptr;
  int param_bytes = 0;    ///< how many of them the kernel may read, at most 24
  std::string_view name;  ///< the operation's
  /// Elements of one block; twice as many go parallel.
  std::int64_t block = 32768;
  Kernel number_kernels[2] = {};  ///< for an input 0, or 1, that is a single number; null: there is none
};

/// `out` has the broadcast shape, any strides, any dtype; no input overlaps it, unless at the very same places.
void run(const Array& out, const Loop& loop);
/// The same into a new array of the broadcast shape, which is contiguous.
Array run(const Shape& shape, const Loop& loop);

}  // namespace gradus::core::kernels
