// A program in the manner of PyTorch's C++ frontend, with one changed include: what is recorded and what is not.
// What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "frontend_print.h"

namespace {

void modes(const char* when) {
  std::printf("%s: recording %d, inference %d\n", when, torch::GradMode::is_enabled(),
              c10::InferenceMode::is_enabled());
}

struct NetImpl : torch::nn::Module {
  NetImpl() : hidden(3, 5), out(5, 2) {
    register_module("hidden", hidden);
    register_module("out", out);
    to(torch::kFloat64);
    torch::NoGradGuard no_grad;
    double phase = 0;
    for (auto& parameter : parameters()) {
      parameter.copy_(torch::sin(torch::arange(parameter.numel(), kDouble) + (phase += 1)).view(parameter.sizes()));
    }
  }
  torch::Tensor forward(const torch::Tensor& x) { return out->forward(torch::relu(hidden->forward(x))); }
  torch::nn::Linear hidden, out;
};
TORCH_MODULE(Net);

void guards() {
  modes("at first");
  {
    torch::NoGradGuard no_grad;
    modes("no grad");
    {
      torch::AutoGradMode enable(true);
      modes("enabled again");
    }
    modes("no grad again");
  }
  {
    c10::InferenceMode guard;
    modes("inference");
    {
      c10::InferenceMode off(false);
      modes("inference off");
    }
  }
  torch::autograd::GradMode::set_enabled(false);
  modes("set");
  torch::autograd::GradMode::set_enabled(true);
  modes("unset");
  torch::NoGradGuard no_grad;
  std::thread([] { modes("another thread"); }).join();
}

void what_is_recorded() {
  const auto x = torch::tensor({1.0, -2.0, 3.0}, kDouble).requires_grad_();
  torch::Tensor recorded = x * 2, not_recorded, inferred;
  {
    torch::NoGradGuard no_grad;
    not_recorded = x * 2;
    std::printf("leaves made there: %d\n", torch::ones({2}, kDouble).requires_grad_().requires_grad());
  }
  {
    c10::InferenceMode guard;
    inferred = x * 2;
  }
  std::printf("require grad: %d %d %d\n", recorded.requires_grad(), not_recorded.requires_grad(),
              inferred.requires_grad());
  std::printf("leaves: %d %d %d\n", recorded.is_leaf(), not_recorded.is_leaf(), x.is_leaf());
  print("the same numbers", torch::stack({recorded, not_recorded, inferred}));
  refused("backward of what is not recorded", [&] { not_recorded.sum().backward(); });
  refused("grad by what is not recorded", [&] { torch::autograd::grad({recorded.sum()}, {not_recorded}); });
  // A constant beside what is recorded.
  (recorded * not_recorded).sum().backward();
  print("of a product with a constant", x.grad());
}

void leaves_in_place() {
  auto w = torch::tensor({1.0, 2.0}, kDouble).requires_grad_();
  refused("a leaf in place", [&] { w.mul_(2); });
  refused("a view of a leaf in place", [&] { w.slice(0, 0, 1).mul_(2); });
  {
    torch::NoGradGuard no_grad;
    w.mul_(2);
    w.slice(0, 0, 1).add_(1);
  }
  print("changed without recording", w);
  std::printf("still a leaf: %d, requires grad: %d, written: %d\n", w.is_leaf(), w.requires_grad(), w._version() > 0);
  (w * w).sum().backward();
  print("its gradient", w.grad());
  const auto d = w.detach();
  std::printf("detached: requires grad %d, the same memory %d\n", d.requires_grad(), d.data_ptr() == w.data_ptr());
  const auto y = w * w;
  {
    torch::NoGradGuard no_grad;
    w.add_(1);
  }
  refused("a saved value changed without recording", [&] { y.sum().backward(); });
}

void network() {
  Net net;
  const auto x = torch::cos(torch::arange(12, kDouble)).view({4, 3});
  torch::Tensor plain, guarded, inferred;
  plain = net->forward(x);
  {
    torch::NoGradGuard no_grad;
    guarded = net->forward(x);
  }
  {
    c10::InferenceMode guard;
    inferred = net->forward(x);
    print("a sum inside", inferred.sum());
  }
  print("forward", inferred);
  std::printf("the same: %d %d, require grad: %d %d %d\n", torch::equal(plain, guarded), torch::equal(plain, inferred),
              plain.requires_grad(), guarded.requires_grad(), inferred.requires_grad());
  // A moving average of the weights, which nothing is differentiated by.
  Net average;
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05));
  for (int step = 0; step < 8; step++) {
    sgd.zero_grad();
    const auto loss = (net->forward(x) - 1).square().mean();
    loss.backward();
    sgd.step();
    torch::NoGradGuard no_grad;
    const auto theirs = net->parameters(), ours = average->parameters();
    for (size_t i = 0; i < ours.size(); i++) ours[i].lerp_(theirs[i], 0.3);
  }
  print("trained", net->forward(x).mean(0));
  print("averaged", average->forward(x).mean(0));
  for (auto& parameter : net->hidden->parameters()) parameter.requires_grad_(false);
  net->zero_grad();
  net->forward(x).sum().backward();
  const auto frozen = net->hidden->weight.grad();
  std::printf("frozen: %d\n", !frozen.defined() || frozen.abs().max().item<double>() == 0);
  print("not frozen", net->out->bias.grad());
}

}  // namespace

int main() {
  guards();
  what_is_recorded();
  leaves_in_place();
  network();
}
