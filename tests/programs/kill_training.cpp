// A training that is killed at any moment, and started again, ends with the same bits.
//
//   kill_training FILE [SECONDS]   trains for some 40 checkpoints to FILE and prints what it ends with; sleeps that long in each
//                                  step
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <gradus/gradus.h>
#include <gradus/train.h>

using namespace gradus;

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const auto pause = std::chrono::duration<double>(argc > 2 ? std::atof(argv[2]) : 0);
  manual_seed(3);
  nn::Sequential net(nn::Linear(8, 32), nn::BatchNorm1d(32), nn::ReLU(), nn::Dropout(0.2), nn::Linear(32, 4));
  optim::AdamW optimizer(net->parameters(), optim::AdamWOptions(0.01));
  optim::OneCycleLR schedule(optimizer, 0.05, 120);
  const auto loader = data::make_data_loader<data::samplers::RandomSampler>(
      data::datasets::TensorDataset(randn({30, 8})).map(data::transforms::Stack<data::TensorExample>()),
      data::DataLoaderOptions(5));
  std::int64_t step = 0;
  train::Checkpoint checkpoint(argv[1]);
  checkpoint.add("model", net).add("optimizer", optimizer).add("schedule", schedule).add("step", step);
  checkpoint.add("generator", default_generator()).add("loader", *loader);
  checkpoint.resume();
  const train::Interrupt interrupt;
  while (step < 120 && !interrupt.requested()) {
    for (const auto& batch : *loader) {
      optimizer.zero_grad();
      square(net->forward(batch.data) - batch.data.slice(1, 0, 4)).mean().backward();
      optimizer.step();
      schedule.step();
      ++step;
      if (step % 3 == 0) checkpoint.save();
      if (interrupt.requested()) break;
      std::this_thread::sleep_for(pause);
    }
  }
  if (interrupt.requested()) {
    checkpoint.save();
    std::printf("interrupted\n");
    return 0;
  }
  double sum = 0;
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const auto& [name, tensor] : net->state_dict()) {
    const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
    for (std::int64_t i = 0; i < tensor.nbytes(); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    sum += tensor.to(kFloat64).sum().item<double>();
  }
  std::printf("%lld steps, sum %.6f, bits %016llx\n", static_cast<long long>(step), sum,
              static_cast<unsigned long long>(hash));
}
