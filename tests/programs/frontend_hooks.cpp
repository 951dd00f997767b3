// A program in the manner of PyTorch's C++ frontend, with one changed include: hooks on tensors and on nodes, and nodes that are called.
// What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "frontend_print.h"

namespace {

using torch::autograd::variable_list;

// Node hooks are objects: of all gradients before a node runs, and of what it has computed.
struct Halve : torch::autograd::FunctionPreHook {
  variable_list operator()(const variable_list& grads) override {
    variable_list result;
    for (const auto& grad : grads) result.push_back(grad.defined() ? grad / 2 : grad);
    return result;
  }
};
struct Report : torch::autograd::FunctionPostHook {
  explicit Report(std::string which) : name(std::move(which)) {}
  variable_list operator()(const variable_list& of_inputs, const variable_list& of_outputs) override {
    std::printf("%s ran: %d gradients of inputs, %d of outputs\n", name.c_str(), static_cast<int>(of_inputs.size()),
                static_cast<int>(of_outputs.size()));
    for (const auto& grad : of_inputs) print("  ", grad);
    return of_inputs;
  }
  std::string name;
};

void tensor_hooks() {
  const auto x = torch::tensor({1.0, 2.0, 3.0}, kDouble).requires_grad_();
  auto y = x * x;
  std::vector<std::string> calls;
  const auto first = y.register_hook([&](torch::Tensor grad) {
    calls.push_back("first");
    print("first sees", grad);
    return grad * 2;
  });
  y.register_hook([&](torch::Tensor grad) {
    calls.push_back("second");
    print("second sees", grad);
  });
  const auto third = x.register_hook([&](torch::Tensor grad) {
    calls.push_back("leaf");
    return grad.clamp_max(10.0);
  });
  y.sum().backward({}, /*retain_graph=*/true);
  print("clipped", x.grad());
  y.remove_hook(first);
  x.remove_hook(third);
  x.mutable_grad() = torch::Tensor();
  y.sum().backward();
  print("without", x.grad());
  for (const auto& call : calls) std::printf("%s ", call.c_str());
  std::printf("\n");
  refused("a hook on a constant", [&] { x.detach().register_hook([](torch::Tensor grad) { return grad; }); });
  auto z = x * 1;
  z.register_hook([](torch::Tensor grad) { return grad.sum(); });
  refused("a hook that changes the shape", [&] { z.sum().backward(); });
}

void hooks_and_in_place() {
  const auto x = torch::tensor({1.0, 2.0}, kDouble).requires_grad_();
  auto y = x * 3;
  y.register_hook([](torch::Tensor grad) { print("of y as it was", grad); });
  y.mul_(5);
  y.register_hook([](torch::Tensor grad) { print("of y as it is", grad); });
  y.sum().backward();
  print("of x", x.grad());
}

void retained() {
  const auto x = torch::tensor({0.5, 1.5}, kDouble).requires_grad_();
  auto h = torch::exp(x), y = h.sin();
  h.register_hook([](torch::Tensor grad) { return grad * 100; });
  h.retain_grad();
  y.retain_grad();
  std::printf("retains: %d %d, leaf: %d %d\n", h.retains_grad(), x.retains_grad(), h.is_leaf(), x.is_leaf());
  y.sum().backward();
  print("grad of y", y.grad());
  print("grad of h", h.grad());
  print("grad of x", x.grad());
}

void node_hooks() {
  const auto x = torch::tensor({1.0, 4.0}, kDouble).requires_grad_();
  const auto w = torch::tensor({2.0, -3.0}, kDouble).requires_grad_();
  const auto y = x * w;
  const auto fn = y.grad_fn();
  fn->add_pre_hook(std::make_unique<Halve>());
  const auto key = fn->add_post_hook(std::make_unique<Report>("product"));
  y.sum().backward({}, true);
  print("of x", x.grad());
  std::printf("removed: %d\n", fn->del_post_hook(key));
  std::printf("and again: %d\n", fn->del_post_hook(key));
  y.sum().backward({}, true);
  print("of w, twice", w.grad());
}

void nodes() {
  const auto x = torch::tensor({0.0, 1.0}, kDouble).requires_grad_();
  const auto h = torch::exp(x);
  const auto y = h * x;
  const auto fn = y.grad_fn();
  std::printf("a later node has a higher number: %d\n", fn->sequence_nr() > h.grad_fn()->sequence_nr());
  std::printf("edges: %d, valid: %d %d\n", static_cast<int>(fn->next_edges().size()), fn->next_edge(0).is_valid(),
              fn->next_edge(1).is_valid());
  torch::NoGradGuard no_grad;
  const auto gradients = (*fn)({torch::ones({2}, kDouble)});
  print("called: of exp(x)", gradients[0]);
  print("called: of x", gradients[1]);
  print("nothing is accumulated", x.grad());
  const auto before = (*h.grad_fn())({gradients[0]});
  print("one further", before[0]);
}

// A network trained with gradients that hooks scale and count.
void training() {
  const auto x = torch::linspace(-1, 1, 12, kDouble).view({12, 1}), target = torch::sin(3 * x);
  auto w = (torch::linspace(-2, 2, 6, kDouble).view({1, 6})).requires_grad_();
  auto b = torch::linspace(1, -1, 6, kDouble).requires_grad_();
  auto v = (torch::linspace(0.5, -0.5, 6, kDouble).view({6, 1})).requires_grad_();
  int seen = 0;
  double largest = 0;
  for (auto* parameter : {&w, &b, &v}) {
    parameter->register_hook([&](torch::Tensor grad) {
      seen++;
      largest = std::max(largest, grad.abs().max().item<double>());
      return grad / grad.norm().clamp_min(1.0);
    });
  }
  torch::optim::SGD sgd({w, b, v}, torch::optim::SGDOptions(0.1));
  for (int step = 0; step < 30; step++) {
    sgd.zero_grad();
    const auto loss = (torch::tanh(x.matmul(w) + b).matmul(v) - target).square().mean();
    loss.backward();
    sgd.step();
    if (step % 10 == 9) print("loss", loss);
  }
  std::printf("hooks called: %d, largest gradient: %.5f\n", seen, largest);
}

}  // namespace

int main() {
  tensor_hooks();
  hooks_and_in_place();
  retained();
  node_hooks();
  nodes();
  training();
}
