// What the sources of linear algebra share. For the library's own sources.
#pragma once

#include <cstdint>
#include <string>

#include "../../core/ops/linalg.h"
#include "../graph/operation.h"
#include "linalg.h"

namespace gradus::autograd::detail {

/// The transpose of matrices.
inline Tensor mT(const Tensor& x) { return x.transpose(-2, -1); }
/// x with two more dimensions, of size 1: a number for each matrix.
inline Tensor for_matrices(const Tensor& x) { return x.unsqueeze(-1).unsqueeze(-1); }
/// A gradient that may be absent.
inline bool came(const Tensor& dy) { return dy.defined(); }
/// What would be infinitely many zeros: 1 on the diagonal of E, which divides what is antisymmetric.
Tensor with_ones_on_diagonal(const Tensor& x);
/// x plus vectors on its matrices' diagonals.
Tensor add_diagonal(const Tensor& x, const Tensor& diagonal);
/// Matrices with these on their diagonals.
Tensor diagonal_matrix(const Tensor& diagonal);

/// ShapeError unless square, of 2 dimensions or more.
void expect_square(const char* op, const Tensor& A);
void expect_matrix(const char* op, const Tensor& A);
/// Whether the symmetric matrix is read from its upper triangle: of "L", "U". ValueError.
bool reads_upper(const char* op, std::string_view UPLO);
/// Both with one batch shape, which theirs broadcast to. ShapeError.
std::tuple<Tensor, Tensor> broadcast_batches(const char* op, const Tensor& A, const Tensor& B);

/// ValueError naming the first matrix whose LAPACK has something to say: "op: WHAT: SAYS 2 (batch index [1]); CURE".
void expect_info_0(const char* op, const core::Array& info, const char* what, const char* says, const char* cure);

}  // namespace gradus::autograd::detail
