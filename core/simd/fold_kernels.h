// The inner loops of reductions: internal to core.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// What is accumulated over the reduced dimensions: the public reductions, and sums that layers need.
enum class Fold : std::uint8_t {
  Sum,
  Prod,
  Max,
  Min,
  All,
  Any,
  Squares,         ///< sum x^2
  CentredMoments,  ///< two results: sum (x - c) and sum (x - c)^2, c a number for each of them
  CentredProducts  ///< two results from two inputs: sum a, and sum a (b - c)
};

/// Of `rows` rows, `stride` elements apart, adds the n contiguous elements of each to the accumulators of its own, which
/// follow each other at `acc`; each has a centre of its own, too. Many rows to a call: short ones feel it.
using RowFold = void (*)(const void* const* in, std::size_t stride, std::size_t rows, std::size_t n,
                         const double* centre, void* acc);
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
