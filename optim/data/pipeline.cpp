// Pipeline (loader.h): a loader's threads, queues, order, time-outs and exceptions.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "../../core/base/fail.h"
#include "loader.h"
#include "made_batch.h"

namespace gradus::data {

using core::fail;

namespace detail {

struct Pipeline::State {
  struct Result {
    Object batch;
    std::exception_ptr error;  // a WorkerException
  };
  using Results = std::map<std::size_t, Result>;  // by the batches' numbers
  struct Job {
    std::size_t number = 0;  // of the batch in its epoch
    std::size_t first = 0;   // the place of its first example
    std::uint64_t seed = 0;
    Object request;
    Results::node_type result;  // made with the job: a worker that has no memory left can still hand over its error
  };

  explicit State(const FullDataLoaderOptions& o) : options(o) {}

  // The caller's alone.
  const FullDataLoaderOptions options;
  std::vector<std::thread> threads;
  std::deque<Work> works;  // where they lie does not change
  bool in_turn = false;    // whether they take their batches in the order of the requests
  std::uint64_t seed = 0;  // of the epoch
  std::uint64_t epochs = 0;
  std::size_t asked = 0, examples_asked = 0;  // in this epoch
  std::size_t next_number = 0;                // in order: which is due
  std::size_t in_flight = 0;                  // asked for, not yet handed over
  std::deque<std::size_t> ends;               // how many examples there are up to each batch that is asked for
  std::size_t handed_over = 0;                // of these, examples
  std::size_t batch_size = 0;                 // Progress's
  std::exception_ptr sampler_error;           // out of asking ahead: thrown where the batch was due
  bool exhausted = false, joined = false;
  bool inside = false;                // an epoch
  std::optional<Progress> to_resume;  // by the next epoch

  // Under the lock.
  std::mutex mutex;
  std::condition_variable has_job, has_result, has_turn;
  std::deque<Job> jobs;
  Results results;
  std::size_t busy = 0, turn = 0;
  bool quit = false;

