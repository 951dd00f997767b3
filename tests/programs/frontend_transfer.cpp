// A program in the manner of the frontend's example of transfer learning, with one changed include: a small residual
// network is trained, its state goes into another, whose body is frozen and whose head is new; then all is tuned.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "frontend_formula.h"

namespace {

namespace nn = torch::nn;
using namespace torch::indexing;

class BlockImpl : public nn::Module {
 public:
  BlockImpl(int64_t in, int64_t out, int64_t stride) {
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)));
    norm1 = register_module("norm1", nn::BatchNorm2d(out));
    conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(out, out, 3).padding(1).bias(false)));
    norm2 = register_module("norm2", nn::BatchNorm2d(nn::BatchNorm2dOptions(out).momentum(0.2)));
    if (stride != 1 || in != out) {
      shortcut = register_module(
          "shortcut", nn::Sequential(nn::Conv2d(nn::Conv2dOptions(in, out, 1).stride(stride)), nn::BatchNorm2d(out)));
    }
  }
  torch::Tensor forward(const torch::Tensor& x) {
    auto out = torch::relu(norm1->forward(conv1->forward(x)));
    out = norm2->forward(conv2->forward(out));
    out += shortcut.is_empty() ? x : shortcut->forward(x);
    return torch::relu(out);
  }

 private:
  nn::Conv2d conv1{nullptr}, conv2{nullptr};
  nn::BatchNorm2d norm1{nullptr}, norm2{nullptr};
  nn::Sequential shortcut{nullptr};
};
TORCH_MODULE(Block);

struct NetImpl : nn::Module {
  explicit NetImpl(int64_t classes)
      : body(register_module("body", make_body())), fc(register_module("fc", nn::Linear(16, classes))) {}
  static nn::Sequential make_body() {
    nn::Sequential layers(nn::Conv2d(nn::Conv2dOptions(3, 8, 3).padding(1)));
    layers->push_back(Block(8, 8, 1));
    layers->push_back(Block(8, 16, 2));
    layers->push_back(nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({1, 1})));
    layers->push_back(nn::Flatten());
    return layers;
  }
  torch::Tensor forward(torch::Tensor x) { return fc(body->forward(x)); }
  nn::Sequential body;
  nn::Linear fc;
};
TORCH_MODULE(Net);

std::pair<torch::Tensor, torch::Tensor> batch(int step, int64_t classes) {
  auto target = (torch::arange(8) * 5 + step) % classes;
  auto images = wave({8, 3, 8, 8}, step, 0.5);
  for (int64_t i = 0; i < 8; ++i) {
    const auto at = target[i].item<int64_t>();
    images.index_put_({i, at % 3, Slice(at, at + 4), Slice(None, 6)}, 1.5);
  }
  return {images, target};
}

void train(Net& net, torch::optim::Optimizer& optimizer, int64_t classes, const char* name) {
  for (int step = 0; step <= 50; ++step) {
    const auto [images, target] = batch(step, classes);
    optimizer.zero_grad();
    auto loss = nn::CrossEntropyLoss(nn::CrossEntropyLossOptions().label_smoothing(0.05))(net(images), target);
    loss.backward();
    nn::utils::clip_grad_norm_(net->parameters(), 2.0);
    optimizer.step();
    print_loss(step, name, loss);
  }
}

double accuracy(Net& net, int64_t classes) {
  torch::NoGradGuard no_grad;
  net->eval();
  const auto [images, target] = batch(3, classes);
  return net(images).argmax(-1).eq(target).to(torch::kFloat64).mean().item<double>();
}

}  // namespace

int main() {
  const TemporaryFolder folder;
  const std::string file = (folder.path / "base.pt").string();
  Net base(4);
  set_weights(*base);
  torch::optim::SGD sgd(base->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(1e-4));
  train(base, sgd, 4, "base");
  torch::save(base, file);

  Net net(4);
  net->to(torch::kFloat64);
  torch::load(net, file);
  std::printf("as trained: %d, accuracy %.3f\n", torch::equal(net->fc->weight, base->fc->weight), accuracy(net, 4));

  // The body frozen, statistics too; a head for three classes.
  for (auto& parameter : net->body->parameters()) parameter.set_requires_grad(false);
  net->fc = net->replace_module("fc", nn::Linear(16, 3));
  set_weights(*net->fc, 2.0);
  net->train();
  net->body->eval();
  std::vector<torch::Tensor> trained;
  for (const auto& parameter : net->parameters()) {
    if (parameter.requires_grad()) trained.push_back(parameter);
  }
  const auto kernel = net->body->parameters()[0].detach().clone();
  torch::optim::Adam adam(trained, torch::optim::AdamOptions(5e-2));
  train(net, adam, 3, "head");
  std::printf("%zu trained of %zu, the body as it was: %d\n", trained.size(), net->parameters().size(),
              kernel.equal(net->body->parameters()[0]));

  // All, the body in smaller steps.
  for (auto& parameter : net->parameters()) parameter.requires_grad_(true);
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(net->body->parameters(),
                      std::make_unique<torch::optim::AdamWOptions>(torch::optim::AdamWOptions(1e-3)));
  groups.emplace_back(net->fc->parameters());
  torch::optim::AdamW adamw(groups, torch::optim::AdamWOptions(1e-2).weight_decay(0.05));
  net->train();
  train(net, adamw, 3, "tuned");
  std::printf("accuracy %.3f\n", accuracy(net, 3));
  const auto weights = nn::utils::parameters_to_vector(net->fc->parameters());
  std::cout << weights.sizes() << " " << net->named_parameters().size() << " " << net->named_buffers().size()
            << std::endl;
}
