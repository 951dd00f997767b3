// The pointwise operations by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradus::core {

/// One operand in, one out. Those from Sqrt on turn integers into float32; the last group yields Bool.
enum class Unary : std::uint8_t {
  // any numeric dtype in, the same out (Bool becomes an error for Neg)
  Neg,
  Abs,
  Sign,
  Square,
  Relu,
  Floor,
  Ceil,
  Round,
  Trunc,
  // floating out
  Sqrt,
  Rsqrt,
  Reciprocal,
  Exp,
  Exp2,
  Expm1,
  Log,
  Log1p,
  Log2,
  Log10,
  Sin,
  Cos,
  Tan,
  Asin,
  Acos,
  Atan,
  Sinh,
  Cosh,
  Tanh,
  Sigmoid,
  Erf,
  // Bool out
  LogicalNot,
  IsNan,
  IsInf,
  IsFinite,
  Count
};
/// Two operands in. Div, Atan2 turn integers into float32; comparisons and logical ones yield Bool. Remainder has the
/// sign of the divisor (Python's %), Fmod that of the dividend. Maximum and Minimum keep NaN.
enum class Binary : std::uint8_t {
  Add,
  Sub,
  Mul,
  Div,
  Pow,
  Maximum,
  Minimum,
  Fmod,
  Remainder,
  Atan2,
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  LogicalAnd,
  LogicalOr,
  LogicalXor,
  Count
};
constexpr std::string_view name_of(Unary op) {
  constexpr std::string_view names[] = {"neg",     "abs",   "sign",        "square", "relu",       "floor",   "ceil",
                                        "round",   "trunc", "sqrt",        "rsqrt",  "reciprocal", "exp",     "exp2",
                                        "expm1",   "log",   "log1p",       "log2",   "log10",      "sin",     "cos",
                                        "tan",     "asin",  "acos",        "atan",   "sinh",       "cosh",    "tanh",
                                        "sigmoid", "erf",   "logical_not", "isnan",  "isinf",      "isfinite"};
  static_assert(sizeof(names) / sizeof(names[0]) == static_cast<std::size_t>(Unary::Count));
  return names[static_cast<int>(op)];
}
constexpr std::string_view name_of(Binary op) {
  constexpr std::string_view names[] = {
      "add", "sub", "mul", "div", "pow", "maximum", "minimum",     "fmod",       "remainder",  "atan2",
      "eq",  "ne",  "lt",  "le",  "gt",  "ge",      "logical_and", "logical_or", "logical_xor"};
  static_assert(sizeof(names) / sizeof(names[0]) == static_cast<std::size_t>(Binary::Count));
  return names[static_cast<int>(op)];
}

}  // namespace gradus::core
