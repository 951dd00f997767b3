// Like the library's parallel.cpp, not instrumented by ThreadSanitizer: oneTBB's hand-overs would be reported as races.
#include "host_arena.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <oneapi/tbb/task_arena.h>

namespace gradus::test {
namespace {

std::atomic<int> ran{0};

}  // namespace

bool host_tasks_run(int tasks, bool high_priority) {
  using Clock = std::chrono::steady_clock;
  using Priority = tbb::task_arena::priority;
  tbb::task_arena arena(1, 0, high_priority ? Priority::high : Priority::normal);
  for (int i = 0; i < tasks; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const int before = ran.load();
    arena.enqueue([] { ran.fetch_add(1); });
    const auto asked = Clock::now();
    while (ran.load() == before) {
      if (Clock::now() - asked > std::chrono::seconds(5)) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return true;
}

}  // namespace gradus::test
