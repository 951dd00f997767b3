// The parallel loop: which blocks run, on how many threads, in whose floating-point mode; errors, nesting, several
// callers.
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <pmmintrin.h>
#endif

#include <gradus/core/threads/cpu_limit.h>
#include <gradus/core/base/errors.h>
#include <gradus/core/threads/parallel.h>

#include "../support/arrays.h"
#include "../support/folder.h"
#include "../support/threads.h"

using namespace gradus;
using gradus::core::parallel_for;
using gradus::test::check_error;

namespace {

using Block = std::pair<std::int64_t, std::int64_t>;

std::set<Block> blocks_of(std::int64_t n, std::int64_t grain) {
  std::mutex mutex;
  std::set<Block> blocks;
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    const bool fresh = blocks.insert({begin, end}).second;
    if (!fresh) throw std::logic_error("a block ran twice");
  });
  return blocks;
}

std::set<Block> expected_blocks(std::int64_t n, std::int64_t grain) {
  std::set<Block> blocks;
  for (std::int64_t begin = 0; begin < n; begin += grain) blocks.insert({begin, std::min(begin + grain, n)});
  return blocks;
}

/// Enough work for another thread to wake up and take part.
void dawdle() { std::this_thread::sleep_for(std::chrono::microseconds(50)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(parallel)

BOOST_AUTO_TEST_CASE(blocks_depend_on_the_size_alone) {
  test::ManyThreads threads;
  for (int n_threads : {1, 2, 3, 7}) {
    set_num_threads(n_threads);
    BOOST_TEST(get_num_threads() == n_threads);
    for (std::int64_t n : {0, 1, 2, 7, 64, 1000, 1001}) {
      for (std::int64_t grain : {1, 3, 64, 1000, 5000}) {
        BOOST_TEST((blocks_of(n, grain) == expected_blocks(n, grain)));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(that_many_threads_take_part) {
  test::ManyThreads threads;
  threads.each([] { parallel_for(64, 1, [](std::int64_t, std::int64_t) { dawdle(); }); });
  set_num_threads(1);
  core::threads_seen(true);
  std::set<std::thread::id> ids;
  parallel_for(100, 1, [&](std::int64_t, std::int64_t) { ids.insert(std::this_thread::get_id()); });
  BOOST_TEST((ids == std::set<std::thread::id>{std::this_thread::get_id()}));
  BOOST_TEST(core::threads_seen(true) == 1);
}

BOOST_AUTO_TEST_CASE(one_block_runs_on_the_caller) {
  std::thread::id id;
  parallel_for(100, 100, [&](std::int64_t, std::int64_t) { id = std::this_thread::get_id(); });
  BOOST_TEST((id == std::this_thread::get_id()));
}

BOOST_AUTO_TEST_CASE(an_exception_reaches_the_caller) {
  test::ManyThreads threads;
  for (int n_threads : {1, 2, 7}) {
    set_num_threads(n_threads);
    for (int attempt = 0; attempt < 20; ++attempt) {
      std::atomic<int> ran{0};
      try {
        parallel_for(1000, 1, [&](std::int64_t begin, std::int64_t) {
          ran.fetch_add(1);
          if (begin == 500) throw ShapeError("block 500");
        });
        BOOST_ERROR("no error was thrown");
      } catch (const ShapeError& error) {
        BOOST_TEST(error.what() == std::string("block 500"));
      }
      if (n_threads == 1) BOOST_TEST(ran.load() == 501);  // no block is begun after the one that throws
      // The arena is usable as before.
      std::atomic<std::int64_t> sum{0};
      parallel_for(1000, 10, [&](std::int64_t begin, std::int64_t end) { sum.fetch_add(end - begin); });
      BOOST_TEST(sum.load() == 1000);
    }
  }
}

BOOST_AUTO_TEST_CASE(loops_inside_loops) {
  test::ManyThreads threads;
  for (int n_threads : {1, 2, 3, 7}) {
    set_num_threads(n_threads);
    std::vector<std::int64_t> sums(20, 0);
    parallel_for(20, 1, [&](std::int64_t i, std::int64_t) {
      std::atomic<std::int64_t> sum{0};
      parallel_for(1000, 7, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t k = begin; k < end; ++k) sum.fetch_add(k * i, std::memory_order_relaxed);
      });
      sums[static_cast<std::size_t>(i)] = sum.load();
    });
    for (std::size_t i = 0; i < sums.size(); ++i) BOOST_TEST(sums[i] == static_cast<std::int64_t>(i) * 499500);
  }
}

// A caller that waits for the rest of its loop must not run a block of another caller's: it may hold a lock.
BOOST_AUTO_TEST_CASE(a_waiting_caller_takes_nobody_elses_blocks) {
  test::ManyThreads threads;
  for (int n_threads : {2, 4}) {
    set_num_threads(n_threads);
    thread_local int caller = 0;
    std::atomic<int> strangers{0};
    const auto call = [&](int id) {
      caller = id;
      for (int i = 0; i < 200; ++i) {
        parallel_for(4, 1, [&, id](std::int64_t begin, std::int64_t) {
          if (caller != 0 && caller != id) strangers.fetch_add(1);
          // Blocks of different lengths, so that somebody has to wait.
          std::this_thread::sleep_for(std::chrono::microseconds(20 + 60 * begin));
        });
      }
      caller = 0;
    };
    std::vector<std::thread> others;
    for (int id = 1; id <= 6; ++id) others.emplace_back(call, id);
    call(7);
    for (std::thread& other : others) other.join();
    BOOST_TEST(strangers.load() == 0);
  }
}

BOOST_AUTO_TEST_CASE(several_callers_and_changes_of_the_number_of_threads) {
  test::ManyThreads threads;
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([&, c] {
      for (int i = 0; i < 50; ++i) {
        if (c == 0) set_num_threads(1 + i % 7);
        std::vector<int> seen(997, 0);
        parallel_for(997, 10, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t k = begin; k < end; ++k) ++seen[static_cast<std::size_t>(k)];
        });
        if (std::accumulate(seen.begin(), seen.end(), 0) != 997) wrong.fetch_add(1);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  BOOST_TEST(wrong.load() == 0);
}

// The threads compute as the caller does, whatever the loop before was run in. (The arena took the ordinary mode when it was
// made.) `set` says whether the caller is to compute in a mode; computes() tells whether a thread does.
template <class Set, class Computes>
void check_mode(const char* what, Set set, Computes computes) {
  test::ManyThreads threads;
  set_num_threads(3);
  const auto blocks = [&] {
    std::atomic<int> count{0};
    parallel_for(300, 1, [&](std::int64_t, std::int64_t) {
      if (computes()) count.fetch_add(1);
      dawdle();
    });
    return count.load();
  };
  for (const bool in_mode : {false, true, false}) {
    core::threads_seen(true);
    // On a busy machine the caller may do it all alone: again, until another thread has taken part.
    for (int attempt = 0; attempt < 100 && core::threads_seen(false) < 2; ++attempt) {
      set(in_mode);
      const int count = blocks();
      set(false);
      BOOST_TEST(count == (in_mode ? 300 : 0), what);
    }
    BOOST_TEST(core::threads_seen(false) > 1);
  }
}

BOOST_AUTO_TEST_CASE(the_callers_rounding_mode) {
  const auto upward = [](bool on) { std::fesetround(on ? FE_UPWARD : FE_TONEAREST); };
  check_mode("float64", upward, [] {
    volatile double one = 1, tiny = 1e-30;
    return one + tiny > 1;
  });
  check_mode("long double", upward, [] {  // on x86-64 computed by another unit, with a mode of its own
    volatile long double one = 1, tiny = 1e-30L;
    return one + tiny > 1;
  });
}

#if defined(__x86_64__)
BOOST_AUTO_TEST_CASE(the_callers_modes_of_subnormal_numbers) {
  check_mode(
      "results are flushed to 0", [](bool on) { _MM_SET_FLUSH_ZERO_MODE(on ? _MM_FLUSH_ZERO_ON : _MM_FLUSH_ZERO_OFF); },
      [] {
        volatile float smallest = std::numeric_limits<float>::min(), half = 0.5F;
        return smallest * half == 0;
      });
  check_mode(
      "operands count as 0",
      [](bool on) { _MM_SET_DENORMALS_ZERO_MODE(on ? _MM_DENORMALS_ZERO_ON : _MM_DENORMALS_ZERO_OFF); },
      [] {
        volatile float subnormal = std::numeric_limits<float>::denorm_min(), large = 1e30F;
        return subnormal * large == 0;
      });
}
#endif

BOOST_AUTO_TEST_CASE(wrong_numbers_of_threads) {
  const int before = get_num_threads();
  BOOST_TEST(before >= 1);
  check_error<ValueError>([] { set_num_threads(0); }, {"set_num_threads", "at least 1", "0"});
  check_error<ValueError>([] { set_num_threads(-3); }, {"-3"});
  check_error<ValueError>([] { set_num_threads(kMaxThreads + 1); }, {"set_num_threads", "1024", "1025"});
  check_error<ValueError>([] { set_num_threads(std::numeric_limits<int>::max()); }, {"1024", "2147483647"});
  BOOST_TEST(get_num_threads() == before);
  set_num_threads(kMaxThreads);
  BOOST_TEST(get_num_threads() == kMaxThreads);
  std::atomic<std::int64_t> sum{0};
  parallel_for(5000, 3, [&](std::int64_t begin, std::int64_t end) { sum.fetch_add(end - begin); });
  BOOST_TEST(sum.load() == 5000);
  set_num_threads(before);
}

BOOST_AUTO_TEST_CASE(quotas_of_control_groups) {
  const test::Folder folder;
  const auto write = [&](const char* path, const char* text) {
    const std::filesystem::path file = folder.path / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  };
  const auto quota = [&] { return core::read_cpu_quota(folder.path / "groups", folder.path / "mount"); };
  const double none = std::numeric_limits<double>::infinity();
  BOOST_TEST(quota() == none);
  write("groups", "0::/a/b\n");
  BOOST_TEST(quota() == none);
  write("mount/a/b/cpu.max", "max 100000\n");
  BOOST_TEST(quota() == none);
  write("mount/a/cpu.max", "150000 100000\n");  // a group's quota holds for those in it
  BOOST_TEST(quota() == 1.5);
  write("mount/a/b/cpu.max", "50000 100000\n");
  BOOST_TEST(quota() == 0.5);
  write("mount/other/cpu.max", "10 100000\n");
  BOOST_TEST(quota() == 0.5);
  write("mount/cpu.max", "20000 100000\n");
  BOOST_TEST(quota() == 0.2);
  // Version 1, among other controllers' lines; -1 is no quota.
  write("groups", "no line of that form\n3:memory:/x\n4:cpu,cpuacct:/x/y\n");
  BOOST_TEST(quota() == none);
  write("mount/cpu,cpuacct/x/y/cpu.cfs_quota_us", "-1\n");
  write("mount/cpu,cpuacct/x/y/cpu.cfs_period_us", "100000\n");
  BOOST_TEST(quota() == none);
  write("mount/cpu,cpuacct/x/cpu.cfs_quota_us", "300000\n");
  write("mount/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
  BOOST_TEST(quota() == 3.0);
  BOOST_TEST(core::allowed_cpus() >= 1);
}

BOOST_AUTO_TEST_SUITE_END()
