// Element-by-element operations on arrays. Operands broadcast, dtypes promote as PyTorch's, any strides are read.
//
// Each is one row here: its name, what it yields, where its kernel is found. A row is its function, too:
//
//   const Array y = core::exp(x), z = core::maximum(x, y);      // x and y may be numbers
//   core::exp.write(out, x);                                    // into an array that is there
//
// A function of the C library is complete with its row. A kernel of another kind is one case in core/simd, under the row's
// name.
//
// Accuracy. Special values (NaN, infinities, zeros with their signs, subnormals) are the C library's; gelu, gelu_tanh
// and silu, which are in core/nn/activation.h, are -0 at -inf, their limit. The largest errors, in units of the last place
// of the exact result: what is promised on every instruction set, and what tests/programs/ulp_table.cpp measures with three
// times its samples (it prints this): the worst of AVX2, SSE4 and portable code, and AVX-512, which has tables of its own. (gelu
// of float32: over every seventh number between -14.6 and -0.5.) tests/core/test_math.cpp reads the promises here. Functions
// that are not in the table, and pow of float64, are the C library's; x^2, 1/x and the root are what they are outside pow,
// and x^3 is the product x x x, within 1.5 ULP.
//
//               float32   float64 ULP   measured           AVX-512
//   exp         1         1         0.99      0.98      0.90      0.98
//   exp2        0.51      1.1       0.50      1.01      0.50      1.01
//   expm1       2         2         1.45      1.86      1.45      1.77
//   log         1         1         0.86      0.82      0.84      0.82
//   log1p       1         1         0.87      0.83      0.85      0.83
//   log2        0.51      1         0.50      0.76      0.50      0.76
//   log10       0.51      1         0.50      0.67      0.50      0.67
//   sin         0.6       1         0.56      0.75      0.56      0.75
//   cos         0.6       1         0.56      0.75      0.56      0.75
//   tanh        2.5       2.5       2.27      2.33      1.39      2.33
//   sigmoid     2.5       2.5       2.25      2.30      2.25      2.30
//   erf         1.5       1.5       1.14      1.15      1.04      1.15
//   sqrt        0.5       0.5       0.50      0.50      0.50      0.50
//   rsqrt       1.5       1.5       1.48      1.48      1.48      1.48
//   reciprocal  0.5       0.5       0.50      0.50      0.50      0.50
//   gelu        6         6         5.48      4.32      5.31      4.29
//   gelu_tanh   0.51      4         0.50      2.97      0.50      2.97
//   silu        3.5       3.5       2.77      2.74      2.77      2.74
//   softplus    2         2         1.49      1.51      1.49      1.51
//   pow         0.51      1         0.50      0.60
#pragma once

#include <math.h>

#include <optional>
#include <string_view>

#include "../array/array.h"
#include "../base/operation_key.h"
#include "special.h"

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

/// What an operation gives.
enum class Yields : std::uint8_t {
  Same,      ///< its operands' dtype
  Floating,  ///< the same, but float32 of integers
  Bool       ///< Bool
};

/// Where an operation's kernel is found, and so what an element costs.
enum class Kernels : std::uint8_t {
  Exact,      ///< core/simd/arithmetic.cpp: sums, products, quotients, roots, roundings, extremes
  Predicate,  ///< core/simd/predicate.cpp: comparisons and logic
  Math,       ///< core/simd/math.cpp: transcendental functions
  Each,       ///< core/simd/library_math.cpp: number by number, with a call each
  Library     ///< the C library's functions that the row names, with a call for each number
};

/// An operation on one operand.
struct UnaryRow {
  std::string_view name;
  Yields yields;
  Kernels kernels;
  float (*float32)(float) = nullptr;  ///< of Kernels::Library
  double (*float64)(double) = nullptr;
  OperationKey key = key_of(name);

  GRADUS_API Array operator()(const Array& x) const;
  /// Writes into `out`: any strides, x's shape (ShapeError), and a dtype that the result's category can be cast to
  /// (DTypeError). Safe when x is `out` itself or overlaps it. Counts as a write.
  GRADUS_API void write(const Array& out, const Array& x) const;
};

