#include "expect.h"

#include "fail.h"

namespace gradus::core::detail {

void fail_floating(const char* op, const char* what, DType dtype) {
  fail<DTypeError>("{}: {} must be floating: {}; to(kFloat) converts", op, what, dtype);
}
void fail_dtype(const char* op, const char* what, DType dtype, const char* of, DType wanted) {
  fail<DTypeError>("{}: {} must have {}'s dtype: {} for {}; to() converts", op, what, of, dtype, wanted);
}
void fail_form(const char* op, const char* what, const char* form, IntArrayRef shape) {
  fail<ShapeError>("{}: {} must be {}: {}", op, what, form, shape);
}
void fail_shape(const char* op, const char* what, IntArrayRef shape, const char* form, IntArrayRef wanted) {
  fail<ShapeError>("{}: {} must be {}: {} for {}", op, what, form, shape, wanted);
}
void fail_same_shape(const char* op, const char* what, IntArrayRef shape, const char* of, IntArrayRef wanted,
                     const char* cure) {
  fail<ShapeError>("{}: {} must have {}'s shape: {} for {} {}{}{}", op, what, of, shape, of, wanted,
                   cure == nullptr ? "" : "; ", cure == nullptr ? "" : cure);
}

}  // namespace gradus::core::detail
