#include "activation.h"

#include "../array/create.h"
#include "../base/fail.h"
#include "../simd/activation.h"
#include "../loops/copy.h"
#include "../loops/run.h"
#include "../ops/pointwise.h"

namespace gradus::core {
namespace {

using kernels::Activation;
using kernels::Element;

void check(const char* op, const Array& x) {
  if (!x.defined()) fail<ValueError>("{}: the operand must be defined: it has neither storage nor shape", op);
  if (!is_floating_point(x.dtype())) {
    fail<DTypeError>("{}: the operand must be floating-point: {}; convert it with to(kFloat32)", op, x.dtype());
  }
}

struct NumberPair {
  NumberPair(double first, double second, DType dtype) {
    const Element elements[2] = {Element(first, dtype), Element(second, dtype)};
    const auto size = static_cast<std::size_t>(size_of(dtype));
    for (std::size_t i = 0; i < 2 * size; ++i) bytes[i] = elements[i / size].bytes[i % size];
  }
  alignas(8) unsigned char bytes[16];
};

/// Elements of one block of a parallel loop.
constexpr std::int64_t kBlock = 16384;

Array run(const char* op, Activation which, std::initializer_list<const Array*> operands, const void* param = nullptr) {
  const Array& first = **operands.begin();
  kernels::Loop loop;
  loop.result = first.defined() ? first.dtype() : kFloat32;
  loop.count = 0;
  for (const Array* x : operands) {
    check(op, *x);
    if (x->shape() != first.shape()) {
      fail<ShapeError>("{}: shapes must be equal: {} and {}", op, first.shape(), x->shape());
    }
    if (x->dtype() != first.dtype()) {
      fail<DTypeError>("{}: dtypes must be equal: {} and {}", op, first.dtype(), x->dtype());
    }
    loop.inputs[loop.count++] = kernels::Input(*x, x->dtype());
  }
  loop.kernel = kernels::activation_kernel(which, first.dtype());
  loop.param = param;
  loop.block = kBlock;
  Array y = empty(first.shape(), first.dtype());
  kernels::run(y, loop);
  return y;
}
Array forward(const char* op, Activation which, const Array& x, const void* param = nullptr) {
  return run(op, which, {&x}, param);
}
Array backward(const char* op, Activation which, const Array& dy, const Array& x, const void* param = nullptr) {
  return run(op, which, {&dy, &x}, param);
}

}  // namespace

Array gelu(const Array& x, bool approximate) {
  return forward("gelu", approximate ? Activation::GeluTanh : Activation::Gelu, x);
}
Array gelu_backward(const Array& dy, const Array& x, bool approximate) {
  return backward("gelu_backward", approximate ? Activation::GeluTanhBackward : Activation::GeluBackward, dy, x);
}
Array silu(const Array& x) { return forward("silu", Activation::Silu, x); }
Array silu_backward(const Array& dy, const Array& x) {
  return backward("silu_backward", Activation::SiluBackward, dy, x);
}
Array softplus(const Array& x, double beta, double threshold) {
  check("softplus", x);
  return forward("softplus", Activation::Softplus, x, NumberPair(beta, threshold, x.dtype()).bytes);
}
Array softplus_backward(const Array& dy, const Array& x, double beta, double threshold) {
  check("softplus_backward", x);
  return backward("softplus_backward", Activation::SoftplusBackward, dy, x,
                  NumberPair(beta, threshold, x.dtype()).bytes);
}
Array tanh_backward(const Array& dy, const Array& y) {
  return backward("tanh_backward", Activation::TanhBackward, dy, y);
}
Array sigmoid_backward(const Array& dy, const Array& y) {
  return backward("sigmoid_backward", Activation::SigmoidBackward, dy, y);
}
Array exp_times(const Array& dy, const Array& x) { return backward("exp_times", Activation::ExpTimes, dy, x); }
Array elu(const Array& x, double alpha) {
  check("elu", x);
  return forward("elu", Activation::Elu, x, NumberPair(alpha, 0, x.dtype()).bytes);
}
Array elu_backward(const Array& dy, const Array& x, double alpha) {
  check("elu_backward", x);
  return backward("elu_backward", Activation::EluBackward, dy, x, NumberPair(alpha, 0, x.dtype()).bytes);
}
Array logit_loss(const Array& x, const Array& t, const Array& b) {
  return run("logit_loss", Activation::LogitLoss, {&x, &t, &b});
}
Array logit_loss_slope(const Array& x, const Array& t, const Array& b) {
  return run("logit_loss_slope", Activation::LogitLossSlope, {&x, &t, &b});
}
Array normal_cdf(const Array& x) {
  // gelu(x) = x Phi(x) keeps the digits of small results, too.
  const Array bounded = clamp(x, {}, 40), near = le(abs(bounded), 1e-30);
  return where(near, 0.5, gelu(bounded) / bounded);
}

}  // namespace gradus::core
