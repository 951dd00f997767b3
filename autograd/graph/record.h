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

class Record;
namespace detail {
struct Recording;
/// What a Record has written down (record_data.h).
const Recording& recording_of(const Record& record);
}  // namespace detail

struct RecordOptions {
  std::int64_t whole = 64;  ///< tensors of up to so many elements are kept with all their numbers
  std::int64_t corner = 3;  ///< of larger ones statistics, and so many rows and columns of a corner
  bool both_ends = false;   ///< of larger ones the last rows and columns, too
  bool everywhere = false;  ///< gradients also where they go on as they are, and the bytes of `.grad` at each event
  /// Beside each rule's gradients those of its reference, which is computed and differentiated anew at each step of a
  /// rule: a step then takes 2 to 6 times as long, that of a convolution longest, and the memory of all it is made of.
  bool references = false;

  /// What a page (page/page.h) shows most with: all of it, tensors of up to 256 elements whole.
  static RecordOptions page() { return {256, 6, true, true, true}; }
};

/// While it lives (or until `stop`), what the calling thread records and its backward passes are written down: operations
/// with their modules, places, attributes, shapes and strides; the numbers that came and went; what nodes keep, and when
/// they let it go; gradients, and where several were added up; the bytes alive after each event. It keeps numbers, no
/// tensors. It must be destroyed on the thread that made it. What is computed without recording (under a NoGradGuard, of integers) is no operation here: its results are
/// constants, with a note of where history stopped when a recorded operation reads them. What optimizers do to parameters
/// is noted. The page autograd/RECORD.md says what json() has.
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

  /// What a tensor is called, in place of a letter: also one that has been recorded already, as long as it lives.
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
  friend const detail::Recording& detail::recording_of(const Record& record);
  class Recorder;
  core::Own<Recorder> recorder_;
};

}  // namespace gradus::autograd
