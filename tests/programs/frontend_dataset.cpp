// A program in the manner of the frontend's example of a custom dataset, with one changed include: a list in CSV, pictures
// in files, transforms, a loader, a network that is read off a table.
#include <gradus/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "frontend_formula.h"

namespace {

namespace nn = torch::nn;
using Data = std::vector<std::pair<std::string, long>>;
constexpr int64_t kSide = 12;
constexpr int kPictures = 40, kBatch = 8;

// Pictures of three channels as they are in memory, and the list of them with their classes.
void write_pictures(const std::filesystem::path& folder) {
  std::ofstream list(folder / "info.csv");
  for (int i = 0; i < kPictures; ++i) {
    const int label = i * 3 % 4;
    const auto name = "picture_" + std::to_string(i) + ".raw";
    std::ofstream file(folder / name, std::ios::binary);
    for (int64_t c = 0; c < 3; ++c) {
      for (int64_t y = 0; y < kSide; ++y) {
        for (int64_t x = 0; x < kSide; ++x) {
          const int64_t stripes = label % 2 == 0 ? x : y, ground = (c * 37 + y * 5 + x * 11 + i * 23) % 90;
          file.put(static_cast<char>(ground + (stripes % 4 < 2 ? 120 : 0) + (label > 1 && c == 0 ? 40 : 0)));
        }
      }
    }
    list << name << "," << label << "\n";
  }
}

Data read_info(const std::filesystem::path& folder) {
  Data data;
  std::ifstream stream(folder / "info.csv");
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    std::string name, label;
    std::getline(fields, name, ',');
    std::getline(fields, label, ',');
    data.emplace_back((folder / name).string(), std::stol(label));
  }
  return data;
}

class CustomDataset : public torch::data::datasets::Dataset<CustomDataset> {
  using Example = torch::data::Example<>;
  Data data;

 public:
  explicit CustomDataset(const Data& list) : data(list) {}

  Example get(size_t index) override {
    std::ifstream file(data[index].first, std::ios::binary);
    std::vector<char> bytes(3 * kSide * kSide);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    auto tdata = torch::from_blob(bytes.data(), {3, kSide, kSide}, torch::kByte).to(torch::kFloat).div_(255);
    auto tlabel = torch::tensor(data[index].second, torch::kLong);
    return {tdata, tlabel};
  }
  torch::optional<size_t> size() const override { return data.size(); }
};

struct NetworkImpl : nn::SequentialImpl {
  using SequentialImpl::SequentialImpl;
  NetworkImpl() {
    auto stride = torch::ExpandingArray<2>({2, 2});
    torch::ExpandingArray<2> shape({-1, 16 * 2 * 2});
    push_back(nn::Conv2d(nn::Conv2dOptions(3, 8, 3).padding(1)));
    push_back(nn::Functional(torch::relu));
    push_back(nn::Functional(torch::max_pool2d, 2, stride, 0, 1, false));
    push_back(nn::Conv2d(nn::Conv2dOptions(8, 16, 3)));
    push_back(nn::Functional(torch::relu));
    push_back(nn::Functional(torch::max_pool2d, 2, stride, 0, 1, false));
    push_back(nn::Functional(torch::reshape, shape));
    push_back("fc1", nn::Linear(16 * 2 * 2, 20));
    push_back(nn::Functional(torch::relu));
    push_back("fc2", nn::Linear(20, 4));
    push_back(nn::LogSoftmax(1));
  }
};
TORCH_MODULE(Network);

}  // namespace

int main() {
  const TemporaryFolder folder;
  write_pictures(folder.path);
  auto all = read_info(folder.path);
  std::sort(all.begin(), all.end());
  Data train_list(all.begin(), all.begin() + 32), test_list(all.begin() + 32, all.end());

  auto train_set = CustomDataset(train_list)
                       .map(torch::data::transforms::Normalize<>({0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}))
                       .map(torch::data::transforms::Stack<>());
  const auto train_size = train_set.size().value();
  auto train_loader = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(
      std::move(train_set), torch::data::DataLoaderOptions().batch_size(kBatch).workers(1).enforce_ordering(true));
  auto test_set = CustomDataset(test_list)
                      .map(torch::data::transforms::Normalize<>({0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}))
                      .map(torch::data::transforms::Stack<>());
  const size_t test_size = test_set.size().value();
  auto test_loader =
      torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(std::move(test_set), kBatch);
  std::cout << train_size << " to train with, " << test_size << " to test" << std::endl;

  Network network;
  set_weights(*network);
  torch::optim::SGD optimizer(network->parameters(), torch::optim::SGDOptions(0.05).momentum(0.6));
  int step = 0;
  for (int epoch = 1; epoch <= 13; ++epoch) {
    network->train();
    double mean = 0;
    for (auto& batch : *train_loader) {
      auto data = batch.data.to(torch::kDouble);
      auto targets = batch.target.view({-1});
      optimizer.zero_grad();
      auto output = network->forward(data);
      auto loss = torch::nll_loss(output, targets);
      loss.backward();
      optimizer.step();
      print_loss(step++, "batch", loss);
      mean += loss.item<double>() * kBatch / static_cast<double>(train_size);
    }
    if (epoch % 4 == 0) std::printf("epoch %d, mean %.5f\n", epoch, mean);
  }

  network->eval();
  torch::InferenceMode guard;
  int64_t correct = 0;
  for (const auto& batch : *test_loader) {
    auto output = network->forward(batch.data.to(torch::kDouble));
    auto [best, predicted] = output.max(1);
    correct += predicted.eq(batch.target).sum().item<int64_t>();
    std::cout << batch.data.sizes() << " " << batch.target.sizes() << std::endl;
    std::printf("sure %.5f\n", best.exp().mean().item<double>());
  }
  std::printf("right: %d of %d\n", static_cast<int>(correct), static_cast<int>(test_size));
  for (const auto& p : network->named_parameters()) std::cout << p.key() << " " << p.value().sizes() << std::endl;
}
