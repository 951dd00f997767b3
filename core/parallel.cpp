// The only file that knows oneTBB. It is compiled without ThreadSanitizer's instrumentation, because distributions'
// oneTBB isn't instrumented either; the hand-overs between threads are declared to the sanitizer by hand instead.
#include "parallel.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include "cpu_limit.h"
#include "fail.h"

#ifdef GRADUS_TSAN
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
#endif

namespace gradus {
namespace core {
namespace {

#ifdef GRADUS_TSAN
void tsan_acquire(void* at) { __tsan_acquire(at); }
void tsan_release(void* at) { __tsan_release(at); }
#else
void tsan_acquire(void*) {}
void tsan_release(void*) {}
#endif

// --- The arena -----------------------------------------------------------------------------------------------------

/// Places for calling threads, beside those of oneTBB's own. Without a place of its own, a caller would lend its thread
/// to the loops of others while somebody else runs its loop.
constexpr int kCallers = 64;

struct Arena {
  explicit Arena(int n) : threads(n), tasks(n - 1 + kCallers, kCallers) { tasks.initialize(); }
  const int threads;
  tbb::task_arena tasks;
};

/// Which of the threads in the arena this is: 0 for a caller.
int place_in_arena() { return std::max(tbb::this_task_arena::current_thread_index() - kCallers + 1, 0); }

/// The arena in use. Loops hold a share of it, so that set_num_threads may replace it while they run. Never destroyed:
/// threads may outlive main.
class CurrentArena {
 public:
  std::shared_ptr<Arena> get() {
    const std::lock_guard lock(mutex_);
    return arena_;
  }
  void set(int n) {
    std::shared_ptr<Arena> old;  // released after the lock
    const std::lock_guard lock(mutex_);
    old = std::exchange(arena_, std::make_shared<Arena>(n));
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<Arena> arena_ = std::make_shared<Arena>(std::min(allowed_cpus(), kMaxThreads));
};

CurrentArena& current_arena() {
  static CurrentArena& arena = *new CurrentArena;
  return arena;
}

// --- Counting threads, for tests -----------------------------------------------------------------------------------

std::atomic<int> seen_count{0};
std::atomic<unsigned> seen_epoch{1};
thread_local unsigned seen_in_epoch = 0;

void note_thread() {
  const unsigned epoch = seen_epoch.load(std::memory_order_relaxed);
  if (seen_in_epoch != epoch) {
    seen_in_epoch = epoch;
    seen_count.fetch_add(1, std::memory_order_relaxed);
  }
}

// --- One loop ------------------------------------------------------------------------------------------------------

/// The blocks of one loop, dealt into one span for each thread; a thread begins with its own span, so that it meets the
/// memory that it touched in the loop before, and then helps with the others'.
class Loop {
 public:
  Loop(std::int64_t n, std::int64_t grain, std::int64_t blocks, int spans,
       FunctionRef<void(std::int64_t, std::int64_t)> body)
      : n_(n), grain_(grain), spans_(spans), body_(body) {
    for (int s = 0; s < spans; ++s) {
      span_[s].next.store(blocks * s / spans, std::memory_order_relaxed);
      span_[s].end = blocks * (s + 1) / spans;
    }
    tsan_release(this);  // to the threads that will join
  }

  /// What each thread that takes part does.
  void join() {
    struct HandOver {  // also when a block throws
      explicit HandOver(Loop* l) : loop(l) { tsan_acquire(loop); }
      ~HandOver() { tsan_release(&loop->done_); }
      Loop* loop;
    } hand_over(this);
    note_thread();
    const int place = place_in_arena();
    try {
      for (int k = 0; k < spans_; ++k) run_span(span_[(place + k) % spans_]);
    } catch (...) {
      for (int s = 0; s < spans_; ++s) span_[s].next.store(span_[s].end, std::memory_order_relaxed);
      throw;
    }
  }

  /// Once all threads are through.
  void finish() { tsan_acquire(&done_); }

  static constexpr int kMaxSpans = 64;

 private:
  struct alignas(64) Span {
    std::atomic<std::int64_t> next;
    std::int64_t end;
  };

  void run_span(Span& span) {
    while (true) {
      const std::int64_t block = span.next.fetch_add(1, std::memory_order_relaxed);
      if (block >= span.end) return;
      body_(block * grain_, std::min((block + 1) * grain_, n_));
    }
  }

  const std::int64_t n_, grain_;
  const int spans_;
  FunctionRef<void(std::int64_t, std::int64_t)> body_;
  char done_ = 0;  // an address for the sanitizer
  Span span_[kMaxSpans];
};

void run_blocks(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body) {
  const std::int64_t blocks = (n - 1) / grain + 1;
  const std::shared_ptr<Arena> arena = current_arena().get();
  const int spans = static_cast<int>(std::min<std::int64_t>({arena->threads, blocks, Loop::kMaxSpans}));
  if (spans == 1) {
    note_thread();
    for (std::int64_t begin = 0; begin < n; begin += grain) body(begin, std::min(begin + grain, n));
    return;
  }
  Loop loop(n, grain, blocks, spans, body);
  // The threads compute with the caller's rounding and subnormal modes, not with those of the arena's first user.
  // Isolated: when a program cancels its own group of tasks, the blocks of a loop inside still all run.
  tbb::task_group_context context(tbb::task_group_context::isolated,
                                  tbb::task_group_context::default_traits | tbb::task_group_context::fp_settings);
  struct Finish {
    Loop& loop;
    ~Finish() { loop.finish(); }
  } finish{loop};
  arena->tasks.execute([&] {
    // Isolated: while a thread waits for the rest of this loop, it takes no block of somebody else's, whose locks the
    // caller might hold.
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(
          0, spans, [&](int) { loop.join(); }, tbb::simple_partitioner{}, context);
    });
  });
}

}  // namespace

void parallel_for(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body) {
  if (n <= 0) return;
  if (n <= grain) {
    body(0, n);
  } else {
    run_blocks(n, std::max<std::int64_t>(grain, 1), body);
  }
}

int threads_seen(bool reset) {
  const int seen = seen_count.load(std::memory_order_relaxed);
  if (reset) {
    seen_count.store(0, std::memory_order_relaxed);
    seen_epoch.fetch_add(1, std::memory_order_relaxed);
  }
  return seen;
}

}  // namespace core

void set_num_threads(int n) {
  if (n < 1 || n > kMaxThreads) {
    core::fail<ValueError>("set_num_threads: the number of threads must be at least 1 and at most {}: {}", kMaxThreads,
                           n);
  }
  core::current_arena().set(n);
}

int get_num_threads() { return core::current_arena().get()->threads; }

}  // namespace gradus
