#include "chunk.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "../../core/base/fail.h"
#include "../../core/ops/generator_scope.h"
#include "made_batch.h"

namespace gradus::data::datasets {

using core::fail;

ChunkDatasetOptions::ChunkDatasetOptions(std::size_t preloader_count, std::size_t batch_size, std::size_t cache_size,
                                         std::size_t cross_chunk_shuffle_count)
    : preloader_count_(preloader_count),
      batch_size_(batch_size),
      cache_size_(cache_size),
      cross_chunk_shuffle_count_(cross_chunk_shuffle_count) {
  const auto expect = [](bool holds, const char* what, std::size_t value) {
    if (!holds) fail<ValueError>("ChunkDatasetOptions: {}: {}", what, value);
  };
  expect(preloader_count > 0, "preloader_count must be at least 1", preloader_count);
  expect(batch_size > 0, "batch_size must be at least 1", batch_size);
  expect(cache_size >= batch_size, "cache_size must be enough for a batch", cache_size);
  expect(cross_chunk_shuffle_count > 0, "cross_chunk_shuffle_count must be at least 1", cross_chunk_shuffle_count);
}

namespace detail {

struct ChunkQueue::State {
  std::vector<std::thread> threads;
  Next next;
  Read read;
  Order order;
  std::size_t batch_size = 0, cache_size = 0;
  std::uint64_t seed = 0;

  std::mutex mutex;
  std::condition_variable readable, writable;
  std::deque<Chunk> chunks;
  std::size_t waiting = 0;           // examples
  std::size_t taken = 0;             // batches
  std::size_t tickets = 0, due = 0;  // handed out; whose turn it is to be taken in
  std::size_t readers = 0;           // still reading
  bool started = false, quit = false, exhausted = false;
  std::exception_ptr fault;  // what kept a reader from putting its chunk into the queue: memory has run out

