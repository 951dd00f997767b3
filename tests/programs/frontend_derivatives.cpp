// A program in the manner of PyTorch's C++ frontend, with one changed include: higher derivatives: third ones, Hessians and their products, mixed ones.
// What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace {

const auto kDouble = torch::TensorOptions().dtype(torch::kFloat64);

void print(const std::string& what, const torch::Tensor& x) {
  std::printf("%s:", what.c_str());
  if (!x.defined()) std::printf(" undefined");
  const torch::Tensor flat = x.defined() ? x.detach().to(torch::kFloat64).contiguous().view(-1) : torch::zeros({0});
  for (int64_t i = 0; i < flat.numel(); i++) {
    const double value = flat[i].item<double>();
    std::printf(" %.5f", std::abs(value) < 5e-6 ? 0.0 : value);  // no -0
  }
  std::printf("\n");
}

using torch::autograd::grad;
using Scalars = std::function<torch::Tensor(const torch::Tensor&)>;

// The first n derivatives of a function of one number.
void derivatives(const char* name, const Scalars& f, double at, int n) {
  const auto x = torch::tensor(at, kDouble).requires_grad_();
  std::vector<torch::Tensor> all{f(x)};
  for (int i = 0; i < n; i++) {
    const auto last = all.back();
    all.push_back(last.requires_grad() ? grad({last}, {x}, {}, /*retain_graph=*/true, /*create_graph=*/true,
                                              /*allow_unused=*/true)[0]
                                       : torch::Tensor());
    if (!all.back().defined()) all.back() = torch::zeros({}, kDouble);
  }
  print(name, torch::stack(all));
}

torch::Tensor rosenbrock(const torch::Tensor& x) {
  const auto a = x.slice(0, 0, -1), b = x.slice(0, 1);
  return (100 * (b - a * a).square() + (1 - a).square()).sum();
}

torch::Tensor hessian(const Scalars& f, const torch::Tensor& at) {
  const auto x = at.detach().clone().requires_grad_();
  const auto g = grad({f(x)}, {x}, {}, true, true)[0];
  std::vector<torch::Tensor> rows;
  for (int64_t i = 0; i < x.numel(); i++) rows.push_back(grad({g[i]}, {x}, {}, /*retain_graph=*/true)[0]);
  return torch::stack(rows);
}

torch::Tensor hessian_times(const Scalars& f, const torch::Tensor& at, const torch::Tensor& v) {
  const auto x = at.detach().clone().requires_grad_();
  const auto g = grad({f(x)}, {x}, {}, true, true)[0];
  return grad({g}, {x}, {v})[0];
}

// The Jacobian times a vector, by two products from the left.
torch::Tensor jacobian_times(const Scalars& f, const torch::Tensor& at, const torch::Tensor& v) {
  const auto x = at.detach().clone().requires_grad_();
  const auto y = f(x);
  const auto u = torch::zeros_like(y).requires_grad_();
  const auto g = grad({y}, {x}, {u}, true, true)[0];
  return grad({g}, {u}, {v})[0];
}

void newton() {
  torch::Tensor x = torch::tensor({-1.2, 1.0, 0.5}, kDouble);
  for (int step = 0; step < 12; step++) {
    const auto leaf = x.clone().requires_grad_();
    const auto g = grad({rosenbrock(leaf)}, {leaf})[0];
    x = x - torch::linalg_solve(hessian(rosenbrock, x) + 0.1 * torch::eye(3, kDouble), g);
    if (step % 4 == 3) print("Newton's method", x);
  }
}

// Conjugate gradients with products of the Hessian only.
void conjugate_gradients() {
  const auto at = torch::tensor({0.3, 0.2, 0.1, 0.4}, kDouble);
  const auto f = [](const torch::Tensor& x) {
    return torch::logsumexp(torch::stack({x, -2 * x, x.flip({0})}), 0).sum();
  };
  const auto leaf = at.clone().requires_grad_();
  const auto b = grad({f(leaf)}, {leaf})[0];
  torch::Tensor x = torch::zeros_like(b), r = b.clone(), p = r.clone();
  for (int step = 0; step < 4; step++) {
    const auto hp = hessian_times(f, at, p);
    const auto a = r.dot(r) / p.dot(hp);
    x = x + a * p;
    const auto next = r - a * hp;
    p = next + next.dot(next) / r.dot(r) * p;
    r = next;
    if (r.norm().item<double>() < 1e-9) break;
  }
  print("the Newton step", x);
  print("the residue", hessian_times(f, at, x) - b);
}

