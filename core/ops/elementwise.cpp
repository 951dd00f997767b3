#include "elementwise.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "../array/create.h"
#include "../base/fail.h"
#include "../loops/copy.h"
#include "../loops/run.h"
#include "../simd/elementwise.h"

namespace gradus::core {
namespace {

using kernels::Element;
using kernels::Elementwise;

struct Numbers {
  Numbers(std::initializer_list<double> numbers, DType dtype) {
    std::size_t at = 0;
    for (const double number : numbers) {
      const Element element(number, dtype);
      for (std::int64_t i = 0; i < size_of(dtype); ++i) bytes[at++] = element.bytes[i];
    }
  }
  alignas(8) unsigned char bytes[24] = {};
};

/// In a floating dtype, in one pass.
Array run(const char* op, Elementwise which, std::initializer_list<const Array*> operands, DType dtype,
          std::initializer_list<double> numbers = {}) {
  Shape shape = (*operands.begin())->shape();
  const Numbers param(numbers, dtype);
  kernels::Loop loop;
  loop.result = dtype;
  loop.count = 0;
  for (const Array* x : operands) {
    shape = broadcast_shapes(shape, x->shape(), op);
    loop.inputs[loop.count++] = kernels::Input(*x, dtype);
  }
  loop.kernel = kernels::elementwise_kernel(which, dtype);
  loop.param = param.bytes;
  Array y = empty(shape, dtype);
  kernels::run(y, loop);
  return y;
}

void check_defined(const char* op, std::initializer_list<const Array*> operands) {
  for (const Array* x : operands) {
    if (!x->defined()) fail<ValueError>("{}: the operand must be defined: it has neither storage nor shape", op);
  }
}
/// The floating dtype in which operands meet.
DType common(const char* op, std::initializer_list<const Array*> operands) {
  check_defined(op, operands);
  Array seen = **operands.begin();
  DType dtype = seen.dtype();
  for (const Array* x : operands) {
    dtype = result_type(seen, *x);
    if (seen.dtype() != dtype || x->dim() > seen.dim())
      seen = empty(Shape::filled(std::max(x->dim(), seen.dim()), 0), dtype);
  }
  return dtype;
}
DType floating(const char* op, std::initializer_list<const Array*> operands) {
  const DType dtype = common(op, operands);
  if (!is_floating_point(dtype)) {
    fail<DTypeError>("{}: the operand must be floating-point: {}; convert it with to(kFloat32)", op, dtype);
  }
  return dtype;
}

}  // namespace

Array frac(const Array& x) { return run("frac", Elementwise::Frac, {&x}, floating("frac", {&x})); }
Array nan_to_num(const Array& x, std::optional<double> nan, std::optional<double> posinf,
                 std::optional<double> neginf) {
  check_defined("nan_to_num", {&x});
  if (!is_floating_point(x.dtype())) return x.clone();
  const double most = x.dtype() == kFloat32 ? static_cast<double>(std::numeric_limits<float>::max())
                                            : std::numeric_limits<double>::max();
  return run("nan_to_num", Elementwise::NanToNum, {&x}, x.dtype(),
             {nan.value_or(0), posinf.value_or(most), neginf.value_or(-most)});
}
Array hardshrink(const Array& x, double lambda) {
  return run("hardshrink", Elementwise::Hardshrink, {&x}, floating("hardshrink", {&x}), {lambda});
}
Array softshrink(const Array& x, double lambda) {
  return run("softshrink", Elementwise::Softshrink, {&x}, floating("softshrink", {&x}), {lambda});
}
Array threshold(const Array& x, double threshold, double value) {
  return run("threshold", Elementwise::Threshold, {&x}, floating("threshold", {&x}), {threshold, value});
}
Array hardsigmoid(const Array& x) {
  return run("hardsigmoid", Elementwise::Hardsigmoid, {&x}, floating("hardsigmoid", {&x}));
}
Array hardswish(const Array& x) { return run("hardswish", Elementwise::Hardswish, {&x}, floating("hardswish", {&x})); }
Array prelu(const Array& x, const Array& weight) {
  return run("prelu", Elementwise::Prelu, {&x, &weight}, floating("prelu", {&x, &weight}));
}
Array copysign(const Array& a, const Array& b) {
  const DType dtype = common("copysign", {&a, &b});
  return run("copysign", Elementwise::Copysign, {&a, &b}, is_floating_point(dtype) ? dtype : kFloat32);
}
Array fmax(const Array& a, const Array& b) {
  const DType dtype = common("fmax", {&a, &b});
  return is_floating_point(dtype) ? run("fmax", Elementwise::Fmax, {&a, &b}, dtype) : maximum(a, b);
}
Array fmin(const Array& a, const Array& b) {
  const DType dtype = common("fmin", {&a, &b});
  return is_floating_point(dtype) ? run("fmin", Elementwise::Fmin, {&a, &b}, dtype) : minimum(a, b);
}
Array lerp(const Array& a, const Array& b, double weight) {
  return run("lerp", Elementwise::LerpNumber, {&a, &b}, floating("lerp", {&a, &b}), {weight});
}
Array lerp(const Array& a, const Array& b, const Array& weight) {
  return run("lerp", Elementwise::Lerp, {&a, &b, &weight}, floating("lerp", {&a, &b, &weight}));
}
Array addcmul(const Array& x, const Array& a, const Array& b, const Scalar& value) {
  const DType dtype = common("addcmul", {&x, &a, &b});
  if (!is_floating_point(dtype)) return add_scaled(x, a * b, value);
  return run("addcmul", Elementwise::Addcmul, {&x, &a, &b}, dtype, {value.toDouble()});
}
Array addcdiv(const Array& x, const Array& a, const Array& b, const Scalar& value) {
  return run("addcdiv", Elementwise::Addcdiv, {&x, &a, &b}, floating("addcdiv", {&x, &a, &b}), {value.toDouble()});
}

}  // namespace gradus::core
