// Which class is taken for which.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../../autograd/tensor/tensor.h"
#include "../../core/base/export.h"
#include "terminal.h"

namespace gradus::train {

/// Counts by true and predicted class.
class GRADUS_API Confusion {
 public:
  /// ValueError unless there is at least one class.
  explicit Confusion(int classes);
  /// One more example. Both are below the number of classes; gradus::IndexError otherwise.
  void add(std::int64_t truth, std::int64_t predicted);
  /// Class numbers [n] of any integer dtype, or bool, and what was predicted: class numbers [n], or scores [n, classes], of
  /// which the largest counts. gradus::ShapeError where they do not fit, DTypeError for other dtypes, IndexError as above,
  /// ValueError for scores that hold NaN, which predict nothing; nothing has been counted then.
  void add(const Tensor& truth, const Tensor& predicted);
  /// The right ones' share, 0 to 1; NaN before the first example.
  double accuracy() const;
  /// The share of class `truth` that was recognised; NaN where there is no example of it.
  double recall(int truth) const;
  /// A row for each true class, a column for each predicted one and the recall, aligned, each line ended. Zeros are
  /// dots, so that the mistakes stand out; on a terminal right ones are green, mistakes red.
  std::string table(const Terminal& terminal = {}) const;

 private:
  std::int64_t count(int truth, int predicted) const;

  int classes_;
  std::vector<std::int64_t> counts_;
};

}  // namespace gradus::train
