// Data sets in chunks: too large for memory, read chunk by chunk ahead of time, shuffled within what is read.
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/arg.h"
#include "../../core/base/function_ref.h"
#include "../../core/base/own.h"
#include "loader.h"

namespace gradus::data::datasets {

/// Reads a chunk: a list of examples. Several threads may ask at once.
template <class ExampleType_, class ChunkType_ = std::vector<ExampleType_>>
class ChunkDataReader {
 public:
  using ChunkType = ChunkType_;
  using ExampleType = ExampleType_;
  using BatchType = ChunkType_;
  virtual ~ChunkDataReader() = default;
  virtual ChunkType read_chunk(std::size_t chunk_index) = 0;
  virtual std::size_t chunk_count() = 0;
  /// An epoch begins.
  virtual void reset() = 0;
};

/// ValueError when a number is 0 or the cache holds no batch.
struct GRADUS_API ChunkDatasetOptions {
  ChunkDatasetOptions() = delete;
  ChunkDatasetOptions(std::size_t preloader_count, std::size_t batch_size, std::size_t cache_size = 2048,
                      std::size_t cross_chunk_shuffle_count = 1);
  /// Threads that read.
  GRADUS_ARG(std::size_t, preloader_count);
  GRADUS_ARG(std::size_t, batch_size);
  /// No further chunk is taken in while that many examples wait.
  GRADUS_ARG(std::size_t, cache_size) = 2048;
  /// Chunks that are shuffled together.
  GRADUS_ARG(std::size_t, cross_chunk_shuffle_count) = 1;
};

namespace detail {

/// What a ChunkDataset does whatever its types are: reading threads, the queue, its order. The order of the examples is the
/// samplers', however many threads read. So is that of a loader's batches, however many workers it has, unless its
/// enforce_ordering is off: they take them in turn.
class GRADUS_API ChunkQueue {
 public:
  using Indices = std::vector<std::size_t>;
  /// A chunk that could not be read.
  struct Fault {
    std::size_t chunk;
    std::exception_ptr original;
  };
  using Faults = std::vector<Fault>;
  struct Chunk {
    std::shared_ptr<void> examples;
    Indices order;                          ///< in which they are handed out
    std::size_t used = 0;                   ///< so many are
    std::exception_ptr error = nullptr;     ///< in the place of examples
    std::exception_ptr original = nullptr;  ///< the same, where it is of reading a chunk
    std::size_t reader = 0, chunk = 0;      ///< that failed
  };
  /// Which chunks come next; called under a lock.
  using Next = std::function<std::optional<Indices>()>;
  /// Reads them as one; how many examples that are, and which of them could not be read.
  using Read = std::function<std::shared_ptr<void>(const Indices& chunks, std::size_t& count, Faults& faults)>;
  /// The order of so many examples; called under a lock.
  using Order = std::function<Indices(std::size_t count)>;

  ChunkQueue();
  ~ChunkQueue();
  ChunkQueue(const ChunkQueue&) = delete;
  ChunkQueue& operator=(const ChunkQueue&) = delete;

  void start(const ChunkDatasetOptions& options, Next next, Read read, Order order);
  void stop();
  /// Hands out that many examples, fewer at the end; waits for them. WorkerException with the chunk for what a reader threw,
  /// once, in the place of the first batch that would have had an example of it: which that is does not depend on when it
  /// was read. The chunks before it and behind it are handed out.
  std::size_t take(std::size_t count, core::FunctionRef<void(void* examples, std::size_t index)> hand_out);
  /// Runs something under the lock that guards the samplers. What it draws is nobody's.
  void guarded(core::FunctionRef<void()> body);

