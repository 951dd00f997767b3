// Numbers over many batches.
#pragma once

#include <cstdint>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"

namespace gradus::train {

/// A mean of values, each with the number of examples that it stands for.
class GRADUS_API Mean {
 public:
  void add(double value, std::int64_t examples = 1);
  /// A loss: a tensor of one element.
  void add(const Tensor& value, std::int64_t examples = 1) { add(value.item<double>(), examples); }
  /// NaN before the first example.
  double value() const noexcept;
  std::int64_t examples() const noexcept { return examples_; }
  void reset() noexcept { *this = {}; }

 private:
  double sum_ = 0;
  std::int64_t examples_ = 0;
};

/// The share of examples whose class was recognised.
class GRADUS_API Accuracy {
 public:
  /// Scores [n, classes], of which the largest counts, or class numbers [n]; target [n]. Class numbers are of any integer
  /// dtype, or bool. Scores that hold NaN are never right. ShapeError where they do not fit, DTypeError for class numbers
  /// of another dtype, IndexError for a target of scores outside [0, classes).
  void add(const Tensor& predicted, const Tensor& target);
  /// 0 to 1; NaN before the first example.
  double value() const noexcept;
  std::int64_t examples() const noexcept { return examples_; }
  void reset() noexcept { *this = {}; }

 private:
  std::int64_t right_ = 0, examples_ = 0;
};

/// Says when a measure has not become better for a while.
///
///     train::EarlyStopping stopping(5);
///     if (stopping.update(test_loss)) break;
class GRADUS_API EarlyStopping {
 public:
  enum class Better : std::uint8_t { Smaller, Larger };
  /// It is time after `patience` epochs in a row without a better value, which is one better by more than `min_delta`.
  /// ValueError unless patience is at least 1 and min_delta 0 or more.
  explicit EarlyStopping(std::int64_t patience, double min_delta = 0, Better better = Better::Smaller);
  /// One more epoch's value; NaN is never better. True when it is time to stop.
  bool update(double value);
  bool should_stop() const noexcept { return since_ >= patience_; }
  /// Whether the last value was the best so far: the moment to keep the model.
  bool improved() const noexcept { return since_ == 0 && epoch_ > 0; }
  double best() const noexcept { return best_; }                    ///< NaN at first
  std::int64_t best_epoch() const noexcept { return best_epoch_; }  ///< from 1; 0 at first

 private:
  friend class Checkpoint;
  std::int64_t patience_, epoch_ = 0, best_epoch_ = 0, since_ = 0;
  double min_delta_, best_;
  Better better_;
};

}  // namespace gradus::train
