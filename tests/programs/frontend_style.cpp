// A program in the manner of PyTorch's C++ frontend, with one changed include: a picture that takes one picture's content and
// another's style, by the gradient with respect to the picture, with LBFGS and with Adam. What it prints is the same with
// libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "frontend_train.h"

namespace {

namespace nn = torch::nn;

torch::Tensor gram(const torch::Tensor& x) {
  const auto b = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
  const auto features = x.view({b, c, h * w});
  return features.bmm(features.transpose(1, 2)) / static_cast<double>(c * h * w);
}

// Fixed features, of which some are looked at.
class FeaturesImpl : public nn::Module {
 public:
  FeaturesImpl() {
    layers = register_module("layers", nn::ModuleList());
    layers->push_back(nn::Conv2d(nn::Conv2dOptions(3, 6, 3).padding(1)));
    layers->push_back(nn::Tanh());
    layers->push_back(nn::InstanceNorm2d(nn::InstanceNorm2dOptions(6).affine(true)));
    layers->push_back(nn::Conv2d(nn::Conv2dOptions(6, 8, 3).padding(torch::kSame)));
    layers->push_back(nn::Softplus(nn::SoftplusOptions().beta(2)));
    layers->push_back(nn::AvgPool2d(nn::AvgPool2dOptions(2)));
    layers->push_back(nn::Sequential(nn::ReflectionPad2d(1), nn::Conv2d(8, 10, 3), nn::ELU()));
    register_buffer("mean", torch::tensor({0.485, 0.456, 0.406}).view({-1, 1, 1}));
    register_buffer("deviation", torch::tensor({0.229, 0.224, 0.225}).view({-1, 1, 1}));
  }
  std::vector<torch::Tensor> forward(torch::Tensor x) {
    x = (x - named_buffers()["mean"]) / named_buffers()["deviation"];
    std::vector<torch::Tensor> seen;
    for (size_t i = 0; i < layers->size(); ++i) {
      if (auto* conv = layers[i]->as<nn::Conv2d>())
        x = conv->forward(x);
      else if (auto* tanh = layers[i]->as<nn::Tanh>())
        x = tanh->forward(x);
      else if (auto* norm = layers[i]->as<nn::InstanceNorm2d>())
        x = norm->forward(x);
      else if (auto* softplus = layers[i]->as<nn::Softplus>())
        x = softplus->forward(x);
      else if (auto* pool = layers[i]->as<nn::AvgPool2d>())
        x = pool->forward(x);
      else
        x = std::dynamic_pointer_cast<nn::SequentialImpl>(layers->ptr(i))->forward(x);
      if (i == 1 || i == 4 || i == 6) seen.push_back(x);
    }
    return seen;
  }
  nn::ModuleList layers;
};
TORCH_MODULE(Features);

struct Losses {
  Losses(const torch::Tensor& content, const torch::Tensor& style) {
    set_parameters(*net);
    for (auto& p : net->parameters()) p.requires_grad_(false);
    net->eval();
    wanted = net->forward(content).back().detach();
    for (const auto& x : net->forward(style)) grams.push_back(gram(x).detach());
  }
  torch::Tensor operator()(const torch::Tensor& image) {
    const auto seen = net->forward(image);
    auto loss = torch::mse_loss(seen.back(), wanted);
    for (size_t i = 0; i < grams.size(); ++i)
      loss = loss + 20 * nn::functional::mse_loss(gram(seen[i]), grams[i], torch::kSum);
    // Total variation.
    return loss + 0.05 * (image.slice(2, 1) - image.slice(2, 0, -1)).abs().mean() +
           0.05 * (image.slice(3, 1) - image.slice(3, 0, -1)).abs().mean();
  }
  Features net;
  torch::Tensor wanted;
  std::vector<torch::Tensor> grams;
};

}  // namespace

int main() {
  const auto content = 0.5 + 0.4 * torch::sin(torch::arange(3 * 12 * 12, kDouble) * 0.05).view({1, 3, 12, 12});
  const auto style = 0.5 + 0.4 * spread({1, 3, 12, 12}, 1);
  Losses losses(content, style);

  auto image = content.clone().requires_grad_(true);
  torch::optim::Adam adam({image}, torch::optim::AdamOptions(0.02).amsgrad(true));
  for (int step = 0; step < 50; ++step) {
    adam.zero_grad();
    auto loss = losses(image);
    loss.backward();
    adam.step();
    {
      torch::NoGradGuard no_grad;
      image.clamp_(0, 1);
    }
    report(step, loss);
  }
  for (const auto& p : losses.net->parameters())
    if (p.grad().defined()) std::printf("the net has a gradient\n");

  auto canvas = (content + 0.1 * spread(content.sizes(), 3)).detach().requires_grad_();
  torch::optim::LBFGS lbfgs({canvas}, torch::optim::LBFGSOptions(0.5).max_iter(4).history_size(10));
  for (int step = 0; step < 10; ++step) {
    const auto loss = lbfgs.step([&] {
      lbfgs.zero_grad();
      auto cost = losses(canvas);
      cost.backward();
      return cost;
    });
    std::printf("LBFGS %d: loss %.5f\n", step, loss.item<double>());
  }
  torch::optim::LBFGS searching({canvas}, torch::optim::LBFGSOptions(1).max_iter(3).line_search_fn("strong_wolfe"));
  for (int step = 0; step < 3; ++step) {
    const auto loss = searching.step([&]() -> torch::Tensor {
      searching.zero_grad();
      auto cost = losses(canvas);
      cost.backward();
      return cost;
    });
    std::printf("with a search %d: loss %.5f\n", step, loss.item<double>());
  }
}
