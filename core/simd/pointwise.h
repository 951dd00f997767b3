// The tables of element-by-element kernels: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"
#include "../base/pointwise_rows.h"

namespace gradus::core::kernels {

/// Computes n elements of contiguous operands. `out` may be one of the operands. The bits of an element depend on the
/// operands at its place only, never on n or on where the block begins.
using Kernel = void (*)(void* out, const void* const* in, std::size_t n, const void* param);

// Each yields nullptr where the operation is not defined for the dtype. Operands and result have the dtype, but for
// results that are Bool by nature.
Kernel unary_kernel(Unary op, DType dtype);
Kernel binary_kernel(Binary op, DType dtype);
/// The same where operand `which` is a single number: in[which] points to that. nullptr where there is no such kernel,
/// and the number has to be written out as often as it is read.
Kernel number_kernel(Binary op, DType dtype, int which);
/// a + alpha b; param: alpha, of the dtype.
Kernel add_scaled_kernel(DType dtype);
/// in[0] ? in[1] : in[2], the condition being Bool.
Kernel where_kernel(DType dtype);
/// param: two numbers of the dtype, low and high.
Kernel clamp_kernel(DType dtype);
/// x^exponent for the few exponents that need no pow; nullptr for the rest.
Kernel power_kernel(double exponent, DType dtype);

// The families behind the tables, one file each.
Kernel arithmetic_kernel(Unary op, DType dtype);
Kernel arithmetic_kernel(Binary op, DType dtype);
Kernel predicate_kernel(Unary op, DType dtype);
Kernel predicate_kernel(Binary op, DType dtype);
Kernel math_kernel(Unary op, DType dtype);
Kernel float32_pow_kernel();
Kernel library_math_kernel(Unary op, DType dtype);
Kernel library_math_kernel(Binary op, DType dtype);

}  // namespace gradus::core::kernels
