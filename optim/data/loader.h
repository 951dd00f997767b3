// Loaders: batch after batch of a data set, made by threads ahead of time where that is asked for.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../core/base/arg.h"
#include "../../core/base/errors.h"
#include "../../core/base/function_ref.h"
#include "../../core/base/own.h"
#include "dataset.h"
#include "samplers.h"

namespace gradus::data {

/// A span of time: of any unit of the standard chrono header, which costs too much to compile to be included here.
/// Rounded up; what is too long for it is the longest.
class Milliseconds {
 public:
  template <class Duration, class Period = typename Duration::period>
  constexpr Milliseconds(const Duration& span)  // NOLINT
      : count_(rounded_up(static_cast<double>(span.count()) * static_cast<double>(Period::num) * 1000 /
                          static_cast<double>(Period::den))) {}
  constexpr std::int64_t count() const { return count_; }

 private:
  static constexpr std::int64_t rounded_up(double count) {
    if (!(count < 0x1p63)) return INT64_MAX;
    if (count <= -0x1p63) return INT64_MIN;
    const auto whole = static_cast<std::int64_t>(count);  // towards 0
    return static_cast<double>(whole) < count ? whole + 1 : whole;
  }
  std::int64_t count_;
};

/// What a loader is told, with PyTorch's defaults; `seed` is its own.
struct DataLoaderOptions {
  DataLoaderOptions() = default;
  DataLoaderOptions(std::size_t batch_size) : batch_size_(batch_size) {}  // NOLINT
  /// Examples in a batch.
  GRADUS_ARG(std::size_t, batch_size) = 1;
  /// Threads that make batches; with 0 the caller makes each when it is asked for.
  GRADUS_ARG(std::size_t, workers) = 0;
  /// Batches that may be asked for ahead of time: two for each worker unless it is set.
  GRADUS_ARG(std::optional<std::size_t>, max_jobs);
  /// How long to wait for a batch of the workers: LoaderTimeout then, and waiting may go on.
  GRADUS_ARG(std::optional<Milliseconds>, timeout);
  /// Batches in the order of the sampler; else as they become ready.
  GRADUS_ARG(bool, enforce_ordering) = true;
  /// Whether a last batch of fewer examples is left out. A stateful data set cuts its batches itself: of its last one this
  /// says nothing, as in PyTorch.
  GRADUS_ARG(bool, drop_last) = false;
  /// Of the random numbers that data set and transforms draw (EachExample). Unless it is set, each epoch takes one from the
  /// default generator.
  GRADUS_ARG(std::optional<std::uint64_t>, seed);
};

/// The same with the defaults that depend on others. ValueError when batch_size or max_jobs is 0, timeout is negative, or
/// more than 1024 workers or 2^20 jobs are asked for, as a negative number is.
struct GRADUS_API FullDataLoaderOptions {
  explicit FullDataLoaderOptions(DataLoaderOptions options);
  std::size_t batch_size, workers, max_jobs;
  std::optional<Milliseconds> timeout;
  bool enforce_ordering, drop_last;
  std::optional<std::uint64_t> seed;
};

/// An exception out of a worker, once, where its batch was due; the next batches follow. Where there is no memory to say
/// all this, the original comes as it is.
class GRADUS_API WorkerException : public Error {
 public:
  WorkerException(std::exception_ptr original, std::size_t worker_, std::size_t batch_,
                  std::optional<std::size_t> example_, std::optional<std::size_t> chunk_ = {});
  ~WorkerException() override;
  std::exception_ptr original_exception;
  std::string message;  ///< what() as it was thrown
  std::size_t worker;   ///< which thread, from 0: of the loader, or of a ChunkDataset's where there is a chunk
  std::size_t batch;    ///< which batch of the epoch, from 0
  std::optional<std::size_t> example;  ///< the data set's index of the example that was being made, where that is known
  std::optional<std::size_t> chunk;    ///< which chunk a ChunkDataset was reading
};

/// The workers took longer than `timeout` for a batch.
class GRADUS_API LoaderTimeout : public Error {
 public:
  using Error::Error;
  ~LoaderTimeout() override;
};

namespace detail {

/// What a loader does whatever its types are: threads, queues, order, exceptions. Requests and batches are held without
/// their types. Every function but the workers' is called by one thread at a time.
class GRADUS_API Pipeline {
 public:
  using Object = std::shared_ptr<void>;
  /// Makes the batch of a request; null when there are no more batches. Calls `taken` once the next one may be taken from a
  /// data set that all workers share, or not at all: it is said when the batch is made.
  using Work = std::function<Object(void* request, core::FunctionRef<void()> taken)>;
  /// The next request, for at most `examples`, and how many it is for; null when there are no more.
  using NextRequest = core::FunctionRef<Object(std::size_t& examples)>;

