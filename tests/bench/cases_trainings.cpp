// Training steps, zero_grad, forward, cross-entropy, backward, step, on a fixed batch; and the optimizers' steps alone.
#include "case.h"

namespace bench {

namespace {

using torch::Tensor;
namespace nn = torch::nn;
namespace optim = torch::optim;

// Bytes that an optimizer moves for a parameter: its value, gradient and state read, value and state written.
constexpr double sgd_bytes = 12, momentum_bytes = 20, adam_bytes = 28, one_average_bytes = 20;

// Linear layers with ReLU between them, and before it BatchNorm, after it Dropout, where wanted.
nn::Sequential mlp(const Sizes& widths, bool batch_norm, double dropout) {
  nn::Sequential net;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    net->push_back(nn::Linear(widths[i], widths[i + 1]));
    if (i + 2 == widths.size()) break;
    if (batch_norm) net->push_back(nn::BatchNorm1d(widths[i + 1]));
    net->push_back(nn::ReLU());
    if (dropout > 0) net->push_back(nn::Dropout(dropout));
  }
  return net;
}

// Forward and the two gradients of each product, except that of the first input. Weights are read forward and backward
// and their gradients written; activations are left out: they stay in the cache.
Work mlp_work(double batch, const Sizes& widths, double optimizer_bytes) {
  Work work;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const double weight = product({widths[i], widths[i + 1]});
    work.flops += (i == 0 ? 4 : 6) * batch * weight;
    work.bytes += (12 + optimizer_bytes) * weight;
  }
  return work;
}

// What one step does, `optimizer` being in charge of the network's parameters.
template <class Optimizer>
std::function<void()> step(nn::Sequential net, const Optimizer& optimizer, const Tensor& x, std::int64_t classes) {
  const Tensor target = torch::randint(0, classes, {x.size(0)}, torch::kLong);
  return [=]() mutable {
    optimizer->zero_grad();
    nn::functional::cross_entropy(net->forward(x), target).backward();
    optimizer->step();
  };
}

// Sizes: batch, then the widths of the layers.
template <class Optimizer, class Options>
void training(Operations& operations, const char* name, bool batch_norm, double dropout, double bytes,
              const Options& options) {
  operations.recorded(
      name, 3,
      [=](const Sizes& s) {
        const Sizes widths(s.begin() + 1, s.end());
        const nn::Sequential net = mlp(widths, batch_norm, dropout);
        const auto optimizer = std::make_shared<Optimizer>(net->parameters(), options);
        return Prepared{mlp_work(double(s[0]), widths, bytes),
                        step(net, optimizer, torch::randn({s[0], s[1]}), widths.back())};
      },
      16);
}

// The step alone, of the parameters of an MLP. Sizes: the widths of its layers.
template <class Optimizer, class Options>
void optimizer_step(Operations& operations, const char* name, double bytes, double flops, const Options& options) {
  operations.recorded(
      name, 2,
      [=](const Sizes& s) {
        std::vector<Tensor> parameters;
        double count = 0;
        for (std::size_t i = 0; i + 1 < s.size(); ++i) {
          for (const Sizes& shape : {Sizes{s[i + 1], s[i]}, Sizes{s[i + 1]}}) {
            parameters.push_back(leaf(shape));
            parameters.back().mutable_grad() = torch::randn(shape);
            count += product(shape);
          }
        }
        const auto optimizer = std::make_shared<Optimizer>(parameters, options);
        return Prepared{{flops * count, bytes * count, 0.4, true}, [=] { optimizer->step(); }};
      },
      16);
}

// Two 3x3 convolutions with BatchNorm, ReLU and pooling, two linear layers, on images of 28 x 28. Sizes: batch,
// channels of the first and of the second convolution, hidden units.
Prepared cnn(const Sizes& s) {
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(1, s[1], 3).padding(1)), nn::BatchNorm2d(s[1]), nn::ReLU(),
                     nn::MaxPool2d(2), nn::Conv2d(nn::Conv2dOptions(s[1], s[2], 3).padding(1)), nn::BatchNorm2d(s[2]),
                     nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(s[2] * 7 * 7, s[3]), nn::ReLU(),
                     nn::Dropout(0.5), nn::Linear(s[3], 10));
  const auto optimizer = std::make_shared<optim::Adam>(net->parameters(), optim::AdamOptions(1e-3));
  const Work dense = mlp_work(double(s[0]), {s[2] * 7 * 7, s[3], 10}, adam_bytes);
  const double first = product({s[0], s[1], 28, 28}), second = product({s[0], s[2], 14, 14});
  // A product forward and two backward (one, of the first layer); of each convolution's result, 20 bytes for BatchNorm,
  // 20 for ReLU and 10 for pooling, forward and backward.
  return {{2 * first * 9 * 2 + 2 * second * 9 * double(s[1]) * 3 + dense.flops * 1.5,
           (50 + 12) * (first + second) + dense.bytes},
          step(net, optimizer, torch::randn({s[0], 1, 28, 28}), 10)};
}

}  // namespace

void add_trainings(Operations& operations) {
  training<optim::SGD>(operations, "train_mlp_bn_do_sgdm", true, 0.5, momentum_bytes,
                       optim::SGDOptions(0.1).momentum(0.9));
  training<optim::SGD>(operations, "train_mlp_sgd", false, 0, sgd_bytes, optim::SGDOptions(0.1));
  training<optim::Adam>(operations, "train_mlp_adam", false, 0, adam_bytes, optim::AdamOptions(0.01));
  operations.recorded("train_cnn", 4, cnn);
  optimizer_step<optim::Adam>(operations, "adam_step", adam_bytes, 16, optim::AdamOptions(1e-3));
  optimizer_step<optim::SGD>(operations, "sgdm_step", momentum_bytes, 4, optim::SGDOptions(1e-3).momentum(0.9));
  optimizer_step<optim::AdamW>(operations, "adamw_step", adam_bytes, 18, optim::AdamWOptions(1e-3));
  optimizer_step<optim::RMSprop>(operations, "rmsprop_step", one_average_bytes, 9, optim::RMSpropOptions(1e-3));
  optimizer_step<optim::Adagrad>(operations, "adagrad_step", one_average_bytes, 7, optim::AdagradOptions(1e-3));
}

}  // namespace bench
