// With `race`, the blocks of a parallel loop add to one variable without synchronisation: ThreadSanitizer has to find
// it. Without, each has its own, and the caller reads them after the loop: correct, nothing may be reported.
#include <gradus/core/threads/parallel.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include <oneapi/tbb/global_control.h>

int main(int argc, char** argv) {
  const bool race = argc > 1 && std::strcmp(argv[1], "race") == 0;
  const oneapi::tbb::global_control allow(oneapi::tbb::global_control::max_allowed_parallelism, 4);
  gradus::set_num_threads(4);
  long shared = 0;
  // Several loops: on a busy machine one thread may have run all of the first.
  for (int loop = 0; loop < 50; ++loop) {
    std::vector<long> own(64, 0);
    gradus::core::parallel_for(64, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
        if (race) {
          ++shared;
        } else {
          ++own[static_cast<std::size_t>(i)];
        }
      }
    });
    for (const long count : own) shared += count;
  }
  std::printf("%ld\n", shared);
  return race || shared == 50 * 64 ? 0 : 1;
}
