#include "expect.h"

#include "fail.h"

namespace gradus::core::detail {

void fail_undefined(std::string_view op, const char* what) {
  fail<ValueError>("{}: {} must be defined: it has neither storage nor shape", op, what);
}
void fail_floating(std::string_view op, const char* what, DType dtype) {
  fail<DTypeError>("{}: {} must be floating: {}; to(kFloat) converts", op, what, dtype);
}
void fail_numeric(std::string_view op, const char* what) {
  fail<DTypeError>("{}: {} must be numeric: bool; to(kFloat32) converts", op, what);
}
void fail_bool(std::string_view op, const char* what, DType dtype) {
  fail<DTypeError>("{}: {} must be bool: {}; a comparison gives one", op, what, dtype);
}
void fail_dtype(std::string_view op, const char* what, DType dtype, const char* of, DType wanted) {
  fail<DTypeError>("{}: {} must have {}'s dtype: {} for {}; to() converts", op, what, of, dtype, wanted);
}
void fail_form(std::string_view op, const char* what, const char* form, IntArrayRef shape) {
  fail<ShapeError>("{}: {} must be {}: {}", op, what, form, shape);
}
void fail_shape(std::string_view op, const char* what, IntArrayRef shape, const char* form, IntArrayRef wanted) {
  fail<ShapeError>("{}: {} must be {}: {} for {}", op, what, form, shape, wanted);
}
void fail_same_shape(std::string_view op, const char* what, IntArrayRef shape, const char* of, IntArrayRef wanted,
                     const char* cure) {
  fail<ShapeError>("{}: {} must have {}'s shape: {} for {} {}{}{}", op, what, of, shape, of, wanted,
                   cure == nullptr ? "" : "; ", cure == nullptr ? "" : cure);
}
void fail_own_memory(std::string_view op, IntArrayRef shape, IntArrayRef strides) {
  fail<ValueError>("{}: each element written to must have its own memory: shape {} with strides {}; clone() it first",
                   op, shape, strides);
}
void fail_probability(std::string_view op, const char* what, double p) {
  fail<ValueError>("{}: {} must be in [0, 1]: {}", op, what, p);
}
void fail_whole(std::string_view op, const char* what, double factor, DType dtype) {
  const char* const bound = factor == std::trunc(factor) ? " below 2^53" : "";
  fail<ValueError>("{}: {} must be a whole number{} for {}: {}; to(kFloat) converts", op, what, bound, dtype, factor);
}

}  // namespace gradus::core::detail
