// A computation as it happened: what was recorded, what was saved for the backward pass, and how that ran.
#pragma once

#include <cstdint>
#include <string>

#include "../../core/base/export.h"
#include "../../core/base/own.h"

namespace gradus {
class Tensor;
}

namespace gradus::autograd {

struct RecordOptions {
  std::int64_t whole = 64;  ///< tensors of up to so many elements are kept with all their numbers
  std::int64_t corner = 3;  ///< of larger ones statistics, and so many rows and columns of a corner
};

/// While it lives (or until `stop`), what the calling thread records and its backward passes are written down: operations
/// with their modules, places, attributes, shapes and strides; the numbers that came and went; what nodes keep, and when
/// they let it go; gradients, and where several were added up; the bytes alive after each event. It keeps numbers, no
/// tensors. What is computed without recording (under a NoGradGuard, of integers) is no operation here: its results are
/// constants. The page autograd/RECORD.md says what json() has.
///
///     autograd::Record record;
///     const Tensor loss = net->forward(x).square().mean();
///     loss.backward();
///     std::cout << record.text();
class GRADUS_API Record {
 public:
  explicit Record(const RecordOptions& options = {});
  ~Record();
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  /// What a leaf, or any other tensor that was made before it is first used, is called, in place of a letter. Call it
  /// before its use.
  void name(const Tensor& x, std::string name);
  void stop() noexcept;

  /// A line an operation, `c:float32[2, 3] = mul a b`, with what it saves; then the backward passes, a line a step, with
  /// what is added up and what is let go.
  std::string text() const;
  /// Graphviz's language: modules are clusters, and of what is repeated one after the other, with the same operations on the
  /// same shapes, one stands for all.
  std::string dot() const;
  /// Everything, as autograd/RECORD.md says.
  std::string json() const;

 private:
  class Recorder;
  core::Own<Recorder> recorder_;
};

}  // namespace gradus::autograd
