// + - * / %, comparisons and & | ^ ~ of tensors and numbers, and their compound assignments.
#pragma once

#include "../ops/functions.h"
#include "operand.h"
#include "tensor.h"

namespace gradus {

inline Tensor operator+(Operand a, Operand b) { return add(a, b); }
inline Tensor operator-(Operand a, Operand b) { return sub(a, b); }
inline Tensor operator*(Operand a, Operand b) { return mul(a, b); }
inline Tensor operator/(Operand a, Operand b) { return div(a, b); }
inline Tensor operator+(Operand a, const Scalar& b) { return add(a, b); }
inline Tensor operator-(Operand a, const Scalar& b) { return sub(a, b); }
inline Tensor operator*(Operand a, const Scalar& b) { return mul(a, b); }
inline Tensor operator/(Operand a, const Scalar& b) { return div(a, b); }
inline Tensor operator+(const Scalar& a, Operand b) { return add(b, a); }
inline Tensor operator-(const Scalar& a, Operand b) { return rsub(b, a); }
inline Tensor operator*(const Scalar& a, Operand b) { return mul(b, a); }
GRADUS_API Tensor operator/(const Scalar& a, Operand b);
inline Tensor operator-(Operand x) { return neg(x); }
inline Tensor operator==(Operand a, Operand b) { return eq(a, b); }
inline Tensor operator!=(Operand a, Operand b) { return ne(a, b); }
inline Tensor operator<(Operand a, Operand b) { return lt(a, b); }
inline Tensor operator<=(Operand a, Operand b) { return le(a, b); }
inline Tensor operator>(Operand a, Operand b) { return gt(a, b); }
inline Tensor operator>=(Operand a, Operand b) { return ge(a, b); }
inline Tensor operator==(Operand a, const Scalar& b) { return eq(a, b); }
inline Tensor operator!=(Operand a, const Scalar& b) { return ne(a, b); }
inline Tensor operator<(Operand a, const Scalar& b) { return lt(a, b); }
inline Tensor operator<=(Operand a, const Scalar& b) { return le(a, b); }
inline Tensor operator>(Operand a, const Scalar& b) { return gt(a, b); }
inline Tensor operator>=(Operand a, const Scalar& b) { return ge(a, b); }
inline Tensor operator==(const Scalar& a, Operand b) { return eq(b, a); }
inline Tensor operator!=(const Scalar& a, Operand b) { return ne(b, a); }
inline Tensor operator<(const Scalar& a, Operand b) { return gt(b, a); }
inline Tensor operator<=(const Scalar& a, Operand b) { return ge(b, a); }
inline Tensor operator>(const Scalar& a, Operand b) { return lt(b, a); }
inline Tensor operator>=(const Scalar& a, Operand b) { return le(b, a); }
inline Tensor operator%(Operand a, Operand b) { return remainder(a, b); }
inline Tensor operator%(Operand a, const Scalar& b) { return remainder(a, b); }
inline Tensor operator%(const Scalar& a, Operand b) { return remainder(a, b); }
inline Tensor operator!(Operand x) { return logical_not(x); }

inline Tensor operator&(Operand a, Operand b) { return bitwise_and(a, b); }
inline Tensor operator|(Operand a, Operand b) { return bitwise_or(a, b); }
inline Tensor operator^(Operand a, Operand b) { return bitwise_xor(a, b); }
inline Tensor operator&(Operand a, const Scalar& b) { return bitwise_and(a, b); }
inline Tensor operator|(Operand a, const Scalar& b) { return bitwise_or(a, b); }
inline Tensor operator^(Operand a, const Scalar& b) { return bitwise_xor(a, b); }
inline Tensor operator&(const Scalar& a, Operand b) { return bitwise_and(b, a); }
inline Tensor operator|(const Scalar& a, Operand b) { return bitwise_or(b, a); }
inline Tensor operator^(const Scalar& a, Operand b) { return bitwise_xor(b, a); }
inline Tensor operator~(Operand x) { return bitwise_not(x); }

inline Tensor& operator+=(autograd::Target a, Operand b) { return add_(a, b); }
inline Tensor& operator-=(autograd::Target a, Operand b) { return sub_(a, b); }
inline Tensor& operator*=(autograd::Target a, Operand b) { return mul_(a, b); }
inline Tensor& operator/=(autograd::Target a, Operand b) { return div_(a, b); }
inline Tensor& operator+=(autograd::Target a, const Scalar& b) { return add_(a, b); }
inline Tensor& operator-=(autograd::Target a, const Scalar& b) { return sub_(a, b); }
inline Tensor& operator*=(autograd::Target a, const Scalar& b) { return mul_(a, b); }
inline Tensor& operator/=(autograd::Target a, const Scalar& b) { return div_(a, b); }
inline Tensor& operator&=(autograd::Target a, Operand b) { return bitwise_and_(a, b); }
inline Tensor& operator|=(autograd::Target a, Operand b) { return bitwise_or_(a, b); }
inline Tensor& operator^=(autograd::Target a, Operand b) { return bitwise_xor_(a, b); }
inline Tensor& operator&=(autograd::Target a, const Scalar& b) { return bitwise_and_(a, b); }
inline Tensor& operator|=(autograd::Target a, const Scalar& b) { return bitwise_or_(a, b); }
inline Tensor& operator^=(autograd::Target a, const Scalar& b) { return bitwise_xor_(a, b); }

}  // namespace gradus
