// Data loading as programs for PyTorch's C++ frontend have it: data sets of their own in every form, transforms, samplers,
// collations, chunks, workers. Nothing random, so that every order is the same.
#include <gradus/torch.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "frontend_print.h"

namespace {

using torch::data::DataLoaderOptions;
using torch::data::Example;
namespace datasets = torch::data::datasets;
namespace samplers = torch::data::samplers;
namespace transforms = torch::data::transforms;

// By index: pictures of 2 channels, with their number.
class Pictures : public datasets::Dataset<Pictures> {
 public:
  explicit Pictures(int64_t count, int64_t broken = -1) : count_(count), broken_(broken) {
    images_ = torch::arange(count * 2 * 2 * 2, torch::kFloat32).view({count, 2, 2, 2});
  }
  Example<> get(size_t index) override {
    if (static_cast<int64_t>(index) == broken_) throw std::runtime_error("broken");
    return {images_[index], torch::tensor(static_cast<int64_t>(index), torch::kInt64)};
  }
  torch::optional<size_t> size() const override { return count_; }

 private:
  torch::Tensor images_;
  int64_t count_, broken_;
};

// Examples that are no tensors, put together by a collation.
struct Words : datasets::Dataset<Words, std::string> {
  std::string get(size_t index) override { return std::string(index + 1, static_cast<char>('a' + index)); }
  torch::optional<size_t> size() const override { return 5; }
};
struct Sentence : transforms::Collation<std::string> {
  std::string apply_batch(std::vector<std::string> words) override {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : " ") + word;
    return all;
  }
};

// Without an end.
struct Stream : datasets::StreamDataset<Stream, std::vector<int>> {
  std::vector<int> get_batch(size_t size) override {
    std::vector<int> batch;
    for (size_t i = 0; i < size; ++i) batch.push_back(next_++);
    return batch;
  }
  torch::optional<size_t> size() const override { return torch::nullopt; }
  int next_ = 0;
};

// With a state.
struct Countdown : datasets::StatefulDataset<Countdown, std::vector<int>> {
  torch::optional<std::vector<int>> get_batch(size_t size) override {
    if (left_ <= 0) return torch::nullopt;
    std::vector<int> batch;
    while (batch.size() < size && left_ > 0) batch.push_back(left_--);
    return batch;
  }
  void reset() override { left_ = 7; }
  torch::optional<size_t> size() const override { return 7; }
  void save(torch::serialize::OutputArchive&) const override {}
  void load(torch::serialize::InputArchive&) override {}
  int left_ = 0;
};

// In chunks of different lengths.
struct Chunks : datasets::ChunkDataReader<int> {
  using BatchType = std::vector<int>;
  std::vector<int> read_chunk(size_t index) override {
    std::vector<int> chunk;
    for (size_t i = 0; i <= index; ++i) chunk.push_back(static_cast<int>(10 * index + i));
    return chunk;
  }
  size_t chunk_count() override { return 4; }
  void reset() override {}
};

// A sampler of one's own, for requests that are its own.
struct Pairs : samplers::Sampler<> {
  explicit Pairs(size_t size) : size_(size) {}
  void reset(torch::optional<size_t> new_size = torch::nullopt) override {
    if (new_size) size_ = *new_size;
    at_ = 0;
  }
  torch::optional<std::vector<size_t>> next(size_t batch_size) override {
    std::vector<size_t> indices;
    for (; indices.size() < batch_size && at_ < size_ / 2; ++at_) {
      indices.push_back(at_);
      indices.push_back(size_ - 1 - at_);
    }
    if (indices.empty()) return torch::nullopt;
    return indices;
  }
  void save(torch::serialize::OutputArchive&) const override {}
  void load(torch::serialize::InputArchive&) override {}
  size_t size_, at_ = 0;
};

void print(const char* what, const std::vector<int>& numbers) {
  std::printf("%s:", what);
  for (const int number : numbers) std::printf(" %d", number);
  std::printf("\n");
}