  explicit Pipeline(const FullDataLoaderOptions& options);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// A worker; the caller's own work where there are no threads. `in_turn`: with enforce_ordering its batches are taken in
  /// the order of the requests, one after the other.
  void add(Work work, bool in_turn);
  /// Forgets what is left of an epoch; none of its batches is being made any more.
  void drain();
  void begin(NextRequest next_request);
  Object next(NextRequest next_request);
  /// Ends the threads.
  void join() noexcept;

  struct Progress {
    std::uint64_t epochs = 0;    ///< begun so far
    std::uint64_t seed = 0;      ///< of this one
    std::size_t batches = 0;     ///< of this one, handed out
    bool inside = false;         ///< whether there may be more of it
    std::size_t examples = 0;    ///< of this one, handed out
    std::size_t batch_size = 0;  ///< of the batches so far; 0 where it was not the same for all
  };
  /// ValueError without enforce_ordering: it is not said then which batches are still to come.
  Progress progress() const;
  /// The next `begin` goes on there: as many examples are passed over. It throws ValueError when another batch size does
  /// not come out there.
  void resume(const Progress& progress);

 private:
  struct State;
  core::Own<State> state_;
};
/// A loader's position: of its loop, and its sampler's at the epoch's beginning, under "sampler.".
GRADUS_API samplers::Position joined(const Pipeline::Progress& progress, const samplers::Position& sampler);
/// ValueError for what is no such position, and for one of another batch size where requests do not say how many examples
/// they are for.
GRADUS_API Pipeline::Progress parted(const samplers::Position& position, samplers::Position& sampler,
                                     std::size_t batch_size, bool examples_known);

/// What iterators share: where the epoch is.
class GRADUS_API Cursor {
 public:
  explicit Cursor(std::function<Pipeline::Object()> next) : next_(std::move(next)) {}
  ~Cursor();
  void* get();     ///< the batch; null at the end
  void* expect();  ///< IndexError at the end
  void advance();  ///< IndexError at the end
  [[noreturn]] static void past_the_end();

 private:
  std::function<Pipeline::Object()> next_;
  Pipeline::Object batch_;
  bool begun_ = false, fetched_ = false;
};

template <class Request>
constexpr bool says_examples() {
  return requires(const Request& request) { request.size(); }
  || std::is_convertible_v<Request, std::size_t>;
}
template <class Request>
std::size_t examples_of(const Request& request) {
  if constexpr (requires { request.size(); }) {
    return request.size();
  } else if constexpr (says_examples<Request>()) {
    return request;
  } else {
    return 1;
  }
}

}  // namespace detail

/// Over the batches of an epoch, once.
template <class Batch>
class Iterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = Batch;
  using pointer = Batch*;
  using reference = Batch&;
  using iterator_category = std::input_iterator_tag;

  /// Without a cursor it stands past the end.
  explicit Iterator(std::shared_ptr<detail::Cursor> cursor = nullptr) : cursor_(std::move(cursor)) {}

  Iterator& operator++() {
    if (!cursor_) detail::Cursor::past_the_end();
    cursor_->advance();
    return *this;
  }
  Batch& operator*() const { return *operator->(); }
  Batch* operator->() const {
    if (!cursor_) detail::Cursor::past_the_end();
    return static_cast<Batch*>(cursor_->expect());
  }
  bool operator==(const Iterator& other) const {
    if (cursor_ == other.cursor_) return true;
    return (!cursor_ || cursor_->get() == nullptr) && (!other.cursor_ || other.cursor_->get() == nullptr);
  }

