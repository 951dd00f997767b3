// The only file that knows oneTBB. It is compiled without ThreadSanitizer's instrumentation, because distributions'
// oneTBB isn't instrumented either; the hand-overs between threads are declared to the sanitizer by hand instead.
#include "parallel.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include "cpu_limit.h"
#include "../base/fail.h"
#include "floating_mode.h"

#ifdef GRADUS_TSAN
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
// oneTBB's own memory goes from thread to thread by hand-overs that the sanitizer can't see; it sees memset, though.
extern "C" __attribute__((weak, visibility("default"))) const char* __tsan_default_suppressions() {
  return "called_from_lib:libtbb.so\n";
}
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

// --- Waiting -------------------------------------------------------------------------------------------------------

/// One turn of a wait that is expected to be short; now and then another thread gets the processor.
void wait_a_moment(unsigned turn) {
  if (turn % 64 == 63) {
    std::this_thread::yield();
  } else {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
}

// --- One loop ------------------------------------------------------------------------------------------------------

/// The blocks of one loop, dealt into one span for each thread; a thread begins with its own span, so that it meets the
/// memory that it touched in the loop before, and then takes from the others'.
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

  /// What the caller does, and each thread that helps it. A block that throws ends the loop.
  void join(int place) noexcept {
    tsan_acquire(this);
    try {
      for (int k = 0; k < spans_; ++k) run_span(span_[(place + k) % spans_]);
    } catch (...) {
      if (!failed_.exchange(true)) error_ = std::current_exception();
      for (int s = 0; s < spans_; ++s) span_[s].next.store(span_[s].end, std::memory_order_relaxed);
    }
    tsan_release(&done_);
  }
  /// Helpers compute with the caller's rounding and subnormal modes.
  void help(int place) noexcept {
    const FloatingMode own = FloatingMode::current();
    if (own != mode_) mode_.use();
    join(place);
    own.use();
  }

  /// Once all threads are through: throws what a block has thrown.
  void finish() {
    tsan_acquire(&done_);
    if (error_) std::rethrow_exception(error_);
  }

  static constexpr int kMaxSpans = 64;

 private:
  struct alignas(64) Span {
    std::atomic<std::int64_t> next;
    std::int64_t end;
  };

  void run_span(Span& span) {
    if (span.next.load(std::memory_order_relaxed) >= span.end) return;
    while (true) {
      const std::int64_t block = span.next.fetch_add(1, std::memory_order_relaxed);
      if (block >= span.end) return;
      note_thread();
      body_(block * grain_, std::min((block + 1) * grain_, n_));
    }
  }

  const std::int64_t n_, grain_;
  const int spans_;
  FunctionRef<void(std::int64_t, std::int64_t)> body_;
  const FloatingMode mode_ = FloatingMode::current();
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
  char done_ = 0;  // an address for the sanitizer
  Span span_[kMaxSpans];
};

// --- Helpers -------------------------------------------------------------------------------------------------------

/// The loops that are open to helpers, and the helpers: tasks of oneTBB's that stay for a while after a loop. The next
/// one often follows within microseconds, and to wake a thread takes tens of them. A caller waits for nobody to come: it
/// works through all the blocks itself, shares them with whoever is there, and at the end waits only for the blocks that
/// helpers are in the middle of. So it never runs a block of somebody else's loop, whose locks it might hold. A crew is
/// never destroyed: a helper may be on its way for as long as the program runs.
class Crew {
 public:
  explicit Crew(int helpers) : helpers_(helpers) {}
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  void run(Loop& loop, tbb::task_arena& tasks, int wanted) {
    Slot* const slot = open(loop);
    if (slot != nullptr) hire(tasks, std::min(wanted, helpers_));
    loop.join(0);
    if (slot != nullptr) close(*slot);
  }
  int helpers() const { return helpers_; }
  /// Whether helpers may stay; if not, they go home after the loop that they are in.
  void keep(bool in_use) { in_use_.store(in_use, std::memory_order_relaxed); }

 private:
  /// A caller owns a slot from open to close. A helper counts itself in before it looks for the loop, and the caller
  /// takes the loop away before it looks at the count: one of them sees the other.
  struct alignas(64) Slot {
    std::atomic<bool> taken{false};
    std::atomic<Loop*> loop{nullptr};
    std::atomic<int> inside{0};
  };

  Slot* open(Loop& loop) {
    for (Slot& slot : slots_) {
      if (slot.taken.load(std::memory_order_relaxed) || slot.taken.exchange(true)) continue;
      slot.loop.store(&loop);
      return &slot;
    }
    return nullptr;  // so many callers at once need no helpers
  }
  void close(Slot& slot) {
    slot.loop.store(nullptr);
    for (unsigned turn = 0; slot.inside.load() != 0; ++turn) wait_a_moment(turn);
    slot.taken.store(false);
  }