  void run(std::size_t reader) noexcept;
  void read_chunks(std::size_t reader);
  bool wait_for_turn(std::unique_lock<std::mutex>& lock, std::size_t ticket);
  bool has_error(std::size_t count) const;
};

// Whether an error stands before the end of that many examples.
bool ChunkQueue::State::has_error(std::size_t count) const {
  std::size_t examples = 0;
  for (auto chunk = chunks.begin(); chunk != chunks.end() && examples < count; ++chunk) {
    if (chunk->error) return true;
    examples += chunk->order.size() - chunk->used;
  }
  return false;
}

// False when there is no use in it any more.
bool ChunkQueue::State::wait_for_turn(std::unique_lock<std::mutex>& lock, std::size_t ticket) {
  writable.wait(lock, [&] { return quit || (due == ticket && waiting < cache_size); });
  return !quit;
}

void ChunkQueue::State::run(std::size_t reader) noexcept {
  std::exception_ptr error;
  try {
    read_chunks(reader);
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex);
  --readers;
  if (error) {  // the others wait for its turn to pass, in vain
    fault = std::move(error);
    quit = true;
    writable.notify_all();
  }
  readable.notify_all();
}

void ChunkQueue::State::read_chunks(std::size_t reader) {
  // What is drawn for a chunk comes from a stream of its own.
  core::Generator generator;
  const core::UseGenerator drawing(generator);
  std::unique_lock lock(mutex);
  while (!quit && !exhausted) {
    const std::size_t ticket = tickets;
    const core::PhiloxBlock block = core::philox(seed, ticket);
    generator.set_position({block.word[0] | std::uint64_t{block.word[1]} << 32, 0});
    Chunk chunk;
    Faults faults;
    std::exception_ptr error;
    std::optional<Indices> indices;
    try {
      indices = next();
      if (!indices || indices->empty()) {
        exhausted = true;
        break;
      }
    } catch (...) {
      error = std::current_exception();
      exhausted = true;
    }
    ++tickets;
    if (!error) {
      lock.unlock();
      std::size_t count = 0;
      try {
        chunk.examples = read(*indices, count, faults);
      } catch (...) {  // of what was done with all of them
        faults.insert(faults.begin(), {(*indices)[0], std::current_exception()});
        count = 0;
      }
      lock.lock();
      if (!wait_for_turn(lock, ticket)) break;
      if (count > 0) {
        try {
          chunk.order = order(count);
          for (const std::size_t index : chunk.order) {
            if (index >= count)
              fail<IndexError>("ChunkDataset: the example sampler must give indices below {}: {}", count, index);
          }
        } catch (...) {
          error = std::current_exception();
        }
      }
    } else if (!wait_for_turn(lock, ticket)) {
      break;
    }
    ++due;
    if (error) {
      chunks.push_back({nullptr, {}, 0, error});
    } else if (!chunk.order.empty()) {
      waiting += chunk.order.size();
      chunks.push_back(std::move(chunk));
    }
    for (const Fault& f : faults) chunks.push_back({nullptr, {}, 0, f.original, f.original, reader, f.chunk});
    readable.notify_all();
    writable.notify_all();
  }
}

ChunkQueue::ChunkQueue() : state_(new State()) {}
ChunkQueue::~ChunkQueue() { stop(); }

void ChunkQueue::start(const ChunkDatasetOptions& options, Next next, Read read, Order order) {
  stop();
  State& s = *state_;
  s.next = std::move(next);
  s.read = std::move(read);
  s.order = std::move(order);
  s.batch_size = options.batch_size();
  s.cache_size = options.cache_size();
  const core::RandomPosition at = core::default_generator().take(2);
  const core::PhiloxBlock block = core::philox(at.seed, at.offset);
  s.seed = block.word[0] | std::uint64_t{block.word[1]} << 32;
  s.chunks.clear();
  s.waiting = s.tickets = s.due = s.taken = 0;
  s.fault = nullptr;
  s.quit = s.exhausted = false;
  s.started = true;
  s.readers = options.preloader_count();
  for (std::size_t i = 0; i < options.preloader_count(); ++i) s.threads.emplace_back([&s, i] { s.run(i); });
}

void ChunkQueue::stop() {
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    s.quit = true;
  }
  s.writable.notify_all();
  s.readable.notify_all();
  for (std::thread& thread : s.threads) thread.join();
  s.threads.clear();
}

std::size_t ChunkQueue::take(std::size_t count, core::FunctionRef<void(void*, std::size_t)> hand_out) {
  State& s = *state_;
  std::unique_lock lock(s.mutex);
  if (!s.started) fail<ValueError>("ChunkDataset: reset() must come before get_batch(): it has not been called");
  s.readable.wait(lock, [&] { return s.waiting >= count || s.has_error(count) || s.readers == 0 || s.quit; });
  const std::size_t batch = s.taken++;
  if (s.has_error(count)) {  // the examples before it wait for the next batch
    const auto at = std::find_if(s.chunks.begin(), s.chunks.end(), [](const Chunk& chunk) { return chunk.error; });
    const Chunk fault = std::move(*at);
    s.chunks.erase(at);
    std::exception_ptr error = fault.error;
    try {
      if (fault.original) {
        error =
            std::make_exception_ptr(WorkerException(fault.original, fault.reader, batch, std::nullopt, fault.chunk));
      }
    } catch (...) {  // as it is, where all this cannot be said
    }
    std::rethrow_exception(error);
  }
  if (s.fault) std::rethrow_exception(std::exchange(s.fault, nullptr));
  std::size_t taken = 0;
  for (; taken < count && !s.chunks.empty(); ++taken) {
    Chunk& chunk = s.chunks.front();
    hand_out(chunk.examples.get(), chunk.order[chunk.used++]);
    --s.waiting;
    if (chunk.used == chunk.order.size()) s.chunks.pop_front();
  }
  s.writable.notify_all();
  return taken;
}

void ChunkQueue::guarded(core::FunctionRef<void()> body) {
  core::Generator generator;
  const core::UseGenerator drawing(generator);
  const std::lock_guard lock(state_->mutex);
  body();
}

void expect_batch_size(std::size_t batch_size, const ChunkDatasetOptions& options) {
  if (batch_size == options.batch_size()) return;
  fail<ValueError>("ChunkDataset: the batch size asked for must be that of its options: {} for {}", batch_size,
                   options.batch_size());
}

}  // namespace detail
}  // namespace gradus::data::datasets
