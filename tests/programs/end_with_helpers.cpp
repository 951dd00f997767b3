// end_with_helpers: a program that ends while the library has asked for a helping thread that never came, because
// oneTBB's only worker is busy with the program's own task, and after another number of threads was set. It must end
// quietly, and a leak checker must find that helper's crew.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <gradus/core/threads/parallel.h>

int main() {
  const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  static std::atomic<bool> busy{false};
  static tbb::task_arena others(2, 0);
  others.enqueue([] {
    busy = true;
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  });
  while (!busy) std::this_thread::yield();

  for (int threads : {2, 3, 2, 1}) {
    gradus::set_num_threads(threads);
    std::atomic<int> blocks{0};
    gradus::core::parallel_for(1000, 1, [&](std::int64_t, std::int64_t) { ++blocks; });
    if (blocks != 1000) {
      std::printf("%d of 1000 blocks ran\n", blocks.load());
      std::_Exit(1);
    }
  }
  std::puts("ends with helpers on their way");
  std::exit(0);
}
