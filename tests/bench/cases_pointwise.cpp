// Pointwise operations without history; one size, the number of elements, or rows and columns.
#include "case.h"

namespace bench {

namespace {

// Operations of one element of the elementary functions, as a vectorised one of full precision takes them: a reduction
// of the range, a polynomial, and putting it together.
constexpr double exp_flops = 20, log_flops = 24, tanh_flops = 30, gelu_flops = 40;

// `bytes` and `flops` of one element; half of the bytes are written.
template <class F>
void unary(Operations& operations, const char* name, double bytes, double flops, F f) {
  operations.plain(name, 1, [=](const Sizes& s) {
    const torch::Tensor a = torch::randn(s);
    return Prepared{{flops * product(s), bytes * product(s), 0.5}, [=] { return f(a); }};
  });
}
template <class F>
void binary(Operations& operations, const char* name, double bytes, double flops, F f) {
  operations.plain(name, 1, [=](const Sizes& s) {
    const torch::Tensor a = torch::randn(s), b = torch::randn(s);
    return Prepared{{flops * product(s), bytes * product(s)}, [=] { return f(a, b); }};
  });
}

// A chain of 2 steps operations: x + c, and that times x.
template <int steps, class X>
X chain(const X& x) {
  X y = (x + 0.5) * x;
  for (int i = 1; i < steps; ++i) y = (y + (0.5 - 0.25 * i)) * x;
  return y;
}
// As a lambda; libtorch has none.
#ifndef GRADUS_BENCH_TORCH
template <int steps>
inline constexpr const char* chain_name = steps == 1   ? "chain2"
                                          : steps == 2 ? "chain4"
                                          : steps == 4 ? "chain8"
                                                       : "chain16";
template <int steps>
inline constexpr auto chain_lambda = gradus::pointwise(chain_name<steps>, [](auto x) { return chain<steps>(x); });
constexpr auto mul_add_tanh_lambda = gradus::pointwise("mul_add_tanh", [](auto x, auto g) { return tanh(x * g + x); });
#else
template <int steps>
torch::Tensor chain_lambda(const torch::Tensor& x) {
  return chain<steps>(x);
}
torch::Tensor mul_add_tanh_lambda(const torch::Tensor& x, const torch::Tensor& g) { return (x * g + x).tanh(); }
#endif

// The chain of operations, and as a lambda.
template <int steps>
void chains(Operations& operations, const char* forward, const char* both, const char* lambda_forward,
            const char* lambda_both) {
  const auto add = [&](const char* of_forward, const char* of_both, auto f) {
    operations.plain(of_forward, 1, [=](const Sizes& s) {
      const torch::Tensor x = torch::randn(s);
      return Prepared{{2 * steps * product(s), 8 * product(s), 0.5}, [=] { return f(x); }};
    });
    operations.recorded(of_both, 1, [=](const Sizes& s) {
      const torch::Tensor x = leaf(s), g = torch::randn(s);
      return Prepared{{8 * steps * product(s), 32 * product(s)}, [=] { f(x).backward(g); }};
    });
  };
  add(forward, both, [](const torch::Tensor& x) { return chain<steps>(x); });
  add(lambda_forward, lambda_both, [](const torch::Tensor& x) { return chain_lambda<steps>(x); });
}

}  // namespace

void add_pointwise(Operations& operations) {
  using torch::Tensor;
  binary(operations, "add", 12, 1, [](const Tensor& a, const Tensor& b) { return a + b; });
  binary(operations, "mul", 12, 1, [](const Tensor& a, const Tensor& b) { return a * b; });
  unary(operations, "relu", 8, 1, [](const Tensor& a) { return torch::relu(a); });
  unary(operations, "exp", 8, exp_flops, [](const Tensor& a) { return torch::exp(a); });
  // Of the absolute value, one more operation.
  unary(operations, "log", 16, log_flops, [](const Tensor& a) { return torch::log(a.abs()); });
  unary(operations, "tanh", 8, tanh_flops, [](const Tensor& a) { return torch::tanh(a); });
  unary(operations, "sigmoid", 8, exp_flops + 2, [](const Tensor& a) { return torch::sigmoid(a); });
  unary(operations, "gelu", 8, gelu_flops, [](const Tensor& a) { return torch::gelu(a); });
  unary(operations, "pow3", 8, 2, [](const Tensor& a) { return torch::pow(a, 3); });
  binary(operations, "gt", 9, 1, [](const Tensor& a, const Tensor& b) { return a > b; });
  // Of a comparison, one more operation.
  binary(operations, "where", 22, 2, [](const Tensor& a, const Tensor& b) { return torch::where(a > b, a, b); });
  operations.plain("add_inplace", 1, [](const Sizes& s) {
    Tensor a = torch::randn(s);
    const Tensor b = torch::randn(s);
    return Prepared{{2 * product(s), 12 * product(s), 1.0 / 3, true}, [=]() mutable { a.add_(b, 1e-3); }};
  });
  operations.plain("add_row", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), row = torch::randn({s[1]});
    return Prepared{{product(s), 8 * product(s), 0.5}, [=] { return a + row; }};
  });
  operations.plain("add_column", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), column = torch::randn({s[0], 1});
    return Prepared{{product(s), 8 * product(s), 0.5}, [=] { return a + column; }};
  });
  chains<1>(operations, "chain2_fwd", "chain2_fwd_bwd", "lambda2_fwd", "lambda2_fwd_bwd");
  chains<2>(operations, "chain4_fwd", "chain4_fwd_bwd", "lambda4_fwd", "lambda4_fwd_bwd");
  chains<4>(operations, "chain8_fwd", "chain8_fwd_bwd", "lambda8_fwd", "lambda8_fwd_bwd");
  chains<8>(operations, "chain16_fwd", "chain16_fwd_bwd", "lambda16_fwd", "lambda16_fwd_bwd");
  operations.recorded("lambda_mul_add_tanh_fwd_bwd", 2, [](const Sizes& s) {
    const Tensor x = leaf(s), g = torch::randn(s);
    return Prepared{{38 * product(s), 80 * product(s)}, [=] { mul_add_tanh_lambda(x, g).backward(g); }};
  });
}

}  // namespace bench