  Job next_job(NextRequest next_request, std::size_t most);
  Job next_job(NextRequest next_request) { return next_job(next_request, options.batch_size); }
  void hand_over();
  void pass_over(NextRequest next_request, const Progress& progress);
  void ask(NextRequest next_request, std::size_t count) noexcept;
  Result wait();
  void run(std::size_t worker, const Work& work);
};

namespace {
// A hundred years at most: a clock that counts nanoseconds ends after three hundred.
std::chrono::steady_clock::time_point end_of(Milliseconds timeout) {
  using std::chrono::milliseconds;
  return std::chrono::steady_clock::now() +
         std::clamp(milliseconds(timeout.count()), milliseconds(0), milliseconds(std::chrono::hours(876'000)));
}

// What is drawn while it is made comes from the streams of its place.
template <class Job>
Pipeline::Object make(const Pipeline::Work& work, const Job& job, std::optional<std::size_t>& example,
                      core::FunctionRef<void()> taken) {
  MadeBatch batch(job.seed, job.first);
  const Making making(batch);
  try {
    return work(job.request.get(), taken);
  } catch (...) {
    example = batch.example_;
    throw;
  }
}
}  // namespace

Pipeline::State::Job Pipeline::State::next_job(NextRequest next_request, std::size_t most) {
  std::size_t examples = most;
  Job job;
  if (exhausted || (job.request = next_request(examples)) == nullptr) {
    exhausted = true;
    return job;
  }
  job.number = asked++;
  job.first = std::exchange(examples_asked, examples_asked + examples);
  job.seed = seed;
  ends.push_back(examples_asked);
  return job;
}

// The next batch is the caller's.
void Pipeline::State::hand_over() {
  ++next_number;
  handed_over = ends.front();
  ends.pop_front();
}

// What a loop had before. With the batch size that it had the sampler is asked the same questions; with another one for as
// many examples.
void Pipeline::State::pass_over(NextRequest next_request, const Progress& progress) {
  const bool same = progress.batch_size == options.batch_size;
  while (same ? asked < progress.batches : handed_over < progress.examples) {
    const std::size_t most = same ? options.batch_size : progress.examples - handed_over;
    if (!next_job(next_request, std::min(options.batch_size, most)).request) return;
    hand_over();
  }
  if (!same && handed_over > progress.examples) {
    fail<ValueError>(
        "DataLoader: the position must be of a loader of the same batch size, as the sampler does not give any number "
        "of examples: {} there, {} here",
        progress.batch_size, options.batch_size);
  }
  batch_size = same || handed_over == 0 ? options.batch_size : 0;
}

void Pipeline::State::ask(NextRequest next_request, std::size_t count) noexcept {
  if (sampler_error) return;
  std::size_t number = 0, first = 0;
  try {
    for (; count > 0; --count) {
      number = asked;
      first = examples_asked;
      Job job = next_job(next_request);
      if (!job.request) return;
      Results result;
      result.try_emplace(job.number);
      job.result = result.extract(result.begin());
      {
        const std::lock_guard lock(mutex);
        jobs.push_back(std::move(job));
      }
      ++in_flight;
      has_job.notify_one();
    }
  } catch (...) {
    asked = number;  // no number is left out, or its turn would be waited for
    examples_asked = first;
    ends.resize(in_flight);
    sampler_error = std::current_exception();
  }
}

Pipeline::State::Result Pipeline::State::wait() {
  std::unique_lock lock(mutex);
  const auto ready = [this] {
    return !results.empty() && (!options.enforce_ordering || results.begin()->first == next_number);
  };
  if (!options.timeout) {
    has_result.wait(lock, ready);
  } else if (!has_result.wait_until(lock, end_of(*options.timeout), ready)) {
    fail<LoaderTimeout>("Timeout in DataLoader while waiting for the next batch: it must come within {} ms (timeout)",
                        options.timeout->count());
  }
  Result result = std::move(results.begin()->second);
  results.erase(results.begin());
  hand_over();
  --in_flight;
  return result;
}

void Pipeline::State::run(std::size_t worker, const Work& work) {
  std::unique_lock lock(mutex);
  for (;;) {
    has_job.wait(lock, [this] { return quit || !jobs.empty(); });
    if (quit) return;
    Job job = std::move(jobs.front());
    jobs.pop_front();
    ++busy;
    lock.unlock();
    std::optional<std::size_t> example;
    bool mine = in_turn && options.enforce_ordering;  // the turn, or it will be: those before have been begun
    if (mine) {
      lock.lock();
      has_turn.wait(lock, [&] { return turn == job.number; });
      lock.unlock();
    }
    const auto pass = [&] {
      if (!std::exchange(mine, false)) return;
      {
        const std::lock_guard passing(mutex);
        ++turn;
      }
      has_turn.notify_all();
    };
    try {
      job.result.mapped().batch = make(work, job, example, pass);
    } catch (const WorkerException& error) {
      job.result.mapped().error =
          error.chunk ? std::current_exception() : current_worker_exception(worker, job.number, example);
    } catch (...) {
      job.result.mapped().error = current_worker_exception(worker, job.number, example);
    }
    pass();
    job.request.reset();
    lock.lock();
    --busy;
    results.insert(std::move(job.result));
    has_result.notify_all();
  }
}

Pipeline::Pipeline(const FullDataLoaderOptions& options) : state_(new State(options)) {}
Pipeline::~Pipeline() { join(); }

void Pipeline::add(Work work, bool in_turn) {
  State& s = *state_;
  s.in_turn = in_turn;
  s.works.push_back(std::move(work));
  if (s.options.workers == 0) return;
  const std::size_t worker = s.works.size() - 1;
  s.threads.emplace_back([&s, worker, &mine = s.works.back()] { s.run(worker, mine); });
}

void Pipeline::drain() {
  State& s = *state_;
  State::Results left;  // dropped without the lock
  std::unique_lock lock(s.mutex);
  s.jobs.clear();
  s.has_result.wait(lock, [&] { return s.busy == 0; });
  left.swap(s.results);
  s.ends.clear();
  s.in_flight = 0;
  s.sampler_error = nullptr;
}

void Pipeline::begin(NextRequest next_request) {
  State& s = *state_;
  if (s.joined) fail<ValueError>("DataLoader: a loader that was joined has no more epochs: make another");
  if (s.to_resume) {
    s.seed = s.to_resume->seed;
  } else {
    const core::RandomPosition at = s.options.seed ? core::RandomPosition{*s.options.seed, s.epochs++}
                                                   : (++s.epochs, core::default_generator().take(2));
    const core::PhiloxBlock block = core::philox(at.seed, at.offset);
    s.seed = block.word[0] | std::uint64_t{block.word[1]} << 32;
  }
  s.asked = s.examples_asked = s.next_number = s.handed_over = s.turn = 0;  // no worker is at work
  s.batch_size = s.options.batch_size;
  s.ends.clear();
  s.exhausted = false;
  s.inside = true;
  if (s.to_resume) s.pass_over(next_request, *std::exchange(s.to_resume, std::nullopt));
  if (s.options.workers > 0) s.ask(next_request, s.options.max_jobs);
}

Pipeline::Object Pipeline::next(NextRequest next_request) {
  State& s = *state_;
  if (s.joined) return nullptr;
  if (s.options.workers == 0) {
    const State::Job job = s.next_job(next_request);
    if (!job.request) {
      s.inside = false;
      return nullptr;
    }
    s.hand_over();
    std::optional<std::size_t> example;
    try {
      Object batch = make(s.works.front(), job, example, [] {});
      s.exhausted = batch == nullptr;
      return batch;
    } catch (Error& error) {
      if (const auto* said = dynamic_cast<const WorkerException*>(&error); said != nullptr && said->chunk) throw;
      error.add_note("in " + place_of(job.number, example) + " of a DataLoader");
      throw;
    }
  }
  for (;;) {
    if (s.in_flight == 0) {
      if (!s.sampler_error) break;
      const std::exception_ptr error = std::exchange(s.sampler_error, nullptr);
      s.ask(next_request, s.options.max_jobs);
      std::rethrow_exception(error);
    }
    State::Result result = s.wait();
    if (result.batch == nullptr && result.error == nullptr) {
      s.exhausted = true;  // others may be on their way
      continue;
    }
    s.ask(next_request, 1);
    if (result.error) std::rethrow_exception(result.error);
    return std::move(result.batch);
  }
  s.inside = false;
  return nullptr;
}

Pipeline::Progress Pipeline::progress() const {
  const State& s = *state_;
  if (s.to_resume) return *s.to_resume;
  if (s.inside && s.options.workers > 0 && !s.options.enforce_ordering) {
    fail<ValueError>("DataLoader: the position of a loop is known only with enforce_ordering: it is off");
  }
  if (!s.inside) return {s.epochs, s.seed, 0, false, 0, s.options.batch_size};
  return {s.epochs, s.seed, s.next_number, true, s.handed_over, s.batch_size};
}
void Pipeline::resume(const Progress& progress) {
  drain();
  State& s = *state_;
  s.epochs = progress.epochs;
  s.inside = false;
  s.to_resume.reset();
  if (progress.inside) s.to_resume = progress;
}

void Pipeline::join() noexcept {
  State& s = *state_;
  if (s.joined) return;
  s.joined = true;
  {
    const std::lock_guard lock(s.mutex);
    s.jobs.clear();
    s.quit = true;
  }
  s.has_job.notify_all();
  for (std::thread& thread : s.threads) thread.join();
  s.results.clear();
}

}  // namespace detail
}  // namespace gradus::data
