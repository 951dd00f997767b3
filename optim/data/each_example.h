// Random numbers of each example's own: the same whoever makes it, and when.
#pragma once

#include <cstddef>

#include "../../core/base/export.h"

namespace gradus::data {

/// What makes the examples of a batch one by one says so with this, and every random number of the default generator that
/// is drawn for an example comes from a stream of its own: Philox under a seed that is a function of the loader's seed,
/// the epoch, the example's place in it and how many such loops the batch went through before. So they depend neither on
/// the number of workers nor on the size of a batch. Errors name the example that was being made. `Dataset::get_batch`
/// and `Transform::apply_batch` have it; a `get_batch` of one's own writes
///
///     data::EachExample each;
///     for (const auto i : indices) { each.begin(i); ... }
///
/// Outside a loader, and inside another such loop's example, it does nothing.
class GRADUS_API EachExample {
 public:
  EachExample() noexcept;
  ~EachExample();
  EachExample(const EachExample&) = delete;
  EachExample& operator=(const EachExample&) = delete;
  /// The next example, with the index that the data set knows it by.
  void begin(std::size_t index);
  /// The next one of a batch: the same as before, in the same order.
  void begin() noexcept;

 private:
  struct MadeBatch* batch_;
  std::size_t slot_ = 0, stage_ = 0;
  unsigned long long offset_ = 0, seed_ = 0;
  int exceptions_ = 0;
};

}  // namespace gradus::data
