// The batch that a thread is making: internal to optim/data.
#pragma once

#include <exception>
#include <optional>
#include <vector>

#include "../../core/ops/generator_scope.h"
#include "each_example.h"

namespace gradus::data {

// What the thread is making: the streams of its random numbers (EachExample).
struct MadeBatch {
  MadeBatch(std::uint64_t seed, std::size_t first) : seed_(seed), first_(first) { go_to(first, 0); }
  // Stage 0 is what is drawn for the batch as a whole; a stage more is a loop over its examples.
  void go_to(std::size_t place, std::size_t stage) {
    // 2^40 examples in 2^24 stages.
    const core::PhiloxBlock block = core::philox(seed_, place << 24 | (stage & 0xFFFFFF));
    generator_.set_position({block.word[0] | std::uint64_t{block.word[1]} << 32, 0});
  }

  std::uint64_t seed_;
  std::size_t first_;       // the place in the epoch of the first example
  std::size_t stages_ = 0;  // loops so far
  bool in_loop_ = false;
  std::optional<std::size_t> example_;
  std::vector<std::size_t> indices_;  // of the examples, as the first loop named them
  core::Generator generator_;
  core::UseGenerator drawing_{generator_};
};

/// While it lives the thread makes that batch.
struct Making {
  explicit Making(MadeBatch& batch);
  ~Making();
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;
  MadeBatch* before_;
};

/// "example 3 of batch 1", or the chunk that was being read where that batch was due.
std::string place_of(std::size_t batch, const std::optional<std::size_t>& example,
                     const std::optional<std::size_t>& chunk = {});
/// The exception that is being handled as a WorkerException; as it is where that cannot be made.
std::exception_ptr current_worker_exception(std::size_t worker, std::size_t batch,
                                            const std::optional<std::size_t>& example) noexcept;

}  // namespace gradus::data
