// The inner loops of reductions: internal to core.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../base/dtype.h"

namespace gradus::core::kernels {

/// What is accumulated over the reduced dimensions: the public reductions, and sums that layers need. In this order: those
/// from Squares on are of floating-point numbers alone and add up, those from CentredMoments on have two results.
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

/// Folds rows of n contiguous elements, `stride` elements apart: `each` of them into one accumulator, `results` accumulators
/// one after the other at `acc`; CentredMoments and CentredProducts have two for each result, beside each other, and a
/// centre for each, which the others don't read. Many rows to a call: short ones feel it.
using RowFold = void (*)(const void* const* in, std::size_t stride, std::size_t results, std::size_t each,
                         std::size_t n, const double* centre, void* acc);
/// Folds `rows` rows of `cols` elements, `stride` elements apart, into `cols` accumulators. CentredMoments and CentredProducts
/// have a centre for each column, and a second row of accumulators, acc_stride behind the first. One row after the other:
/// the bits don't depend on how rows are grouped.
using ColumnFold = void (*)(const void* const* in, std::size_t stride, std::size_t rows, std::size_t cols,
                            const double* centre, void* acc, std::size_t acc_stride);
struct FoldKernels {
  RowFold row;
  ColumnFold column;
};
FoldKernels fold_kernels(Fold op, DType dtype);

}  // namespace gradus::core::kernels
