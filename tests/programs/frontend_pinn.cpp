// A program in the manner of PyTorch's C++ frontend, with one changed include: networks that learn to solve differential
// equations, by the second derivatives of their outputs. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "frontend_train.h"

namespace {

using torch::autograd::grad;
using torch::autograd::variable_list;

struct Sine : torch::nn::Module {
  torch::Tensor forward(const torch::Tensor& x) { return torch::sin(2 * x); }
};

torch::nn::Sequential network(int64_t in, int64_t width) {
  torch::nn::Sequential net;
  net->push_back("in", torch::nn::Linear(in, width));
  net->push_back("tanh", torch::nn::Tanh());
  net->push_back("hidden", torch::nn::Linear(torch::nn::LinearOptions(width, width)));
  net->push_back("sine", std::make_shared<Sine>());
  net->push_back("out", torch::nn::Linear(torch::nn::LinearOptions(width, 1).bias(false)));
  set_parameters(*net);
  return net;
}

torch::Tensor derivative(const torch::Tensor& y, const torch::Tensor& x) {
  return grad({y}, {x}, /*grad_outputs=*/{torch::ones_like(y)}, /*retain_graph=*/true, /*create_graph=*/true)[0];
}

// u'' + u = 0, u(0) = 0, u'(0) = 1: a spring, whose stiffness the second run learns from observations.
void spring(bool stiffness_is_known) {
  auto net = network(1, 12);
  auto stiffness = torch::full({1}, stiffness_is_known ? 1.0 : 0.3, kDouble).set_requires_grad(!stiffness_is_known);
  auto parameters = net->parameters();
  if (!stiffness_is_known) parameters.push_back(stiffness);
  torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(1e-2));
  auto t = torch::linspace(0, 2, 25, kDouble).reshape({-1, 1});
  t.requires_grad_(true);
  const auto seen = torch::sin(t.detach());
  const auto start = torch::zeros({1, 1}, kDouble.requires_grad(true));
  torch::Tensor loss;
  for (int step = 0; step < 50; step++) {
    optimizer.zero_grad();
    const auto u = net->forward(t);
    const auto residual = derivative(derivative(u, t), t) + stiffness * u;
    const auto u0 = net->forward(start);
    const auto slope = grad({u0}, {start}, {}, /*retain_graph=*/{}, /*create_graph=*/true)[0];
    loss = residual.pow(2).mean() + u0.pow(2).sum() + (slope - 1).pow(2).sum();
    if (!stiffness_is_known) loss += 10 * torch::mse_loss(u, seen);
    loss.backward();
    optimizer.step();
    report(step, loss);
  }
  std::printf("stiffness %.5f, furthest off %.5f\n", stiffness.item<double>(),
              (net->forward(t) - seen).abs().max().item<double>());
}

// The heat equation u_t = u_xx / 4 with u(x, 0) = sin(pi x), with LBFGS.
void heat() {
  auto net = network(2, 10);
  const auto x = (spread({30, 1}, 1) + 1) / 2, t = (spread({30, 1}, 2) + 1) / 2;
  const auto inside_x = x.clone().set_requires_grad(true), inside_t = t.clone().set_requires_grad(true);
  const auto edge = torch::cat({torch::round(x.slice(0, 0, 10)), t.slice(0, 0, 10)}, 1);
  const auto first = torch::hstack({x, torch::zeros_like(t)});
  const auto wave = torch::sin(M_PI * x);
  torch::optim::LBFGS optimizer(net->parameters(), torch::optim::LBFGSOptions(0.3).max_iter(5).max_eval(8));
  const std::function<torch::Tensor()> closure = [&] {
    optimizer.zero_grad();
    const auto u = net->forward(torch::cat({inside_x, inside_t}, -1));
    const variable_list slopes = grad({u.sum()}, {inside_x, inside_t}, {}, true, true);
    const auto curved = grad({slopes[0].sum()}, {inside_x}, {}, true, true)[0];
    auto loss = (slopes[1] - 0.25 * curved).square().mean() + net->forward(edge).square().mean() +
                (net->forward(first) - wave).square().mean();
    loss.backward();
    return loss;
  };
  for (int step = 0; step < 10; step++)
    std::printf("LBFGS %d: loss %.5f\n", step, optimizer.step(closure).item<double>());
}

}  // namespace

int main() {
  spring(true);
  spring(false);
  heat();
}
