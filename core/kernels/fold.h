// Reductions of contiguous arrays: internal to core.
#pragma once

#include <array>

#include "../reduce.h"

namespace gradus::core::kernels {

/// What is accumulated over the reduced dimensions: the public reductions, and sums that layers need.
enum class Fold : std::uint8_t {
  Sum,
  Prod,
  Max,
  Min,
  All,
  Any,
  CentredSquares,  ///< sum (x - c)^2, c a number for each result
  CentredProducts  ///< two results from two inputs: sum a, and sum a (b - c)
};

/// The accumulated value of each result, in the accumulating dtype: float64 for sums and products of floating-point
/// numbers, int64 of integers, the dtype itself for extremes, Bool for All and Any. Shape: that of x without the
/// dimensions (sorted, wrapped). Blocks follow from the shape alone and are combined in their order. `other`: the
/// second input of CentredProducts, of x's shape and dtype. `centre`: float64, as many numbers as there are results.
std::array<Array, 2> fold(Fold op, const Array& x, const Dims& dims, const Array& centre = {}, const Array& other = {});

/// Adds n contiguous elements to the accumulators at `acc`.
using RowFold = void (*)(const void* const* in, std::size_t n, const double* centre, void* acc);
/// Adds `rows` rows of `cols` elements, `stride` elements apart, to `cols` accumulators; a second row of accumulators
/// lies acc_stride behind the first. One row after the other: the bits don't depend on how rows are grouped.
using ColumnFold = void (*)(const void* const* in, std::size_t stride, std::size_t rows, std::size_t cols,
                            const double* centre, void* acc, std::size_t acc_stride);
struct FoldKernels {
  RowFold row;
  ColumnFold column;
};
FoldKernels fold_kernels(Fold op, DType dtype);

}  // namespace gradus::core::kernels