 private:
  std::shared_ptr<detail::Cursor> cursor_;
};

/// A loader. `for (auto& batch : *loader)` is an epoch: `begin` resets the sampler, and forgets what another loop left.
template <class Dataset, class Batch, class BatchRequest>
class DataLoaderBase {
 public:
  using BatchType = Batch;
  using BatchRequestType = BatchRequest;

  explicit DataLoaderBase(DataLoaderOptions options) : options_(std::move(options)), pipeline_(options_) {}
  DataLoaderBase(const DataLoaderBase&) = delete;
  DataLoaderBase& operator=(const DataLoaderBase&) = delete;
  /// Waits for the batches that are being made.
  virtual ~DataLoaderBase() { join(); }

  Iterator<Batch> begin() {
    pipeline_.drain();
    reset();
    pipeline_.begin([this](std::size_t& n) { return request(n); });
    auto next = [this, epoch = ++epoch_] {
      return epoch == epoch_ ? pipeline_.next([this](std::size_t& n) { return request(n); }) : nullptr;
    };
    return Iterator<Batch>(std::make_shared<detail::Cursor>(std::move(next)));
  }
  Iterator<Batch> end() { return Iterator<Batch>(); }
  /// Ends the threads: there are no more batches.
  void join() { pipeline_.join(); }
  const FullDataLoaderOptions& options() const noexcept { return options_; }

 protected:
  virtual std::optional<BatchRequest> get_batch_request() = 0;
  virtual void reset() = 0;
  void add_worker(std::shared_ptr<Dataset> dataset) {
    const auto work = [dataset = std::move(dataset)](void* request_,
                                                     core::FunctionRef<void()> taken) -> detail::Pipeline::Object {
      BatchRequest& request = *static_cast<BatchRequest*>(request_);
      if constexpr (Dataset::is_stateful) {
        auto batch = datasets::detail::take_batch(*dataset, std::move(request), taken);
        return batch ? std::make_shared<Batch>(std::move(*batch)) : nullptr;
      } else {
        return std::make_shared<Batch>(dataset->get_batch(std::move(request)));
      }
    };
    pipeline_.add(work, Dataset::is_stateful);
  }
  detail::Pipeline::Progress progress() const { return pipeline_.progress(); }
  void resume(const detail::Pipeline::Progress& progress_) { pipeline_.resume(progress_); }
  const FullDataLoaderOptions options_;
  std::size_t most_ = options_.batch_size;  // examples of the next request

 private:
  detail::Pipeline::Object request(std::size_t& examples) {
    most_ = examples;
    std::optional<BatchRequest> next = get_batch_request();
    if (!next) return nullptr;
    examples = detail::examples_of(*next);
    return std::make_shared<BatchRequest>(std::move(*next));
  }

  std::size_t epoch_ = 0;
  detail::Pipeline pipeline_;
};