  void hire(tbb::task_arena& tasks, int wanted) {
    int hired = hired_.load(std::memory_order_relaxed);
    while (hired < wanted) {
      if (!hired_.compare_exchange_weak(hired, hired + 1)) continue;
      try {
        tasks.enqueue([this] { stay(); });
      } catch (...) {  // helpers are welcome, not needed
        hired_.fetch_sub(1);
        return;
      }
      ++hired;
    }
  }

  /// What a helper does until nothing has come for a while, or its turn is over.
  void stay() noexcept {
    const int place = take_place();
    const auto since = std::chrono::steady_clock::now();
    auto idle_since = since;
    for (unsigned turn = 0; in_use_.load(std::memory_order_relaxed); ++turn) {
      if (help(place)) {
        idle_since = std::chrono::steady_clock::now();
        if (idle_since - since > kTurn) break;
      } else if (turn % 64 == 0 && std::chrono::steady_clock::now() - idle_since > kPatience) {
        break;
      }
      wait_a_moment(turn);
    }
    places_[static_cast<std::size_t>(place)].store(false);
    hired_.fetch_sub(1);
  }
  /// Whether there was a loop to help with.
  bool help(int place) noexcept {
    bool helped = false;
    for (Slot& slot : slots_) {
      if (slot.loop.load(std::memory_order_relaxed) == nullptr) continue;
      slot.inside.fetch_add(1);
      if (Loop* loop = slot.loop.load()) {
        loop->help(place);
        slot.loop.compare_exchange_strong(loop, nullptr);  // no block is left for others to come for
        helped = true;
      }
      slot.inside.fetch_sub(1);
    }
    return helped;
  }
  /// The lowest place that no other helper has, from 1 on: the span that it begins with.
  int take_place() noexcept {
    for (int place = 1; place < Loop::kMaxSpans; ++place) {
      if (!places_[static_cast<std::size_t>(place)].exchange(true)) return place;
    }
    return 0;
  }

  // oneTBB moves a thread to another arena only between tasks: a helper that always finds a loop would keep it from the
  // host program's own work for as long as the loops come.
  static constexpr std::chrono::milliseconds kTurn{5};
  // Longer than the pauses between the operations of a training step, too short for anybody to notice.
  static constexpr std::chrono::microseconds kPatience{200};

  const int helpers_;
  std::atomic<int> hired_{0};  // on their way or here
  std::atomic<bool> in_use_{false};
  Slot slots_[8];
  std::array<std::atomic<bool>, Loop::kMaxSpans> places_{};
};

// --- The arenas ----------------------------------------------------------------------------------------------------

/// What one number of threads works with. The host program's own arenas come first: of two with one priority, oneTBB may
/// give every thread to the one that is never without tasks. (Arenas that a host makes with low priority have no such
/// right.) The library's callers compute on their own threads, so that no loop waits for a helper.
struct Arena {
  Arena(int n, int helpers)
      : threads(n), crew(helpers), tasks(std::max(helpers, 1), 0, tbb::task_arena::priority::low) {
    tasks.initialize();
  }
  const int threads;
  Crew crew;
  tbb::task_arena tasks;
};

/// The arena in use, and those that were: they are few, and are kept for the next time. None is ever destroyed: loops and
/// helpers may be in them while set_num_threads takes another, and threads may outlive main.
class Arenas {
 public:
  Arenas() { use(std::min(allowed_cpus(), kMaxThreads)); }
  Arena& current() { return *current_.load(std::memory_order_acquire); }
  void use(int n) {
    const int helpers = helpers_for(n);
    const std::lock_guard lock(mutex_);
    auto known = std::find_if(known_.begin(), known_.end(), [&](const std::unique_ptr<Arena>& arena) {
      return arena->threads == n && arena->crew.helpers() == helpers;
    });
    if (known == known_.end()) known = known_.insert(known, std::make_unique<Arena>(n, helpers));
    if (Arena* const before = current_.load()) before->crew.keep(false);
    (*known)->crew.keep(true);
    current_.store(known->get(), std::memory_order_release);
  }

 private:
  // No more of them than oneTBB will run: the others would only stand in the queue.
  static int helpers_for(int n) {
    const auto most = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
    return std::min(n, static_cast<int>(most)) - 1;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Arena>> known_;
  std::atomic<Arena*> current_{nullptr};
};

Arenas& arenas() {
  static Arenas& arenas = *new Arenas;
  return arenas;
}

void run_blocks(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body) {
  const std::int64_t blocks = (n - 1) / grain + 1;
  Arena& arena = arenas().current();
  const int spans = static_cast<int>(std::min<std::int64_t>({arena.threads, blocks, Loop::kMaxSpans}));
  if (spans == 1) {
    note_thread();
    for (std::int64_t begin = 0; begin < n; begin += grain) body(begin, std::min(begin + grain, n));
    return;
  }
  Loop loop(n, grain, blocks, spans, body);
  arena.crew.run(loop, arena.tasks, spans - 1);
  loop.finish();
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
  core::arenas().use(n);
}

int get_num_threads() { return core::arenas().current().threads; }

}  // namespace gradus
