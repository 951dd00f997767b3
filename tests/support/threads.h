// More threads than the machine has, for tests of what several of them do.
#pragma once

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

#include <oneapi/tbb/global_control.h>

#include <gradus/core/threads/parallel.h>

namespace gradus::test {

/// While it lives oneTBB runs up to 8 threads, whatever the number of CPUs; at its end the library's setting is
/// as it was.
class ManyThreads {
 public:
  ManyThreads() = default;
  ManyThreads(const ManyThreads&) = delete;
  ManyThreads& operator=(const ManyThreads&) = delete;
  ~ManyThreads() { set_num_threads(before_); }

  /// Runs op() at 1, 2, 3 and 7 threads, and at each of the latter until as many have taken part.
  template <class Op>
  void each(Op op) {
    set_num_threads(1);
    op();
    for (int threads : {2, 3, 7}) {
      set_num_threads(threads);
      core::threads_seen(true);
      // On a busy machine a thread may come late, and another of oneTBB's may come in its place the next time.
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      do {
        op();
      } while (core::threads_seen(false) < threads && std::chrono::steady_clock::now() < deadline);
      BOOST_TEST(core::threads_seen(false) >= threads);
    }
  }

 private:
  int before_ = get_num_threads();
  oneapi::tbb::global_control allow_{oneapi::tbb::global_control::max_allowed_parallelism, 8};
};

/// Runs work(0) to work(count - 1) in threads of their own, which all begin at once. An exception in one of them is the
/// caller's.
inline void in_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(count));
  std::atomic<int> ready{0};
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      for (++ready; ready < count;) std::this_thread::yield();
      try {
        work(i);
      } catch (...) {
        errors[static_cast<std::size_t>(i)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace gradus::test
