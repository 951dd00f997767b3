// A program in the manner of the frontend's tutorial on autograd, with one changed include: what is recorded, gradients,
// their gradients, a function of one's own, and a network trained with both.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "frontend_formula.h"
#include "frontend_print.h"

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;
using torch::autograd::Variable;

void basics() {
  auto x = torch::ones({2, 2}, torch::requires_grad());
  auto y = x + 2;
  std::cout << std::boolalpha << (y.grad_fn() != nullptr) << " " << (x.grad_fn() == nullptr) << std::endl;
  auto z = y * y * 3;
  auto out = z.mean();
  out.backward();
  print("of the mean", x.grad());

  auto a = wave({2, 2}, 0.3);
  a = ((a * 3) / (a - 1.5));
  std::cout << a.requires_grad();
  a.requires_grad_(true);
  auto b = (a * a).sum();
  std::cout << " " << b.requires_grad() << std::endl;

  // A product of the Jacobian with a vector.
  x = wave({3}, 1.0).requires_grad_();
  y = x * 2;
  while (y.norm().item<double>() < 1000) y = y * 2;
  auto v = torch::tensor({0.1, 1.0, 0.0001}, torch::kDouble);
  y.backward(v);
  print("v J", x.grad());
  std::cout << x.requires_grad() << " " << x.pow(2).requires_grad() << " " << x.detach().requires_grad();
  {
    torch::NoGradGuard no_grad;
    std::cout << " " << x.pow(2).requires_grad() << std::endl;
  }
}

// A product with a constant, and a layer.
struct MulConstant : torch::autograd::Function<MulConstant> {
  static torch::Tensor forward(AutogradContext* ctx, torch::Tensor tensor, double constant) {
    ctx->saved_data["constant"] = constant;
    return tensor * constant;
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad_outputs) {
    return {grad_outputs[0] * ctx->saved_data["constant"].toDouble(), torch::Tensor()};
  }
};

class LinearFunction : public torch::autograd::Function<LinearFunction> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, torch::Tensor input, torch::Tensor weight, torch::Tensor bias) {
    ctx->save_for_backward({input, weight, bias});
    auto output = input.mm(weight.t());
    output += bias.unsqueeze(0).expand_as(output);
    return output;
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grad_outputs) {
    auto saved = ctx->get_saved_variables();
    Variable input = saved[0], weight = saved[1], bias = saved[2], grad_output = grad_outputs[0];
    auto grad_input = grad_output.mm(weight), grad_weight = grad_output.t().mm(input);
    torch::Tensor grad_bias;
    if (bias.requires_grad()) grad_bias = grad_output.sum(0);
    return {grad_input, grad_weight, grad_bias};
  }
};

struct CriticImpl : torch::nn::Module {
  CriticImpl() {
    first = register_parameter("first", torch::empty({8, 3}));
    bias = register_parameter("bias", torch::zeros(8));
    none = register_buffer("none", torch::zeros(1));
    second = register_parameter("second", torch::empty({1, 8}));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::tanh(LinearFunction::apply(x, first, bias));
    return MulConstant::apply(LinearFunction::apply(x, second, none), 1.5);
  }
  torch::Tensor first, bias, none, second;
};
TORCH_MODULE(Critic);

}  // namespace

int main() {
  basics();
  auto x = wave({2, 3}, 0.2).requires_grad_(), weight = wave({4, 3}, 0.5).requires_grad_();
  auto y = LinearFunction::apply(x, weight, wave({4}, 0.1).requires_grad_());
  y.sum().backward();
  print("own function", torch::cat({x.grad(), weight.grad()}));

  // The gradient's norm is drawn to 1: what is trained is a gradient.
  Critic critic;
  set_weights(*critic);
  torch::optim::Adam optimizer(critic->parameters(), torch::optim::AdamOptions(0.02));
  for (int step = 0; step <= 50; ++step) {
    auto input = wave({6, 3}, step * 0.02).requires_grad_();
    auto output = critic(input);
    auto gradient = torch::autograd::grad({output}, {input}, /*grad_outputs=*/{torch::ones_like(output)},
                                          /*retain_graph=*/true, /*create_graph=*/true)[0];
    auto gradient_penalty = torch::pow((gradient.norm(2, /*dim=*/1) - 1), 2).mean();
    auto loss = torch::mse_loss(output, input.detach().sum(1, true)) + gradient_penalty;
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    print_loss(step, "loss", loss);
  }
}
