// A program in the manner of PyTorch's C++ frontend, with one changed include: a residual network that tells patterns of
// stripes apart. What it prints is the same with libtorch.
#include <gradus/torch.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "frontend_train.h"

namespace {

torch::nn::Conv2dOptions conv3x3(int64_t in, int64_t out, int64_t stride = 1, int64_t groups = 1) {
  return torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).groups(groups).bias(false);
}

struct BasicBlockImpl : torch::nn::Module {
  static const int64_t expansion = 1;
  BasicBlockImpl(int64_t in, int64_t planes, int64_t stride, torch::nn::Sequential shortcut = nullptr)
      : conv1(conv3x3(in, planes, stride)),
        bn1(planes),
        conv2(conv3x3(planes, planes)),
        bn2(planes),
        downsample(shortcut) {
    register_module("conv1", conv1);
    register_module("bn1", bn1);
    register_module("conv2", conv2);
    register_module("bn2", bn2);
    if (!downsample.is_empty()) register_module("downsample", downsample);
  }
  torch::Tensor forward(torch::Tensor x) {
    auto out = bn1(conv1(x));
    torch::relu_(out);
    out = bn2->forward(conv2->forward(out));
    out += downsample.is_empty() ? x : downsample->forward(x);
    return out.relu_();
  }
  torch::nn::Conv2d conv1;
  torch::nn::BatchNorm2d bn1;
  torch::nn::Conv2d conv2;
  torch::nn::BatchNorm2d bn2;
  torch::nn::Sequential downsample;
};
TORCH_MODULE(BasicBlock);

struct BottleneckImpl : torch::nn::Module {
  static const int64_t expansion = 2;
  BottleneckImpl(int64_t in, int64_t planes, int64_t stride, torch::nn::Sequential shortcut = nullptr)
      : downsample(shortcut) {
    body = register_module(
        "body",
        torch::nn::Sequential(
            torch::nn::Conv2d(torch::nn::Conv2dOptions(in, planes, 1).bias(false)), torch::nn::BatchNorm2d(planes),
            torch::nn::ReLU(), torch::nn::Conv2d(conv3x3(planes, planes, stride, 2)), torch::nn::BatchNorm2d(planes),
            torch::nn::ReLU(), torch::nn::Conv2d(torch::nn::Conv2dOptions(planes, planes * expansion, 1).bias(false)),
            torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(planes * expansion).momentum(0.2))));
    if (downsample) register_module("downsample", downsample);
  }
  torch::Tensor forward(torch::Tensor x) {
    return torch::relu(body->forward(x) + (downsample ? downsample->forward(x) : x));
  }
  torch::nn::Sequential body{nullptr}, downsample{nullptr};
};
TORCH_MODULE(Bottleneck);

// Half the rate after every twenty steps.
class Halving : public torch::optim::LRScheduler {
 public:
  explicit Halving(torch::optim::Optimizer& optimizer) : torch::optim::LRScheduler(optimizer) {}

 private:
  std::vector<double> get_lrs() override {
    auto rates = get_current_lrs();
    if (step_count_ % 20 == 19)
      for (auto& rate : rates) rate *= 0.5;
    return rates;
  }
};

template <class Block, class Impl>
struct ResNet : torch::nn::Module {
  ResNet(const std::vector<int64_t>& layers, int64_t classes) {
    conv1 = register_module("conv1", torch::nn::Conv2d(conv3x3(1, 4)));
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(4));
    layer1 = register_module("layer1", make_layer(4, layers[0], 1));
    layer2 = register_module("layer2", make_layer(8, layers[1], 2));
    fc = register_module("fc", torch::nn::Linear(in_, classes));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(bn1->forward(conv1->forward(x)));
    x = layer2->forward(layer1->forward(x));
    x = torch::adaptive_avg_pool2d(x, {1, 1});
    return fc->forward(x.view({x.size(0), -1}));
  }
  torch::nn::Sequential make_layer(int64_t planes, int64_t blocks, int64_t stride) {
    torch::nn::Sequential shortcut{nullptr};
    if (stride != 1 || in_ != planes * Impl::expansion)
      shortcut = torch::nn::Sequential(
          torch::nn::Conv2d(torch::nn::Conv2dOptions(in_, planes * Impl::expansion, 1).stride(stride).bias(false)),
          torch::nn::BatchNorm2d(planes * Impl::expansion));
    torch::nn::Sequential layer;
    layer->push_back(Block(in_, planes, stride, shortcut));
    in_ = planes * Impl::expansion;
    for (int64_t i = 1; i < blocks; i++) layer->push_back("more" + std::to_string(i), Block(in_, planes, 1));
    return layer;
  }
  int64_t in_ = 4;
  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  torch::nn::Sequential layer1{nullptr}, layer2{nullptr};
  torch::nn::Linear fc{nullptr};
};

void train(const std::shared_ptr<torch::nn::Module>& module,
           const std::function<torch::Tensor(torch::Tensor)>& forward) {
  set_parameters(*module);
  const auto labels = torch::arange(12, torch::kLong).remainder(3);
  const auto at = torch::arange(12, kDouble);
  std::vector<torch::Tensor> images;
  for (int i = 0; i < 12; ++i) {  // horizontal, vertical, oblique
    const auto y = (at * (i % 3 == 1 ? 0. : 1.1)).view({1, 12, 1}), x = (at * (i % 3 == 0 ? 0. : 1.1)).view({1, 1, 12});
    images.emplace_back(torch::sin(y + x + i));
  }
  const auto data = torch::stack(torch::TensorList(images)) + spread({12, 1, 12, 12}, 2);
  // Weights decay, scales and biases do not.
  std::vector<torch::Tensor> decay, rest;
  for (const auto& p : module->named_parameters()) (p.value().dim() > 1 ? decay : rest).push_back(p.value());
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decay, std::make_unique<torch::optim::SGDOptions>(0.05));
  groups.emplace_back(rest);
  static_cast<torch::optim::SGDOptions&>(groups[0].options()).momentum(0.9).weight_decay(1e-2);
  torch::optim::SGD optimizer(groups, torch::optim::SGDOptions(0.05).momentum(0.9).nesterov(true));
  Halving schedule(optimizer);
  module->train();
  torch::Tensor output;
  for (int step = 0; step < 50; ++step) {
    output = forward(data);
    auto loss = torch::nn::functional::cross_entropy(
        output, labels, torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(0.1));
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    schedule.step();
    report(step, loss);
  }
  module->eval();
  torch::NoGradGuard no_grad;
  const auto right = forward(data).argmax(1).eq(labels).sum().item<int64_t>();
  std::printf("%d of 12 right, %d parameters, learning rate %.5f\n", static_cast<int>(right),
              static_cast<int>(module->parameters().size()), optimizer.param_groups()[1].options().get_lr());
}

}  // namespace

int main() {
  auto basic = std::make_shared<ResNet<BasicBlock, BasicBlockImpl>>(std::vector<int64_t>{1, 2}, 3);
  train(basic, [&](torch::Tensor x) { return basic->forward(x); });
  auto deep = std::make_shared<ResNet<Bottleneck, BottleneckImpl>>(std::vector<int64_t>{1, 1}, 3);
  train(deep, [&](torch::Tensor x) { return deep->forward(x); });
}
