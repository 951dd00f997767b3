#include "loader.h"

#include "../../autograd/tensor/create.h"
#include "../../core/base/fail.h"
#include "made_batch.h"

namespace gradus::data {

using core::fail;

namespace {
constexpr std::size_t kMostWorkers = 1024, kMostJobs = std::size_t{1} << 20;
}  // namespace

FullDataLoaderOptions::FullDataLoaderOptions(DataLoaderOptions options)
    : batch_size(options.batch_size()),
      workers(options.workers()),
      max_jobs(options.max_jobs().value_or(2 * options.workers())),
      timeout(options.timeout()),
      enforce_ordering(options.enforce_ordering()),
      drop_last(options.drop_last()),
      seed(options.seed()) {
  if (batch_size == 0) fail<ValueError>("DataLoaderOptions: batch_size must be at least 1: 0");
  if (workers > 0 && max_jobs == 0) {
    fail<ValueError>("DataLoaderOptions: max_jobs must be at least 1 where there are workers: 0 for {}", workers);
  }
  // A negative number has become a very large one.
  const auto expect_at_most = [](const char* what, std::size_t count, std::size_t most) {
    if (count > most) {
      fail<ValueError>("DataLoaderOptions: {} must be from 0 to {}: {}", what, most, static_cast<std::int64_t>(count));
    }
  };
  expect_at_most("workers", workers, kMostWorkers);
  expect_at_most("max_jobs", max_jobs, kMostJobs);
  if (timeout && timeout->count() < 0) {
    fail<ValueError>("DataLoaderOptions: timeout must be 0 ms or more: {} ms", timeout->count());
  }
}

namespace {
std::string message_of(const std::exception_ptr& original) {
  try {
    std::rethrow_exception(original);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}
std::string thread_of(std::size_t worker, const std::optional<std::size_t>& chunk) {
  return fmt::format("{} thread {}", chunk ? "ChunkDataset reader" : "DataLoader worker", worker);
}
}  // namespace

std::string place_of(std::size_t batch, const std::optional<std::size_t>& example,
                     const std::optional<std::size_t>& chunk) {
  if (chunk) return fmt::format("chunk {}, where batch {} was due", *chunk, batch);
  return example ? fmt::format("example {} of batch {}", *example, batch) : fmt::format("batch {}", batch);
}

std::exception_ptr current_worker_exception(std::size_t worker, std::size_t batch,
                                            const std::optional<std::size_t>& example) noexcept {
  const std::exception_ptr original = std::current_exception();
  try {
    return std::make_exception_ptr(WorkerException(original, worker, batch, example));
  } catch (...) {
    return original;
  }
}

WorkerException::WorkerException(std::exception_ptr original, std::size_t worker_, std::size_t batch_,
                                 std::optional<std::size_t> example_, std::optional<std::size_t> chunk_)
    : Error(fmt::format("Caught exception in {} ({}). Original message: {}", thread_of(worker_, chunk_),
                        place_of(batch_, example_, chunk_), message_of(original))),
      original_exception(std::move(original)),
      message(what()),
      worker(worker_),
      batch(batch_),
      example(example_),
      chunk(chunk_) {}
WorkerException::~WorkerException() = default;
LoaderTimeout::~LoaderTimeout() = default;

namespace detail {

samplers::Position joined(const Pipeline::Progress& progress, const samplers::Position& sampler) {
  const auto number = [](std::uint64_t n) { return gradus::tensor(static_cast<std::int64_t>(n)); };
  samplers::Position position = {{"epochs", number(progress.epochs)},     {"seed", number(progress.seed)},
                                 {"batches", number(progress.batches)},   {"inside", number(progress.inside ? 1 : 0)},
                                 {"examples", number(progress.examples)}, {"batch_size", number(progress.batch_size)}};
  for (const auto& [name, tensor] : sampler) position.emplace_back("sampler." + name, tensor);
  return position;
}
Pipeline::Progress parted(const samplers::Position& position, samplers::Position& sampler, std::size_t batch_size,
                          bool examples_known) {
  constexpr std::string_view kSampler = "sampler.";
  const auto number = [&](std::string_view name) {
    for (const auto& [key, tensor] : position) {
      if (key == name) return static_cast<std::uint64_t>(tensor.item<std::int64_t>());
    }
    fail<ValueError>("DataLoader: a position must hold '{}': it has no such entry", name);
  };
  for (const auto& [key, tensor] : position) {
    if (key.starts_with(kSampler)) sampler.emplace_back(key.substr(kSampler.size()), tensor);
  }
  const auto count = [&](std::string_view name) {
    const auto n = static_cast<std::int64_t>(number(name));
    if (n < 0) fail<ValueError>("DataLoader: '{}' of a position must be 0 or more: {}", name, n);
    return static_cast<std::size_t>(n);
  };
  const Pipeline::Progress progress = {number("epochs"),      number("seed"),    count("batches"),
                                       number("inside") != 0, count("examples"), count("batch_size")};
  if (progress.examples > 0 && progress.batch_size != batch_size && !examples_known) {
    fail<ValueError>(
        "DataLoader: the position must be of a loader of the same batch size, as requests do not say how many examples "
        "they are for: {} there, {} here",
        progress.batch_size, batch_size);
  }
  return progress;
}

Cursor::~Cursor() = default;
void* Cursor::get() {
  begun_ = true;
  if (!fetched_) {
    batch_ = next_();  // what it throws, it throws once: the next call goes on behind it
    fetched_ = true;
  }
  return batch_.get();
}
void* Cursor::expect() {
  void* const batch = get();
  if (batch == nullptr) past_the_end();
  return batch;
}
void Cursor::advance() {
  if (!begun_ || fetched_) {
    expect();
    batch_.reset();
    fetched_ = false;
  }
  get();
}
void Cursor::past_the_end() {
  fail<IndexError>("DataLoader: an iterator must stand on a batch: it is past the end of its epoch");
}

std::size_t expect_size(std::optional<std::size_t> size) {
  if (!size) {
    fail<ValueError>(
        "make_data_loader: the data set must know its size for a sampler to be made: size() is empty; "
        "make_data_loader(dataset, sampler, options) takes one");
  }
  return *size;
}

}  // namespace detail
}  // namespace gradus::data
