// What the pointwise loops of a computation do, as a program: internal to core and to autograd/fused.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "program.h"
#include "run.h"

namespace gradus::core::kernels {

/// While it lives, the loops that the calling thread runs on arrays of `numel` elements become instructions. Everything is
/// computed as ever, so that whatever is made of such loops can be recorded, without a word about it there. Arrays that no
/// loop has written are constants when their elements are all the same.
class ProgramRecording {
 public:
  /// More elements than the door hands to a kernel without a loop (kSmall in ops/pointwise_call.h).
  static constexpr std::int64_t kElements = 4160;

  ProgramRecording();
  ~ProgramRecording();
  ProgramRecording(const ProgramRecording&) = delete;
  ProgramRecording& operator=(const ProgramRecording&) = delete;
  /// The calling thread's, or null.
  static ProgramRecording* active() noexcept { return active_; }

  /// Contiguous, of kElements.
  void input(const Array& x);
  void ran(const Array& out, const Loop& loop);
  void copied(const Array& out, const Array& src);
  /// Something that is no pointwise loop reads x: what it decides by that holds for these numbers alone, and is in no
  /// program.
  void read(const Array& x, const char* by);
  /// The program of these results, undefined ones among them. False when it is none: refusal() says why.
  bool finish(const std::vector<Array>& outputs, Program& program);
  const std::string& refusal() const { return refusal_; }

 private:
  bool holds(const Array& x) const;
  int value_of(const Array& x, DType as);
  int constant_of(const Array& x, DType as);
  void refuse(std::string why);

  static thread_local ProgramRecording* active_;
  ProgramRecording* const outer_;
  Program program_;
  std::map<const void*, int> values_;  // by address
  std::vector<Array> held_;            // so that no address is given twice
  std::string refusal_;
};

}  // namespace gradus::core::kernels
