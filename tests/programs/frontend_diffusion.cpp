// A program in the manner of PyTorch's C++ frontend, with one changed include: a denoising diffusion model of points in the
// plane. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "frontend_train.h"

namespace {

constexpr int64_t kTimes = 20;

// Sines and cosines of the time, then a network.
struct TimeEmbeddingImpl : torch::nn::Cloneable<TimeEmbeddingImpl> {
  explicit TimeEmbeddingImpl(int64_t features) : dim(features) { reset(); }
  void reset() override {
    const auto rates =
        torch::exp(torch::arange(dim / 2, torch::kFloat) * (-std::log(1e3) / (0.5 * static_cast<double>(dim) - 1)));
    frequencies = register_buffer("frequencies", rates);
    mlp = torch::nn::Sequential(torch::nn::Linear(dim, 2 * dim), torch::nn::SiLU(), torch::nn::Linear(2 * dim, dim));
    register_module("mlp", mlp);
  }
  torch::Tensor forward(const torch::Tensor& times) {
    const auto angles = times.to(torch::kDouble).unsqueeze(1) * frequencies.unsqueeze(0);
    return mlp->forward(torch::cat({angles.sin(), angles.cos()}, -1));
  }
  int64_t dim;
  torch::Tensor frequencies;
  torch::nn::Sequential mlp{nullptr};
};
TORCH_MODULE(TimeEmbedding);

class DenoiserImpl : public torch::nn::Cloneable<DenoiserImpl> {
 public:
  DenoiserImpl(int64_t features, int64_t layers) : width(features), depth(layers) { reset(); }
  void reset() override {
    time = register_module("time", TimeEmbedding(width));
    in = register_module("in", torch::nn::Linear(2, width));
    blocks = register_module("blocks", torch::nn::ModuleList());
    norms = register_module("norms", torch::nn::ModuleList());
    for (int64_t i = 0; i < depth; ++i) {
      blocks->push_back(torch::nn::Linear(width, width));
      norms->push_back(torch::nn::GroupNorm(torch::nn::GroupNormOptions(4, width)));
    }
    out = register_module("out", torch::nn::Linear(width, 2));
    classes = register_module("classes", torch::nn::Embedding(2, width));
  }
  torch::Tensor forward(torch::Tensor x, const torch::Tensor& times, const torch::Tensor& kind) {
    const auto condition = time->forward(times) + classes->forward(kind);
    x = in->forward(x);
    for (size_t i = 0; i < blocks->size(); ++i) {
      auto h = blocks->at<torch::nn::LinearImpl>(i).forward(torch::gelu(x) + condition);
      x = x + torch::silu(norms[i]->as<torch::nn::GroupNorm>()->forward(h));
    }
    return out->forward(x);
  }

 private:
  int64_t width, depth;
  TimeEmbedding time{nullptr};
  torch::nn::Linear in{nullptr}, out{nullptr};
  torch::nn::ModuleList blocks, norms;
  torch::nn::Embedding classes{nullptr};
};
TORCH_MODULE(Denoiser);

// The variances of the noise, and what is left of the point after each time.
struct Schedule {
  torch::Tensor betas = torch::linspace(1e-2, 0.3, kTimes, kDouble), alphas = 1.0 - betas,
                bars = torch::cumprod(alphas, /*dim=*/0);
  torch::Tensor add_noise(const torch::Tensor& x, const torch::Tensor& noise, const torch::Tensor& times) const {
    const auto bar = bars.index({times}).unsqueeze(-1);
    return bar.sqrt() * x + torch::sqrt(1 - bar) * noise;
  }
  torch::Tensor step_back(const torch::Tensor& x, const torch::Tensor& predicted, int64_t t,
                          const torch::Tensor& noise) const {
    auto mean = (x - betas[t] / (1 - bars[t]).sqrt() * predicted) / alphas[t].sqrt();
    return t > 0 ? mean + betas[t].sqrt() * noise : mean;
  }
};

}  // namespace

int main() {
  const int64_t count = 32;
  // Two half moons.
  const auto kind = torch::arange(count, torch::kInt64).remainder(2);
  const auto angle = torch::linspace(0, M_PI, count, kDouble), side = 1 - 2 * kind.to(torch::kFloat64);
  const auto points = torch::stack({torch::cos(angle) - 0.5 * side, side * (torch::sin(angle) - 0.25)}, 1);

  auto model = Denoiser(16, 2);
  set_parameters(*model);
  auto averaged = std::dynamic_pointer_cast<DenoiserImpl>(model->clone());
  const Schedule schedule;
  torch::optim::AdamW optimizer(model->parameters(), torch::optim::AdamWOptions(1e-2).betas({0.9, 0.99}));
  for (int step = 0; step < 50; ++step) {
    for (auto& group : optimizer.param_groups())  // a cosine, after a start
      static_cast<torch::optim::AdamWOptions&>(group.options())
          .lr(1e-2 * std::min(1.0, (step + 1) / 5.0) * 0.5 * (1 + std::cos(M_PI * step / 60)));
    const auto times = (torch::arange(count, torch::kLong) * 7 + step * 3) % kTimes;
    const auto noise = 1.4 * spread({count, 2}, 0.3 * step);
    const auto loss = torch::mse_loss(model->forward(schedule.add_noise(points, noise, times), times, kind), noise);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    torch::NoGradGuard no_grad;
    for (size_t i = 0; i < model->parameters().size(); ++i)
      averaged->parameters()[i].lerp_(model->parameters()[i], 0.1);
    report(step, loss);
  }
  torch::NoGradGuard no_grad;
  averaged->eval();
  auto x = 1.4 * spread({count, 2}, 9);
  for (int64_t t = kTimes - 1; t >= 0; --t)
    x = schedule.step_back(x, averaged->forward(x, torch::full({count}, t, torch::kLong), kind), t,
                           1.4 * spread({count, 2}, static_cast<double>(t)));
  const auto near = std::get<0>(torch::cdist(x, points).min(1));
  std::printf("drawn points: mean %.5f, deviation %.5f, distance %.5f\n", x.mean().item<double>(),
              x.std().item<double>(), near.mean().item<double>());
}
