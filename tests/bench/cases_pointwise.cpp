// Pointwise operations without history; one size, the number of elements, or rows and columns.
#include "case.h"

namespace bench {

namespace {

// Operations of one element of the elementary functions, as a vectorised one of full precision takes them: a reduction
// of the range, a polynomial, and putting it together.
constexpr double exp_flops = 20, log_flops = 24, tanh_flops = 30, gelu_flops = 40;

// `bytes` and `flops` of one element.
template <class F>
void unary(Operations& operations, const char* name, double bytes, double flops, F f) {
  operations.plain(name, 1, [=](const Sizes& s) {
    const torch::Tensor a = torch::randn(s);
    return Prepared{{flops * product(s), bytes * product(s)}, [=] { return f(a); }};
  });
}
template <class F>
void binary(Operations& operations, const char* name, double bytes, double flops, F f) {
  operations.plain(name, 1, [=](const Sizes& s) {
    const torch::Tensor a = torch::randn(s), b = torch::randn(s);
    return Prepared{{flops * product(s), bytes * product(s)}, [=] { return f(a, b); }};
  });
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
    return Prepared{{2 * product(s), 12 * product(s)}, [=]() mutable { a.add_(b, 1e-3); }};
  });
  operations.plain("add_row", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), row = torch::randn({s[1]});
    return Prepared{{product(s), 8 * product(s)}, [=] { return a + row; }};
  });
  operations.plain("add_column", 2, [](const Sizes& s) {
    const Tensor a = torch::randn(s), column = torch::randn({s[0], 1});
    return Prepared{{product(s), 8 * product(s)}, [=] { return a + column; }};
  });
}

}  // namespace bench
