#include "activation.h"

#include "create.h"
#include "fail.h"
#include "kernels/activation.h"
#include "kernels/copy.h"
#include "kernels/run.h"

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

Array forward(const char* op, Activation which, const Array& x, const void* param = nullptr) {
  check(op, x);
  kernels::Loop loop;
  loop.kernel = kernels::activation_kernel(which, x.dtype());
  loop.result = x.dtype();
  loop.count = 1;
  loop.inputs[0] = kernels::Input(x, x.dtype());
  loop.param = param;
  loop.block = kBlock;
  Array y = empty(x.shape(), x.dtype());
  kernels::run(y, loop);
  return y;
}

Array backward(const char* op, Activation which, const Array& dy, const Array& x, const void* param = nullptr) {
  check(op, dy);
  check(op, x);
  if (dy.shape() != x.shape()) fail<ShapeError>("{}: shapes must be equal: {} and {}", op, dy.shape(), x.shape());
  if (dy.dtype() != x.dtype()) fail<DTypeError>("{}: dtypes must be equal: {} and {}", op, dy.dtype(), x.dtype());
  kernels::Loop loop;
  loop.kernel = kernels::activation_kernel(which, x.dtype());
  loop.result = x.dtype();
  loop.count = 2;
  loop.inputs[0] = kernels::Input(dy, x.dtype());
  loop.inputs[1] = kernels::Input(x, x.dtype());
  loop.param = param;
  loop.block = kBlock;
  Array dx = empty(x.shape(), x.dtype());
  kernels::run(dx, loop);
  return dx;
}

}  // namespace

Array gelu(const Array& x, bool tanh) { return forward("gelu", tanh ? Activation::GeluTanh : Activation::Gelu, x); }
Array gelu_backward(const Array& dy, const Array& x, bool tanh) {
  return backward("gelu_backward", tanh ? Activation::GeluTanhBackward : Activation::GeluBackward, dy, x);
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

}  // namespace gradus::core
