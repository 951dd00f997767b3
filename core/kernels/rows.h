// Kernels that see a whole row at once: internal to core.
#pragma once

#include <cstddef>

#include "../dtype.h"

namespace gradus::core::kernels {

/// The index of the largest (smallest) of n > 0 contiguous elements: the first of equal ones, and of NaN if there are
/// any.
using RowIndex = std::size_t (*)(const void* x, std::size_t n);
RowIndex argmax_kernel(DType dtype);
RowIndex argmin_kernel(DType dtype);

/// y from x, n contiguous elements each of float32 or float64, not overlapping.
using RowMap = void (*)(const void* x, void* y, std::size_t n);
RowMap softmax_kernel(DType dtype);
RowMap log_softmax_kernel(DType dtype);
/// One number: log(sum(exp(x))). `scratch` holds n elements.
using RowNumber = double (*)(const void* x, void* scratch, std::size_t n);
RowNumber logsumexp_kernel(DType dtype);

}  // namespace gradus::core::kernels
