// What is watched of an operation's first calls, in any build: whether forward and gradient leave alone what they are given,
// and whether the gradient, where it is recorded, keeps the history of all that it depends on.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "../../core/base/function_ref.h"
#include "node.h"
#include "../tensor/operand.h"

namespace gradus::autograd::detail {

/// Arrays that somebody is given to read, and what they are afterwards.
class GRADUS_API ReadOnly {
 public:
  ReadOnly() = default;
  ReadOnly(const Operand* inputs, int count);
  void add(const core::Array& x, const char* kind, int index);
  /// GradError when one has changed. Writes are counted; of an array with few elements the numbers are compared, too.
  void expect_unchanged(std::string_view op, const char* by) const;

 private:
  struct Given {
    core::Array array, before;
    std::uint64_t writes;
    const char* kind;
    int index;
  };
  std::vector<Given> given_;
};

/// A dependence of an input's gradient that a second derivative would not see.
struct LostHistory {
  int of_input;      ///< whose gradient it is; the number of inputs before the list: of any in the list
  const char* kind;  ///< of "input", "output" or "gradient" (of an output)
  int index;         ///< likewise
};

/// How an operation computes its gradients, and what it says of them.
struct GradientTraits {
  using Compute = core::FunctionRef<void(const Gradients& of_outputs, Gradients& of_inputs, bool create_graph)>;
  Compute compute;
  std::atomic<bool>& substituted;  ///< whether the node is to ask `substitute` for what its formulas read
  std::uint32_t differentiable;    ///< outputs
  int fixed;                       ///< inputs before the list, if there is one
  std::uint32_t constant_outputs;
  bool is_rule;
  bool has_formulas;  ///< a rule may have them as well: compute takes them under create_graph
  bool no_second_order;
};

/// The library's own operations are not watched: what the guard looks for, their rows in tests/table prove.
#ifdef GRADUS_BUILDING
constexpr bool kWatchedByTable = true;
#else
constexpr bool kWatchedByTable = false;
#endif

/// One for each operation. Everything is watched in the first calls alone; what has been found then stays.
class GRADUS_API OperationGuard {
 public:
  constexpr OperationGuard(bool no_second_order, bool history_kept) noexcept
      : state_(
            static_cast<std::uint8_t>(kBackward | (history_kept ? 0 : kRecorded) | (no_second_order ? kFenced : 0))) {}

  bool watches_forward() const noexcept { return watches_forward_.load(std::memory_order_relaxed); }
  bool concerned(bool create_graph) const noexcept {
    return (state_.load(std::memory_order_relaxed) & (create_graph ? kBackward | kRecorded | kFenced : kBackward)) != 0;
  }
  /// Ends the watch for as long as it lives, and then leaves one call less to be watched.
  class WatchForward {
   public:
    explicit WatchForward(OperationGuard& guard) noexcept;
    ~WatchForward();
    WatchForward(const WatchForward&) = delete;
    WatchForward& operator=(const WatchForward&) = delete;

   private:
    OperationGuard& guard_;
  };
  /// The node's gradients, watched.
  void run(Node& node, const Gradients& of_outputs, Gradients& of_inputs, bool create_graph,
           const GradientTraits& traits);

 private:
  void add(const std::vector<LostHistory>& found);
  static constexpr std::uint8_t kBackward = 1, kRecorded = 2, kFenced = 4;

  std::atomic<bool> watches_forward_{true};
  std::atomic<std::uint8_t> state_;
  std::atomic<std::uint8_t> forwards_{3}, backwards_{3}, recorded_{3};
  std::atomic<std::uint8_t> tries_{32};  // to find out about recorded gradients, with success or without
  std::atomic<const std::vector<LostHistory>*> lost_{nullptr};  // never freed
};

/// What stands for a value while it is tried out on what a gradient depends: x itself elsewhere.
GRADUS_API Tensor substitute(Tensor x, int of_input, const char* kind, int index);

}  // namespace gradus::autograd::detail