void pictures(size_t workers) {
  auto dataset = Pictures(7)
                     .map(transforms::Normalize<>({2.0, 4.0}, {0.5, 2.0}))
                     .map(transforms::Lambda<Example<>>([](Example<> e) {
                       e.target = e.target * 10;
                       return e;
                     }))
                     .map(transforms::Stack<>());
  std::printf("%d pictures\n", static_cast<int>(dataset.size().value()));
  auto loader = torch::data::make_data_loader<samplers::SequentialSampler>(
      std::move(dataset), DataLoaderOptions().batch_size(3).workers(workers).timeout(std::chrono::seconds(60)));
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (auto& batch : *loader) {
      print("target", batch.target);
      print("mean", batch.data.mean({0, 2, 3}));
    }
  }
  for (Example<>& batch : *loader) batch.data.zero_();  // the batch is the loop's own
  auto whole = torch::data::make_data_loader(Pictures(7).map(transforms::Stack<>()), Pairs(7),
                                             DataLoaderOptions(2).drop_last(true).workers(workers));
  for (const auto& batch : *whole) print("pairs", batch.target);
  std::printf("batch size %zu, jobs %zu\n", whole->options().batch_size, whole->options().max_jobs);
}

void others() {
  auto words = torch::data::make_data_loader<samplers::SequentialSampler>(Words().map(Sentence()), 2);
  for (const std::string& sentence : *words) std::printf("%s\n", sentence.c_str());
  auto plain = torch::data::make_data_loader<samplers::SequentialSampler>(Words(), DataLoaderOptions(4));
  for (std::vector<std::string>& batch : *plain)
    std::printf("%zu words, the last %s\n", batch.size(), batch.back().c_str());

  auto stream = torch::data::make_data_loader(Stream(), samplers::StreamSampler(8), 3);
  for (auto& batch : *stream) print("stream", batch);
  auto countdown = torch::data::make_data_loader(
      Countdown().map(transforms::BatchLambda<std::vector<int>>([](std::vector<int> batch) {
        batch.push_back(0);
        return batch;
      })),
      DataLoaderOptions(3));
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (auto& batch : *countdown) print("countdown", batch);
  }

  auto chunks = datasets::make_shared_dataset<
      datasets::ChunkDataset<Chunks, samplers::SequentialSampler, samplers::SequentialSampler>>(
      Chunks(), samplers::SequentialSampler(0), samplers::SequentialSampler(0),
      datasets::ChunkDatasetOptions(1, 4, 16));
  auto reading = torch::data::make_data_loader(chunks, DataLoaderOptions(4));
  for (auto& batch : *reading) print("chunks", batch);

  auto tensors = datasets::TensorDataset(torch::eye(4))
                     .map(transforms::TensorLambda<void>([](torch::Tensor x) { return x + 1; }))
                     .map(transforms::Stack<torch::data::TensorExample>());
  auto rows = torch::data::make_data_loader(std::move(tensors), samplers::DistributedRandomSampler(4, 2, 1),
                                            DataLoaderOptions(4));
  for (torch::Tensor batch : *rows) print("share", batch);
  datasets::TensorDataset stacked({torch::ones({2}), torch::zeros({2})});
  print("get", stacked.get(1).data);
  print("get_batch", stacked.get_batch(std::vector<size_t>{1, 0})[1]);
}

void iterators() {
  auto loader = torch::data::make_data_loader<samplers::SequentialSampler>(Pictures(3), DataLoaderOptions(2));
  auto it = loader->begin();
  std::printf("%d", it != loader->end());
  std::printf(" %zu", it->size());
  ++it;
  std::printf(" %zu", (*it).size());
  ++it;
  std::printf(" %d\n", it == loader->end());
  refused("past the end", [&] { *it; });
  refused("past the end, again", [&] { ++it; });
  refused("the end's", [&] { *loader->end(); });
  refused("broken, without workers", [&] {
    auto broken = torch::data::make_data_loader<samplers::SequentialSampler>(Pictures(5, 3), DataLoaderOptions(2));
    for (auto& batch : *broken) std::printf("%zu\n", batch.size());
  });
  try {
    auto broken =
        torch::data::make_data_loader<samplers::SequentialSampler>(Pictures(5, 3), DataLoaderOptions(2).workers(2));
    for (auto& batch : *broken) std::printf("%zu\n", batch.size());
  } catch (const torch::data::WorkerException& error) {
    try {
      std::rethrow_exception(error.original_exception);
    } catch (const std::exception& original) {
      std::printf("in a worker: %s\n", original.what());
    }
  }
  refused("a sampler without a size",
          [] { torch::data::make_data_loader(Stream(), samplers::StreamSampler(2), 1)->end().operator*(); });
}

}  // namespace

int main() {
  for (const size_t workers : {0, 1, 3}) pictures(workers);
  others();
  iterators();
}
