// Linear algebra, under the names that it has in PyTorch's C++ frontend: `linalg_NAME`, and `linalg::NAME`.
//
// Matrices are the last two dimensions, those before them are batches, which broadcast where two operands are taken.
// float32 and float64. Decompositions run in OpenBLAS, one call a matrix, a batch's matrices in parallel by the library's
// own threads: the same bits for any number of them. Error, with the cure, where OpenBLAS is absent (GRADUS_LINALG).
//
// Errors of all: DTypeError unless floating, ShapeError unless the sizes fit. ValueError names the batch index: where a
// matrix that has to be is not invertible, not positive definite, or not finite (of eigenvalues, singular values and least
// squares; the others hand NaN on).
//
// Gradients of both orders are formulas in terms of operations that are differentiable themselves, after M. Giles, "An
// extended collection of matrix derivative results" (2008), S. Walter and L. Lehmann, "Algorithmic differentiation of linear
// algebra functions" (2010), J. Townsend, "Differentiating the singular value decomposition" (2016), I. Murray,
// "Differentiation of the Cholesky decomposition" (2016), G. Golub and V. Pereyra (1973) for pseudo-inverses. As in PyTorch
// those of symmetric decompositions are symmetric, although one triangle is read, and those of eigenvectors and singular
// vectors are infinite or NaN where values repeat.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "../tensor/tensor.h"

