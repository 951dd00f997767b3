// What public functions check of their arguments, each with one wording: "op: what must hold: what it is; the cure".
// For the library's own sources.
#pragma once

#include <cmath>
#include <string_view>

#include "dtype.h"
#include "errors.h"
#include "export.h"
#include "shape.h"

namespace gradus::core {

namespace detail {
[[noreturn, gnu::cold]] GRADUS_API void fail_undefined(std::string_view op, const char* what);
[[noreturn, gnu::cold]] GRADUS_API void fail_floating(std::string_view op, const char* what, DType dtype);
[[noreturn, gnu::cold]] GRADUS_API void fail_numeric(std::string_view op, const char* what);
[[noreturn, gnu::cold]] GRADUS_API void fail_bool(std::string_view op, const char* what, DType dtype);
[[noreturn, gnu::cold]] GRADUS_API void fail_dtype(std::string_view op, const char* what, DType dtype, const char* of,
                                                   DType wanted);
[[noreturn, gnu::cold]] GRADUS_API void fail_form(std::string_view op, const char* what, const char* form,
                                                  IntArrayRef shape);
[[noreturn, gnu::cold]] GRADUS_API void fail_shape(std::string_view op, const char* what, IntArrayRef shape,
                                                   const char* form, IntArrayRef wanted);
[[noreturn, gnu::cold]] GRADUS_API void fail_same_shape(std::string_view op, const char* what, IntArrayRef shape,
                                                        const char* of, IntArrayRef wanted, const char* cure);
[[noreturn, gnu::cold]] GRADUS_API void fail_own_memory(std::string_view op, IntArrayRef shape, IntArrayRef strides);
[[noreturn, gnu::cold]] GRADUS_API void fail_probability(std::string_view op, const char* what, double p);
[[noreturn, gnu::cold]] GRADUS_API void fail_whole(std::string_view op, const char* what, double factor, DType dtype);
}  // namespace detail

/// ValueError unless an Array or a Tensor is defined: "exp: the operand must be defined: it has neither storage nor shape".
template <class X>
inline void expect_defined(std::string_view op, const char* what, const X& x) {
  if (!x.defined()) [[unlikely]]
    detail::fail_undefined(op, what);
}
/// The same for several: `expect_defined(op, "input", x, "target", target)`.
template <class X, class... More>
inline void expect_defined(std::string_view op, const char* what, const X& x, const char* next, const More&... more) {
  expect_defined(op, what, x);
  expect_defined(op, next, more...);
}

// What follows takes an array or a tensor where it can, not its shape or dtype: of one that is undefined the first is said to
// be so, under its name.

/// DTypeError: "dropout: input must be floating: int64; to(kFloat) converts".
inline void expect_floating(std::string_view op, const char* what, DType dtype) {
  if (!is_floating_point(dtype)) [[unlikely]]
    detail::fail_floating(op, what, dtype);
}
template <class X>
inline void expect_floating(std::string_view op, const char* what, const X& x) {
  expect_defined(op, what, x);
  expect_floating(op, what, x.dtype());
}
/// DTypeError: "matmul: the operands must be numeric: bool; to(kFloat32) converts".
inline void expect_numeric(std::string_view op, const char* what, DType dtype) {
  if (dtype == kBool) [[unlikely]]
    detail::fail_numeric(op, what);
}
template <class X>
inline void expect_numeric(std::string_view op, const char* what, const X& x) {
  expect_defined(op, what, x);
  expect_numeric(op, what, x.dtype());
}
/// DTypeError: "where: the condition must be bool: float32; a comparison gives one".
inline void expect_bool(std::string_view op, const char* what, DType dtype) {
  if (dtype != kBool) [[unlikely]]
    detail::fail_bool(op, what, dtype);
}
/// DTypeError: "batch_norm: weight must have input's dtype: float64 for float32; to() converts".
inline void expect_dtype(std::string_view op, const char* what, DType dtype, const char* of, DType wanted) {
  if (dtype != wanted) [[unlikely]]
    detail::fail_dtype(op, what, dtype, of, wanted);
}
/// ShapeError unless it holds: "batch_norm: input must be [N, C, ..]: [3]".
inline void expect_form(bool holds, std::string_view op, const char* what, const char* form, IntArrayRef shape) {
  if (!holds) [[unlikely]]
    detail::fail_form(op, what, form, shape);
}
/// The same of the number of dimensions, from `least` to `most`.
template <class X>
inline void expect_dims(std::string_view op, const char* what, const X& x, std::int64_t least, std::int64_t most,
                        const char* form) {
  expect_defined(op, what, x);
  expect_form(x.dim() >= least && x.dim() <= most, op, what, form, x.sizes());
}
/// ShapeError: "batch_norm: weight must be [C]: [4] for [3]".
inline void expect_shape(std::string_view op, const char* what, IntArrayRef shape, const char* form,
                         IntArrayRef wanted) {
  if (!(shape == wanted)) [[unlikely]]
    detail::fail_shape(op, what, shape, form, wanted);
}
/// ShapeError: "mse_loss: target must have input's shape: [3] for input [3, 4]", and the cure where there is one.
inline void expect_same_shape(std::string_view op, const char* what, IntArrayRef shape, const char* of,
                              IntArrayRef wanted, const char* cure = nullptr) {
  if (!(shape == wanted)) [[unlikely]]
    detail::fail_same_shape(op, what, shape, of, wanted, cure);
}
template <class X, class Other>
requires requires(const X& x, const Other& other) { x.sizes(), other.sizes(); }
inline void expect_same_shape(std::string_view op, const char* what, const X& x, const char* of, const Other& other,
                              const char* cure = nullptr) {
  expect_defined(op, of, other, what, x);
  expect_same_shape(op, what, x.sizes(), of, other.sizes(), cure);
}
/// ShapeError or DTypeError unless an array has another's shape and dtype.
template <class Array>
inline void expect_alike(std::string_view op, const char* what, const Array& x, const char* of, const Array& other) {
  expect_same_shape(op, what, x, of, other);
  expect_dtype(op, what, x.dtype(), of, other.dtype());
}
/// ValueError where elements of an array that is written into share memory.
template <class Array>
inline void expect_own_memory(std::string_view op, const Array& out) {
  if (out.may_overlap_itself()) [[unlikely]]
    detail::fail_own_memory(op, out.shape(), out.strides());
}
/// ValueError unless what numbers of a dtype are multiplied by gives such numbers: "addmm: beta must be a whole number for
/// int64: 0.5; to(kFloat) converts".
inline void expect_whole(std::string_view op, const char* what, double factor, DType dtype) {
  constexpr double kAllExact = 9007199254740992;  // 2^53: below it no other whole number has been rounded to this one
  if (!is_floating_point(dtype) && !(factor == std::trunc(factor) && std::abs(factor) < kAllExact)) [[unlikely]]
    detail::fail_whole(op, what, factor, dtype);
}
/// The same where they are multiplied by the number itself, which may be any integer.
inline void expect_whole(std::string_view op, const char* what, const Scalar& factor, DType dtype) {
  if (factor.is_floating_point()) expect_whole(op, what, factor.toDouble(), dtype);
}
/// ValueError: "bernoulli_: p must be in [0, 1]: 1.5".
inline void expect_probability(std::string_view op, const char* what, double p) {
  if (!(p >= 0 && p <= 1)) [[unlikely]]
    detail::fail_probability(op, what, p);
}

}  // namespace gradus::core
