#include "activation.h"

#include "../base/dispatch.h"
#include "../base/expect.h"
#include "../simd/activation.h"
#include "../simd/fused.h"
#include "../loops/copy.h"
#include "../loops/run.h"
#include "../ops/pointwise.h"

namespace gradus::core {
namespace {

using kernels::Activation;
using kernels::Element;

struct NumberPair {
  NumberPair() = default;
  NumberPair(double first, double second, DType dtype) {
    const Element elements[2] = {Element(first, dtype), Element(second, dtype)};
    const auto size = static_cast<std::size_t>(size_of(dtype));
    for (std::size_t i = 0; i < 2 * size; ++i) bytes[i] = elements[i / size].bytes[i % size];
  }
  alignas(8) unsigned char bytes[16] = {};
};

/// Elements of one block of a parallel loop.
constexpr std::int64_t kBlock = 16384, kCheapBlock = 32768;

Array run(const char* op, kernels::Kernel kernel, std::initializer_list<const Array*> operands,
          const NumberPair& param = {}, std::int64_t block = kBlock) {
  const Array& first = **operands.begin();
  kernels::Loop loop;
  for (const Array* x : operands) {
    expect_floating(op, "the operand", *x);
    (void)computed(x->dtype());
    if (x != &first) expect_alike(op, "every operand", *x, "the first", first);
    loop.inputs[loop.count++] = kernels::Input(*x, x->dtype());
  }
  loop.kernel = kernel;
  loop.result = first.dtype();
  loop.name = op;
  loop.param = param.bytes;
  loop.param_bytes = sizeof param.bytes;
  loop.block = block;
  return kernels::run(first.shape(), loop);
}
Array forward(const char* op, Activation which, const Array& x, const NumberPair& param = {}) {
  return run(op, kernels::activation_kernel(which, x.dtype()), {&x}, param);
}
Array backward(const char* op, Activation which, const Array& dy, const Array& x, const NumberPair& param = {}) {
  return run(op, kernels::activation_kernel(which, x.dtype()), {&dy, &x}, param);
}

}  // namespace

Array relu_backward(const Array& dy, const Array& y) {
  return run("relu_backward", kernels::relu_backward_kernel(y.dtype()), {&dy, &y}, {}, kCheapBlock);
}
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
  return forward("softplus", Activation::Softplus, x, NumberPair(beta, threshold, x.dtype()));
}
Array softplus_backward(const Array& dy, const Array& x, double beta, double threshold) {
  return backward("softplus_backward", Activation::SoftplusBackward, dy, x, NumberPair(beta, threshold, x.dtype()));
}
Array tanh_backward(const Array& dy, const Array& y) {
  return backward("tanh_backward", Activation::TanhBackward, dy, y);
}
Array sigmoid_backward(const Array& dy, const Array& y) {
  return backward("sigmoid_backward", Activation::SigmoidBackward, dy, y);
}
Array exp_times(const Array& dy, const Array& x) { return backward("exp_times", Activation::ExpTimes, dy, x); }
Array elu(const Array& x, double alpha) { return forward("elu", Activation::Elu, x, NumberPair(alpha, 0, x.dtype())); }
Array elu_backward(const Array& dy, const Array& x, double alpha) {
  return backward("elu_backward", Activation::EluBackward, dy, x, NumberPair(alpha, 0, x.dtype()));
}
Array logit_loss(const Array& x, const Array& t, const Array& b) {
  return run("logit_loss", kernels::activation_kernel(Activation::LogitLoss, x.dtype()), {&x, &t, &b});
}
Array logit_loss_slope(const Array& x, const Array& t, const Array& b) {
  return run("logit_loss_slope", kernels::activation_kernel(Activation::LogitLossSlope, x.dtype()), {&x, &t, &b});
}
Array normal_cdf(const Array& x) {
  // gelu(x) = x Phi(x) keeps the digits of small results, too.
  const Array bounded = clamp(x, {}, 40), near = le(abs(bounded), 1e-30);
  return where(near, 0.5, gelu(bounded) / bounded);
}

}  // namespace gradus::core
