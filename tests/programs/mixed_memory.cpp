// A thousand iterations of a mixed program whose shapes change all the time: what is resident stays below what was in
// use at most plus the cache's cap, and below a limit that is set. Prints KiB; fails when it grows beyond.
#include <gradus/core/memory/memory_limit.h>
#include <gradus/gradus.h>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace gradus;

namespace {

std::int64_t resident_bytes() {
  long pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) std::abort();
  std::fclose(file);
  return resident * sysconf(_SC_PAGESIZE);
}

long long kib(std::int64_t bytes) { return static_cast<long long>(bytes >> 10); }

// Something of everything, of sizes from a few bytes to some 20 MiB, no two iterations alike.
void iteration(int i, std::vector<Tensor>* kept) {
  const std::int64_t rows = 1 + i * 37 % 211, columns = 1 + i * 101 % 307;
  const Tensor a = randn({rows, columns}).requires_grad_(), b = randn({columns, rows + 3}).requires_grad_();
  ((mm(a, b).tanh() * 2).sum() + a.t().contiguous().exp().mean()).backward();
  const Tensor large = rand({std::int64_t{1} << (10 + i % 12), 1 + i % 3});
  const Tensor joined = cat({large, large * 2}, 0);
  if (!(joined.sum().item<double>() > 0)) std::abort();
  // Some live for a while.
  (*kept)[static_cast<std::size_t>(i) % kept->size()] = i % 3 == 0 ? joined : a.grad();
}

}  // namespace

int main() {
  manual_seed(0);
  set_num_threads(2);
  std::vector<Tensor> kept(7);
  const std::int64_t cap = std::min<std::int64_t>(std::int64_t{1} << 30, core::memory_limit().bytes / 4);
  bool within = true;
  const auto run = [&](const char* how, std::int64_t allowed) {
    for (int i = 0; i < 1000; ++i) {
      iteration(i, &kept);
      if (memory_stats().held_bytes > allowed) within = false;
    }
    const MemoryStats stats = memory_stats();
    std::printf("%s: resident %lld KiB, held %lld, peak in use %lld, allowed %lld\n", how, kib(resident_bytes()),
                kib(stats.held_bytes), kib(stats.peak_bytes), kib(allowed));
    if (stats.held_bytes > allowed) within = false;
    return stats;
  };
  iteration(0, &kept);
  const std::int64_t others = resident_bytes() - memory_stats().held_bytes;  // code, libraries, threads
  constexpr std::int64_t slack = 16 << 20;
  MemoryStats stats = run("no limit", std::int64_t{1} << 62);
  if (resident_bytes() > std::max<std::int64_t>(others, 0) + stats.peak_bytes + cap + slack) within = false;
  const std::int64_t after_one = stats.held_bytes, live_after_one = stats.live_bytes;
  stats = run("again", std::int64_t{1} << 62);
  if (stats.live_bytes != live_after_one) within = false;  // the same is kept: nothing else may be
  if (stats.held_bytes > std::max(after_one, stats.peak_bytes + cap)) within = false;
  // Half as much again as is ever in use at once: less than it held before.
  const std::int64_t limit = stats.peak_bytes * 3 / 2;
  set_memory_limit(limit);
  run("with a limit", limit);
  if (resident_bytes() > std::max<std::int64_t>(others, 0) + limit + slack) within = false;
  if (!within) std::printf("more than allowed\n");
  return within ? 0 : 1;
}