/// An operation on two operands that broadcast, at least one of them an array.
struct BinaryRow {
  std::string_view name;
  Yields yields;
  Kernels kernels;
  float (*float32)(float, float) = nullptr;  ///< of Kernels::Library
  double (*float64)(double, double) = nullptr;
  bool divides = false;  ///< integers cannot be divided by 0 (ValueError)
  OperationKey key = key_of(name);

  GRADUS_API Array operator()(const Operand& a, const Operand& b) const;
  /// As a UnaryRow's.
  GRADUS_API void write(const Array& out, const Operand& a, const Operand& b) const;
};

// clang-format off: one operation a line
inline constexpr UnaryRow neg{"neg", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow abs{"abs", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow sign{"sign", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow square{"square", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow relu{"relu", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow floor{"floor", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow ceil{"ceil", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow round{"round", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow trunc{"trunc", Yields::Same, Kernels::Exact};
inline constexpr UnaryRow sqrt{"sqrt", Yields::Floating, Kernels::Exact};
inline constexpr UnaryRow rsqrt{"rsqrt", Yields::Floating, Kernels::Exact};
inline constexpr UnaryRow reciprocal{"reciprocal", Yields::Floating, Kernels::Exact};
inline constexpr UnaryRow exp{"exp", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow exp2{"exp2", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow expm1{"expm1", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow log{"log", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow log1p{"log1p", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow log2{"log2", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow log10{"log10", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow sin{"sin", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow cos{"cos", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow tan{"tan", Yields::Floating, Kernels::Library, ::tanf, ::tan};
inline constexpr UnaryRow asin{"asin", Yields::Floating, Kernels::Library, ::asinf, ::asin};
inline constexpr UnaryRow acos{"acos", Yields::Floating, Kernels::Library, ::acosf, ::acos};
inline constexpr UnaryRow atan{"atan", Yields::Floating, Kernels::Library, ::atanf, ::atan};
inline constexpr UnaryRow sinh{"sinh", Yields::Floating, Kernels::Library, ::sinhf, ::sinh};
inline constexpr UnaryRow cosh{"cosh", Yields::Floating, Kernels::Library, ::coshf, ::cosh};
inline constexpr UnaryRow asinh{"asinh", Yields::Floating, Kernels::Library, ::asinhf, ::asinh};
inline constexpr UnaryRow acosh{"acosh", Yields::Floating, Kernels::Library, ::acoshf, ::acosh};
inline constexpr UnaryRow atanh{"atanh", Yields::Floating, Kernels::Library, ::atanhf, ::atanh};
inline constexpr UnaryRow tanh{"tanh", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow sigmoid{"sigmoid", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow erf{"erf", Yields::Floating, Kernels::Math};
inline constexpr UnaryRow erfc{"erfc", Yields::Floating, Kernels::Library, ::erfcf, ::erfc};
inline constexpr UnaryRow lgamma{"lgamma", Yields::Floating, Kernels::Library, lgamma_of, lgamma_of};
inline constexpr UnaryRow digamma{"digamma", Yields::Floating, Kernels::Library, digamma_of, digamma_of};
inline constexpr UnaryRow logical_not{"logical_not", Yields::Bool, Kernels::Predicate};
inline constexpr UnaryRow isnan{"isnan", Yields::Bool, Kernels::Predicate};
inline constexpr UnaryRow isinf{"isinf", Yields::Bool, Kernels::Predicate};
inline constexpr UnaryRow isfinite{"isfinite", Yields::Bool, Kernels::Predicate};

/// Remainder has the sign of the divisor (Python's %), fmod that of the dividend. Maximum and minimum keep NaN.
inline constexpr BinaryRow add{"add", Yields::Same, Kernels::Exact};
inline constexpr BinaryRow sub{"sub", Yields::Same, Kernels::Exact};
inline constexpr BinaryRow mul{"mul", Yields::Same, Kernels::Exact};
inline constexpr BinaryRow div{"div", Yields::Floating, Kernels::Exact};
inline constexpr BinaryRow maximum{"maximum", Yields::Same, Kernels::Exact};
inline constexpr BinaryRow minimum{"minimum", Yields::Same, Kernels::Exact};
inline constexpr BinaryRow pow{"pow", Yields::Same, Kernels::Each};
inline constexpr BinaryRow fmod{.name = "fmod", .yields = Yields::Same, .kernels = Kernels::Each, .divides = true};
inline constexpr BinaryRow remainder{
    .name = "remainder", .yields = Yields::Same, .kernels = Kernels::Each, .divides = true};
inline constexpr BinaryRow atan2{"atan2", Yields::Floating, Kernels::Library, ::atan2f, ::atan2};
inline constexpr BinaryRow hypot{"hypot", Yields::Floating, Kernels::Library, ::hypotf, ::hypot};
inline constexpr BinaryRow logaddexp{"logaddexp", Yields::Floating, Kernels::Library, logaddexp_of, logaddexp_of};
inline constexpr BinaryRow xlogy{"xlogy", Yields::Floating, Kernels::Library, xlogy_of, xlogy_of};
inline constexpr BinaryRow eq{"eq", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow ne{"ne", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow lt{"lt", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow le{"le", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow gt{"gt", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow ge{"ge", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow logical_and{"logical_and", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow logical_or{"logical_or", Yields::Bool, Kernels::Predicate};
inline constexpr BinaryRow logical_xor{"logical_xor", Yields::Bool, Kernels::Predicate};
// clang-format on

/// The dtype in which operands of two dtypes meet.
GRADUS_API DType result_type(const Operand& a, const Operand& b);
/// DTypeError, naming `op`, when numbers of dtype `result` are of a higher category (bool < integer < floating) than those
/// of `out`: they would lose what they are.
GRADUS_API void check_castable(std::string_view op, DType result, DType out);
/// DTypeError when one of them is Bool, whose difference has no meaning.
GRADUS_API void check_difference(DType a, DType b);
/// a + alpha b in one pass.
GRADUS_API Array add_scaled(const Operand& a, const Operand& b, const Scalar& alpha);
/// out <- a + alpha b in one pass; `out` as that of a row's write.
GRADUS_API void add_scaled_out(const Array& out, const Operand& a, const Operand& b, const Scalar& alpha);
/// condition ? a : b; the condition is Bool.
GRADUS_API Array where(const Array& condition, const Operand& a, const Operand& b);
/// Every element held within [low, high]; an absent bound is none, and integers stay in their dtype. NaN stays.
GRADUS_API Array clamp(const Array& x, const std::optional<Scalar>& low, const std::optional<Scalar>& high);

inline Array operator+(const Array& a, const Array& b) { return add(a, b); }
inline Array operator-(const Array& a, const Array& b) { return sub(a, b); }
inline Array operator*(const Array& a, const Array& b) { return mul(a, b); }
inline Array operator/(const Array& a, const Array& b) { return div(a, b); }
inline Array operator+(const Array& a, const Scalar& b) { return add(a, b); }
inline Array operator-(const Array& a, const Scalar& b) { return sub(a, b); }
inline Array operator*(const Array& a, const Scalar& b) { return mul(a, b); }
inline Array operator/(const Array& a, const Scalar& b) { return div(a, b); }
inline Array operator+(const Scalar& a, const Array& b) { return add(a, b); }
inline Array operator-(const Scalar& a, const Array& b) { return sub(a, b); }
inline Array operator*(const Scalar& a, const Array& b) { return mul(a, b); }
inline Array operator/(const Scalar& a, const Array& b) { return div(a, b); }
inline Array operator-(const Array& x) { return neg(x); }
inline Array operator>(const Array& a, const Operand& b) { return gt(a, b); }

}  // namespace gradus::core
