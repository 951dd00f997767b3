// A program in the manner of PyTorch's C++ frontend, with one changed include: anomaly mode, which finds where a gradient becomes NaN.
// What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "frontend_print.h"

namespace {

using torch::autograd::AnomalyMode;
using torch::autograd::DetectAnomalyGuard;

void state(const char* when) {
  std::printf("%s: enabled %d, checks for NaN %d\n", when, AnomalyMode::is_enabled(), AnomalyMode::should_check_nan());
}

// A length whose gradient at 0 is 0/0.
torch::Tensor length(const torch::Tensor& x) { return torch::sqrt((x * x).sum(1)); }
// The same with a gradient everywhere.
torch::Tensor safe_length(const torch::Tensor& x) {
  const auto square = (x * x).sum(1);
  const auto positive = square > 0;
  return torch::where(positive, torch::sqrt(torch::where(positive, square, torch::ones_like(square))),
                      torch::zeros_like(square));
}

bool has_nan(const torch::Tensor& x) { return torch::isnan(x).any().item<bool>(); }

struct Bad : torch::autograd::Function<Bad> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, torch::Tensor x) { return x * 2; }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list grads) {
    return {grads[0] * std::nan("")};
  }
};

void guards() {
  state("at first");
  {
    DetectAnomalyGuard guard;
    state("inside");
    {
      DetectAnomalyGuard without(/*check_nan=*/false);
      state("without looking for NaN");
    }
    state("inside again");
  }
  state("after");
  AnomalyMode::set_enabled(true);
  state("set");
  AnomalyMode::set_enabled(false);
  state("unset");
}

void lengths() {
  const auto points = torch::tensor({{3.0, 4.0}, {0.0, 0.0}, {1.0, -1.0}}, kDouble);
  auto x = points.clone().requires_grad_();
  length(x).sum().backward();
  std::printf("a NaN, unseen: %d\n", has_nan(x.grad()));
  {
    DetectAnomalyGuard guard;
    x = points.clone().requires_grad_();
    refused("a NaN, seen", [&] { length(x).sum().backward(); });
    std::printf("nothing was accumulated: %d\n", !x.grad().defined());
    x = points.clone().requires_grad_();
    safe_length(x).sum().backward();
    print("safe", x.grad());
    refused("a Function's", [&] { Bad::apply(x).sum().backward(); });
    refused("in grad, too", [&] { torch::autograd::grad({Bad::apply(x * x).sum()}, {x}); });
  }
  {
    DetectAnomalyGuard guard(/*check_nan=*/false);
    x = points.clone().requires_grad_();
    length(x).sum().backward();
    std::printf("let pass: %d\n", has_nan(x.grad()));
  }
}

void other_errors() {
  DetectAnomalyGuard guard;
  const auto x = torch::tensor({1.0, 2.0}, kDouble).requires_grad_();
  auto y = x * x, z = y * y;
  y += 1;
  refused("a saved value changed", [&] { z.sum().backward(); });
  const auto w = x * x;
  w.sum().backward();
  refused("backward twice", [&] { w.sum().backward(); });
  print("the gradient of the first", x.grad());
}

// A training that steps over a batch whose loss has no gradient.
void training() {
  auto w = torch::tensor({0.5, -0.25}, kDouble).requires_grad_();
  torch::optim::SGD sgd({w}, torch::optim::SGDOptions(0.2));
  int skipped = 0;
  for (int step = 0; step < 12; step++) {
    const auto x = torch::sin(torch::arange(8, kDouble).view({4, 2}) + step) * (step % 4 == 3 ? 0.0 : 1.0);
    sgd.zero_grad();
    DetectAnomalyGuard guard;
    try {
      const auto loss = (length(x * w) - 0.3).square().mean();
      loss.backward();
      sgd.step();
      if (step % 4 == 0) print("loss", loss);
    } catch (const std::exception&) {
      skipped++;
    }
  }
  std::printf("skipped: %d\n", skipped);
  print("weights", w);
}

}  // namespace

int main() {
  guards();
  lengths();
  other_errors();
  training();
  state("at last");
}