 private:
  struct State;
  core::Own<State> state_;
};

/// ValueError when the size is not that of the options.
GRADUS_API void expect_batch_size(std::size_t batch_size, const ChunkDatasetOptions& options);

}  // namespace detail

/// Reads chunks in the order of one sampler and hands out each one's examples in the order of another. Ask a loader for
/// this data set's own batch size. A chunk that cannot be read is a WorkerException with its number, where a batch of its
/// was due; who goes on has the others.
template <class ChunkReader, class ChunkSampler = samplers::RandomSampler,
          class ExampleSampler = samplers::RandomSampler>
class ChunkDataset final : public StatefulDataset<ChunkDataset<ChunkReader, ChunkSampler, ExampleSampler>,
                                                  typename ChunkReader::BatchType, std::size_t> {
 public:
  using UnwrappedBatchType = typename ChunkReader::BatchType;
  using BatchType = std::optional<UnwrappedBatchType>;
  using BatchRequestType = std::size_t;
  using ChunkSamplerType = ChunkSampler;
  using ExampleSamplerType = ExampleSampler;
  using Policy = std::function<void(UnwrappedBatchType&)>;

  /// `preprocessing_policy` is shown what was read before it is shuffled.
  ChunkDataset(ChunkReader chunk_reader, ChunkSampler chunk_sampler, ExampleSampler example_sampler,
               ChunkDatasetOptions options, Policy preprocessing_policy = {})
      : parts_(new Parts{std::move(chunk_reader), std::move(chunk_sampler), std::move(example_sampler),
                         std::move(preprocessing_policy)}),
        options_(std::move(options)),
        queue_(new detail::ChunkQueue()) {}

  /// ValueError when the size is not that of the options.
  BatchType get_batch(std::size_t batch_size) override {
    detail::expect_batch_size(batch_size, options_);
    UnwrappedBatchType batch;
    queue_->take(batch_size, [&](void* examples, std::size_t index) {
      batch.push_back(std::move((*static_cast<UnwrappedBatchType*>(examples))[index]));
    });
    if (batch.empty()) return std::nullopt;
    return batch;
  }
  BatchType get_batch() { return get_batch(options_.batch_size()); }

  void reset() override {
    queue_->stop();
    Parts& p = *parts_;
    if (!std::exchange(resumed_, false)) {
      p.reader.reset();
      p.chunk_sampler.reset(p.reader.chunk_count());
    }
    queue_->start(
        options_, [&p, n = options_.cross_chunk_shuffle_count()] { return p.chunk_sampler.next(n); },
        [&p](const std::vector<std::size_t>& chunks, std::size_t& count,
             detail::ChunkQueue::Faults& faults) -> std::shared_ptr<void> {
          std::shared_ptr<UnwrappedBatchType> examples;
          for (const std::size_t chunk : chunks) {
            try {
              UnwrappedBatchType more = p.reader.read_chunk(chunk);
              if (examples) {
                for (auto& example : more) examples->push_back(std::move(example));
              } else {
                examples = std::make_shared<UnwrappedBatchType>(std::move(more));
              }
            } catch (...) {
              faults.push_back({chunk, std::current_exception()});
            }
          }
          if (!examples) return nullptr;
          if (p.policy) p.policy(*examples);
          count = examples->size();
          return examples;
        },
        [&p](std::size_t count) {
          p.example_sampler.reset(count);
          std::vector<std::size_t> order;
          if (auto next = p.example_sampler.next(count)) order = std::move(*next);
          return order;
        });
  }
  std::optional<std::size_t> size() const override { return std::nullopt; }
  ChunkSampler& chunk_sampler() { return parts_->chunk_sampler; }

  /// The chunk sampler's.
  void save(serialize::OutputArchive& archive) const override {
    queue_->guarded([&] { parts_->chunk_sampler.save(archive); });
  }
  void load(serialize::InputArchive& archive) override {
    queue_->guarded([&] {
      parts_->chunk_sampler.reset(parts_->reader.chunk_count());  // it may not know yet how many there are
      parts_->chunk_sampler.load(archive);
    });
    resumed_ = true;
  }

 private:
  // Where the reading threads find them wherever this moves.
  struct Parts {
    ChunkReader reader;
    ChunkSampler chunk_sampler;
    ExampleSampler example_sampler;
    Policy policy;
  };
  core::Own<Parts> parts_;
  ChunkDatasetOptions options_;
  core::Own<detail::ChunkQueue> queue_;  // last: its threads end before what they read from
  bool resumed_ = false;
};

}  // namespace gradus::data::datasets
