// Each second name calls the first.
#include "aliases.h"

#include "../../core/base/expect.h"
#include "functions.h"
#include "../tensor/tensor.h"

namespace gradus {

Tensor absolute(Operand x) { return abs(x); }
Tensor& absolute_(Operand x) { return abs_(x); }
Tensor negative(Operand x) { return neg(x); }
Tensor& negative_(Operand x) { return neg_(x); }
Tensor positive(Operand x) {
  core::expect_numeric("positive", "the operand", x.tensor());
  return x.tensor();
}
Tensor fix(Operand x) { return trunc(x); }
Tensor& fix_(Operand x) { return trunc_(x); }
Tensor arccos(Operand x) { return acos(x); }
Tensor& arccos_(Operand x) { return acos_(x); }
Tensor arccosh(Operand x) { return acosh(x); }
Tensor& arccosh_(Operand x) { return acosh_(x); }
Tensor arcsin(Operand x) { return asin(x); }
Tensor& arcsin_(Operand x) { return asin_(x); }
Tensor arcsinh(Operand x) { return asinh(x); }
Tensor& arcsinh_(Operand x) { return asinh_(x); }
Tensor arctan(Operand x) { return atan(x); }
Tensor& arctan_(Operand x) { return atan_(x); }
Tensor arctanh(Operand x) { return atanh(x); }
Tensor& arctanh_(Operand x) { return atanh_(x); }
Tensor greater(Operand a, Operand b) { return gt(a, b); }
Tensor greater(Operand a, const Scalar& b) { return gt(a, b); }
Tensor greater_equal(Operand a, Operand b) { return ge(a, b); }
Tensor greater_equal(Operand a, const Scalar& b) { return ge(a, b); }
Tensor less(Operand a, Operand b) { return lt(a, b); }
Tensor less(Operand a, const Scalar& b) { return lt(a, b); }
Tensor less_equal(Operand a, Operand b) { return le(a, b); }
Tensor less_equal(Operand a, const Scalar& b) { return le(a, b); }
Tensor not_equal(Operand a, Operand b) { return ne(a, b); }
Tensor not_equal(Operand a, const Scalar& b) { return ne(a, b); }
Tensor multiply(Operand a, Operand b) { return mul(a, b); }
Tensor multiply(Operand a, const Scalar& b) { return mul(a, b); }
Tensor divide(Operand a, Operand b) { return div(a, b); }
Tensor divide(Operand a, const Scalar& b) { return div(a, b); }
Tensor true_divide(Operand a, Operand b) { return div(a, b); }
Tensor true_divide(Operand a, const Scalar& b) { return div(a, b); }
Tensor arctan2(Operand a, Operand b) { return atan2(a, b); }
Tensor divide(Operand a, Operand b, std::optional<std::string_view> rounding_mode) { return div(a, b, rounding_mode); }
Tensor divide(Operand a, const Scalar& b, std::optional<std::string_view> rounding_mode) {
  return div(a, b, rounding_mode);
}
Tensor subtract(Operand a, Operand b, const Scalar& alpha) { return sub(a, b, alpha); }
Tensor subtract(Operand a, const Scalar& b, const Scalar& alpha) { return sub(a, b, alpha); }
Tensor clip(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  return clamp(x, low, high);
}
Tensor clip(Operand x, autograd::OptionalOperand low, autograd::OptionalOperand high) { return clamp(x, low, high); }
Tensor& clip_(Operand x, const std::optional<Scalar>& low, const std::optional<Scalar>& high) {
  return clamp_(x, low, high);
}
Tensor& clip_(Operand x, autograd::OptionalOperand low, autograd::OptionalOperand high) { return clamp_(x, low, high); }

}  // namespace gradus
