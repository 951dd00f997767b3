// A program in the manner of the frontend's MNIST example, with one changed include: a convolutional network, trained and
// tested on files that it writes itself, then saved and resumed.
#include <gradus/torch.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "frontend_formula.h"

namespace {

constexpr int kBatchSize = 8, kSteps = 50, kTested = 200;
constexpr size_t kImages = 10000;  // as many as the test's files must have

// Files of MNIST's form: each digit is a bar at a place of its own, on a ground that varies.
void write_digits(const std::filesystem::path& folder) {
  std::ofstream images(folder / "t10k-images-idx3-ubyte", std::ios::binary);
  std::ofstream labels(folder / "t10k-labels-idx1-ubyte", std::ios::binary);
  const unsigned char of_images[] = {0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28};
  const unsigned char of_labels[] = {0, 0, 8, 1, 0, 0, 0x27, 0x10};
  images.write(reinterpret_cast<const char*>(of_images), sizeof of_images);
  labels.write(reinterpret_cast<const char*>(of_labels), sizeof of_labels);
  std::vector<unsigned char> image(28 * 28);
  for (size_t i = 0; i < kImages; ++i) {
    const size_t digit = i * 7 % 10, left = 2 + 5 * (digit % 5), top = digit < 5 ? 3 : 15;
    for (size_t k = 0; k < image.size(); ++k) image[k] = static_cast<unsigned char>((k * 31 + i * 17) % 64);
    for (size_t y = top; y < top + 10; ++y) {
      for (size_t x = left; x < left + 3; ++x) image[y * 28 + x] = static_cast<unsigned char>(255 - (i + x * y) % 50);
    }
    images.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
    labels.put(static_cast<char>(digit));
  }
}

struct NetImpl : torch::nn::Module {
  NetImpl()
      : conv1(torch::nn::Conv2dOptions(1, 4, /*kernel_size=*/5)),
        conv2(torch::nn::Conv2dOptions(4, 8, /*kernel_size=*/5)),
        fc1(128, 24),
        fc2(24, 10) {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("conv2_drop", conv2_drop);
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }

  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(torch::max_pool2d(conv1->forward(x), 2));
    x = torch::relu(torch::max_pool2d(conv2_drop->forward(conv2->forward(x)), 2));
    x = x.view({-1, 128});
    x = torch::relu(fc1->forward(x));
    x = torch::dropout(x, /*p=*/0.0, /*train=*/is_training());
    x = fc2->forward(x);
    return torch::log_softmax(x, /*dim=*/1);
  }

  torch::nn::Conv2d conv1, conv2;
  torch::nn::Dropout2d conv2_drop{torch::nn::Dropout2dOptions(0.0)};
  torch::nn::Linear fc1, fc2;
};
TORCH_MODULE(Net);

template <typename DataLoader>
void train(int32_t epoch, Net& model, torch::Device device, DataLoader& data_loader,
           torch::optim::Optimizer& optimizer) {
  model->train();
  int batch_idx = 0;
  for (auto& batch : data_loader) {
    if (batch_idx == kSteps) break;
    auto data = batch.data.to(device).to(torch::kFloat64), targets = batch.target.to(device);
    optimizer.zero_grad();
    auto output = model->forward(data);
    auto loss = torch::nll_loss(output, targets);
    loss.backward();
    optimizer.step();
    print_loss(batch_idx++, epoch == 1 ? "epoch 1, batch" : "epoch 2, batch", loss);
  }
}

template <typename DataLoader>
void test(Net& model, torch::Device device, DataLoader& data_loader) {
  torch::NoGradGuard no_grad;
  model->eval();
  double test_loss = 0;
  int64_t correct = 0, tested = 0;
  for (const auto& batch : data_loader) {
    if (tested == kTested) break;
    auto data = batch.data.to(device).to(torch::kFloat64), targets = batch.target.to(device);
    auto output = model->forward(data);
    test_loss += torch::nll_loss(output, targets, /*weight=*/{}, torch::Reduction::Sum).template item<double>();
    auto pred = output.argmax(1);
    correct += pred.eq(targets).sum().template item<int64_t>();
    tested += data.size(0);
  }
  std::printf("Test set: Average loss: %.4f | Accuracy: %.3f\n", test_loss / static_cast<double>(tested),
              static_cast<double>(correct) / static_cast<double>(tested));
}

}  // namespace

int main() {
  torch::manual_seed(1);
  torch::DeviceType device_type = torch::kCPU;
  if (torch::cuda::is_available()) device_type = torch::kCUDA;
  torch::Device device(device_type);
  const TemporaryFolder temporary;
  const auto& folder = temporary.path;
  write_digits(folder);

  auto dataset = torch::data::datasets::MNIST(folder.string(), torch::data::datasets::MNIST::Mode::kTest)
                     .map(torch::data::transforms::Normalize<>(0.1307, 0.3081))
                     .map(torch::data::transforms::Stack<>());
  std::cout << "images: " << dataset.size().value() << std::endl;
  auto loader = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(std::move(dataset), kBatchSize);

  Net model;
  set_weights(*model);
  model->to(device);
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(0.02).momentum(0.5));
  train(1, model, device, *loader, optimizer);
  test(model, device, *loader);

  const std::string saved = (folder / "model.pt").string(), state = (folder / "optimizer.pt").string();
  torch::save(model, saved);
  torch::save(optimizer, state);
  Net resumed;
  resumed->to(torch::kFloat64);
  torch::optim::SGD again(resumed->parameters(), torch::optim::SGDOptions(0.02).momentum(0.5));
  torch::load(resumed, saved, device);
  torch::load(again, state, device);
  test(resumed, device, *loader);
  train(2, model, device, *loader, optimizer);
  train(2, resumed, device, *loader, again);
}
