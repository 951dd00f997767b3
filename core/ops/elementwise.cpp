#include "elementwise_into.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "../array/create.h"
#include "../base/expect.h"
#include "../base/floating.h"
#include "../simd/elementwise.h"
#include "pointwise_call.h"

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

/// In a floating dtype, in one pass; into `out` where there is one.
Array run(const char* op, Elementwise which, std::initializer_list<const Array*> operands, DType dtype,
          std::initializer_list<double> numbers = {}, const Array* out = nullptr) {
  const DType compute = compute_dtype(dtype);
  const Numbers param(numbers, compute);
  Operand all[3] = {0, 0, 0};  // what is left of them has no shape, and is not read
  int count = 0;
  for (const Array* x : operands) all[count++] = *x;
  PointwiseCall call(op, {&all[0], &all[1], &all[2]});
  call.set(kernels::elementwise_kernel(which, compute), compute, dtype, param.bytes, sizeof param.bytes);
  call.loop.number_kernels[1] = kernels::elementwise_number_kernel(which, compute);
  for (int k = 0; k < count; ++k) call.read(all[k], compute);
  if (out == nullptr) return call.run();
  call.run_into(*out);
  return *out;
}

/// The dtype in which operands meet.
DType common(const char* op, std::initializer_list<const Array*> operands) {
  for (const Array* x : operands) expect_defined(op, "the operand", *x);
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
  expect_floating(op, "the operand", dtype);
  return dtype;
}
Array backward(const char* op, Elementwise which, const Array& dy, const Array& x,
               std::initializer_list<double> numbers = {}) {
  return run(op, which, {&dy, &x}, floating(op, {&dy, &x}), numbers);
}

}  // namespace

Array frac(const Array& x) { return run("frac", Elementwise::Frac, {&x}, floating("frac", {&x})); }
Array nan_to_num(const Array& x, std::optional<double> nan, std::optional<double> posinf,
                 std::optional<double> neginf) {
  expect_defined("nan_to_num", "the operand", x);
  if (!is_floating_point(x.dtype())) return x.clone();
  const double most = largest_of(x.dtype());
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
Array hardtanh_backward(const Array& dy, const Array& x, double low, double high) {
  return backward("hardtanh_backward", Elementwise::HardtanhBackward, dy, x, {low, high});
}
Array hardshrink_backward(const Array& dy, const Array& x, double lambda) {
  return backward("hardshrink_backward", Elementwise::HardshrinkBackward, dy, x, {lambda});
}
Array threshold_backward(const Array& dy, const Array& x, double threshold) {
  return backward("threshold_backward", Elementwise::ThresholdBackward, dy, x, {threshold});
}
Array hardsigmoid_backward(const Array& dy, const Array& x) {
  return backward("hardsigmoid_backward", Elementwise::HardsigmoidBackward, dy, x);
}
Array hardswish_backward(const Array& dy, const Array& x) {
  return backward("hardswish_backward", Elementwise::HardswishBackward, dy, x);
}
Array prelu_backward(const Array& dy, const Array& x, const Array& weight) {
  return run("prelu_backward", Elementwise::PreluBackward, {&dy, &x, &weight},
             floating("prelu_backward", {&dy, &x, &weight}));
}
Array prelu_backward_weight(const Array& dy, const Array& x) {
  return backward("prelu_backward_weight", Elementwise::PreluBackwardWeight, dy, x);
}
Array copysign(const Array& a, const Array& b) {
  const DType dtype = common("copysign", {&a, &b});
  return run("copysign", Elementwise::Copysign, {&a, &b}, floating(dtype));
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

void lerp_into(const Array& out, const Array& a, const Array& b, double weight) {
  run("lerp", Elementwise::LerpNumber, {&a, &b}, floating("lerp", {&a, &b}), {weight}, &out);
}
void lerp_into(const Array& out, const Array& a, const Array& b, const Array& weight) {
  run("lerp", Elementwise::Lerp, {&a, &b, &weight}, floating("lerp", {&a, &b, &weight}), {}, &out);
}
void addcmul_into(const Array& out, const Array& x, const Array& a, const Array& b, const Scalar& value) {
  const DType dtype = common("addcmul", {&x, &a, &b});
  if (!is_floating_point(dtype)) return add_scaled_out(out, x, a * b, value);
  run("addcmul", Elementwise::Addcmul, {&x, &a, &b}, dtype, {value.toDouble()}, &out);
}
void addcdiv_into(const Array& out, const Array& x, const Array& a, const Array& b, const Scalar& value) {
  run("addcdiv", Elementwise::Addcdiv, {&x, &a, &b}, floating("addcdiv", {&x, &a, &b}), {value.toDouble()}, &out);
}

}  // namespace gradus::core
