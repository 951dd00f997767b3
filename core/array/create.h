// Making arrays.
#pragma once

#include <functional>

#include "array.h"

namespace gradus::core {

/// Uninitialised and contiguous. ShapeError when the product of sizes overflows, MemoryError when it cannot be had.
GRADUS_API Array empty(IntArrayRef shape, DType dtype = kFloat32);
GRADUS_API Array full(IntArrayRef shape, const Scalar& value, DType dtype);
inline Array zeros(IntArrayRef shape, DType dtype = kFloat32) { return full(shape, 0, dtype); }
inline Array ones(IntArrayRef shape, DType dtype = kFloat32) { return full(shape, 1, dtype); }
inline Array empty_like(const Array& x) { return empty(x.shape(), x.dtype()); }
inline Array zeros_like(const Array& x) { return zeros(x.shape(), x.dtype()); }
inline Array ones_like(const Array& x) { return ones(x.shape(), x.dtype()); }
/// A 0-d array.
inline Array scalar(const Scalar& value, DType dtype) { return full({}, value, dtype); }
/// start, start + step, ... below end: ceil((end - start) / step) values. Floating ones are start + i step in one
/// rounding of float64; integer dtypes count with the numbers given and then take their integer parts. ValueError when
/// a bound is not finite, or step is 0 or leads away from end; DTypeError for Bool.
GRADUS_API Array arange(const Scalar& start, const Scalar& end, const Scalar& step, DType dtype);
/// `steps` values from start to end, both included, symmetric about the middle as PyTorch's, to the bit: with the step
/// d = (end - start) / (steps - 1) in the dtype, the first half is start + i d, the second end - (steps - 1 - i) d,
/// each in one rounding; integers are cut towards 0. ValueError when steps is negative or an integer dtype cannot hold
/// an end; DTypeError for Bool.
GRADUS_API Array linspace(double start, double end, std::int64_t steps, DType dtype = kFloat32);
/// n x m, 1 on the diagonal and 0 elsewhere.
GRADUS_API Array eye(std::int64_t n, std::int64_t m, DType dtype = kFloat32);
/// Memory that the caller keeps alive, or hands over with a deleter, which is called once: when the last view is gone,
/// or before an error is thrown. Strides in elements; contiguous when none are given. ValueError when a stride is
/// negative, or the memory is null or not aligned to its elements.
GRADUS_API Array from_blob(void* data, IntArrayRef shape, IntArrayRef strides, std::function<void(void*)> deleter,
                           DType dtype);
/// A contiguous copy of numel(shape) elements at `data`.
GRADUS_API Array from_data(const void* data, IntArrayRef shape, DType dtype);

}  // namespace gradus::core
