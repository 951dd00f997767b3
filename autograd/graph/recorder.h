// What writes a Record: an observer (internal).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "observer.h"
#include "record.h"
#include "record_data.h"
#include "record_places.h"
#include "../../core/memory/storage_serials.h"
#include "../tensor/tensor.h"

namespace gradus::autograd {

namespace detail {

inline int last(std::size_t size) { return static_cast<int>(size) - 1; }
inline std::uint32_t end_of(std::size_t size) { return static_cast<std::uint32_t>(size); }

}  // namespace detail

class Record::Recorder final : public Observer {
 public:
  explicit Recorder(const RecordOptions& options) : all(options.corner, options.both_ends), options_(options) {
    constexpr std::size_t kUsual = 4096;  // lists that grow are copied
    all.operations.reserve(kUsual);
    all.values.reserve(kUsual);
    all.gradients.reserve(kUsual);
    all.steps.reserve(kUsual);
    all.statistics.reserve(kUsual);
  }

  void name(const Tensor& x, std::string name);
  void stop() noexcept { on_ = false; }

  void recorded(Node& node, const Operand* inputs, int count, const std::vector<core::Array>& outputs) override;
  void writing(Node& node, const Operand* inputs, int count, bool certain) override;
  void carried_over(Node& node, const Operand* inputs, int count, const core::Array& result) override;
  void started(const std::vector<Tensor>& outputs, const Gradients& gradients) override;
  void running(Node& node, const Gradients& of_outputs) override;
  void ran(Node& node, const Gradients& of_outputs, Gradients& of_inputs) override;
  void added(Node& node, int output) override;
  void released(Node& node) override;
  void arrived(Node& node, int output, const Tensor& gradient) override;
  void failed(Node* node, const Gradients& of_outputs, std::string_view what) override;
  void ended(bool complete) noexcept override;
  void unrecorded(std::string_view name, const Operand* inputs, int count,
                  const std::vector<core::Array>& outputs) override;
  void detached(const Tensor& from, const Tensor& to) override;
  void entered(std::string_view module) noexcept override;
  void left(std::string_view module) noexcept override;
  void updating(std::string_view optimizer, const Tensor& parameter, const Tensor& gradient) override;
  void updated(std::string_view optimizer, const Tensor& parameter) override;

  detail::Recording all;

 private:
  // What computed numbers without being recorded, and where their history ended; kNone: they never had one.
  struct Loose {
    detail::RecordedStop stop;
    std::vector<detail::RecordedMaker> made_by;  // the latest first, the last few
    const void* storage;
  };
  struct Came {
    int pass;
    LeafNode* leaf;
    bool with_history;
  };
  struct Grad {
    std::int64_t bytes;
    bool with_history;
  };
  // What a call in place read, before it wrote.
  struct Read {
    static constexpr int kLater = -2;  // of what it does not write over
    std::uint64_t node;                // its number
    std::vector<int> values;
  };
  int new_operation(const Node& node, const std::vector<int>& inputs);
  int operation_of(const Node& node);
  int new_value(detail::RecordedValue::Kind kind, int operation, int output, const core::Array& x,
                const detail::RecordedNumbers* numbers = nullptr);
  const std::vector<int>& values_read(const Node& node, const Operand* inputs, int count);
  int value_before(const Tensor& x) const;
  void count_use(int value);
  int value_of(const Tensor& x);
  int constant(const Tensor& x);
  int changed(int value, const Body& body, const core::Array& array);
  int new_storage(const core::Array& x, int made_by);
  int storage_of(const core::Array& x);
  detail::RecordedNumbers numbers_of(const core::Array& x);
  core::Array corner_of(const core::Array& x) const;
  void save(Node& node, detail::RecordedOperation& operation);
  detail::RecordedGradient gradient(int index, const core::Array& g, bool with_numbers);
  void moment(detail::RecordedMoment::Kind kind, int of);
  void note_changes(Node& node, detail::RecordedStep& step);
  void compare_with_reference(Node& node, const Gradients& of_outputs, const Gradients& of_inputs,
                              detail::RecordedStep& step);
  const Loose* loose(const core::Array& x) const;
  void loosen(const core::Array& result, detail::RecordedStop stop, std::vector<detail::RecordedMaker> made_by);
  void forget_the_gone();
  void count_grad(const Came& came);
  void count_grads();
  void find_origin(int value);
  void begin_step(Node& node, const Gradients& of_outputs);

  RecordOptions options_;
  bool on_ = true;
  detail::Places operations_, storages_, bodies_;
  std::unordered_map<const Body*, detail::Named> names_;
  std::vector<core::Ref<Node>> leaves_;   // kept, so that no other comes to lie where one was; no tensor hangs by them
  std::vector<std::uint8_t> uses_;        // of each value, by operations: 2 stands for more
  std::unordered_map<int, int> changed_;  // of results that were written to without being recorded, the last value
  std::vector<Read> reads_;               // of calls that go on, and of those that threw
  std::vector<int> read_;                 // of the call that is being recorded
  core::Array stretch_;                   // of the base that a call changes through a view, before that
  std::vector<int> open_;                 // steps that run, passes inside steps
  std::vector<int> passes_;
  std::vector<int> calls_;  // of modules, those that go on
  core::StorageSerials serials_;
  // Numbers outside the graph, by the serials of their storages.
  std::unordered_map<std::uint64_t, Loose> loose_;
  std::size_t most_loose_ = 64;  // from here on it is looked through for those that are gone
  std::unordered_map<const Body*, std::size_t> open_updates_;
  // The gradients that this thread's passes have left in `.grad`: what others leave is not for this thread to look at.
  std::vector<Came> came_;  // in passes that go on
  std::unordered_map<LeafNode*, Grad> grads_;
  std::int64_t grads_bytes_ = 0;
  std::size_t told_until_ = 0;  // the moments for which that sum is certain
  int last_step_ = -1;
};

}  // namespace gradus::autograd
