// Loaders: the time of an epoch over MNIST with Normalize and Stack, and over a data set of one's own, example by example.
// One source for this library and, with GRADUS_BENCH_TORCH, for libtorch. The least of several epochs, by the clock, and in
// processor time of all threads.
//
//   bench_loading FOLDER [EPOCHS]     FOLDER holds MNIST's four files, unpacked (libtorch reads no others)
#ifdef GRADUS_BENCH_TORCH
#include <torch/torch.h>
#else
#include <gradus/torch.h>
#endif

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

namespace data = torch::data;

// What most programs write: tensors of its own, an example at a time.
struct Own : data::datasets::Dataset<Own> {
  torch::Tensor x = torch::rand({20000, 3, 16, 16}), y = torch::zeros({20000}, torch::kInt64);
  data::Example<> get(std::size_t index) override {
    const auto i = static_cast<std::int64_t>(index);
    return {x[i], y[i]};
  }
  torch::optional<std::size_t> size() const override { return 20000; }
};

template <class Dataset>
void measure(const char* name, const Dataset& dataset, int epochs) {
  for (const std::size_t workers : {0, 1, 2}) {
    auto loader = data::make_data_loader<data::samplers::RandomSampler>(
        dataset, data::DataLoaderOptions().batch_size(64).workers(workers));
    double least = 1e9, processor = 1e9;
    float sum = 0;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const auto start = std::chrono::steady_clock::now();
      const std::clock_t before = std::clock();
      for (auto& batch : *loader) sum += *batch.data.template data_ptr<float>();
      least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      processor = std::min(processor, static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC);
    }
    std::printf("%-24s workers %zu  %8.1f ms an epoch, %8.1f ms of processors  (%g)\n", name, workers, 1e3 * least,
                1e3 * processor, static_cast<double>(sum));
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "bench_loading FOLDER [EPOCHS]: FOLDER holds MNIST's files\n");
    return 2;
  }
  const int epochs = argc > 2 ? std::atoi(argv[2]) : 5;
  torch::set_num_threads(1);
  measure("MNIST, Normalize, Stack",
          data::datasets::MNIST(argv[1])
              .map(data::transforms::Normalize<>(0.1307, 0.3081))
              .map(data::transforms::Stack<>()),
          epochs);
  measure("own, Normalize, Stack",
          Own().map(data::transforms::Normalize<>({0.5, 0.5, 0.5}, {0.2, 0.2, 0.2})).map(data::transforms::Stack<>()),
          epochs);
}
