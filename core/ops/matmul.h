// Matrix products.
#pragma once

#include "../array/array.h"

namespace gradus::core {

/// c <- alpha a b + beta c for matrices [m, k] x [k, n] -> [m, n], any strides; c is not read when beta is 0 (it may
/// hold NaN); k = 0 gives beta c. One dtype for all, floating or integer. `bias`, when there is one and it is defined, is
/// [n], added to each row in the same pass. c must not overlap a, b or bias (ValueError). Counts as a write.
/// The bits of an element depend on its row of a, its column of b, alpha, beta and bias alone: some rows have the same bits
/// in a product of their own and in a larger one, whatever the strides and the number of threads (per instruction set).
/// Only a single row or column may differ in its last bits from the same one among others: dot products, and vectors times
/// a matrix that is contiguous along k, are summed in an order of their own.
GRADUS_API void gemm(const Array& c, const Array& a, const Array& b, double alpha = 1, double beta = 0);
GRADUS_API void gemm(const Array& c, const Array& a, const Array& b, double alpha, double beta, const Array& bias);
/// As NumPy's and PyTorch's: 1-d operands join as row or column, leading dimensions broadcast as batches. Dtypes are
/// not promoted: DTypeError when they differ. ShapeError when the inner sizes do.
GRADUS_API Array matmul(const Array& a, const Array& b);

}  // namespace gradus::core