namespace gradus {

/// Dimensions, or none named: `{0, 1}`, `1`, `{}`, `nullopt`.
class OptionalIntArrayRef : public IntArrayRef {
 public:
  using IntArrayRef::IntArrayRef;
  OptionalIntArrayRef() = default;
  OptionalIntArrayRef(std::nullopt_t) {}                               // NOLINT(google-explicit-constructor)
  OptionalIntArrayRef(const IntArrayRef& dims) : IntArrayRef(dims) {}  // NOLINT(google-explicit-constructor)
};

// --- Decompositions ---

/// L with A = L L^T, or U^T U when `upper`, of a symmetric positive definite A; one triangle is read.
GRADUS_API Tensor linalg_cholesky(Operand A, bool upper = false);
/// (L, info): info (int32, a number for each matrix) is 0, or the order of the first leading minor that is not positive,
/// which is no error unless `check_errors`.
GRADUS_API std::tuple<Tensor, Tensor> linalg_cholesky_ex(Operand A, bool upper = false, bool check_errors = false);
/// X with A X = B where L (U when `upper`) is A's Cholesky factor.
GRADUS_API Tensor cholesky_solve(Operand B, Operand L, bool upper = false);
/// A's inverse, by its Cholesky factor.
GRADUS_API Tensor cholesky_inverse(Operand L, bool upper = false);

/// (Q, R) of A [m, n]: "reduced" Q [m, k], R [k, n] with k = min(m, n); "complete" k = m; "r" R alone, Q empty and without
/// gradient. Has a gradient unless m > n in "complete", or m < k in "r" (GradError). ValueError for another mode.
GRADUS_API std::tuple<Tensor, Tensor> linalg_qr(Operand A, std::string_view mode = "reduced");

/// (P, L, U) with A = P L U, A [m, n]. ValueError unless `pivot`.
GRADUS_API std::tuple<Tensor, Tensor, Tensor> linalg_lu(Operand A, bool pivot = true);
/// (LU, pivots): L without its ones and U in one matrix, and the interchanges of rows (int32, from 1 on).
GRADUS_API std::tuple<Tensor, Tensor> linalg_lu_factor(Operand A, bool pivot = true);
GRADUS_API std::tuple<Tensor, Tensor, Tensor> linalg_lu_factor_ex(Operand A, bool pivot = true,
                                                                  bool check_errors = false);
/// (P, L, U) of what linalg_lu_factor gives; what is not wanted is empty.
GRADUS_API std::tuple<Tensor, Tensor, Tensor> lu_unpack(Operand LU, Operand pivots, bool unpack_data = true,
                                                        bool unpack_pivots = true);
/// X with A X = B (X A = B unless `left`; A^T for A when `adjoint`), A given by linalg_lu_factor.
GRADUS_API Tensor linalg_lu_solve(Operand LU, Operand pivots, Operand B, bool left = true, bool adjoint = false);

/// (w, V) with A = V diag(w) V^T, w ascending, of a symmetric A; the triangle that is read is "L" or "U".
GRADUS_API std::tuple<Tensor, Tensor> linalg_eigh(Operand A, std::string_view UPLO = "L");
GRADUS_API Tensor linalg_eigvalsh(Operand A, std::string_view UPLO = "L");

/// (U, S, Vh) with A = U diag(S) Vh, S descending; U and Vh are square when `full_matrices`, else of k = min(m, n) columns
/// and rows. The gradient of square ones is that of their first k. `driver` is PyTorch's, and changes nothing.
GRADUS_API std::tuple<Tensor, Tensor, Tensor> linalg_svd(Operand A, bool full_matrices = true,
                                                         std::optional<std::string_view> driver = {});
GRADUS_API Tensor linalg_svdvals(Operand A, std::optional<std::string_view> driver = {});

// --- Equations ---

/// X with A X = B, or X A = B unless `left`. B is [.., n, k], or a vector for each matrix: [n] or of A's shape without its
/// last size.
GRADUS_API Tensor linalg_solve(Operand A, Operand B, bool left = true);
GRADUS_API std::tuple<Tensor, Tensor> linalg_solve_ex(Operand A, Operand B, bool left = true,
                                                      bool check_errors = false);
/// The same where A is a triangle: the other one is not read, nor the diagonal when `unitriangular`.
GRADUS_API Tensor linalg_solve_triangular(Operand A, Operand B, bool upper, bool left = true,
                                          bool unitriangular = false);
/// (X, residuals, rank, singular values): X of least norm with |A X - B| least. Residuals are the columns' squared sums where
/// m > n and every A has full rank, else empty; singular values those of A for the drivers "gelsd" and "gelss". `rcond`:
/// machine epsilon times max(m, n) unless given. ValueError for another driver than these, "gelsy" and "gels".
GRADUS_API std::tuple<Tensor, Tensor, Tensor, Tensor> linalg_lstsq(Operand A, Operand B,
                                                                   std::optional<double> rcond = {},
                                                                   std::optional<std::string_view> driver = {});
GRADUS_API Tensor linalg_inv(Operand A);
GRADUS_API std::tuple<Tensor, Tensor> linalg_inv_ex(Operand A, bool check_errors = false);
/// The Moore-Penrose inverse: singular values up to max(atol, rtol max) count as 0; rtol is machine epsilon times max(m, n)
/// unless given, or atol is. Of a symmetric A when `hermitian`: its lower triangle is read.
GRADUS_API Tensor linalg_pinv(Operand A, std::optional<double> atol, std::optional<double> rtol,
                              bool hermitian = false);
GRADUS_API Tensor linalg_pinv(Operand A, double atol, double rtol, bool hermitian = false);
GRADUS_API Tensor linalg_pinv(Operand A, double rcond, bool hermitian = false);
GRADUS_API Tensor linalg_pinv(Operand A);

// --- Numbers that matrices have ---

GRADUS_API Tensor linalg_det(Operand A);
/// det(A) A^-T, which is the gradient of the determinant, singular matrices' too. (Not in PyTorch.) Of those it has a
/// gradient itself, but no second one: GradError.
GRADUS_API Tensor linalg_cofactor(Operand A);
/// (sign, log|det|): of a singular A 0 and -infinity.
GRADUS_API std::tuple<Tensor, Tensor> linalg_slogdet(Operand A);
/// How many singular values (eigenvalues when `hermitian`) are above the bound of linalg_pinv; int64.
GRADUS_API Tensor linalg_matrix_rank(Operand A, std::optional<double> atol, std::optional<double> rtol,
                                     bool hermitian = false);
GRADUS_API Tensor linalg_matrix_rank(Operand A, double atol, double rtol, bool hermitian = false);
GRADUS_API Tensor linalg_matrix_rank(Operand A, double tol, bool hermitian = false);
GRADUS_API Tensor linalg_matrix_rank(Operand A);
/// |A| |A^-1| in the norm p (2 unless given; "fro", "nuc" too).
GRADUS_API Tensor linalg_cond(Operand A, const std::optional<Scalar>& p = {});
GRADUS_API Tensor linalg_cond(Operand A, std::string_view p);

/// (sum |x|^ord)^(1/ord) over the dimensions, over all of x where none are named; 0 counts, infinities are extremes.
GRADUS_API Tensor linalg_vector_norm(Operand x, const Scalar& ord = 2, OptionalIntArrayRef dim = {},
                                     bool keepdim = false, std::optional<DType> dtype = {});
/// Of the matrices in two dimensions: "fro", "nuc", and as a number 2 and -2 (singular values), 1, -1 (sums of columns),
/// infinity, -infinity (of rows). ValueError for others.
GRADUS_API Tensor linalg_matrix_norm(Operand A, const Scalar& ord, IntArrayRef dim = {-2, -1}, bool keepdim = false,
                                     std::optional<DType> dtype = {});
GRADUS_API Tensor linalg_matrix_norm(Operand A, std::string_view ord = "fro", IntArrayRef dim = {-2, -1},
                                     bool keepdim = false, std::optional<DType> dtype = {});
/// A vector's norm for one dimension, a matrix's for two; without ord 2 of all that is there.
GRADUS_API Tensor linalg_norm(Operand x, const std::optional<Scalar>& ord = {}, OptionalIntArrayRef dim = {},
                              bool keepdim = false, std::optional<DType> dtype = {});
GRADUS_API Tensor linalg_norm(Operand x, std::string_view ord, OptionalIntArrayRef dim = {}, bool keepdim = false,
                              std::optional<DType> dtype = {});

/// linalg_matrix_norm's "nuc".
GRADUS_API Tensor nuclear_norm(Operand A, bool keepdim = false);
GRADUS_API Tensor nuclear_norm(Operand A, IntArrayRef dim, bool keepdim = false);

// --- Functions and products ---

/// e^A = sum A^k / k!, by scaling and squaring with Pade's approximant (Higham 2005). Its gradient is a block of the
/// exponential of [[A^T, dy], [0, A^T]] (Mathias 1996).
GRADUS_API Tensor linalg_matrix_exp(Operand A);
/// A multiplied by itself n times, its inverse for n < 0.
GRADUS_API Tensor linalg_matrix_power(Operand A, std::int64_t n);
/// The product of matrices in the order of fewest operations; the first and the last may be vectors.
GRADUS_API Tensor linalg_multi_dot(OperandList matrices);
GRADUS_API Tensor linalg_matmul(Operand A, Operand B);
/// sum x y along a dimension.
GRADUS_API Tensor linalg_vecdot(Operand x, Operand y, std::int64_t dim = -1);
/// The cross product along a dimension of size 3.
GRADUS_API Tensor linalg_cross(Operand x, Operand y, std::int64_t dim = -1);
/// As diagonal, of the last two dimensions.
GRADUS_API Tensor linalg_diagonal(Operand A, std::int64_t offset = 0, std::int64_t dim1 = -2, std::int64_t dim2 = -1);

namespace linalg {

inline Tensor cholesky(Operand A, bool upper = false) { return linalg_cholesky(A, upper); }
inline std::tuple<Tensor, Tensor> cholesky_ex(Operand A, bool upper = false, bool check_errors = false) {
  return linalg_cholesky_ex(A, upper, check_errors);
}
inline std::tuple<Tensor, Tensor> qr(Operand A, std::string_view mode = "reduced") { return linalg_qr(A, mode); }
inline std::tuple<Tensor, Tensor, Tensor> lu(Operand A, bool pivot = true) { return linalg_lu(A, pivot); }
inline std::tuple<Tensor, Tensor> lu_factor(Operand A, bool pivot = true) { return linalg_lu_factor(A, pivot); }
inline std::tuple<Tensor, Tensor, Tensor> lu_factor_ex(Operand A, bool pivot = true, bool check_errors = false) {
  return linalg_lu_factor_ex(A, pivot, check_errors);
}
inline Tensor lu_solve(Operand LU, Operand pivots, Operand B, bool left = true, bool adjoint = false) {
  return linalg_lu_solve(LU, pivots, B, left, adjoint);
}
inline std::tuple<Tensor, Tensor> eigh(Operand A, std::string_view UPLO = "L") { return linalg_eigh(A, UPLO); }
inline Tensor eigvalsh(Operand A, std::string_view UPLO = "L") { return linalg_eigvalsh(A, UPLO); }
inline std::tuple<Tensor, Tensor, Tensor> svd(Operand A, bool full_matrices = true,
                                              std::optional<std::string_view> driver = {}) {
  return linalg_svd(A, full_matrices, driver);
}
inline Tensor svdvals(Operand A, std::optional<std::string_view> driver = {}) { return linalg_svdvals(A, driver); }
inline Tensor solve(Operand A, Operand B, bool left = true) { return linalg_solve(A, B, left); }
inline std::tuple<Tensor, Tensor> solve_ex(Operand A, Operand B, bool left = true, bool check_errors = false) {
  return linalg_solve_ex(A, B, left, check_errors);
}
inline Tensor solve_triangular(Operand A, Operand B, bool upper, bool left = true, bool unitriangular = false) {
  return linalg_solve_triangular(A, B, upper, left, unitriangular);
}
inline std::tuple<Tensor, Tensor, Tensor, Tensor> lstsq(Operand A, Operand B, std::optional<double> rcond = {},
                                                        std::optional<std::string_view> driver = {}) {
  return linalg_lstsq(A, B, rcond, driver);
}
inline Tensor inv(Operand A) { return linalg_inv(A); }
inline std::tuple<Tensor, Tensor> inv_ex(Operand A, bool check_errors = false) {
  return linalg_inv_ex(A, check_errors);
}
inline Tensor pinv(Operand A, std::optional<double> atol, std::optional<double> rtol, bool hermitian = false) {
  return linalg_pinv(A, atol, rtol, hermitian);
}
inline Tensor pinv(Operand A, double atol, double rtol, bool hermitian = false) {
  return linalg_pinv(A, atol, rtol, hermitian);
}
inline Tensor pinv(Operand A, double rcond, bool hermitian = false) { return linalg_pinv(A, rcond, hermitian); }
inline Tensor pinv(Operand A) { return linalg_pinv(A); }
inline Tensor det(Operand A) { return linalg_det(A); }
inline Tensor cofactor(Operand A) { return linalg_cofactor(A); }
inline std::tuple<Tensor, Tensor> slogdet(Operand A) { return linalg_slogdet(A); }
inline Tensor matrix_rank(Operand A, std::optional<double> atol, std::optional<double> rtol, bool hermitian = false) {
  return linalg_matrix_rank(A, atol, rtol, hermitian);
}
inline Tensor matrix_rank(Operand A, double atol, double rtol, bool hermitian = false) {
  return linalg_matrix_rank(A, atol, rtol, hermitian);
}
inline Tensor matrix_rank(Operand A, double tol, bool hermitian = false) {
  return linalg_matrix_rank(A, tol, hermitian);
}
inline Tensor matrix_rank(Operand A) { return linalg_matrix_rank(A); }
inline Tensor cond(Operand A, const std::optional<Scalar>& p = {}) { return linalg_cond(A, p); }
inline Tensor cond(Operand A, std::string_view p) { return linalg_cond(A, p); }
inline Tensor vector_norm(Operand x, const Scalar& ord = 2, OptionalIntArrayRef dim = {}, bool keepdim = false,
                          std::optional<DType> dtype = {}) {
  return linalg_vector_norm(x, ord, dim, keepdim, dtype);
}
inline Tensor matrix_norm(Operand A, const Scalar& ord, IntArrayRef dim = {-2, -1}, bool keepdim = false,
                          std::optional<DType> dtype = {}) {
  return linalg_matrix_norm(A, ord, dim, keepdim, dtype);
}
inline Tensor matrix_norm(Operand A, std::string_view ord = "fro", IntArrayRef dim = {-2, -1}, bool keepdim = false,
                          std::optional<DType> dtype = {}) {
  return linalg_matrix_norm(A, ord, dim, keepdim, dtype);
}
inline Tensor norm(Operand x, const std::optional<Scalar>& ord = {}, OptionalIntArrayRef dim = {}, bool keepdim = false,
                   std::optional<DType> dtype = {}) {
  return linalg_norm(x, ord, dim, keepdim, dtype);
}
inline Tensor norm(Operand x, std::string_view ord, OptionalIntArrayRef dim = {}, bool keepdim = false,
                   std::optional<DType> dtype = {}) {
  return linalg_norm(x, ord, dim, keepdim, dtype);
}
inline Tensor matrix_exp(Operand A) { return linalg_matrix_exp(A); }
inline Tensor matrix_power(Operand A, std::int64_t n) { return linalg_matrix_power(A, n); }
inline Tensor multi_dot(OperandList matrices) { return linalg_multi_dot(matrices); }
inline Tensor matmul(Operand A, Operand B) { return linalg_matmul(A, B); }
inline Tensor vecdot(Operand x, Operand y, std::int64_t dim = -1) { return linalg_vecdot(x, y, dim); }
inline Tensor cross(Operand x, Operand y, std::int64_t dim = -1) { return linalg_cross(x, y, dim); }
inline Tensor diagonal(Operand A, std::int64_t offset = 0, std::int64_t dim1 = -2, std::int64_t dim2 = -1) {
  return linalg_diagonal(A, offset, dim1, dim2);
}

}  // namespace linalg

}  // namespace gradus
