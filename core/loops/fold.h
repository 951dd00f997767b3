// Reductions; what is not contiguous is copied first. Internal to core.
#pragma once

#include <array>

#include "../array/array.h"
#include "../simd/fold_kernels.h"

namespace gradus::core::kernels {

/// The accumulated value of each result, in the accumulating dtype: float64 for sums and products of floating-point
/// numbers, int64 of integers, the dtype itself for extremes, Bool for All and Any. Shape: that of x without the
/// dimensions (sorted, wrapped). Blocks follow from the shape alone and are combined in their order. `other`: the
/// second input of CentredProducts, of x's shape and dtype. `centre`: float64, contiguous, as many
/// numbers as there are results.
std::array<Array, 2> fold(Fold op, const Array& x, const Dims& dims, const Array& centre = {}, const Array& other = {});
/// The same with one result for each, converted to a dtype; keepdim: with the dimensions, of size 1. Sums of floating-point
/// numbers may be divided.
Array fold_to(DType dtype, Fold op, const Array& x, const Dims& dims, bool keepdim, double divisor = 1);
/// The dtype in which is accumulated.
DType accumulator_of(Fold op, DType dtype);

}  // namespace gradus::core::kernels
