// The tables of element-by-element kernels: internal to core.
#pragma once

#include <cstddef>

#include "../base/dtype.h"
#include "../base/operation_key.h"

namespace gradus::core::kernels {

/// Computes n elements of contiguous operands. `out` may be one of the operands. The bits of an element depend on the
/// operands at its place only, never on n or on where the block begins.
using Kernel = void (*)(void* out, const void* const* in, std::size_t n, const void* param);

// Each yields nullptr where the operation is not defined for the dtype. Operands and result have the dtype, but for
// results that are Bool by nature. An operation is known by the key of its name; which of these has its kernel its row in
// core/ops/pointwise.h says.
Kernel exact_unary(OperationKey op, DType dtype);
Kernel exact_binary(OperationKey op, DType dtype);
Kernel predicate_unary(OperationKey op, DType dtype);
Kernel predicate_binary(OperationKey op, DType dtype);
Kernel math_unary(OperationKey op, DType dtype);
Kernel special_binary(OperationKey op, DType dtype);
/// In the place of the C library's functions, or of our own of one number or two.
Kernel special_function(OperationKey op, DType dtype);
/// The function that `param` points to, number by number; of two numbers: call2.
void call_float32(void* out, const void* const* in, std::size_t n, const void* param);
void call_float64(void* out, const void* const* in, std::size_t n, const void* param);
void call2_float32(void* out, const void* const* in, std::size_t n, const void* param);
void call2_float64(void* out, const void* const* in, std::size_t n, const void* param);
/// A binary operation of core/simd/arithmetic.cpp where operand `which` is a single number: in[which] points to that.
/// nullptr where there is no such kernel, and the number has to be written out as often as it is read.
Kernel number_kernel(OperationKey op, DType dtype, int which);
/// a + alpha b; param: alpha, of the dtype.
Kernel add_scaled_kernel(DType dtype);
/// in[0] ? in[1] : in[2], the condition being Bool.
Kernel where_kernel(DType dtype);
/// param: two numbers of the dtype, low and high.
Kernel clamp_kernel(DType dtype);
/// x^exponent for the few exponents that need no pow; nullptr for the rest.
Kernel power_kernel(double exponent, DType dtype);

/// pow of float32.
Kernel float32_pow_kernel();

}  // namespace gradus::core::kernels