void mixed() {
  const auto x = torch::tensor({0.5, 1.0, 2.0}, kDouble).requires_grad_();
  const auto y = torch::tensor({-1.0, 0.3, 0.7}, kDouble).requires_grad_();
  const auto f = (torch::sin(x * y) * torch::exp(y) + x.pow(3) / (1 + y * y)).sum();
  const auto first = grad({f}, {x, y}, {}, true, true);
  const auto xx = grad({first[0].sum()}, {x}, {}, true, true)[0], xy = grad({first[0].sum()}, {y}, {}, true, true)[0];
  const auto yx = grad({first[1].sum()}, {x}, {}, true, true)[0];
  print("by x and x", xx);
  print("by x and y", xy);
  print("by y and x, the same", yx - xy);
  const auto third = grad({xy.sum()}, {x, y}, {}, true, true);
  print("by x, y and x", third[0]);
  print("by x, y and y", third[1]);
  print("by x, x and y, the same", grad({xx.sum()}, {y}, {}, true, true)[0] - third[0]);
  // All at once, added up in .grad.
  (first[0] * first[1]).sum().backward({}, /*retain_graph=*/true, /*create_graph=*/true);
  print("accumulated", x.grad());
  std::printf("with a history: %d\n", x.grad().requires_grad());
  const auto again = grad({x.grad().sum()}, {y}, {}, true)[0];
  print("and differentiated", again);
  x.mutable_grad() = torch::Tensor();
  y.mutable_grad() = torch::Tensor();
}

// A field whose Laplacian is asked for, through a small network.
void laplacian() {
  const auto w = torch::sin(torch::arange(12, kDouble)).view({2, 6}).requires_grad_();
  const auto v = torch::cos(torch::arange(6, kDouble)).view({6, 1}).requires_grad_();
  const auto points = (torch::sin(torch::arange(10, kDouble) * 0.7)).view({5, 2}).requires_grad_();
  const auto u = torch::tanh(points.matmul(w)).matmul(v);
  const auto g = grad({u.sum()}, {points}, {}, true, true)[0];
  torch::Tensor sum = torch::zeros({5}, kDouble);
  for (int64_t d = 0; d < 2; d++) {
    sum = sum + grad({g.select(1, d).sum()}, {points}, {}, true, true)[0].select(1, d);
  }
  print("Laplacian", sum);
  const auto slopes = grad({(sum - 1).square().mean()}, {w, v});
  print("of its residue, by the first weights", slopes[0]);
  print("by the last", slopes[1]);
}

}  // namespace

int main() {
  derivatives(
      "x^5", [](const torch::Tensor& x) { return x.pow(5); }, 1.5, 6);
  derivatives(
      "sin", [](const torch::Tensor& x) { return torch::sin(x); }, 0.7, 4);
  derivatives(
      "exp(-x^2)", [](const torch::Tensor& x) { return torch::exp(-x * x); }, 0.4, 4);
  derivatives(
      "tanh", [](const torch::Tensor& x) { return torch::tanh(x); }, -0.6, 4);
  derivatives(
      "sigmoid", [](const torch::Tensor& x) { return torch::sigmoid(x); }, 0.3, 4);
  derivatives(
      "log1p(sqrt)", [](const torch::Tensor& x) { return torch::log1p(torch::sqrt(x)); }, 2.0, 3);
  derivatives(
      "1 / (1 + x^2)", [](const torch::Tensor& x) { return 1 / (1 + x * x); }, 0.9, 4);
  const auto at = torch::tensor({0.5, -0.3, 1.1}, kDouble), v = torch::tensor({1.0, 2.0, -1.0}, kDouble);
  const auto h = hessian(rosenbrock, at);
  print("Hessian", h);
  print("symmetric", (h - h.t()).abs().max());
  print("times a vector", hessian_times(rosenbrock, at, v));
  print("the same", hessian_times(rosenbrock, at, v) - h.mv(v));
  const auto field = [](const torch::Tensor& x) {
    return torch::stack({x.prod(), x.norm(), torch::cumsum(x, 0).sin().sum()});
  };
  print("Jacobian times a vector", jacobian_times(field, at, v));
  newton();
  conjugate_gradients();
  mixed();
  laplacian();
}