/// For data sets that answer requests: a copy for each worker, and a sampler that makes the requests.
template <class Dataset, class Sampler>
class StatelessDataLoader
    : public DataLoaderBase<Dataset, typename Dataset::BatchType, typename Sampler::BatchRequestType> {
 public:
  using super = DataLoaderBase<Dataset, typename Dataset::BatchType, typename Sampler::BatchRequestType>;
  using typename super::BatchRequestType;

  StatelessDataLoader(Dataset dataset, Sampler sampler, DataLoaderOptions options)
      : super(std::move(options)), sampler_(std::move(sampler)), start_(sampler_.position()) {
    for (std::size_t w = 1; w < this->options_.workers; ++w) this->add_worker(std::make_shared<Dataset>(dataset));
    this->add_worker(std::make_shared<Dataset>(std::move(dataset)));
  }
  ~StatelessDataLoader() override { this->join(); }
  /// Where the sampler is: ahead of the loop by what is asked for in advance.
  const Sampler& sampler() const noexcept { return sampler_; }

  /// Where the loop is. The next loop after `set_position` goes on there: its first batch is the one that would have come,
  /// with the random numbers that it would have had, whatever the number of workers. (What the default generator would
  /// have drawn outside is the program's to keep.) With another batch size it goes on behind as many examples. ValueError
  /// without enforce_ordering, for the position of a data set of another size, and for another batch size where it cannot
  /// be said how many examples there were.
  samplers::Position position() const { return detail::joined(this->progress(), start_); }
  void set_position(const samplers::Position& position) {
    samplers::Position start;
    const detail::Pipeline::Progress progress =
        detail::parted(position, start, this->options_.batch_size, detail::says_examples<BatchRequestType>());
    sampler_.set_position(start);
    start_ = std::move(start);
    goes_on_ = progress.inside;
    this->resume(progress);
  }
  void save(serialize::OutputArchive& archive) const { samplers::detail::write(archive, position()); }
  void load(serialize::InputArchive& archive) { set_position(samplers::detail::read(archive, position())); }

 private:
  void reset() override {
    if (!std::exchange(goes_on_, false)) sampler_.reset(std::nullopt);
    start_ = sampler_.position();
  }
  std::optional<BatchRequestType> get_batch_request() override {
    auto request = sampler_.next(this->most_);
    if (request && this->options_.drop_last && detail::examples_of(*request) < this->most_) {
      return std::nullopt;
    }
    return request;
  }
  Sampler sampler_;
  samplers::Position start_;  // of the epoch
  bool goes_on_ = false;
};

/// For data sets that know where they are: one for all workers. With enforce_ordering they take its batches one after the
/// other, in the order of the requests, and only what `map` does with them at the same time.
template <class Dataset>
class StatefulDataLoader
    : public DataLoaderBase<Dataset, typename Dataset::BatchType::value_type, typename Dataset::BatchRequestType> {
 public:
  using super = DataLoaderBase<Dataset, typename Dataset::BatchType::value_type, typename Dataset::BatchRequestType>;
  using typename super::BatchRequestType;

  StatefulDataLoader(Dataset dataset, DataLoaderOptions options)
      : super(std::move(options)), dataset_(std::make_shared<Dataset>(std::move(dataset))) {
    for (std::size_t w = 0; w < (this->options_.workers == 0 ? 1 : this->options_.workers); ++w) {
      this->add_worker(dataset_);
    }
  }
  ~StatefulDataLoader() override { this->join(); }

 private:
  void reset() override { dataset_->reset(); }
  std::optional<BatchRequestType> get_batch_request() override { return this->options_.batch_size; }
  std::shared_ptr<Dataset> dataset_;
};

/// A loader of a data set and a sampler.
template <class Dataset, class Sampler>
requires(!Dataset::is_stateful) std::unique_ptr<StatelessDataLoader<Dataset, Sampler>> make_data_loader(
    Dataset dataset, Sampler sampler, DataLoaderOptions options) {
  return std::make_unique<StatelessDataLoader<Dataset, Sampler>>(std::move(dataset), std::move(sampler),
                                                                 std::move(options));
}

namespace detail {
/// ValueError when the size of a data set is not known, and a sampler needs it.
GRADUS_API std::size_t expect_size(std::optional<std::size_t> size);
}  // namespace detail

/// The same with a sampler of the data set's size.
template <class Sampler = samplers::RandomSampler, class Dataset>
requires(!Dataset::is_stateful && std::is_constructible_v<Sampler, std::size_t>)
    std::unique_ptr<StatelessDataLoader<Dataset, Sampler>> make_data_loader(Dataset dataset,
                                                                            DataLoaderOptions options = {}) {
  Sampler sampler(detail::expect_size(dataset.size()));
  return make_data_loader(std::move(dataset), std::move(sampler), std::move(options));
}

/// A loader of a data set that knows where it is.
template <class Dataset>
requires(Dataset::is_stateful) std::unique_ptr<StatefulDataLoader<Dataset>> make_data_loader(
    Dataset dataset, DataLoaderOptions options = {}) {
  return std::make_unique<StatefulDataLoader<Dataset>>(std::move(dataset), std::move(options));
}

}  // namespace gradus::data
