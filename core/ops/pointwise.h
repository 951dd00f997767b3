// Element-by-element operations on arrays. Operands broadcast, dtypes promote as PyTorch's, any strides are read.
// Every one of them is one entry of a table of kernels and one plan (core/ops/pointwise.cpp).
//
// Accuracy. Special values (NaN, infinities, zeros with their signs, subnormals) are the C library's; gelu, gelu_tanh
// and silu, which are in core/nn/activation.h, are -0 at -inf, their limit. The largest errors, in units of the last place
// of the exact result: what is promised on every instruction set, and what tests/programs/ulp_table.cpp measures, the
// worst of AVX2, SSE4 and portable code (it prints this). tests/core/test_math.cpp reads the promises here. Functions that are
// not in the table, and pow of float64, are the C library's; x^2, 1/x and the root are what they are outside pow, and x^3
// is the product x x x, within 1.5 ULP.
//
//               float32   float64 ULP    measured
//   exp         1         1         0.98      0.98
//   exp2        0.51      1         0.50      0.97
//   expm1       2         2         1.45      1.85
//   log         1         1         0.84      0.82
//   log1p       1         1         0.87      0.76
//   log2        0.51      1         0.50      0.74
//   log10       0.51      1         0.50      0.66
//   sin         0.6       1         0.56      0.75
//   cos         0.6       1         0.56      0.75
//   tanh        2.5       2.5       2.22      2.25
//   sigmoid     2.5       2.5       2.25      2.10
//   erf         1.5       1.5       1.04      1.15
//   sqrt        0.5       0.5       0.50      0.50
//   rsqrt       1.5       1.5       1.46      1.48
//   reciprocal  0.5       0.5       0.50      0.50
//   gelu        6         6         4.73      4.32
//   gelu_tanh   0.51      4         0.50      2.97
//   silu        3.5       3.5       2.70      2.74
//   softplus    2         2         1.47      1.48
//   pow         0.51      1         0.50      0.60
#pragma once

#include <optional>
#include <string_view>

#include "../array/array.h"
#include "../base/pointwise_rows.h"

namespace gradus::core {

/// A number or an array, as an operand; a number joins without raising an array's dtype within its category.
struct Operand {
  Operand(const Array& a) : array(&a) {}   // NOLINT(google-explicit-constructor)
  Operand(const Scalar& s) : number(s) {}  // NOLINT(google-explicit-constructor)
  template <class T>
  requires std::is_arithmetic_v<T> Operand(T value) : number(value) {}  // NOLINT(google-explicit-constructor)
  const Array* array = nullptr;
  Scalar number;
};

/// The dtype of a binary operation's result.
GRADUS_API DType result_type(const Operand& a, const Operand& b);

GRADUS_API Array unary(Unary op, const Array& x);
/// At least one operand is an Array.
GRADUS_API Array binary(Binary op, const Operand& a, const Operand& b);
/// Writes into `out` (any strides, exact shape of the broadcast; its dtype may be any that the result's category can be
/// cast to, else DTypeError); safe when operands are `out` itself or overlap it. ShapeError otherwise. Counts as a write.
GRADUS_API void unary_out(const Array& out, Unary op, const Array& x);
/// DTypeError, naming `op`, when numbers of dtype `result` are of a higher category (bool < integer < floating) than those
/// of `out`: they would lose what they are.
GRADUS_API void check_castable(std::string_view op, DType result, DType out);
/// DTypeError when one of them is Bool, whose difference has no meaning.
GRADUS_API void check_difference(DType a, DType b);
GRADUS_API void binary_out(const Array& out, Binary op, const Operand& a, const Operand& b);
/// out <- a + alpha b in one pass.
GRADUS_API void add_scaled_out(const Array& out, const Operand& a, const Operand& b, const Scalar& alpha);
GRADUS_API Array add_scaled(const Operand& a, const Operand& b, const Scalar& alpha);
/// condition ? a : b; the condition is Bool.
GRADUS_API Array where(const Array& condition, const Operand& a, const Operand& b);
/// Every element held within [low, high]; an absent bound is none, and integers stay in their dtype. NaN stays.
GRADUS_API Array clamp(const Array& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high);

inline Array operator+(const Array& a, const Array& b) { return binary(Binary::Add, a, b); }
inline Array operator-(const Array& a, const Array& b) { return binary(Binary::Sub, a, b); }
inline Array operator*(const Array& a, const Array& b) { return binary(Binary::Mul, a, b); }
inline Array operator/(const Array& a, const Array& b) { return binary(Binary::Div, a, b); }
inline Array operator+(const Array& a, const Scalar& b) { return binary(Binary::Add, a, b); }
inline Array operator-(const Array& a, const Scalar& b) { return binary(Binary::Sub, a, b); }
inline Array operator*(const Array& a, const Scalar& b) { return binary(Binary::Mul, a, b); }
inline Array operator/(const Array& a, const Scalar& b) { return binary(Binary::Div, a, b); }
inline Array operator+(const Scalar& a, const Array& b) { return binary(Binary::Add, a, b); }
inline Array operator-(const Scalar& a, const Array& b) { return binary(Binary::Sub, a, b); }
inline Array operator*(const Scalar& a, const Array& b) { return binary(Binary::Mul, a, b); }
inline Array operator/(const Scalar& a, const Array& b) { return binary(Binary::Div, a, b); }
inline Array operator-(const Array& x) { return unary(Unary::Neg, x); }
inline Array sqrt(const Array& x) { return unary(Unary::Sqrt, x); }
inline Array exp(const Array& x) { return unary(Unary::Exp, x); }
inline Array log(const Array& x) { return unary(Unary::Log, x); }
inline Array tanh(const Array& x) { return unary(Unary::Tanh, x); }
inline Array sigmoid(const Array& x) { return unary(Unary::Sigmoid, x); }
inline Array relu(const Array& x) { return unary(Unary::Relu, x); }
inline Array abs(const Array& x) { return unary(Unary::Abs, x); }
inline Array square(const Array& x) { return unary(Unary::Square, x); }
inline Array rsqrt(const Array& x) { return unary(Unary::Rsqrt, x); }
inline Array operator>(const Array& a, const Operand& b) { return binary(Binary::Gt, a, b); }

}  // namespace gradus::core
