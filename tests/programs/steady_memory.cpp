// A thousand training steps hold no more memory than a hundred: prints both, in KiB, and fails beyond 1 MiB.
#include <gradus/gradus.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

using namespace gradus;

namespace {

long resident_kib() {
  long pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) std::abort();
  std::fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

}  // namespace

int main() {
  manual_seed(0);
  nn::Sequential net(nn::Linear(64, 256), nn::BatchNorm1d(256), nn::ReLU(), nn::Dropout(0.3), nn::Linear(256, 10));
  optim::Adam adam(net->parameters());
  const Tensor x = randn({1437, 64}), y = randint(0, 10, {1437});
  long after_100 = 0, after_1000 = 0;
  MemoryStats stats_100{}, stats_1000{};
  for (int step = 1; step <= 1000; ++step) {
    const Tensor picked = randperm(1437).slice(0, 0, 64 - step % 7);  // sizes that change
    adam.zero_grad();
    nn::functional::cross_entropy(net->forward(x.index_select(0, picked)), y.index_select(0, picked)).backward();
    nn::utils::clip_grad_norm_(net->parameters(), 5);
    adam.step();
    if (step == 100) {
      after_100 = resident_kib();
      stats_100 = memory_stats();
    } else if (step == 1000) {
      after_1000 = resident_kib();
      stats_1000 = memory_stats();
    }
  }
  std::printf("resident: %ld KiB after 100 steps, %ld KiB after 1000\n", after_100, after_1000);
  std::printf("live arrays: %lld, then %lld\n", static_cast<long long>(stats_100.live_arrays),
              static_cast<long long>(stats_1000.live_arrays));
  return after_1000 - after_100 <= 1024 && stats_1000.live_arrays == stats_100.live_arrays ? 0 : 1;
}
