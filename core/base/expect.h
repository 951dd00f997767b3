// What public functions check of their arguments, each with one wording: "op: what must hold: what it is; the cure".
// For the library's own sources.
#pragma once

#include "dtype.h"
#include "errors.h"
#include "export.h"
#include "shape.h"

namespace gradus::core {

namespace detail {
[[noreturn, gnu::cold]] GRADUS_API void fail_floating(const char* op, const char* what, DType dtype);
[[noreturn, gnu::cold]] GRADUS_API void fail_dtype(const char* op, const char* what, DType dtype, const char* of,
                                                   DType wanted);
[[noreturn, gnu::cold]] GRADUS_API void fail_form(const char* op, const char* what, const char* form,
                                                  IntArrayRef shape);
[[noreturn, gnu::cold]] GRADUS_API void fail_shape(const char* op, const char* what, IntArrayRef shape,
                                                   const char* form, IntArrayRef wanted);
[[noreturn, gnu::cold]] GRADUS_API void fail_same_shape(const char* op, const char* what, IntArrayRef shape,
                                                        const char* of, IntArrayRef wanted, const char* cure);
}  // namespace detail

/// DTypeError: "dropout: input must be floating: int64; to(kFloat) converts".
inline void expect_floating(const char* op, const char* what, DType dtype) {
  if (!is_floating_point(dtype)) [[unlikely]]
    detail::fail_floating(op, what, dtype);
}
/// DTypeError: "batch_norm: weight must have input's dtype: float64 for float32; to() converts".
inline void expect_dtype(const char* op, const char* what, DType dtype, const char* of, DType wanted) {
  if (dtype != wanted) [[unlikely]]
    detail::fail_dtype(op, what, dtype, of, wanted);
}
/// ShapeError unless it holds: "batch_norm: input must be [N, C, ..]: [3]".
inline void expect_form(bool holds, const char* op, const char* what, const char* form, IntArrayRef shape) {
  if (!holds) [[unlikely]]
    detail::fail_form(op, what, form, shape);
}
/// ShapeError: "batch_norm: weight must be [C]: [4] for [3]".
inline void expect_shape(const char* op, const char* what, IntArrayRef shape, const char* form, IntArrayRef wanted) {
  if (!(shape == wanted)) [[unlikely]]
    detail::fail_shape(op, what, shape, form, wanted);
}
/// ShapeError: "mse_loss: target must have input's shape: [3] for input [3, 4]", and the cure where there is one.
inline void expect_same_shape(const char* op, const char* what, IntArrayRef shape, const char* of, IntArrayRef wanted,
                              const char* cure = nullptr) {
  if (!(shape == wanted)) [[unlikely]]
    detail::fail_same_shape(op, what, shape, of, wanted, cure);
}

}  // namespace gradus::core
