// Linear algebra on arrays: decompositions of matrices, which are the last two dimensions of an array, and what is solved
// by them. Through OpenBLAS (lapack.h), a batch's matrices in parallel by this library's threads.
//
// float32 or float64 (DTypeError), and 2 dimensions or more (ShapeError). Where two arrays are taken, their batches are of one
// shape. Results may lie in memory by columns, as LAPACK has them: the transpose of a contiguous array. `info` is int32, one
// number for each matrix of the batch: 0 where all is well, else what LAPACK has to say. Error without OpenBLAS.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "../array/array.h"

namespace gradus::core {

/// Whether OpenBLAS is there.
GRADUS_API bool has_linalg();

/// (L, info) with A = L L^T, or U^T U; one triangle of A is read. `info` is the order of the first leading minor that is
/// not positive.
GRADUS_API std::tuple<Array, Array> cholesky(const Array& a, bool upper);

/// (LU, pivots, info) of [m, n]: L below the diagonal, its ones not stored, U from it on. Row i was interchanged with row
/// pivots[i] - 1, in this order; int32. `info` is the place of the first zero on U's diagonal, from 1 on.
GRADUS_API std::tuple<Array, Array, Array> lu_factor(const Array& a);
/// The permutation P of A = P L U, [m, m], of that dtype.
GRADUS_API Array lu_permutation(const Array& pivots, std::int64_t m, DType dtype);
/// X with A X = B, or A^T X = B.
GRADUS_API Array lu_solve(const Array& lu, const Array& pivots, const Array& b, bool transposed = false);
/// The inverse of A.
GRADUS_API Array lu_inverse(const Array& lu, const Array& pivots);
/// (sign, log|det|) of A, of the batch's shape: 0 and -infinity where it is singular.
GRADUS_API std::tuple<Array, Array> lu_slogdet(const Array& lu, const Array& pivots);
/// The determinant of A: the product of U's diagonal with the permutation's sign.
GRADUS_API Array lu_det(const Array& lu, const Array& pivots);

/// X with T X = B, or X T = B when not `left`, T a triangle of A; with ones on its diagonal when `unit`.
GRADUS_API Array solve_triangular(const Array& a, const Array& b, bool upper, bool left, bool unit);

/// (Q, R) of [m, n]: Q [m, k], R [k, n], k = min(m, n), or m when `complete`. Without `want_q` Q is undefined.
GRADUS_API std::tuple<Array, Array> qr(const Array& a, bool complete, bool want_q = true);

/// (w, V): eigenvalues in ascending order, [n], and eigenvectors in columns; one triangle of A is read. V is undefined
/// without `vectors`. ValueError, in the name of op, for a matrix that is not finite.
GRADUS_API std::tuple<Array, Array> eigh(const Array& a, bool upper, bool vectors, const char* op);

/// (U, s, Vh): s in descending order; U [m, k], Vh [k, n], or square ones when `full`; undefined without `vectors`.
/// ValueError, in the name of op, for a matrix that is not finite.
GRADUS_API std::tuple<Array, Array, Array> svd(const Array& a, bool full, bool vectors, const char* op);

/// (X, rank): X of least norm with |A X - B| least, [n, k]; the rank is that of the part of A whose condition is below
/// 1 / rcond, int64. ValueError for a matrix that is not finite.
GRADUS_API std::tuple<Array, Array> lstsq(const Array& a, const Array& b, double rcond);

/// e^A of square matrices.
GRADUS_API Array matrix_exp(const Array& a);

/// Of the first matrix of a batch that is not finite: its number in the batch; -1 when all are.
GRADUS_API std::int64_t first_not_finite(const Array& a);
/// Where the matrix of that number stands: "" when there is but one, else " (batch index [1, 2])".
GRADUS_API std::string batch_index(const Array& a, std::int64_t number);

}  // namespace gradus::core
