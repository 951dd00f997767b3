// A program in the manner of PyTorch's C++ frontend, with one changed include: gradient penalties, which differentiate a gradient.
// What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
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

// Numbers without a generator: every library has the same.
torch::Tensor spread(at::IntArrayRef sizes, double phase) {
  int64_t count = 1;
  for (const auto size : sizes) count *= size;
  return torch::sin(torch::arange(count, kDouble) * 2.399963 + phase).view(sizes);
}

// A critic of two hidden layers whose weights are set by hand.
struct CriticImpl : torch::nn::Module {
  CriticImpl() : first(2, 8), second(8, 8), last(8, 1) {
    register_module("first", first);
    register_module("second", second);
    register_module("last", last);
    to(torch::kFloat64);
    torch::NoGradGuard no_grad;
    double phase = 0;
    for (auto& parameter : parameters()) parameter.copy_(0.6 * spread(parameter.sizes(), phase += 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::tanh(first->forward(x));
    x = torch::softplus(second->forward(x));
    return last->forward(x).squeeze(1);
  }
  torch::nn::Linear first, second, last;
};
TORCH_MODULE(Critic);

// (|d critic / d x| - 1)^2 at points between the real and the made up ones.
torch::Tensor penalty(Critic& critic, const torch::Tensor& real, const torch::Tensor& fake) {
  const auto mix = torch::linspace(0, 1, real.size(0), kDouble).unsqueeze(1);
  const auto between = (mix * real + (1 - mix) * fake).requires_grad_();
  const auto scores = critic->forward(between);
  const auto gradient = torch::autograd::grad({scores}, {between}, {torch::ones_like(scores)}, /*retain_graph=*/true,
                                              /*create_graph=*/true)[0];
  return (gradient.norm(2, 1) - 1).square().mean();
}

double size_of_gradients(Critic& critic) {
  double sum = 0;
  for (const auto& parameter : critic->parameters()) sum += parameter.grad().square().sum().item<double>();
  return std::sqrt(sum);
}

void wasserstein() {
  Critic critic;
  const auto real = 0.3 * spread({16, 2}, 5) + torch::tensor({1.0, -0.5}, kDouble);
  const auto fake = spread({16, 2}, 7);
  torch::optim::Adam adam(critic->parameters(), torch::optim::AdamOptions(0.02).betas(std::make_tuple(0.5, 0.9)));
  for (int step = 0; step < 20; step++) {
    adam.zero_grad();
    const auto distance = critic->forward(fake).mean() - critic->forward(real).mean();
    const auto cost = penalty(critic, real, fake);
    (distance + 10 * cost).backward();
    if (step % 5 == 4) {
      print("distance and penalty", torch::stack({distance, cost}));
      std::printf("size of the gradients: %.5f\n", size_of_gradients(critic));
    }
    adam.step();
  }
}

// Penalties of other kinds: of the loss's gradient by the parameters, and of the real points alone (R1).
void of_parameters() {
  Critic critic;
  const auto x = spread({10, 2}, 1), y = torch::tanh(x.sum(1));
  std::vector<torch::Tensor> parameters = critic->parameters();
  const auto loss = (critic->forward(x) - y).square().mean();
  const auto gradients = torch::autograd::grad({loss}, parameters, {}, true, true);
  torch::Tensor norm = torch::zeros({}, kDouble);
  for (const auto& gradient : gradients) norm = norm + gradient.square().sum();
  print("squared size of the gradient", norm);
  const auto slopes = torch::autograd::grad({norm}, parameters, {}, {}, false, /*allow_unused=*/true);
  for (const auto& slope : slopes) print("its slope", slope.defined() ? slope.norm() : slope);

  const auto real = x.clone().requires_grad_();
  const auto inner = torch::autograd::grad({critic->forward(real).sum()}, {real}, {}, true, true)[0];
  critic->zero_grad();
  (0.5 * inner.square().sum(1).mean()).backward();
  print("R1 by the first weight", critic->first->weight.grad());
  print("R1 by the last bias", critic->last->bias.grad().defined() ? critic->last->bias.grad() : torch::zeros({1}));
  print("R1 by the points", real.grad());
}

// One step of MAML: the loss after a step, differentiated through the step.
void through_a_step() {
  auto w = spread({3, 1}, 2).requires_grad_();
  auto rate = torch::full({}, 0.1, kDouble).requires_grad_();
  const auto x = spread({9, 3}, 4), y = torch::sin(x.sum(1, true));
  for (int step = 0; step < 5; step++) {
    const auto inner = (torch::tanh(x.slice(0, 0, 5).matmul(w)) - y.slice(0, 0, 5)).square().mean();
    const auto fast = w - rate * torch::autograd::grad({inner}, {w}, {}, true, true)[0];
    const auto outer = (torch::tanh(x.slice(0, 5).matmul(fast)) - y.slice(0, 5)).square().mean();
    const auto slopes = torch::autograd::grad({outer}, {w, rate});
    print("loss after the step", outer);
    print("by the weights", slopes[0]);
    print("by the rate", slopes[1]);
    torch::NoGradGuard no_grad;
    w.sub_(0.5 * slopes[0]);
    rate.sub_(0.5 * slopes[1]);
  }
}

}  // namespace

int main() {
  wasserstein();
  of_parameters();
  through_a_step();
}
